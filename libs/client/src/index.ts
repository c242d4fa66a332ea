export { balancedTransport } from "./balanced.ts";
export {
  type ClientOptions,
  createClient,
  type OdgClient,
  type RunAndWaitOptions,
  type StartOptions,
} from "./client.ts";
export { mayPass, type Patience, persist } from "./retry.ts";
export type { WatchMessage, WatchOptions } from "./watch.ts";
