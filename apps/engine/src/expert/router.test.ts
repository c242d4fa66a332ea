import { create } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { permissionsSchema } from "@odg/expert-plugin-api";
import { DescribeResponseSchema, ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import { describe, expect, test } from "vitest";
import type { RegisteredExpert } from "./registry.ts";
import { needOf, route } from "./router.ts";

const client = createClient(
  ExpertService,
  createRouterTransport(() => undefined),
);

function expertOf(
  id: string,
  loads: number[],
  options: { actions?: [string, string][]; capacity?: number; healthy?: boolean } = {},
): RegisteredExpert {
  const [name = "", version = ""] = id.split("@");
  const actions = (options.actions ?? [["scan", "security_scanning"]]).map(([action, capability]) => ({
    name: action,
    capability,
  }));
  return {
    id,
    description: create(DescribeResponseSchema, { name, version, actions, maxConcurrentTasks: options.capacity ?? 4 }),
    placement: "module",
    packageName: name,
    permissions: permissionsSchema.parse({}),
    digest: "",
    publisher: "",
    averageLatencyMs: 0,
    instances: loads.map((load, i) => ({
      id: `${id}#${i + 1}`,
      client,
      packageRoot: "",
      healthy: options.healthy ?? true,
      load,
      close: async () => undefined,
    })),
  };
}

const need = (expert: string, action = "scan", version = "") => ({ expert, action, version });
const chosen = (decision: ReturnType<typeof route>) =>
  decision.kind === "chosen" ? `${decision.instance.id}.${decision.action}` : decision.kind;

describe("the router", () => {
  test("gives a task to the expert that it names, in the newest version of its range", () => {
    const experts = [
      expertOf("A@1.0.0", [0]),
      expertOf("A@1.4.0", [0]),
      expertOf("A@2.0.0", [0]),
      expertOf("B@9.0.0", [0]),
    ];
    expect(chosen(route(need("A"), experts))).toBe("A@2.0.0#1.scan");
    expect(chosen(route(need("A", "scan", "^1.0.0"), experts))).toBe("A@1.4.0#1.scan");
    expect(chosen(route(needOf({ expert: "A", action: "scan", version: "^1" }, "A@1.0.0"), experts))).toBe(
      "A@1.0.0#1.scan",
    );
  });

  test("takes the least busy instance by its share of load", () => {
    expect(chosen(route(need("A"), [expertOf("A@1.0.0", [3, 1, 2])]))).toBe("A@1.0.0#2.scan");
    const experts = [expertOf("A@1.0.0", [2], { capacity: 4 }), expertOf("B@1.0.0", [3], { capacity: 10 })];
    expect(chosen(route(need(""), experts))).toBe("B@1.0.0#1.scan");
  });

  test("finds experts by action, then by capability", () => {
    const experts = [
      expertOf("A@1.0.0", [0], { actions: [["find", "security_scanning"]] }),
      expertOf("B@1.0.0", [0], {
        actions: [
          ["first", "other"],
          ["scan", "other"],
        ],
      }),
    ];
    expect(chosen(route(need("", "scan"), experts))).toBe("B@1.0.0#1.scan");
    expect(chosen(route(need("", "security_scanning"), experts))).toBe("A@1.0.0#1.find");
  });

  test("waits where all are busy", () => {
    expect(route(need("A"), [expertOf("A@1.0.0", [4, 4])]).kind).toBe("busy");
  });

  test("never falls back to another expert than the named one", () => {
    const experts = [expertOf("A@1.0.0", [0], { healthy: false }), expertOf("B@1.0.0", [0])];
    expect(route(need("A"), experts)).toMatchObject({ kind: "none", why: expect.stringContaining("offline") });
    expect(route(need("C"), experts)).toMatchObject({ kind: "none", hint: "Registered: A@1.0.0, B@1.0.0." });
    expect(route(need("A", "scan", "^3"), experts)).toMatchObject({
      kind: "none",
      hint: "Registered versions: 1.0.0.",
    });
  });

  test("leaves an instance out that does not answer", () => {
    const expert = expertOf("A@1.0.0", [0, 3]);
    if (expert.instances[0]) expert.instances[0].healthy = false;
    expect(chosen(route(need("A"), [expert]))).toBe("A@1.0.0#2.scan");
  });
});
