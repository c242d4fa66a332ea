import { createHash } from "node:crypto";
import { chanceOf } from "./chance.ts";
import { evidenceIn } from "./evidence.ts";
import type { Faults } from "./fault.ts";
import { type Ask, type Reply, tokensOf } from "./protocol.ts";
import { composeValue } from "./value.ts";

/** The vendors keep nothing shorter (OpenAI and Anthropic: 1,024 tokens). */
const SHORTEST_CACHED = 1_024;
const THINKING_TOKENS = 64;
const DELTA_LENGTH = 24;

/** Answers requests: the same seed, request and faults give the same answer. It remembers system texts, as the vendors' caches do. */
export class Answers {
  readonly #seed: string;
  readonly #kept = new Set<string>();

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** @throws RangeError for a schema that no value fits. */
  answer(ask: Ask, faults: Faults): Reply {
    const full = faults.huge === undefined ? this.#text(ask, faults) : "x".repeat(faults.huge);
    const room = faults.huge === undefined ? ask.maxOutputTokens * 4 : full.length;
    const text = full.slice(0, room);
    const reasoning = ask.thinks ? THINKING_TOKENS : 0;
    const digest = createHash("sha256").update(this.#seed).update(ask.prompt).digest("hex");
    return {
      id: digest.slice(0, 24),
      model: `simulator/${ask.model}`,
      deltas: faults.huge === undefined ? pieces(text) : [text],
      refusal: faults.refusal ? "The simulator was told to decline." : undefined,
      cutOff: text.length < full.length,
      counts: { ...this.#cache(ask), output: tokensOf(text) + reasoning, reasoning },
    };
  }

  #text(ask: Ask, faults: Faults): string {
    const evidence = evidenceIn(ask.prompt);
    if (faults.malformed) return '{"findings": [{"title": "unfinished';
    if (faults["wrong-schema"]) return JSON.stringify({ simulator: ["of", "another", "shape"] });
    if (ask.schema)
      return JSON.stringify(composeValue(ask.schema, { evidence, chance: chanceOf(this.#seed, ask.prompt) }));
    const ids = evidence.map(({ id }) => id).join(", ");
    return `This is the simulator. It read ${evidence.length} pieces of evidence${ids && `: ${ids}`}.`;
  }

  #cache({ system, prompt, caches }: Ask): { input: number; cached: number; written: number } {
    const length = tokensOf(system);
    const input = length + tokensOf(prompt);
    if (!caches || length < SHORTEST_CACHED) return { input, cached: 0, written: 0 };
    const known = this.#kept.has(system);
    this.#kept.add(system);
    return { input, cached: known ? length : 0, written: known ? 0 : length };
  }
}

function pieces(text: string): string[] {
  return text.match(new RegExp(`.{1,${DELTA_LENGTH}}`, "gsu")) ?? [];
}
