"""ExpertService over what an expert says of itself: reads requests, checks inputs and outputs, words the errors."""

import hmac
import logging
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from google.protobuf import json_format, message
from jsonschema import Draft202012Validator, ValidationError

from errors import Rejection, pass_on
from host import Host
from odg.error.v1 import error_pb2
from odg.expert.v1 import expert_pb2, finding_pb2

PROTOCOL = 1
SERVICE = expert_pb2.DESCRIPTOR.services_by_name["ExpertService"].full_name

Said = expert_pb2.Progress | finding_pb2.Finding | expert_pb2.LogLine | expert_pb2.Result
KINDS = {
    expert_pb2.Progress: "progress",
    finding_pb2.Finding: "finding",
    expert_pb2.LogLine: "log",
    expert_pb2.Result: "result",
}

log = logging.getLogger("expert")


@dataclass(frozen=True)
class Action:
    """One thing an expert can do. `execute` says what it finds while it works, and a Result as its last word."""

    capability: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    execute: Callable[[dict[str, Any], Host], AsyncGenerator[Said, None]]


@dataclass(frozen=True)
class Expert:
    """What an expert is."""

    name: str
    version: str
    description: str
    actions: Mapping[str, Action]
    max_concurrent_tasks: int = 4

    def describe(self) -> expert_pb2.DescribeResponse:
        answer = expert_pb2.DescribeResponse(
            name=self.name,
            version=self.version,
            protocol=PROTOCOL,
            description=self.description,
            max_concurrent_tasks=self.max_concurrent_tasks,
        )
        for name, action in self.actions.items():
            described = answer.actions.add(name=name, capability=action.capability, description=action.description)
            described.input_schema.update(action.input_schema)
            described.output_schema.update(action.output_schema)
        return answer


class ExpertService:
    """The two calls of ExpertService. Requests arrive as bytes, so that broken ones get an answer of ours."""

    def __init__(self, expert: Expert, engine: grpc.aio.Channel, token: str | None):
        self._expert = expert
        self._engine = engine
        self._authorization = token and f"Bearer {token}".encode()

    def handler(self) -> grpc.GenericRpcHandler:
        methods = {
            "Describe": grpc.unary_unary_rpc_method_handler(
                self._describe, response_serializer=expert_pb2.DescribeResponse.SerializeToString
            ),
            "Execute": grpc.unary_stream_rpc_method_handler(
                self._execute, response_serializer=expert_pb2.ExecuteResponse.SerializeToString
            ),
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def _describe(self, data: bytes, context: grpc.aio.ServicerContext) -> expert_pb2.DescribeResponse:
        try:
            self._admit(context)
            parse(expert_pb2.DescribeRequest, data)
        except Rejection as rejection:
            await context.abort_with_status(rejection.status())
        return self._expert.describe()

    async def _execute(
        self, data: bytes, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[expert_pb2.ExecuteResponse]:
        try:
            self._admit(context)
            request = parse(expert_pb2.ExecuteRequest, data)
            # Closed at once when the caller leaves, so that calls to the engine end with this one.
            async with aclosing(self._attempt(request, context.time_remaining())) as answers:
                async for answer in answers:
                    yield answer
        except Rejection as rejection:
            await context.abort_with_status(rejection.status())
        except grpc.aio.AioRpcError as error:
            await pass_on(error, context)
        except Exception as error:
            log_fault(error)
            failed = Rejection(error_pb2.REASON_EXPERT_FAILED, "the expert failed")
            await context.abort_with_status(failed.status())

    async def _attempt(
        self, request: expert_pb2.ExecuteRequest, seconds_left: float | None
    ) -> AsyncGenerator[expert_pb2.ExecuteResponse, None]:
        action = self._action(request)
        given = plain(request.input, error_pb2.REASON_INPUT_INVALID, "input")
        demand_schema(action.input_schema, given, ("input", error_pb2.REASON_INPUT_INVALID))
        host = Host(self._engine, request.host_token, seconds_left)
        async with aclosing(action.execute(given, host)) as words:
            async for said in words:
                ended = isinstance(said, expert_pb2.Result)
                if ended:
                    output = plain(said.output, error_pb2.REASON_OUTPUT_INVALID, "output")
                    demand_schema(action.output_schema, output, ("output", error_pb2.REASON_OUTPUT_INVALID))
                yield expert_pb2.ExecuteResponse(**{KINDS[type(said)]: said})
                if ended:
                    return
        raise Rejection(error_pb2.REASON_OUTPUT_INVALID, f'"{request.action}" ended without a result')

    def _action(self, request: expert_pb2.ExecuteRequest) -> Action:
        empty = [name for name in ("run_id", "task_id", "action") if not getattr(request, name)]
        if empty:
            fields = [(name, "must not be empty") for name in empty]
            raise Rejection(error_pb2.REASON_FIELD_FORMAT, f"{', '.join(empty)}: must not be empty", fields)
        action = self._expert.actions.get(request.action)
        if action:
            return action
        known = ", ".join(self._expert.actions)
        words = f"{self._expert.name}@{self._expert.version} has no such action; it has: {known}"
        raise Rejection(error_pb2.REASON_EXPERT_UNAVAILABLE, words, [("action", "is not known")])

    def _admit(self, context: grpc.aio.ServicerContext) -> None:
        if not self._authorization:
            return
        given = next((value for key, value in context.invocation_metadata() or () if key == "authorization"), "")
        if not hmac.compare_digest(given.encode(), self._authorization):
            raise Rejection(error_pb2.REASON_UNAUTHENTICATED, "the token is not the one of this expert")


M = TypeVar("M", bound=message.Message)


def parse(kind: type[M], data: bytes) -> M:
    try:
        return kind.FromString(data)
    except message.DecodeError as error:
        words = f"the bytes are not a {kind.DESCRIPTOR.full_name}, hold invalid UTF-8, or nest too deeply"
        raise Rejection(error_pb2.REASON_MALFORMED_PROTO, words) from error


def plain(data: message.Message, reason: int, name: str) -> Any:
    try:
        return json_format.MessageToDict(data)
    except json_format.Error as error:
        raise Rejection(reason, f"the {name} holds a number that JSON has not", [(name, "is not JSON")]) from error


def demand_schema(schema: dict[str, Any], data: Any, named: tuple[str, int]) -> None:
    name, reason = named
    faults = sorted(Draft202012Validator(schema).iter_errors(data), key=lambda fault: fault.json_path)
    if not faults:
        return
    fields = [(field.replace("$", name, 1), words) for fault in faults for field, words in violations_of(fault)]
    first, why = fields[0]
    raise Rejection(reason, f"the {name} does not satisfy the action's schema: {first} {why}", fields)


def violations_of(fault: ValidationError) -> list[tuple[str, str]]:
    """What the schema wants. The library's own message quotes what it was given, which may be personal."""
    if fault.validator == "required":
        missing = [key for key in fault.validator_value if key not in fault.instance]
        return [(f"{fault.json_path}.{key}", "is missing") for key in missing]
    return [(fault.json_path, f"breaks the rule {fault.validator}: {fault.validator_value}")]


def log_fault(error: Exception) -> None:
    """Where an action threw, never what: the message may quote the data."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(frames))
    log.error("%s in %s", type(error).__name__, places)
