"""TextStatsExpert: looks at how the texts of a dataset are written, and reports what makes equal things look different."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format

from errors import Rejection
from host import Host, texts_of
from odg.catalog.v1.dataset_pb2 import Dataset, DatasetProfile
from odg.error.v1 import error_pb2
from odg.expert.v1.expert_pb2 import ContextWrite, Progress, ReadDatasetResponse, Result
from odg.expert.v1.finding_pb2 import (
    SEVERITY_ERROR,
    SEVERITY_INFO,
    SEVERITY_OK,
    SEVERITY_WARNING,
    Evidence,
    Finding,
    Subject,
)
from serving import Action, Expert, Said
from text_stats import TextStats

SAMPLE_ROWS = 100_000
COUNTS = ("texts", "blank", "padded", "invisible", "decomposed", "garbled", "lost", "variants", "variant_rows")

INPUT_SCHEMA = {
    "type": "object",
    "required": ["dataset"],
    "properties": {
        "dataset": {"type": "string", "minLength": 1},
        "columns": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "sample": {"type": "integer", "minimum": 0, "maximum": 2**32 - 1, "default": SAMPLE_ROWS},
    },
}
OUTPUT_SCHEMA = {
    "type": "object",
    "required": ["rows", "columns"],
    "properties": {
        "rows": {"type": "integer", "minimum": 0},
        "columns": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", *COUNTS],
                "properties": {
                    "name": {"type": "string"},
                    **{count: {"type": "integer", "minimum": 0} for count in COUNTS},
                },
            },
        },
    },
}


@dataclass(frozen=True)
class Rule:
    """A count that is a finding where it is not 0."""

    count: str
    rule: str
    severity: int
    label: str
    reason: str
    remedy: str


RULES = (
    Rule(
        "garbled",
        "text.garbled",
        SEVERITY_ERROR,
        "garbled texts",
        "UTF-8 was read as another encoding somewhere upstream, so letters stand as two or three others.",
        "Decode the source as UTF-8 and load it again.",
    ),
    Rule(
        "lost",
        "text.lost_characters",
        SEVERITY_ERROR,
        "texts with U+FFFD",
        "Characters were lost in a conversion and cannot be told any more.",
        "Load the column again from its source.",
    ),
    Rule(
        "padded",
        "text.padding",
        SEVERITY_WARNING,
        "padded texts",
        "White space around texts makes equal values unequal in joins and groups.",
        "Trim the column where it is loaded.",
    ),
    Rule(
        "invisible",
        "text.invisible_characters",
        SEVERITY_WARNING,
        "texts with invisible characters",
        "Characters that nobody sees make equal values unequal, and can hide what a text says.",
        "Remove control, zero-width and direction characters where the column is loaded.",
    ),
    Rule(
        "decomposed",
        "text.not_normalized",
        SEVERITY_WARNING,
        "texts not in NFC",
        "The same letter is written as different code points, so equal words do not compare as equal.",
        "Normalize the column to NFC.",
    ),
    Rule(
        "variant_rows",
        "text.spelling_variants",
        SEVERITY_WARNING,
        "texts of values written in several ways",
        "Values differ only in case, width or inner spaces, so groups and joins split them.",
        "Agree on one spelling of each value.",
    ),
)


async def measure_texts(given: dict[str, Any], host: Host) -> AsyncGenerator[Said, None]:
    uri = given["dataset"]
    dataset = await host.dataset(uri)
    profile = await host.profile(uri)
    names = text_columns(profile, given.get("columns", []))
    sample = int(given.get("sample", SAMPLE_ROWS))
    total = min(sample, profile.row_count) if sample else profile.row_count
    stats = {name: TextStats() for name in names}
    rows = 0
    async with aclosing(host.read(uri, names, sample)) as batches:
        async for batch in batches:
            rows += batch.row_count
            # In a thread, so that health and other tasks are answered meanwhile.
            await asyncio.to_thread(count, stats, batch)
            yield Progress(fraction=min(1.0, rows / max(1, total)), message=f"{rows:,} of {total:,} rows")
    columns = [counts_of(name, one) for name, one in stats.items()]
    faulty = 0
    for column in columns:
        findings = list(findings_of(dataset, column))
        faulty += bool(findings)
        for finding in findings:
            yield finding
    if not faulty:
        yield all_well(dataset, columns, rows)
    yield result_of(dataset, {"rows": rows, "columns": columns}, faulty)


def text_columns(profile: DatasetProfile, wanted: list[str]) -> list[str]:
    known = {column.name for column in profile.columns}
    unknown = [(f"input.columns[{i}]", "is no column of the dataset") for i, name in enumerate(wanted) if name not in known]
    if unknown:
        raise Rejection(error_pb2.REASON_INPUT_INVALID, f"{unknown[0][0]} {unknown[0][1]}", unknown)
    texts = [column.name for column in profile.columns if column.type.startswith("VARCHAR")]
    return [name for name in texts if not wanted or name in wanted]


def count(stats: dict[str, TextStats], batch: ReadDatasetResponse) -> None:
    for column in batch.columns:
        stats[column.name].add(texts_of(column))


def counts_of(name: str, stats: TextStats) -> dict[str, Any]:
    variants, variant_rows = stats.variants()
    counted = {count: getattr(stats, count) for count in COUNTS if not count.startswith("variant")}
    return {"name": name, **counted, "variants": variants, "variant_rows": variant_rows}


def findings_of(dataset: Dataset, column: dict[str, Any]) -> list[Finding]:
    return [finding_of(rule, dataset, column) for rule in RULES if column[rule.count] > 0]


def finding_of(rule: Rule, dataset: Dataset, column: dict[str, Any]) -> Finding:
    count, texts = column[rule.count], column["texts"]
    evidence = [Evidence(label=rule.label, text=f"{count:,} of {texts:,} texts", value=count, unit="rows")]
    if rule.count == "variant_rows":
        values = column["variants"]
        evidence.append(Evidence(label="values", text=f"{values:,} value{'s' if values > 1 else ''}", value=values, unit="values"))
    return Finding(
        rule_id=rule.rule,
        severity=rule.severity,
        subject=Subject(kind="column", name=f"{dataset.name}.{column['name']}"),
        reason=rule.reason,
        evidence=evidence,
        confidence=1,
        remedy=rule.remedy,
    )


def all_well(dataset: Dataset, columns: list[dict[str, Any]], rows: int) -> Finding:
    texts = sum(column["texts"] for column in columns)
    text = f"{texts:,} texts in {len(columns):,} columns, {rows:,} rows"
    return Finding(
        rule_id="text.well_written" if columns else "text.no_texts",
        severity=SEVERITY_OK if columns else SEVERITY_INFO,
        subject=Subject(kind="dataset", name=dataset.name),
        reason="The texts are written in one way." if columns else "No column that was asked for holds texts.",
        evidence=[Evidence(label="looked at", text=text, value=texts, unit="texts")],
        confidence=1,
    )


def result_of(dataset: Dataset, output: dict[str, Any], faulty: int) -> Result:
    result = Result(summary=f"{faulty} of {len(output['columns'])} text columns untidy")
    json_format.ParseDict(output, result.output)
    share = ContextWrite(key=f"text_stats.{dataset.name}"[:256])
    json_format.ParseDict({"rows": output["rows"], "untidy_columns": faulty}, share.value)
    result.context_writes.append(share)
    return result


EXPERT = Expert(
    name="TextStatsExpert",
    version="1.0.0",
    description="Counts texts that are padded, garbled, invisible in part, or written in several ways.",
    actions={
        "measure_texts": Action(
            capability="text_quality",
            description="Looks at every text column, or at those named, for what makes equal texts unequal.",
            input_schema=INPUT_SCHEMA,
            output_schema=OUTPUT_SCHEMA,
            execute=measure_texts,
        ),
    },
)
