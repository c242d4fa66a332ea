import type { EvidenceInit, FindingInit } from "@odg/expert-plugin-api";
import type { DependencyMap, Neighbour, Proof } from "./output.ts";

/** SQL beyond this, in characters over all files, is left unread: the parser takes about 14 s of one core for it. */
export const MAX_SQL = 1_000_000;

/** Most evidence lines that one finding shows; the output holds all. */
const MAX_EVIDENCE = 10;

/** What the findings are made from. */
export interface FindingFacts {
  map: DependencyMap;
  /** How sure it is that the SQL means this dataset, from 0 to 1. */
  confidence: number;
  /** Files left unread for their size. */
  skipped: string[];
  /** Names of the datasets in the same folder. */
  siblings: string[];
}

/** The findings of a dependency map, upstream first. */
export function findingsOf(facts: FindingFacts): FindingInit[] {
  const { map } = facts;
  if (map.files === 0 && facts.skipped.length === 0) return [noSql(map.dataset)];
  return [
    ...map.upstream.flatMap((one) => upstreamFindings(one, facts)),
    ...(map.upstream.length === 0 ? [noUpstream(facts)] : []),
    ...(map.downstream.length + map.readers.length > 0 ? [downstream(facts)] : []),
    ...faults(facts),
    ...facts.skipped.map((file) => skipped(map.dataset, file)),
  ];
}

function upstreamFindings(one: Neighbour, { map, confidence, siblings }: FindingFacts): FindingInit[] {
  const edge: FindingInit = {
    rule: "lineage.upstream",
    severity: one.known ? "ok" : "info",
    subject: { kind: "dataset", name: map.dataset },
    reason: `${map.dataset} is made of ${one.table}: a change or a fault there reaches it.`,
    evidence: proofs(one.evidence),
    confidence,
  };
  if (one.known) return [edge];
  const searched = siblings.length > 0 ? siblings.slice(0, 20).join(", ") : "no other dataset";
  const unknown: FindingInit = {
    rule: "lineage.upstream_unknown",
    severity: "warning",
    subject: { kind: "dataset", name: one.table },
    reason: `${one.table} feeds ${map.dataset} but is neither beside the data nor written by the SQL there, so its quality and owner are unknown.`,
    evidence: [...proofs(one.evidence).slice(0, 3), { label: "datasets beside the data", text: searched }],
    confidence,
    remedy: `Register ${one.table} in the catalogue, or correct its name in the SQL.`,
  };
  return [edge, unknown];
}

function noUpstream({ map, skipped }: FindingFacts): FindingInit {
  return {
    rule: "lineage.no_upstream",
    severity: "info",
    subject: { kind: "dataset", name: map.dataset },
    reason: `No statement in the SQL beside the data fills ${map.dataset} from another table.`,
    evidence: [
      {
        label: "SQL read",
        text: `${map.files} files, ${map.statements} statements`,
        value: map.statements,
        unit: "statements",
      },
    ],
    // What could not be read may hold the statement that is missed.
    confidence: map.unread.length + skipped.length > 0 ? 0.5 : 0.9,
    remedy: "Put the SQL that builds the dataset beside it.",
  };
}

function downstream({ map, confidence }: FindingFacts): FindingInit {
  const { downstream: made, readers } = map;
  const names = made.map(({ dataset }) => dataset);
  const queries = readers.length > 0 ? [`${readers.length} ${readers.length === 1 ? "query" : "queries"}`] : [];
  return {
    rule: "lineage.downstream",
    severity: "info",
    subject: { kind: "dataset", name: map.dataset },
    reason: `${[...names, ...queries].join(", ")} ${names.length + readers.length === 1 ? "reads" : "read"} ${map.dataset}: announce a change of its columns to them.`,
    evidence: proofs([...made.flatMap(({ evidence }) => evidence), ...readers]),
    confidence,
  };
}

function faults({ map }: FindingFacts): FindingInit[] {
  const files = [...new Set(map.unread.map(({ file }) => file))];
  return files.map((file) => {
    const inFile = map.unread.filter((fault) => fault.file === file);
    return {
      rule: "lineage.sql_unread",
      severity: "warning",
      subject: { kind: "file", name: file },
      reason: `${inFile.length === 1 ? "A statement" : `${inFile.length} statements`} of ${file} could not be read in any dialect, so dependencies in it are missed.`,
      evidence: inFile
        .slice(0, MAX_EVIDENCE)
        .map(({ line, message }) => ({ label: "parser's message", text: message, file, line })),
      remedy: "Correct the statement, or name its dialect in the input `dialect`.",
    };
  });
}

function skipped(dataset: string, file: string): FindingInit {
  return {
    rule: "lineage.sql_too_large",
    severity: "warning",
    subject: { kind: "file", name: file },
    reason: `${file} was not read: the SQL beside ${dataset} is larger than what is read at once.`,
    evidence: [{ label: "limit", text: "1,000,000 characters of SQL", value: MAX_SQL, unit: "characters", file }],
    remedy: "Keep beside the data only the SQL that builds or reads it.",
  };
}

function noSql(dataset: string): FindingInit {
  return {
    rule: "lineage.no_sql",
    severity: "info",
    subject: { kind: "dataset", name: dataset },
    reason: `There is no SQL beside ${dataset}, so nothing tells what it is made of.`,
    evidence: [
      {
        label: "looked for",
        text: "files ending in .sql in the folder of the dataset: 0 found",
        value: 0,
        unit: "files",
      },
    ],
    remedy: "Put the SQL that builds the dataset beside it.",
  };
}

function proofs(evidence: Proof[]): EvidenceInit[] {
  return evidence.slice(0, MAX_EVIDENCE).map(({ file, line, statement, via, text }) => ({
    label: via.length > 0 ? `${statement}, through ${via.join(", ")}` : statement,
    text: text || `line ${line}`,
    file,
    line,
  }));
}
