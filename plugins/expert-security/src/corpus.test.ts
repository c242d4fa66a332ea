import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { entityOf } from "./entities.ts";
import { nameSignal } from "./name-signal.ts";
import { ColumnTally } from "./observe.ts";
import { RECOGNIZERS } from "./recognizers.ts";
import { verdictOf } from "./verdict.ts";

// Real tables by others, labelled by hand; they lie beside the repository and are not part of it.
const CORPUS = fileURLToPath(new URL("../../../../shared/corpus/", import.meta.url));
const present = existsSync(`${CORPUS}pii/column-labels.json`);

interface Labels {
  files: Record<string, { closed: boolean; columns: Record<string, string>; either: string[] }>;
}

/** Enough of RFC 4180 for the labelled tables: commas, double quotes, line breaks in quotes. */
function readCsv(text: string): Record<string, string[]> {
  const rows: string[][] = [[""]];
  let quoted = false;
  for (let index = text.charCodeAt(0) === 0xfeff ? 1 : 0; index < text.length; index++) {
    const character = text[index] ?? "";
    const row = rows.at(-1) ?? [];
    if (character === '"') {
      if (quoted && text[index + 1] === '"') row[row.length - 1] = `${row.at(-1)}${text[++index]}`;
      else quoted = !quoted;
    } else if (character === "," && !quoted) row.push("");
    else if (character === "\n" && !quoted) rows.push([""]);
    else if (character !== "\r") row[row.length - 1] = `${row.at(-1)}${character}`;
  }
  const [header = [], ...body] = rows.filter((row) => row.length > 1 || row[0] !== "");
  return Object.fromEntries(header.map((name, column) => [name, body.map((row) => row[column] ?? "")]));
}

function kindOf(column: string, values: string[]): { kind?: string; said: string } {
  const signal = nameSignal(column);
  const tally = new ColumnTally(column, 4000);
  for (const value of values) tally.add(value);
  const verdict = verdictOf(tally.observe(signal?.entity), signal);
  if (!verdict) return { said: "clean" };
  return {
    kind: entityOf(verdict.entity).kind,
    said: `${verdict.entity} ${verdict.confidence.toFixed(2)} ${verdict.basis} ${verdict.match?.key ?? ""}`,
  };
}

test.skipIf(!present)("columns of the labelled tables: F1 at least 0.95, precision at least 0.97", () => {
  const labels = JSON.parse(readFileSync(`${CORPUS}pii/column-labels.json`, "utf8")) as Labels;
  let [hits, wrong, missed, kinds] = [0, 0, 0, 0];
  const faults: string[] = [];
  for (const [file, { columns, either }] of Object.entries(labels.files)) {
    if (!/\.(csv|txt)$/.test(file)) continue;
    for (const [name, values] of Object.entries(readCsv(readFileSync(CORPUS + file, "utf8")))) {
      if (either.includes(name)) continue;
      const { kind, said } = kindOf(name, values);
      const expected = columns[name];
      if (kind && expected) hits += 1;
      if (kind && kind === expected) kinds += 1;
      if (kind && !expected) wrong += 1;
      if (!kind && expected) missed += 1;
      if (kind !== expected) faults.push(`${file} ${name}: ${said}, expected ${expected ?? "clean"}`);
    }
  }
  const precision = hits / (hits + wrong);
  const recall = hits / (hits + missed);
  const f1 = (2 * precision * recall) / (precision + recall);
  const report = `precision ${precision.toFixed(3)} recall ${recall.toFixed(3)} F1 ${f1.toFixed(3)}, kind right ${kinds}/${hits}: ${faults.join("; ")}`;
  expect(f1, report).toBeGreaterThanOrEqual(0.95);
  expect(precision, report).toBeGreaterThanOrEqual(0.97);
});

const PRESIDIO: Record<string, string> = {
  AU_MEDICARE: "au_medicare",
  CA_SIN: "ca_sin",
  CREDIT_CARD: "payment_card",
  DE_TAX_ID: "de_tax_id",
  EMAIL_ADDRESS: "email",
  IBAN_CODE: "iban",
  IN_AADHAAR: "in_aadhaar",
  IN_PAN: "in_pan",
  IT_FISCAL_CODE: "it_fiscal_code",
  KR_RRN: "kr_rrn",
  SE_PERSONNUMMER: "se_personnummer",
  SG_NRIC_FIN: "sg_nric",
  UK_NINO: "uk_nino",
  UK_POSTCODE: "postcode",
  US_ITIN: "us_itin",
  US_MBI: "us_mbi",
  US_NPI: "us_npi",
};

test.skipIf(!present)("recognizers agree with the cases of Presidio whose text is one whole value", () => {
  const groups = JSON.parse(readFileSync(`${CORPUS}pii/recognizer_cases.dev.json`, "utf8")) as {
    entities: string[];
    args: string;
    cases: unknown[][];
  }[];
  let [right, all] = [0, 0];
  const faults: string[] = [];
  for (const { entities, args, cases } of groups) {
    const recognizer = RECOGNIZERS.find(({ key }) => key === PRESIDIO[entities[0] ?? ""]);
    if (!recognizer || !/^(text|iban), expected_len/.test(args)) continue;
    for (const [text, count] of cases as [string, number][]) {
      // A column's value is the whole text: sentences and lists are the matter of embedded entities.
      if (count > 1 || text.split(/\s+/).some((word) => /^[a-zäéàA-Z]{4,}$/.test(word))) continue;
      const bare = text.length <= recognizer.maxLength ? recognizer.shape(text) : undefined;
      const found = bare !== undefined && (recognizer.valid?.(bare) ?? true);
      all += 1;
      if (found === count > 0) right += 1;
      else faults.push(`${recognizer.key} ${JSON.stringify(text)} ${found ? "found" : "missed"}`);
    }
  }
  expect(right / all, faults.join("; ")).toBeGreaterThanOrEqual(0.9);
});

test.skipIf(present)("the corpus is absent: accuracy on its tables is not measured", () => {
  expect(present).toBe(false);
});
