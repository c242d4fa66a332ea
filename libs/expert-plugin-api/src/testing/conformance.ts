import type { Expert } from "../expert.ts";
import { answerCases } from "./conformance/answer-cases.ts";
import type { ConformanceCase, Sample } from "./conformance/case.ts";
import { datasetCases } from "./conformance/dataset-cases.ts";
import { describeCases } from "./conformance/describe-cases.ts";
import { endingCases } from "./conformance/ending-cases.ts";
import { inputCases } from "./conformance/input-cases.ts";
import { refusalCases } from "./conformance/refusal-cases.ts";
import { type ConformanceTarget, moduleTarget } from "./target.ts";

export type { ConformanceCase, Sample } from "./conformance/case.ts";

/**
 * What every expert must do, whoever wrote it, wherever it runs and in whatever language. `samples` are calls that succeed: at least
 * one per action. An expert of this process is given as it is; any other as a {@link ConformanceTarget}.
 *
 * @example for (const one of conformanceCases(expert, samples)) test(one.name, one.run);
 */
export function conformanceCases(subject: Expert | ConformanceTarget, samples: Sample[]): ConformanceCase[] {
  const target = "client" in subject ? subject : moduleTarget(subject);
  return [
    ...describeCases(target, samples),
    ...refusalCases(target, samples),
    ...samples.flatMap((sample) => [
      ...answerCases(target, sample),
      ...endingCases(target, sample),
      ...inputCases(target, sample),
      ...datasetCases(target, sample),
    ]),
  ];
}
