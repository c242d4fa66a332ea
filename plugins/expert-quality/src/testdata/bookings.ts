import type { MemoryTable } from "@odg/expert-plugin-api/testing";

type Columns = MemoryTable["columns"];

const CITIES = ["Lisbon", "Porto", "Berlin", "Paris", "Madrid", "Rome"];
const STATES = ["open", "paid", "paid", "paid", "paid", "cancelled"];

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Invented bookings in the order in which they were made. Nobody's data. */
export function bookings(rows: number, seed = 11): MemoryTable {
  const random = seeded(seed);
  const pick = (list: string[]) => list[Math.floor(random() * list.length)] ?? "";
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const columns: Columns = {
    booking_id: { type: "VARCHAR", values: [] },
    guest_id: { type: "BIGINT", values: [] },
    contact: { type: "VARCHAR", values: [], withheld: "e-mail addresses" },
    city: { type: "VARCHAR", values: [] },
    state: { type: "VARCHAR", values: [] },
    price: { type: "DOUBLE", values: [] },
    nights: { type: "INTEGER", values: [] },
    rating: { type: "DOUBLE", values: [] },
    discount: { type: "INTEGER", values: [] },
    arrives: { type: "DATE", values: [] },
    departs: { type: "DATE", values: [] },
    booked_at: { type: "TIMESTAMP", values: [] },
    remark: { type: "VARCHAR", values: [] },
  };
  const push = (name: string, value: unknown) => columns[name]?.values.push(value);
  for (let row = 0; row < rows; row += 1) {
    const guest = 1_000 + Math.floor(random() * 4_000);
    const nights = 1 + Math.floor(random() * 14);
    const day = Date.UTC(2025, 0, 1) + Math.floor(random() * 365) * 86_400_000;
    push("booking_id", `BK-${String(row).padStart(7, "0")}`);
    push("guest_id", guest);
    push("contact", `guest${guest}@example.net`);
    push("city", pick(CITIES));
    push("state", pick(STATES));
    push("price", Math.round(Math.exp(4.5 + 0.5 * normal()) * 100) / 100);
    push("nights", nights);
    push("rating", random() < 0.3 ? null : Math.round((3.8 + 0.6 * normal()) * 100) / 100);
    push("discount", random() < 0.6 ? 0 : 5 * (1 + Math.floor(random() * 4)));
    push("arrives", date(day));
    push("departs", date(day + nights * 86_400_000));
    push(
      "booked_at",
      `${date(Date.UTC(2024, 10, 1) + row * 60_000)} ${new Date(row * 60_000).toISOString().slice(11, 19)}`,
    );
    push("remark", random() < 0.8 ? null : `${pick(CITIES)} ${pick(STATES)}, late ${pick(CITIES)} arrival`);
  }
  return { columns };
}

/** Rows `from` to `to` of a table. */
export function part(table: MemoryTable, from: number, to: number): MemoryTable {
  const columns = Object.entries(table.columns).map(([name, column]) => [
    name,
    { ...column, values: column.values.slice(from, to) },
  ]);
  return { ...table, columns: Object.fromEntries(columns) };
}

function date(millis: number): string {
  return new Date(millis).toISOString().slice(0, 10);
}
