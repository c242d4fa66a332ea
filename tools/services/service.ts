/** Environment variables through which tests find a server or a tool. */
export type ServiceEnv = Record<string, string>;

/**
 * A real server (or tool) that tests may use. Every file in this folder that implements one is built alike.
 * `folder` is a private, empty folder that the caller makes before `start` and removes after `stop`.
 */
export interface Service {
  readonly name: string;
  /** Makes sure that the program is on this machine; answers its version in one line. */
  install(): Promise<string>;
  /** Starts it and waits until it answers. */
  start(folder: string): Promise<ServiceEnv>;
  /** Whether the one that was started with this folder and environment still answers. */
  running(folder: string, env: ServiceEnv): Promise<boolean>;
  /** Stops it and waits until it has ended; does nothing when it is not running. */
  stop(folder: string, env: ServiceEnv): Promise<void>;
}
