import type { EvidenceInit, FindingInit } from "@odg/expert-plugin-api";
import type { Estimate, StorageEstimate } from "./estimate.ts";
import { price, quantity, usd } from "./money.ts";
import { prices } from "./prices.ts";
import { DAYS_PER_MONTH } from "./storage.ts";
import type { TermFault } from "./terms.ts";

/** A change of class that saves less, in USD a month, is not worth the work of making it. */
const WORTH_CHANGING = 1;

type KnownStorage = Extract<StorageEstimate, { known: true }>;

/** The findings of an estimate; every amount comes with its arithmetic. */
export function findingsOf(name: string, result: Estimate, faults: TermFault[]): FindingInit[] {
  const subject = { kind: "dataset", name };
  const { storage } = result;
  return [
    ...(storage.known
      ? [storageFinding(subject, storage), growthFinding(subject, result), tierFinding(subject, storage, result)]
      : [unknownStorage(subject, storage)]),
    computeFinding(subject, result),
    ...totalFinding(subject, result),
    ...faults.map((fault) => faultFinding(subject, fault)),
  ];
}

type Subject = FindingInit["subject"];

function storageFinding(subject: Subject, storage: KnownStorage): FindingInit {
  const { cost, assumed, readsKnown } = storage;
  const said = assumed.length > 0 ? `; assumed, as the contract does not say: ${assumed.join(", ")}` : "";
  return {
    rule: "cost.storage",
    severity: "info",
    subject,
    reason: `Storing ${subject.name} costs ${usd(cost.total)} a month at list prices${readsKnown ? "" : ", without requests"}${said}.`,
    evidence: [
      amount("capacity", cost.capacity, capacityText(storage)),
      ...(cost.requests > 0 ? [amount("requests", cost.requests, requestsText(storage))] : []),
      ...(cost.retrieval > 0 ? [amount("retrieval", cost.retrieval, retrievalText(storage))] : []),
      ...(readsKnown
        ? []
        : [{ label: "not included", text: "requests and retrieval: the contract has no access.full_reads_per_month" }]),
      {
        label: "prices",
        text: `${storage.region.vendor} ${storage.region.region}, ${storage.kind.name}, list prices of ${prices.asOf}, ${storage.region.source}`,
      },
    ],
    // The bytes are measured; each assumption about where they lie halves the trust in the price.
    confidence: 0.9 * 0.5 ** assumed.filter((one) => one !== "one copy").length,
  };
}

function capacityText({ cost, kind, usage }: KnownStorage): string {
  const copies = usage.copies > 1 ? ` × ${usage.copies} copies` : "";
  const [first, ...others] = kind.usdPerGibMonth;
  const unit = others.length > 0 && cost.billedGib * usage.copies > (first?.upToGib ?? Number.POSITIVE_INFINITY);
  const rate = unit ? "the stepped price per GiB-month" : `${price(first?.usd ?? 0)}/GiB-month`;
  return `${quantity(cost.billedGib)} GiB${copies} × ${rate} = ${usd(cost.capacity)}/month`;
}

function requestsText({ kind, usage, cost }: KnownStorage): string {
  const puts = usage.objects * usage.rewritesPerMonth * usage.copies;
  const gets = usage.objects * usage.readsPerMonth;
  return `${quantity(puts)} puts × ${price(kind.putUsdPer1000)}/1,000 + ${quantity(gets)} gets × ${price(kind.getUsdPer1000)}/1,000 = ${usd(cost.requests)}/month`;
}

function retrievalText({ kind, usage, cost }: KnownStorage): string {
  return `${quantity(usage.bytes / 2 ** 30)} GiB × ${quantity(usage.readsPerMonth)} reads × ${price(kind.retrievalUsdPerGib)}/GiB = ${usd(cost.retrieval)}/month`;
}

function growthFinding(subject: Subject, { inOneYear, storage }: Estimate): FindingInit {
  if (!inOneYear || !storage.known) {
    return {
      rule: "cost.growth_unknown",
      severity: "info",
      subject,
      reason: "The contract does not say how fast the data grow, so the storage cost is that of today's bytes.",
      evidence: [{ label: "looked for", text: "growth_rate_monthly in the contract: absent" }],
      remedy: "Write growth_rate_monthly in the contract, 0.05 for 5 % a month.",
    };
  }
  const gib = quantity(inOneYear.bytes / 2 ** 30);
  return {
    rule: "cost.growth",
    severity: "info",
    subject,
    reason: `At the contract's growth ${subject.name} costs ${usd(inOneYear.usd)} a month to store in a year.`,
    evidence: [
      amount(
        "storage in 12 months",
        inOneYear.usd,
        `${quantity(storage.usage.bytes / 2 ** 30)} GiB grow to ${gib} GiB in 12 months: ${usd(storage.cost.total)} → ${usd(inOneYear.usd)}/month`,
      ),
    ],
    // A stated rate, not a measured one.
    confidence: 0.6,
  };
}

function tierFinding(subject: Subject, storage: KnownStorage, { options }: Estimate): FindingInit {
  const best = options?.[0];
  if (!options || !best) return unknownUse(subject);
  const now = storage.cost.total;
  const saved = now - best.cost.total;
  const lines: EvidenceInit[] = options.map(({ kind, cost }) =>
    amount(kind.name, cost.total, `${usd(cost.total)}/month`),
  );
  if (best.kind.id === storage.kind.id || saved < WORTH_CHANGING) {
    return {
      rule: "cost.storage_class",
      severity: "ok",
      subject,
      reason:
        best.kind.id === storage.kind.id
          ? `${storage.kind.name} is the cheapest class for the way ${subject.name} is used.`
          : `No other class would save ${usd(WORTH_CHANGING)} a month or more over ${storage.kind.name}.`,
      evidence: lines,
      confidence: 0.9,
    };
  }
  return {
    rule: "cost.storage_class",
    severity: "warning",
    subject,
    reason: `${best.kind.name} would store ${subject.name} for ${usd(saved)} a month less than ${storage.kind.name}.`,
    evidence: [
      amount(
        "saving",
        saved,
        `${usd(now)} → ${usd(best.cost.total)} = ${usd(saved)}/month (${quantity((saved / now) * 100)} %)`,
      ),
      ...lines,
    ],
    confidence: 0.9,
    remedy: `Move it to ${best.kind.name}${best.kind.minimumDays > 0 ? `, billed for at least ${best.kind.minimumDays} days` : ""}.`,
  };
}

function unknownUse(subject: Subject): FindingInit {
  return {
    rule: "cost.storage_class_unknown",
    severity: "info",
    subject,
    reason:
      "Which storage class is cheapest depends on how often the data are read and written anew, which the contract does not say.",
    evidence: [
      { label: "looked for", text: "access.full_reads_per_month, refresh.mode and refresh.frequency in the contract" },
    ],
    remedy: "Write access.full_reads_per_month and refresh.mode (full or append) in the contract.",
  };
}

function unknownStorage(subject: Subject, { why, remedy }: Extract<StorageEstimate, { known: false }>): FindingInit {
  return {
    rule: "cost.storage_unknown",
    severity: "info",
    subject,
    reason: `The storage cost is unknown: ${why}.`,
    evidence: [{ label: "prices", text: `list prices of ${prices.asOf} for ${prices.regions.length} regions` }],
    remedy,
  };
}

function computeFinding(subject: Subject, { compute }: Estimate): FindingInit {
  if (!compute.known) {
    return {
      rule: "cost.compute_unknown",
      severity: "info",
      subject,
      reason: "The compute cost is unknown: the contract does not say what its pipeline uses.",
      evidence: [{ label: "missing in the contract", text: compute.missing.join(", ") }],
      remedy: `Write ${compute.missing.join(", ")} in the contract.`,
    };
  }
  const { runs, hours, executors, price: rate, priceSource } = compute;
  return {
    rule: "cost.compute",
    severity: "info",
    subject,
    reason: `The pipeline that makes ${subject.name} costs ${usd(compute.usd)} a month.`,
    evidence: [
      amount(
        "compute",
        compute.usd,
        `${quantity(runs)} runs × ${quantity(hours)} h × ${quantity(executors)} executors × ${price(rate)}/h = ${usd(compute.usd)}/month`,
      ),
      { label: "price", text: `executor price from: ${priceSource}` },
    ],
    // Hours and executors are as the contract states them, not measured.
    confidence: 0.8,
  };
}

function totalFinding(subject: Subject, { storage, compute }: Estimate): FindingInit[] {
  if (!storage.known || !compute.known) return [];
  const total = storage.cost.total + compute.usd;
  return [
    {
      rule: "cost.total",
      severity: "info",
      subject,
      reason: `${subject.name} costs ${usd(total)} a month in all.`,
      evidence: [
        amount(
          "total",
          total,
          `${usd(storage.cost.total)} storage + ${usd(compute.usd)} compute = ${usd(total)}/month`,
        ),
        { label: "month", text: `${prices.hoursPerMonth} h, ${quantity(DAYS_PER_MONTH)} days` },
      ],
      confidence: 0.8,
    },
  ];
}

function faultFinding(subject: Subject, { field, message }: TermFault): FindingInit {
  return {
    rule: "cost.contract_field",
    severity: "warning",
    subject,
    reason: `${field} of the contract cannot be used, so it counts as missing.`,
    evidence: [{ label: field, text: message }],
    remedy: `Correct ${field} in the contract.`,
  };
}

function amount(label: string, value: number, text: string): EvidenceInit {
  return { label, text, value, unit: "USD/month" };
}
