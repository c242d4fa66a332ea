import type { MemoryTable } from "@odg/expert-plugin-api/testing";

const ROWS = 2_000;
const CITIES = ["Lisbon", "Porto", "Berlin", "Paris", "Madrid", "Rome", "Vienna", "Dublin"];
const COUNTRIES = ["PT", "PT", "DE", "FR", "ES", "IT", "AT", "IE"];

/** Invented order items, their customers, and nothing that belongs to anybody. */
export function sales(): Record<string, MemoryTable> {
  return { "lake/order_items.parquet": orderItems(), "lake/customers.parquet": customers() };
}

function column(type: string, value: (row: number) => unknown, rows = ROWS) {
  return { type, values: Array.from({ length: rows }, (_, row) => value(row)) };
}

/** Numbers without a pattern, the same in every run (Knuth's multiplicative hash, mixed). */
function scatter(row: number): number {
  const mixed = Math.imul(row + 1, 2654435761) >>> 0;
  return Math.imul(mixed ^ (mixed >>> 15), 2246822519) >>> 3;
}

function customerOf(row: number): number {
  return 500 + (scatter(row) % 211);
}

function orderItems(): MemoryTable {
  return {
    columns: {
      item_id: column("VARCHAR", (row) => `IT${String(row).padStart(6, "0")}`),
      customer_id: column("BIGINT", customerOf),
      city: column("VARCHAR", (row) => CITIES[customerOf(row) % CITIES.length]),
      country: column("VARCHAR", (row) => COUNTRIES[customerOf(row) % COUNTRIES.length]),
      store_code: column("VARCHAR", (row) => String(scatter(row + 9) % 120).padStart(4, "0")),
      quantity: column("VARCHAR", (row) => (row % 50 === 0 ? null : String(1 + (scatter(row + 5) % 90)))),
      price: column("DOUBLE", (row) => 5 + (scatter(row + 3) % 997) / 10),
      currency: column("VARCHAR", (row) => ["EUR", "USD", "GBP"][scatter(row) % 3]),
      ordered_at: column("TIMESTAMP", (row) => `2025-01-${String(1 + (row % 28)).padStart(2, "0")} 10:00:00`),
      source: column("VARCHAR", () => "web"),
      legacy_note: column("VARCHAR", () => null),
      contact_email: { ...column("VARCHAR", (row) => `person${customerOf(row)}@example.com`), withheld: "e-mail" },
    },
    contract: { keys: { primary: ["item_id"] } },
  };
}

function customers(): MemoryTable {
  return {
    columns: {
      customer_id: column("BIGINT", (row) => 500 + row, 250),
      tier: column("VARCHAR", (row) => ["gold", "basic"][row % 2], 250),
    },
  };
}
