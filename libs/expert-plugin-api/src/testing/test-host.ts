import { randomBytes } from "node:crypto";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject, startServer } from "@odg/rpc";
import { HOST_TOKEN_HEADER } from "../protocol.ts";
import { type MemoryHostOptions, memoryHostRoutes } from "./memory-host.ts";

/** What one attempt may see, until it is ended. */
export interface TestGrant {
  /** What the attempt's calls must carry. */
  readonly token: string;
  /** Names of the calls that came with the token, in order: `GetDataset`. */
  readonly calls: readonly string[];
  /** From now on the token is refused. */
  end(): void;
}

interface Grant {
  options: MemoryHostOptions;
  calls: string[];
}

/**
 * The host of an expert under test: tables in memory, behind a token for every attempt, as in an engine. One serves many attempts
 * at once, so that an expert which runs elsewhere needs a single address.
 */
export class TestHost {
  readonly #grants = new Map<string, Grant>();
  #strangers = 0;

  /** Calls whose token was unknown, or had ended. */
  get strangers(): number {
    return this.#strangers;
  }

  /** Lets an attempt in. */
  grant(options: MemoryHostOptions = {}): TestGrant {
    const token = randomBytes(12).toString("base64url");
    const calls: string[] = [];
    this.#grants.set(token, { options, calls });
    return { token, calls, end: () => void this.#grants.delete(token) };
  }

  /** HostService. */
  readonly routes = (router: ConnectRouter): void => memoryHostRoutes((call) => this.#admit(call))(router);

  #admit({ requestHeader, method }: HandlerContext): MemoryHostOptions {
    const grant = this.#grants.get(requestHeader.get(HOST_TOKEN_HEADER) ?? "");
    if (!grant) {
      this.#strangers++;
      throw reject(Reason.UNAUTHENTICATED, { message: "the host token is unknown, or its attempt has ended" });
    }
    grant.calls.push(method.name);
    return grant.options;
  }
}

/** A {@link TestHost} that experts outside of this process reach. */
export interface ListeningTestHost {
  readonly host: TestHost;
  /** `http://127.0.0.1:50052`: what the expert is told as its host. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts a test host on the loopback interface, for gRPC.
 *
 * @param port 0 or absent for a free one.
 * @throws the error of `listen` (a port in use)
 */
export async function listenTestHost(port = 0): Promise<ListeningTestHost> {
  const host = new TestHost();
  // A caller that leaves in the middle is what some cases are about; what goes wrong here, the expert is told.
  const logger = { info: () => undefined, error: () => undefined };
  const server = await startServer({ routes: host.routes, port, drainMs: 1000, logger });
  return { host, url: server.h2cUrl, close: () => server.close() };
}
