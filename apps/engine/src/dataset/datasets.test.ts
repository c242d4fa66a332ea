import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, realpath, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DocumentKind, Format } from "@odg/proto/odg/catalog/v1/dataset_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Batch, DatasetError, type DatasetSession, Datasets } from "./datasets.ts";
import { runSql } from "./testing/make-data.ts";

let folder: string;
let root: string;
let datasets: Datasets;
let session: DatasetSession;
const at = (name: string) => join(root, name);
const put = (name: string, data: string | Uint8Array) => {
  writeFileSync(at(name), data);
  return at(name);
};

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "datasets-")));
  root = join(folder, "root");
  mkdirSync(root);
  const people = `SELECT i AS id, 'p' || i || '@example.com' AS mail, i % 3 = 0 AS vip, (['red', 'blue'])[1 + i % 2] AS colour,
    CAST(i / 7 AS DECIMAL(8, 2)) AS price, TIMESTAMP '2026-01-01' + to_hours(i) AS at,
    {'city': 'X', 'tags': [i, NULL]} AS place, MAP {'k': i} AS extra FROM range(1000) AS r(i)`;
  await runSql(`COPY (${people}) TO '${at("people.parquet")}' (FORMAT parquet, ROW_GROUP_SIZE 200)`);
  datasets = new Datasets({ roots: [root], poolThreads: 2 });
  session = datasets.session();
});
afterAll(async () => {
  await datasets.close();
  await rm(folder, { recursive: true, force: true });
});

async function refusal(work: Promise<unknown>): Promise<{ reason: Reason; message: string }> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DatasetError)) throw new Error(`expected a DatasetError, got ${error}`);
  expect(error.message).not.toContain(folder);
  return { reason: error.reason, message: error.message };
}

async function rowsOf(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

describe("opening", () => {
  it("refuses paths that lead out of the roots, without echoing them (B25)", async () => {
    writeFileSync(join(folder, "outside.csv"), "a,b\n1,2\n");
    symlinkSync(join(folder, "outside.csv"), at("link.csv"));
    symlinkSync(join(folder, "later.csv"), at("dangling.csv"));
    const paths = [
      "../../etc/passwd",
      "/etc/passwd",
      `${root}/../outside.csv`,
      `file://${at("people.parquet")}`,
      "%2e%2e/outside.csv",
      `${at("people.parquet")}\0.csv`,
      at("link.csv"),
      at("dangling.csv"),
      "\\\\server\\share\\x.csv",
      "//server/share/x.csv",
      "C:\\data\\x.csv",
      "c:/data/x.csv",
      root,
      "/dev/zero",
    ];
    for (const path of paths) {
      const { reason, message } = await refusal(session.open(path));
      expect(Reason[reason], path).toBe("PATH_NOT_ALLOWED");
      expect(message).not.toContain("outside");
    }
  });

  it("refuses other servers by name of the connector", async () => {
    for (const uri of ["s3://data/x.parquet", "http://169.254.169.254/x", "https://example.com/x.csv"]) {
      expect(Reason[(await refusal(session.open(uri))).reason]).toBe("EGRESS_DENIED");
    }
  });

  it("says that a file under a root is not there", async () => {
    expect(Reason[(await refusal(session.open(at("none.csv")))).reason]).toBe("NOT_FOUND");
  });

  it("allows a typed path, what lies beside it, and nothing else", async () => {
    const typed = datasets.session({ allowedPaths: [join(folder, "outside.csv")] });
    expect((await typed.open(join(folder, "outside.csv"))).name).toBe("outside");
    expect(Reason[(await refusal(typed.open("/etc/hostname"))).reason]).toBe("PATH_NOT_ALLOWED");
  });

  it("gives the same handle for the same uri, with contract, documents and siblings", async () => {
    put("people.contract.yaml", "owner: a-team\nsince: 2026-01-01\n");
    put("people.sql", "SELECT 1;");
    const fresh = datasets.session();
    const [one, two] = await Promise.all([fresh.open(at("people.parquet")), fresh.open(at("people.parquet"))]);
    expect(one).toBe(two);
    expect(one).toMatchObject({ name: "people", format: Format.PARQUET, contractSource: "people.contract.yaml" });
    expect(one.contract).toEqual({ owner: "a-team", since: "2026-01-01" });
    put("other.csv", "a\n1\n");
    expect((await fresh.siblings(at("people.parquet"))).map(({ name }) => name)).toEqual(["other"]);
    const documents = await fresh.documents(at("people.parquet"));
    expect(documents.map(({ name }) => name)).toEqual(["people.contract.yaml", "people.sql"]);
    expect(await fresh.documents(at("people.parquet"), DocumentKind.SQL)).toHaveLength(1);
  });

  it("refuses a contract that is no mapping", async () => {
    put("odd.csv", "a\n1\n");
    put("odd.contract.json", "[1, 2");
    expect(Reason[(await refusal(session.open(at("odd.csv")))).reason]).toBe("INPUT_INVALID");
  });
});

describe("profiling", () => {
  it("measures every leaf of nested columns", async () => {
    const profile = await session.profile(at("people.parquet"));
    expect(profile.rowCount).toBe(1000n);
    expect(profile.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "id BIGINT",
      "mail VARCHAR",
      "vip BOOLEAN",
      "colour VARCHAR",
      "price DECIMAL(8,2)",
      "at TIMESTAMP",
      "place.city VARCHAR",
      "place.tags[] BIGINT",
      "extra[].key VARCHAR",
      "extra[].value BIGINT",
    ]);
    const by = new Map(profile.columns.map((column) => [column.name, column]));
    expect(by.get("colour")?.topValues.map(({ value, count }) => [value, count])).toEqual([
      ["blue", 500n],
      ["red", 500n],
    ]);
    expect(by.get("price")).toMatchObject({ min: "0", max: "143", distinctCount: 1000n, distinctExact: true });
    expect(by.get("price")?.histogram?.counts.reduce((sum, n) => sum + n)).toBe(1000n);
    expect(by.get("at")).toMatchObject({ min: "2026-01", max: "2026-02" });
    expect(by.get("place.tags[]")).toMatchObject({ nullCount: 0n, distinctCount: 1000n });
    expect(by.get("mail")?.compressedBytes).toBeGreaterThan(0n);
  });

  it("is computed once for all who ask, and one who gives up does not stop it for the others", async () => {
    const fresh = datasets.session();
    const giveUp = new AbortController();
    const left = refusal(fresh.profile(at("people.parquet"), giveUp.signal));
    const stayed = fresh.profile(at("people.parquet"));
    giveUp.abort();
    expect(Reason[(await left).reason]).toBe("CANCELLED");
    expect(await stayed).toBe(await fresh.profile(at("people.parquet")));
  });

  it("reads CSV in the encodings people use, keeps codes as text and tells the dialect", async () => {
    const text = "code;name;n\n007;Müller;1\n010;Ñandú;2\n";
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);
    const files = {
      "u8.csv": text,
      "l1.csv": Buffer.from(text, "latin1"),
      "u16.csv": utf16,
      "z.csv.gz": gzipSync(text),
    };
    for (const [name, data] of Object.entries(files)) {
      const uri = put(name, data);
      const profile = await session.profile(uri);
      expect(
        profile.columns.map(({ name: column, type }) => [column, type]),
        name,
      ).toEqual([
        ["code", "VARCHAR"],
        ["name", "VARCHAR"],
        ["n", "BIGINT"],
      ]);
      expect(profile.dialect).toMatchObject({ delimiter: ";", header: "true" });
      expect((await rowsOf(session.read(uri)))[0]?.columns.name, name).toEqual(["Müller", "Ñandú"]);
    }
  });

  it("goes by content where the name lies", async () => {
    expect((await session.open(put("csv-in-disguise.parquet", "a,b\n1,2\n"))).format).toBe(Format.CSV);
    expect((await session.open(put("table.json", "a,b\n1,2\n"))).format).toBe(Format.CSV);
    expect((await session.open(put("lines.txt", '{"a": 1}\n{"a": 2}\n'))).format).toBe(Format.JSON);
  });

  it("works without rows, with odd and doubled names, and with many columns", async () => {
    await runSql(`COPY (SELECT 1 AS a, 'x' AS b WHERE false) TO '${at("none.parquet")}' (FORMAT parquet)`);
    expect(await session.profile(at("none.parquet"))).toMatchObject({ rowCount: 0n });
    const odd = await session.profile(put("odd-names.csv", 'a,a,,__proto__,it\'s "q",x.y\n1,2,3,4,5,6\n7,8,9,1,2,3\n'));
    expect(new Set(odd.columns.map(({ name }) => name)).size).toBe(6);
    const names = Array.from({ length: 1500 }, (_, i) => `c${i}`);
    const wide = await session.profile(put("wide.csv", `${names}\n${names.map(() => 1)}\n`));
    expect(wide.columns).toHaveLength(1500);
  });

  it("lets no value of a headless file become a column name", async () => {
    const rows = Array.from({ length: 30 }, (_, i) => `Ann,ann${i}@example.com,078-05-11${i + 10}`);
    const profile = await session.profile(put("headless.csv", `${rows.join("\n")}\n`));
    expect(JSON.stringify(profile.columns.map(({ name }) => name))).not.toMatch(/ann|078/i);
    expect(profile.rowCount).toBe(30n);
  });
});

describe("broken data", () => {
  it.each([
    ["empty.csv", "", "DATA_CORRUPT", /empty/],
    ["garbage.parquet", Buffer.from("PAR1 garbage PAR2"), "DATA_CORRUPT", /footer/],
    ["lying.parquet", Buffer.from("PAR1xxxx\xff\xff\xff\x7fPAR1", "latin1"), "DATA_CORRUPT", /longer than the file/],
    ["encrypted.parquet", Buffer.from("PAREzzzzzzzzPARE"), "DATA_UNSUPPORTED", /encrypted/],
    ["x.avro", Buffer.from("Obj\x01zzzz"), "DATA_UNSUPPORTED", /Avro/],
    ["cut.csv.gz", gzipSync("a,b\n1,2\n").subarray(0, 15), "DATA_CORRUPT", /compressed/],
    ["broken.json", '{"a": 1}\n{"a": secret', "DATA_CORRUPT", /JSON/],
    ["binary.dat", Buffer.from([1, 0, 2, 0, 0, 3, 0, 9, 0, 0]), "DATA_UNSUPPORTED", /binary/],
  ])("%s is refused with the cause", async (name, data, reason, message) => {
    const refused = await refusal(session.profile(put(name, data)));
    expect(Reason[refused.reason]).toBe(reason);
    expect(refused.message).toMatch(message);
    expect(refused.message).not.toContain("secret");
  });

  it("refuses a cut parquet, too many columns, and a text without a line break (B27, B28)", async () => {
    await runSql(`COPY (SELECT i FROM range(10000) AS r(i)) TO '${at("cut.parquet")}' (FORMAT parquet)`);
    await truncate(at("cut.parquet"), 2000);
    expect(Reason[(await refusal(session.profile(at("cut.parquet")))).reason]).toBe("DATA_CORRUPT");
    const many = Array.from({ length: 20_000 }, (_, i) => `c${i}`).join(",");
    expect(Reason[(await refusal(session.profile(put("many.csv", `${many}\n${many}\n`)))).reason]).toBe(
      "DATA_TOO_LARGE",
    );
    const long = put("long.csv", "a,b\n");
    await truncate(long, 0);
    writeFileSync(long, Buffer.alloc(20 * 2 ** 20, "x"));
    expect(Reason[(await refusal(session.profile(long))).reason]).toBe("DATA_TOO_LARGE");
  });
});

describe("reading", () => {
  it("yields plain values of the columns asked for", async () => {
    const [first] = await rowsOf(
      session.read(at("people.parquet"), { columns: ["id", "price", "at", "place.tags[]"] }),
    );
    expect(first?.rowCount).toBe(1000);
    expect(first?.columns.id?.slice(0, 2)).toEqual([0, 1]);
    expect(first?.columns.price?.[1]).toBe("0.14");
    expect(first?.columns.at?.[1]).toBe("2026-01-01 01:00:00");
    expect(first?.columns["place.tags[]"]?.[1]).toEqual([1, null]);
  });

  it("samples exactly so many rows, the same each time", async () => {
    const ids = async () =>
      (await rowsOf(session.read(at("people.parquet"), { columns: ["id"], sample: 50 }))).flatMap((b) => b.columns.id);
    const one = await ids();
    expect(one).toHaveLength(50);
    expect(await ids()).toEqual(one);
  });

  it("ends the reading when the reader leaves, and names an unknown column's option", async () => {
    await runSql(`COPY (SELECT i FROM range(300000) AS r(i)) TO '${at("long.parquet")}' (FORMAT parquet)`);
    let rows = 0;
    for await (const batch of session.read(at("long.parquet"))) {
      rows += batch.rowCount;
      break;
    }
    expect(rows).toBeLessThan(20_000);
    let all = 0;
    for (const batch of await rowsOf(session.read(at("long.parquet")))) all += batch.rowCount;
    expect(all).toBe(300_000);
    const refused = refusal(rowsOf(session.read(at("long.parquet"), { columns: ["nope"] })));
    expect(Reason[(await refused).reason]).toBe("INPUT_INVALID");
  });
});

describe("offloading", () => {
  const module = join(import.meta.dirname, "testing", "worker-module.ts");

  it("runs a module of the package with access to the run's datasets", async () => {
    const input = { uri: at("people.parquet"), column: "colour" };
    expect(await session.offload(module, input, { packageRoot: import.meta.dirname })).toEqual({
      rows: 1000,
      distinct: [
        { value: "blue", count: 500 },
        { value: "red", count: 500 },
      ],
      hasSignal: true,
    });
  });

  it("gives a worker no dataset that the run may not read", async () => {
    const input = { uri: "/etc/passwd", column: "x" };
    const refused = await refusal(session.offload(module, input, { packageRoot: import.meta.dirname }));
    expect(Reason[refused.reason]).toBe("PATH_NOT_ALLOWED");
  });

  it("refuses a module outside of the package", async () => {
    for (const outside of [module, "data:text/javascript,export default 1", at("people.parquet")]) {
      const refused = await refusal(session.offload(outside, {}, { packageRoot: join(root, "nothing") }));
      expect([Reason.PATH_NOT_ALLOWED, Reason.NOT_FOUND]).toContain(refused.reason);
    }
    const refused = await refusal(session.offload(module, {}, { packageRoot: root }));
    expect(Reason[refused.reason]).toBe("PATH_NOT_ALLOWED");
  });

  it("starts a thread for who waits where every thread had to be ended", async () => {
    const options = { packageRoot: import.meta.dirname, signal: AbortSignal.timeout(500) };
    const spin = { uri: "", column: "", spin: true };
    const spinning = [1, 2].map(() => refusal(session.offload(module, spin, options)));
    const after = { uri: at("people.parquet"), column: "vip" };
    const waiting = session.offload(module, after, { packageRoot: import.meta.dirname });
    await Promise.all(spinning);
    expect(await waiting).toMatchObject({ rows: 1000 });
  });

  it("ends a worker that spins when the caller aborts", async () => {
    const input = { uri: "", column: "", spin: true };
    const work = session.offload(module, input, { packageRoot: import.meta.dirname, signal: AbortSignal.timeout(500) });
    expect(Reason[(await refusal(work)).reason]).toBe("CANCELLED");
    // The thread is free again once the grace has passed.
    const after = { uri: at("people.parquet"), column: "vip" };
    expect(await session.offload(module, after, { packageRoot: import.meta.dirname })).toMatchObject({ rows: 1000 });
  });
});
