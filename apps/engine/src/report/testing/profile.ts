import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ColumnProfile,
  ColumnProfileSchema,
  type DatasetProfile,
  DatasetProfileSchema,
  Format,
} from "@odg/proto/odg/catalog/v1/dataset_pb";

const ROWS = 200_000n;

type ColumnInit = MessageInitShape<typeof ColumnProfileSchema>;

/** The profile of 200,000 customer transactions in 15 columns, three of them withheld. */
export function transactionsProfile(): DatasetProfile {
  return create(DatasetProfileSchema, {
    dataset: {
      uri: "lake/customer_transactions.parquet",
      name: "customer_transactions",
      format: Format.PARQUET,
      sizeBytes: 14_321_876n,
      fileCount: 1n,
      contract: { owner: "payments", purpose: "billing", jurisdiction: "EU" },
      contractSource: "customer_transactions.contract.yaml",
    },
    rowCount: ROWS,
    columns: [...keys(), ...people(), ...amounts(), ...categories(), ...times()],
    durationMs: 312.4,
    dialect: {},
  });
}

function column(init: ColumnInit): ColumnProfile {
  return create(ColumnProfileSchema, { compressedBytes: 900_000n, distinctExact: true, ...init });
}

function keys(): ColumnProfile[] {
  return [
    column({
      name: "transaction_id",
      type: "BIGINT",
      distinctCount: ROWS,
      min: "1",
      max: "200000",
      mean: 100_000.5,
      stddev: 57_735.1,
      quartiles: [50_000, 100_000, 150_000],
      histogram: { low: 1, high: 200_000, counts: Array.from({ length: 20 }, () => 10_000n) },
    }),
    column({
      name: "customer_id",
      type: "BIGINT",
      distinctCount: 20_000n,
      min: "1",
      max: "20000",
      mean: 9_981.2,
      histogram: { low: 1, high: 20_000, counts: bell(20, 0.9).map((count) => count + 5_000n) },
    }),
    column({ name: "order_id", type: "BIGINT", distinctCount: 181_440n, distinctExact: false, nullCount: 1_204n }),
  ];
}

function people(): ColumnProfile[] {
  const withheld = (reason: string): ColumnInit => ({
    type: "VARCHAR",
    valuesWithheld: reason,
    minLength: 9n,
    maxLength: 38n,
    meanLength: 21.4,
    distinctExact: false,
  });
  return [
    column({ ...withheld("e-mail addresses"), name: "email", distinctCount: 19_871n, nullCount: 129n }),
    column({ ...withheld("phone numbers"), name: "phone", distinctCount: 18_204n, nullCount: 9_802n }),
    column({ ...withheld("national ids"), name: "ssn", distinctCount: 19_998n, nullCount: 0n }),
  ];
}

function amounts(): ColumnProfile[] {
  return [
    column({
      name: "amount",
      type: "DECIMAL(12,2)",
      distinctCount: 48_211n,
      min: "-120",
      max: "9990",
      mean: 184.37,
      stddev: 262.9,
      quartiles: [22.5, 91.1, 240],
      histogram: {
        low: -120,
        high: 9990,
        counts: Array.from({ length: 24 }, (_, bin) => BigInt(Math.round(64_000 * 0.68 ** bin))),
      },
    }),
    column({
      name: "quantity",
      type: "INTEGER",
      distinctCount: 9n,
      min: "1",
      max: "9",
      mean: 2.3,
      histogram: {
        low: 1,
        high: 9,
        counts: [90_000n, 51_000n, 26_000n, 14_000n, 9_000n, 5_000n, 3_000n, 1_500n, 500n],
      },
    }),
    column({
      name: "tax_rate",
      type: "DOUBLE",
      distinctCount: 4n,
      nullCount: 300n,
      min: "0",
      max: "0.25",
      mean: 0.171,
      topValues: [
        { value: "0.19", count: 120_000n },
        { value: "0.07", count: 61_700n },
        { value: "0.25", count: 12_000n },
        { value: "0", count: 6_000n },
      ],
    }),
  ];
}

function categories(): ColumnProfile[] {
  return [
    column({
      name: "currency",
      type: "VARCHAR",
      distinctCount: 5n,
      minLength: 3n,
      maxLength: 3n,
      meanLength: 3,
      topValues: tops(["EUR", 121_000n], ["USD", 52_000n], ["GBP", 20_000n], ["BRL", 5_000n], ["eur", 2_000n]),
    }),
    column({
      name: "country",
      type: "VARCHAR",
      distinctCount: 31n,
      topValues: tops(["DE", 61_000n], ["FR", 44_000n], ["ES", 30_100n], ["BR", 22_000n], ["US", 18_000n]),
    }),
    column({
      name: "status",
      type: "VARCHAR",
      distinctCount: 4n,
      topValues: tops(["settled", 170_000n], ["pending", 22_000n], ["refunded", 6_500n], ["disputed", 1_500n]),
    }),
    column({
      name: "zip_code",
      type: "VARCHAR",
      distinctCount: 8_123n,
      distinctExact: false,
      nullCount: 51_320n,
      blankCount: 812n,
      minLength: 5n,
      maxLength: 8n,
      shapes: tops(["99999", 131_000n], ["99999-999", 16_868n]),
    }),
  ];
}

function times(): ColumnProfile[] {
  return [
    column({
      name: "created_at",
      type: "TIMESTAMP",
      distinctCount: 199_120n,
      distinctExact: false,
      min: "2024-01",
      max: "2025-12",
      histogram: { low: Date.UTC(2024, 0, 1), high: Date.UTC(2026, 0, 1), counts: bell(24, 0.4), isTime: true },
    }),
    column({ name: "deleted_at", type: "TIMESTAMP", distinctCount: 0n, nullCount: ROWS }),
  ];
}

function tops(...pairs: [string, bigint][]): { value: string; count: bigint }[] {
  return pairs.map(([value, count]) => ({ value, count }));
}

function bell(bins: number, width: number): bigint[] {
  return Array.from({ length: bins }, (_, bin) => {
    const offset = (bin - bins / 2) / (bins * width);
    return BigInt(Math.round(12_000 * Math.exp(-offset * offset * 2)));
  });
}
