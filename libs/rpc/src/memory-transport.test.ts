import { setTimeout as sleep } from "node:timers/promises";
import { create, type DescService } from "@bufbuild/protobuf";
import type { Client, HandlerContext, Interceptor, ServiceImpl } from "@connectrpc/connect";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { ServerReflection } from "@odg/proto/grpc/reflection/v1/reflection_pb";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type ExecuteRequest, ExecuteRequestSchema, ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import { describe, expect, it } from "vitest";
import { collect, hang, refusalOf } from "../test/clients.ts";
import { memoryClient, memoryTransport, type Routes, reasonOf, reflectionRoutes, reject } from "./index.ts";

type Make = <S extends DescService>(service: S, routes: Routes, interceptors?: Interceptor[]) => Client<S>;

// What Connect's own transport does in this process is the measure.
const WAYS: [string, Make][] = [
  [
    "Connect's router transport",
    (service, routes, interceptors) =>
      createClient(service, createRouterTransport(routes, { router: { interceptors } })),
  ],
  [
    "the memory transport",
    (service, routes, interceptors) => createClient(service, memoryTransport(routes, interceptors)),
  ],
  ["the memory client", memoryClient],
];

const request = { runId: "r", taskId: "t", action: "a", input: { n: [1, { deep: "x" }] } };
const progress = (fraction: number) => ({ message: { case: "progress" as const, value: { fraction } } });

describe.each(WAYS)("%s", (_, make) => {
  const serve = (handlers: Partial<ServiceImpl<typeof ExpertService>>, interceptors?: Interceptor[]) =>
    make(ExpertService, (router) => router.service(ExpertService, handlers), interceptors);

  it("carries messages, headers and trailers", async () => {
    const client = serve({
      describe: (_request, context) => {
        context.responseHeader.set("x-who", context.requestHeader.get("x-who") ?? "");
        context.responseTrailer.set("x-end", "yes");
        return { name: "A", version: "1.0.0" };
      },
      async *execute({ input }, context) {
        context.responseHeader.set("x-begin", "yes");
        yield progress(0.5);
        yield { message: { case: "result", value: { summary: JSON.stringify(input) } } };
        context.responseTrailer.set("x-end", "too");
      },
    });
    const seen: (string | null)[] = [];
    const answer = await client.describe(
      {},
      {
        headers: { "x-who": "me" },
        onHeader: (header) => seen.push(header.get("x-who")),
        onTrailer: (trailer) => seen.push(trailer.get("x-end")),
      },
    );
    expect(answer.name).toBe("A");
    const messages = await collect(
      client.execute(request, {
        onHeader: (header) => seen.push(header.get("x-begin")),
        onTrailer: (trailer) => seen.push(trailer.get("x-end")),
      }),
    );
    expect(messages.map(({ message }) => message.case)).toEqual(["progress", "result"]);
    expect(messages[1]?.message.value).toMatchObject({ summary: JSON.stringify(request.input) });
    expect(seen).toEqual(["me", "yes", "yes", "too"]);
  });

  it("shares no message between caller and handler", async () => {
    const kept = { message: { case: "result" as const, value: { summary: "first", output: undefined } } };
    const client = serve({
      async *execute(received: ExecuteRequest) {
        expect(received.input).toEqual(request.input);
        Object.assign(received.input ?? {}, { n: "changed" });
        received.runId = "changed";
        yield kept;
        kept.message.value.summary = "changed";
      },
    });
    const sent = create(ExecuteRequestSchema, request);
    const [answer] = await collect(client.execute(sent));
    expect(sent).toEqual(create(ExecuteRequestSchema, request));
    expect(answer?.message.value).toMatchObject({ summary: "first" });
  });

  it("brings a refusal with its reason, fields and headers, and without its cause", async () => {
    const refuse = () => {
      const headers = { "x-why": "because" };
      throw reject(Reason.INPUT_INVALID, { message: "No.", field: "input.n", headers, cause: new Error("secret") });
    };
    const client = serve({
      describe: refuse,
      async *execute() {
        yield progress(0.1);
        refuse();
      },
    });
    for (const call of [() => client.describe({}), () => collect(client.execute(request))]) {
      const error = await refusalOf(call());
      expect([error.code, error.rawMessage, error.cause]).toEqual([Code.InvalidArgument, "No.", undefined]);
      expect(reasonOf(error)).toBe(Reason.INPUT_INVALID);
      expect(error.details.every((detail) => "type" in detail)).toBe(true);
      expect(error.metadata.get("x-why")).toBe("because");
      expect(error).toBeInstanceOf(ConnectError);
    }
  });

  it("lets nothing of another error through", async () => {
    const secret = () => {
      throw new Error("password=hunter2");
    };
    const client = serve({ describe: secret, execute: secret });
    for (const call of [() => client.describe({}), () => collect(client.execute(request))]) {
      const error = await refusalOf(call());
      expect([error.code, error.rawMessage]).toEqual([Code.Internal, "internal error"]);
      expect(JSON.stringify([error.message, error.details, String(error.cause)])).not.toContain("hunter2");
    }
  });

  it("refuses what nobody serves", async () => {
    const client = serve({});
    expect((await refusalOf(client.describe({}))).code).toBe(Code.Unimplemented);
    expect((await refusalOf(collect(client.execute(request)))).code).toBe(Code.Unimplemented);
    const other = make(RunService, () => undefined);
    expect((await refusalOf(other.listRuns({}))).code).toBe(Code.Unimplemented);
  });

  it("refuses a message that cannot be encoded", async () => {
    const wrong = { attempt: -1 } as const;
    const client = serve({ describe: () => ({ protocol: -1 }) });
    expect((await refusalOf(client.describe({}))).code).toBe(Code.Internal);
    expect((await refusalOf(collect(client.execute({ ...request, ...wrong })))).code).toBe(Code.Internal);
  });

  it("answers at the deadline and when the caller leaves, though the handler hangs, and tells the handler", async () => {
    const told: Promise<unknown>[] = [];
    const wait = (context: HandlerContext) => {
      told.push(new Promise((resolve) => context.signal.addEventListener("abort", resolve)));
      return hang();
    };
    const client = serve({
      describe: (_request, context) => wait(context),
      async *execute(_request, context) {
        yield progress(0.1);
        await wait(context);
      },
    });
    const leaving = () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 20);
      return { signal: controller.signal };
    };
    expect((await refusalOf(client.describe({}, { timeoutMs: 20 }))).code).toBe(Code.DeadlineExceeded);
    expect((await refusalOf(collect(client.execute(request, { timeoutMs: 20 })))).code).toBe(Code.DeadlineExceeded);
    expect((await refusalOf(client.describe({}, leaving()))).code).toBe(Code.Canceled);
    expect((await refusalOf(collect(client.execute(request, leaving())))).code).toBe(Code.Canceled);
    expect((await refusalOf(client.describe({}, { signal: AbortSignal.abort() }))).code).toBe(Code.Canceled);
    await Promise.all(told.slice(0, 4));
  });

  it("knows the time that is left", async () => {
    const left: (number | undefined)[] = [];
    const client = serve({
      describe: (_request, context) => {
        left.push(context.timeoutMs());
        return {};
      },
    });
    await client.describe({}, { timeoutMs: 1000 });
    await client.describe({});
    expect(left[0]).toBeGreaterThan(500);
    expect(left[0]).toBeLessThanOrEqual(1000);
    expect(left[1]).toBeUndefined();
  });

  it("aborts the signal of a handler whose call has ended", async () => {
    const signals: AbortSignal[] = [];
    const client = serve({
      describe: (_request, { signal }) => {
        signals.push(signal);
        return {};
      },
      async *execute(_request, { signal }) {
        signals.push(signal);
        yield progress(1);
      },
    });
    await client.describe({});
    await collect(client.execute(request));
    await sleep(0);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it("lets interceptors see and change requests and responses", async () => {
    const seen: string[] = [];
    const note: Interceptor = (next) => async (call) => {
      seen.push(`${call.service.typeName}/${call.method.name} ${call.stream} ${call.requestMethod}`);
      call.header.set("x-outer", "1");
      const response = await next({ ...call, header: new Headers([...call.header, ["x-inner", "2"]]) });
      response.header.set("x-answer", "3");
      return response;
    };
    const got: (string | null)[] = [];
    const client = serve(
      {
        describe: (_request, { requestHeader }) => {
          got.push(requestHeader.get("x-outer"), requestHeader.get("x-inner"));
          return {};
        },
        async *execute(_request, { requestHeader }) {
          got.push(requestHeader.get("x-inner"));
          yield progress(1);
        },
      },
      [note],
    );
    const onHeader = (header: Headers) => got.push(header.get("x-answer"));
    await client.describe({}, { onHeader });
    await collect(client.execute(request));
    expect(got).toEqual(["1", "2", "3", "2"]);
    expect(seen).toEqual([
      "odg.expert.v1.ExpertService/Describe false POST",
      "odg.expert.v1.ExpertService/Execute true POST",
    ]);
  });

  it("carries both directions of a stream", async () => {
    const client = make(ServerReflection, reflectionRoutes([RunService]));
    async function* questions() {
      yield { messageRequest: { case: "listServices" as const, value: "" } };
      yield { messageRequest: { case: "fileContainingSymbol" as const, value: "odg.run.v1.Run" } };
    }
    const answers = await collect(client.serverReflectionInfo(questions()));
    expect(answers.map(({ messageResponse }) => messageResponse.case)).toEqual([
      "listServicesResponse",
      "fileDescriptorResponse",
    ]);
  });
});

describe("the memory client", () => {
  it("ends a handler's stream when the reader stops reading", async () => {
    const ended = Promise.withResolvers<void>();
    const client = memoryClient(ExpertService, (router) =>
      router.service(ExpertService, {
        async *execute() {
          try {
            for (;;) yield progress(0.1);
          } finally {
            ended.resolve();
          }
        },
      }),
    );
    for await (const answer of client.execute(request)) {
      expect(answer.message.case).toBe("progress");
      break;
    }
    await ended.promise;
  });

  it("lets a call fail that nobody reads", async () => {
    memoryClient(ExpertService, () => undefined).execute(request);
    await sleep(0);
  });
});
