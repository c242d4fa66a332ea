import { createContextKey } from "@connectrpc/connect";

/**
 * Signal that the server begins to drain, in `context.values`. A stream without an end of its own (a watch) ends itself
 * then, so that its caller resumes elsewhere; work that ends by itself goes on. Outside a server it never fires.
 */
export const kDraining = createContextKey<AbortSignal>(new AbortController().signal, {
  description: "aborted when the server begins to drain",
});
