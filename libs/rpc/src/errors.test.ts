import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, HelpSchema, RetryInfoSchema } from "@odg/proto/google/rpc/error_details_pb";
import { FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import { describe, expect, it } from "vitest";
import {
  codeName,
  failureOf,
  helpLink,
  httpStatusOf,
  isNamedReason,
  presentable,
  REASONS,
  reasonName,
  reasonNamed,
  reasonOf,
  reject,
  requestIdOf,
  retryAfterOf,
  toErrorJson,
} from "./index.ts";

const named = Object.values(Reason)
  .filter((value): value is Reason => typeof value === "number")
  .filter((reason) => reason !== Reason.UNSPECIFIED);
const page = readFileSync(new URL("../../../docs/reference/errors.md", import.meta.url), "utf8");

describe("the table of reasons", () => {
  it.each(named.map((reason) => [reasonName(reason), reason] as const))(
    "has %s, and its page documents it",
    (name, reason) => {
      if (!isNamedReason(reason)) throw new Error(`${name} is not in the table`);
      const entry = REASONS[reason];
      const section = page.split(/^## /m).find((part) => part.startsWith(`${name}\n`)) ?? "";
      const facts = `\`${codeName(entry.code)}\` (HTTP ${httpStatusOf(entry.code)}) · retry: ${entry.retryable ? "yes" : "no"}`;
      expect(section).toContain(facts);
      expect(section).toContain("- Example: ");
      expect(section).toContain(`- What to do: ${entry.help}`);
      expect(reasonNamed(name)).toBe(reason);
    },
  );

  it("documents nothing that is no reason", () => {
    const headings = [...page.matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? "");
    expect(headings.map(reasonNamed)).toEqual(named);
  });

  it("knows no name that an object has by nature", () => {
    expect(reasonNamed("constructor")).toBeUndefined();
    expect(reasonNamed("UNSPECIFIED")).toBeUndefined();
    expect(reasonNamed("3")).toBeUndefined();
  });
});

describe("reject", () => {
  it("carries google.rpc details", () => {
    const error = reject(Reason.INPUT_INVALID, {
      message: "dataset is missing.",
      field: "dataset",
      hint: "Name the data.",
      retryAfterMs: 1500,
    });
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.findDetails(ErrorInfoSchema)[0]).toMatchObject({ reason: "INPUT_INVALID", domain: "odg.dev" });
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations).toMatchObject([
      { field: "dataset", description: "dataset is missing." },
    ]);
    expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay).toMatchObject({ seconds: 1n, nanos: 500_000_000 });
    const link = { description: "Name the data.", url: helpLink(Reason.INPUT_INVALID) };
    expect(error.findDetails(HelpSchema)[0]?.links).toMatchObject([link]);
    expect(retryAfterOf(error)).toBe(1500);
  });

  it("keeps its cause out of what is sent", () => {
    const error = reject(Reason.UNAVAILABLE, { cause: new Error("password=hunter2") });
    expect(JSON.stringify(toErrorJson(error))).not.toContain("hunter2");
    expect(error.cause).toBeInstanceOf(Error);
  });

  it.each(named)("turns the failure of reason %i into an error and back", (reason) => {
    const failure = create(FailureSchema, {
      reason,
      message: "It broke.",
      retryable: true,
      subject: "column email",
      hint: "Mend it.",
    });
    expect(failureOf(reject(failure))).toEqual(failure);
  });
});

describe("failureOf", () => {
  it("hides the text of a thrown Error", () => {
    expect(failureOf(new Error("secret"))).toMatchObject({ reason: Reason.INTERNAL, message: "internal error" });
    expect(failureOf("secret", Reason.EXPERT_FAILED)).toMatchObject({
      reason: Reason.EXPERT_FAILED,
      message: "The expert failed.",
      retryable: true,
    });
  });

  it("reads a foreign error by its code, and hides its text where the code is opaque", () => {
    const late = new ConnectError("too late", Code.DeadlineExceeded);
    expect(failureOf(late)).toMatchObject({ reason: Reason.DEADLINE_EXCEEDED, message: "too late", retryable: true });
    const broken = new ConnectError("secret", Code.Unknown);
    expect(failureOf(broken, Reason.EXPERT_FAILED)).toMatchObject({ message: "The expert failed." });
    const busy = new ConnectError("busy", Code.ResourceExhausted);
    expect(failureOf(busy, Reason.EXPERT_FAILED)).toMatchObject({ message: "busy", retryable: true });
  });

  it("names the first field at fault as the subject", () => {
    expect(failureOf(reject(Reason.FIELD_TYPE, { field: "a.b" })).subject).toBe("a.b");
  });

  it("knows an aborted signal from a timed out one", () => {
    expect(reasonOf(new DOMException("stop", "AbortError"))).toBe(Reason.CANCELLED);
    expect(reasonOf(new DOMException("late", "TimeoutError"))).toBe(Reason.DEADLINE_EXCEEDED);
  });
});

describe("presentable", () => {
  it("adds the request id once", () => {
    const first = presentable(reject(Reason.NOT_FOUND), "r1");
    expect(requestIdOf(first)).toBe("r1");
    expect(presentable(first, "r2")).toBe(first);
  });

  it("replaces what is not ours and may hold anything", () => {
    for (const error of [new Error("secret"), new ConnectError("secret", Code.Internal), "secret", undefined]) {
      const shown = presentable(error, "r1");
      expect(shown.rawMessage).toBe("internal error");
      expect(shown.cause).toBe(error);
    }
  });
});

describe("toErrorJson", () => {
  it("has the shape of the CLI and REST", () => {
    const error = reject(Reason.DAG_INVALID, { message: "A cycle.", field: "tasks[0]", requestId: "r1" });
    expect(toErrorJson(error)).toEqual({
      code: "invalid_argument",
      reason: "DAG_INVALID",
      message: "A cycle.",
      details: [
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "DAG_INVALID", domain: "odg.dev" },
        {
          "@type": "type.googleapis.com/google.rpc.BadRequest",
          fieldViolations: [{ field: "tasks[0]", description: "A cycle." }],
        },
      ],
      request_id: "r1",
      help: "docs/reference/errors.md#dag_invalid",
    });
  });

  it("never shows a thrown Error", () => {
    expect(JSON.stringify(toErrorJson(new Error("secret")))).not.toContain("secret");
  });
});
