import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { anthropicMessages } from "./anthropic.ts";
import { type CallCounts, Calls } from "./calls.ts";
import { control } from "./control.ts";
import { type Faults, faultsOfKey, PlannedFaults, parseFaults } from "./fault.ts";
import { googleGenerate } from "./google.ts";
import { openAIChat } from "./openai-chat.ts";
import { openAIResponses } from "./openai-responses.ts";
import type { Failure, FailureKind, Protocol } from "./protocol.ts";
import { Answers } from "./reply.ts";
import { Sender } from "./send.ts";

const PROTOCOLS: readonly Protocol[] = [openAIResponses, openAIChat, anthropicMessages, googleGenerate];
const LONGEST_REQUEST = 32 * 1024 * 1024;

export interface SimulatorOptions {
  /** Another seed, other answers. */
  readonly seed?: string;
  /** Any free one where absent or 0. */
  readonly port?: number;
}

export interface Simulator {
  /** `http://127.0.0.1:<port>`: Anthropic's and Google's base URL; OpenAI's is `<url>/v1`. */
  readonly url: string;
  calls(): CallCounts;
  /** Faults for the next calls, as in the suffix of a key; without `times` for all calls until others are planned. */
  plan(faults: string, times?: number): void;
  close(): Promise<void>;
}

/** Starts a simulator on the loopback interface. */
export async function startSimulator({ seed = "1", port = 0 }: SimulatorOptions = {}): Promise<Simulator> {
  const state: State = { answers: new Answers(seed), calls: new Calls(), planned: new PlannedFaults() };
  const server = createServer((request, response) => {
    serve(request, response, state).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => state.calls.counts(),
    plan: (faults, times) => state.planned.plan(parseFaults(faults), times),
    close: () => closed(server),
  };
}

interface State {
  readonly answers: Answers;
  readonly calls: Calls;
  readonly planned: PlannedFaults;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function serve(request: IncomingMessage, response: ServerResponse, state: State): Promise<void> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (url.pathname.startsWith("/_simulator/")) return control({ request, response, ...state });
  const protocol = PROTOCOLS.find(({ path }) => path.test(url.pathname));
  if (!protocol || request.method !== "POST") {
    response.writeHead(404, { "content-type": "application/json" }).end('{"error":{"message":"no such method"}}');
    return;
  }
  state.calls.begin();
  response.once("close", () => state.calls.end({ abandoned: !response.writableFinished && !response.errored }));
  await answer({ url, protocol, key: keyOf(request), body: await bodyOf(request), response, state });
}

interface Call {
  readonly url: URL;
  readonly protocol: Protocol;
  readonly key: string | undefined;
  readonly body: unknown;
  readonly response: ServerResponse;
  readonly state: State;
}

async function answer({ url, protocol, key, body, response, state }: Call): Promise<void> {
  const sender = new Sender(protocol, response);
  if (key === undefined) return sender.fail({ kind: "unauthorized", message: "there is no key" });
  const faults = faultsFor(key, state);
  if (faults instanceof RangeError) return sender.fail({ kind: "invalid", message: faults.message });
  if (faults.hang) return;
  await sender.wait(faults.slow ?? 0);
  if (response.destroyed) return;
  if (faults.page) return sender.page();
  const failure = failureOf(faults, key);
  if (failure) return sender.fail(failure);
  const ask = protocol.read(url, body);
  if ("faults" in ask) {
    state.calls.refuse();
    return sender.fail({ kind: "invalid", message: ask.faults.join("; "), field: ask.faults[0]?.split(":")[0] });
  }
  await sender.answer({ ask, reply: state.answers.answer(ask, faults), faults });
}

function faultsFor(key: string, { planned }: State): Faults | RangeError {
  try {
    return { ...planned.take(), ...faultsOfKey(key) };
  } catch (error) {
    if (error instanceof RangeError) return error;
    throw error;
  }
}

const FAILURES: readonly (readonly [keyof Faults, FailureKind])[] = [
  ["rate-limit", "rate_limited"],
  ["quota", "quota"],
  ["error", "server_error"],
  ["overloaded", "overloaded"],
  ["timeout", "timeout"],
  ["unauthorized", "unauthorized"],
  ["invalid", "invalid"],
  ["refused-prompt", "refused"],
];

/** The text quotes the key, so that whoever repeats it is found out. */
function failureOf(faults: Faults, key: string): Failure | undefined {
  const kind = FAILURES.find(([name]) => faults[name] !== undefined)?.[1];
  return (
    kind && { kind, message: `The simulator was told to fail. Key: ${key}`, retryAfterSeconds: faults["rate-limit"] }
  );
}

function keyOf({ headers }: IncomingMessage): string | undefined {
  const bearer = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
  return bearer ?? [headers["x-api-key"], headers["x-goog-api-key"]].flat().find((key) => key);
}

/** @returns undefined where it is no JSON, which no protocol takes. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LONGEST_REQUEST) throw new RangeError("a request of that size is not simulated");
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
