"""Refusals as every expert of the orchestrator words them: a gRPC status with google.rpc details."""

from collections.abc import Sequence

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from odg.error.v1 import error_pb2

DOMAIN = "odg.dev"
DETAILS_KEY = "grpc-status-details-bin"

# The codes of docs/reference/errors.md, for the reasons that an expert gives by itself.
CODES = {
    error_pb2.REASON_BAD_ENCODING: code_pb2.INVALID_ARGUMENT,
    error_pb2.REASON_EXPERT_FAILED: code_pb2.INTERNAL,
    error_pb2.REASON_EXPERT_UNAVAILABLE: code_pb2.FAILED_PRECONDITION,
    error_pb2.REASON_FIELD_FORMAT: code_pb2.INVALID_ARGUMENT,
    error_pb2.REASON_INPUT_INVALID: code_pb2.INVALID_ARGUMENT,
    error_pb2.REASON_MALFORMED_PROTO: code_pb2.INVALID_ARGUMENT,
    error_pb2.REASON_OUTPUT_INVALID: code_pb2.INTERNAL,
    error_pb2.REASON_UNAUTHENTICATED: code_pb2.UNAUTHENTICATED,
}


class Rejection(Exception):
    """An answer other than a result. `fields` are pairs of a path in the request and what is wrong there, never a value."""

    def __init__(self, reason: int, message: str, fields: Sequence[tuple[str, str]] = ()):
        super().__init__(message)
        self.reason = reason
        self.fields = fields

    def status(self) -> grpc.Status:
        name = error_pb2.Reason.Name(self.reason).removeprefix("REASON_")
        details = [error_details_pb2.ErrorInfo(reason=name, domain=DOMAIN)]
        if self.fields:
            violations = [{"field": field, "description": description} for field, description in self.fields]
            details.append(error_details_pb2.BadRequest(field_violations=violations))
        packed = [any_pb2.Any() for _ in details]
        for target, detail in zip(packed, details):
            target.Pack(detail)
        return rpc_status.to_status(status_pb2.Status(code=CODES[self.reason], message=str(self), details=packed))


async def pass_on(error: grpc.aio.AioRpcError, context: grpc.aio.ServicerContext) -> None:
    """Ends a call as the engine ended one that this expert made: why data cannot be read is the engine's to say."""
    trailers = [(key, value) for key, value in error.trailing_metadata() or () if key == DETAILS_KEY]
    await context.abort(error.code(), error.details() or "", tuple(trailers))
