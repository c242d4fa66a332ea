import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Faults } from "./fault.ts";
import type { Ask, Failure, Frame, Protocol, Reply } from "./protocol.ts";

export interface Sending {
  readonly ask: Ask;
  readonly reply: Reply;
  readonly faults: Faults;
}

/** One answer on its way out, with whatever is to go wrong on it. */
export class Sender {
  readonly #protocol: Protocol;
  readonly #response: ServerResponse;
  readonly #left = new AbortController();

  constructor(protocol: Protocol, response: ServerResponse) {
    this.#protocol = protocol;
    this.#response = response;
    response.once("close", () => this.#left.abort());
  }

  /** Ends early where the caller leaves. */
  async wait(ms: number): Promise<void> {
    const { signal } = this.#left;
    await sleep(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  fail(failure: Failure): void {
    const { status, body } = this.#protocol.failure(failure);
    const wait = failure.retryAfterSeconds;
    // Google tells the wait in its body only.
    const headers = wait === undefined || this.#protocol.name === "google" ? {} : { "retry-after": String(wait) };
    this.#response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  }

  /** What a proxy on the way answers. */
  page(): void {
    this.#response.writeHead(502, { "content-type": "text/html" }).end("<html><body>Bad gateway</body></html>");
  }

  async answer({ ask, reply, faults }: Sending): Promise<void> {
    const type = ask.stream ? "text/event-stream" : "application/json";
    this.#response.writeHead(200, { "content-type": type });
    if (!ask.stream) return await this.#write([JSON.stringify(this.#protocol.whole(reply))], faults);
    const frames = this.#distorted(this.#protocol.frames(reply), faults);
    await this.#write(frames.map(serialised), faults);
  }

  #distorted(frames: readonly Frame[], faults: Faults): readonly Frame[] {
    const half = frames.slice(0, Math.ceil(frames.length / 2));
    if (faults.stop) return half;
    if (faults["stream-error"]) {
      return [...half, this.#protocol.errorFrame({ kind: "overloaded", message: "The simulator was told to fail." })];
    }
    if (faults["malformed-stream"]) return frames.map(({ event }) => ({ event, data: '{"no": json' }));
    return frames;
  }

  async #write(parts: readonly string[], { drip, cut }: Faults): Promise<void> {
    if (drip === undefined && cut === undefined) {
      for (const part of parts) this.#response.write(part);
      this.#response.end();
      return;
    }
    const bytes = Buffer.from(parts.join("")).subarray(0, cut);
    if (drip === undefined) await this.#flushed(bytes);
    else await this.#drip(bytes, drip);
    if (cut === undefined) this.#response.end();
    else this.#response.destroy();
  }

  async #drip(bytes: Buffer, everyMs: number): Promise<void> {
    for (const byte of bytes) {
      if (this.#response.destroyed) return;
      await this.#flushed(Buffer.of(byte));
      await this.wait(everyMs);
    }
  }

  #flushed(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#response.write(bytes, () => resolve());
    });
  }
}

function serialised({ event, data }: Frame): string {
  return `${event === undefined ? "" : `event: ${event}\n`}data: ${data}\n\n`;
}
