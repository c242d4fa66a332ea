/** The right to append to a run: it ends when another engine takes the run. */
export interface Lease {
  runId: string;
  /** Grows with every change of owner; an append under an older one is refused. */
  fence: bigint;
}

/** Something that another engine asks of the engine that drives a run. */
export interface RunRequest {
  id: bigint;
  runId: string;
  /** What is asked: whoever sends and whoever answers agree on it. */
  kind: string;
  body: Uint8Array;
}

/** An engine's membership among those that share a store. It is renewed by the store until it is closed. */
export interface EngineLease {
  readonly name: string;
  /** For the first append of the runs that this engine begins. */
  readonly fence: bigint;
  /** Called once, when another engine has attached under this name: everything this engine drives belongs to that one. */
  onLost(callback: () => void): void;
  /**
   * Called for each request for a run that this engine drives; again under another engine, where this one ended without answering it.
   * One callback at a time.
   */
  onRequest(callback: (request: RunRequest) => void): void;
  /** Answers a request: whoever sent it reads this. */
  answer(requestId: bigint, answer: Uint8Array): Promise<void>;
  /** Leaves: other engines may take its runs at once. */
  close(): Promise<void>;
}

/** How long an engine's runs are its own after the last renewal, by the database's clock. */
export const LEASE_MS = 5000;
/** Between two renewals. */
export const RENEW_MS = 1500;
