import { type Client, ConnectError } from "@connectrpc/connect";
import { PROTOCOL_VERSION } from "@odg/expert-plugin-api";
import type { DescribeResponse, ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import semver from "semver";
import { PlacementError } from "./placement-error.ts";

/** Time to answer Describe. */
const DESCRIBE_MS = 5_000;
/** More than this one process does not do at once: the number is a slip, or a lie to be given every task. */
const MOST_TASKS = 1_000;
/** More than this no expert has: it would only fill the catalogue. */
const MOST_ACTIONS = 1_000;

/**
 * Asks an expert what it is, and believes only what can be true.
 *
 * @param who Name for messages: the package or the address.
 * @param version What the package's manifest says, where there is one.
 * @throws PlacementError that names what is wrong with the answer.
 */
export async function describe(
  client: Client<typeof ExpertService>,
  who: string,
  version?: string,
): Promise<DescribeResponse> {
  const description = await client.describe({}, { timeoutMs: DESCRIBE_MS }).catch((error: unknown) => {
    throw new PlacementError(`${who} does not answer Describe: ${ConnectError.from(error).rawMessage}`, {
      cause: error,
    });
  });
  const fault = faultIn(description, version);
  if (fault) throw new PlacementError(`${who}${fault}`);
  return description;
}

function faultIn(description: DescribeResponse, version: string | undefined): string | undefined {
  const { name, protocol, actions, maxConcurrentTasks } = description;
  if (protocol !== PROTOCOL_VERSION) return ` speaks protocol ${protocol}; this engine speaks ${PROTOCOL_VERSION}`;
  if (!/^[A-Z][A-Za-z0-9]{1,62}$/.test(name))
    return ": Describe says a name that is none: a capital, letters and digits";
  if (!semver.valid(description.version)) return ": Describe says a version that is no semantic version";
  if (version !== undefined && description.version !== version)
    return `: Describe says version ${description.version}, its package.json ${version}`;
  if (maxConcurrentTasks > MOST_TASKS)
    return `: Describe says ${maxConcurrentTasks} tasks at once, ${MOST_TASKS} at most`;
  if (actions.length === 0 || actions.length > MOST_ACTIONS) return `: Describe says ${actions.length} actions`;
  if (new Set(actions.map((action) => action.name)).size < actions.length) return ": Describe says an action twice";
  const bad = actions.findIndex((action) => !/^[a-z][a-z0-9_]{0,62}$/.test(action.name) || action.capability === "");
  return bad < 0 ? undefined : `: Describe says no proper name or capability at actions[${bad}]`;
}
