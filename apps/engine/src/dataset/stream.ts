import type { Batch } from "./batches.ts";
import type { FromWorker, ToWorker } from "./job.ts";

type Hear = (message: FromWorker, answer: (message: ToWorker) => void) => void;

/**
 * Batches that a thread posts, as an iterable; each one taken asks for another, so that few are on their way. `run` settles well only
 * after the last was taken.
 */
export async function* streamOf(run: (hear: Hear) => Promise<unknown>): AsyncGenerator<Batch> {
  const arrived: { batch: Batch; taken: () => void }[] = [];
  let wake = () => {};
  let end: { error?: unknown } | undefined;
  run((message, answer) => {
    if (message.type !== "batch") return;
    arrived.push({ batch: message.batch, taken: () => answer({ type: "more" }) });
    wake();
  }).then(
    () => finish({}),
    (error) => finish({ error }),
  );
  function finish(how: { error?: unknown }): void {
    end = how;
    wake();
  }
  while (true) {
    const next = arrived.shift();
    if (next) {
      next.taken();
      yield next.batch;
    } else if (end) {
      if ("error" in end) throw end.error;
      return;
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}
