"""What the engine offers to an attempt: HostService, with the attempt's token and deadline on every call."""

from collections.abc import AsyncGenerator

import grpc
from google.protobuf.struct_pb2 import Value

from odg.catalog.v1.dataset_pb2 import Dataset, DatasetProfile
from odg.expert.v1 import expert_pb2, expert_pb2_grpc

TOKEN_KEY = "x-odg-host-token"
OPTIONS = [
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # An engine that was restarted is found again soon.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
]


def open_channel(url: str) -> grpc.aio.Channel:
    """A channel to `http://host:port`, `https://host:port` or `unix:/path`. It connects with the first call."""
    if url.startswith("unix:"):
        return grpc.aio.insecure_channel(url, OPTIONS)
    scheme, _, address = url.partition("://")
    if scheme == "https":
        return grpc.aio.secure_channel(address.rstrip("/"), grpc.ssl_channel_credentials(), OPTIONS)
    if scheme == "http":
        return grpc.aio.insecure_channel(address.rstrip("/"), OPTIONS)
    raise ValueError("the URL of the host begins with http://, https:// or unix:")


class Host:
    """The engine, as one attempt sees it. Every call raises `grpc.aio.AioRpcError`, with the engine's own reason."""

    def __init__(self, channel: grpc.aio.Channel, token: str, seconds_left: float | None):
        self._stub = expert_pb2_grpc.HostServiceStub(channel)
        self._call = {"metadata": ((TOKEN_KEY, token),), "timeout": seconds_left}

    async def dataset(self, uri: str) -> Dataset:
        return (await self._stub.GetDataset(expert_pb2.GetDatasetRequest(uri=uri), **self._call)).dataset

    async def profile(self, uri: str) -> DatasetProfile:
        return (await self._stub.ProfileDataset(expert_pb2.ProfileDatasetRequest(uri=uri), **self._call)).profile

    async def read(
        self, uri: str, columns: list[str], sample: int
    ) -> AsyncGenerator[expert_pb2.ReadDatasetResponse, None]:
        """Batches of rows, column by column; none without columns. `sample` is a number of rows, 0 for all."""
        if not columns:
            return  # To the engine, no columns means all of them.
        request = expert_pb2.ReadDatasetRequest(uri=uri, columns=columns, sample=sample)
        call = self._stub.ReadDataset(request, **self._call)
        try:
            async for batch in call:
                yield batch
        finally:
            call.cancel()  # Does nothing where it has ended.


def texts_of(column: expert_pb2.Column) -> list[str]:
    """The texts among the values of a column, those in lists too."""
    found: list[str] = []
    for value in column.values.values:
        _collect(value, found)
    return found


def _collect(value: Value, found: list[str]) -> None:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        found.append(value.string_value)
    elif kind == "list_value":
        for one in value.list_value.values:
            _collect(one, found)
