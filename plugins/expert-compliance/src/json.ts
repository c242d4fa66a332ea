import type { ActionContext } from "@odg/expert-plugin-api";

/** A JSON value, as predecessors' outputs and contracts are. */
export type JsonValue = ActionContext["upstream"][string];

/** A JSON object. */
export type JsonObject = { [key: string]: JsonValue };
