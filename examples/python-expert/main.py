"""Serves TextStatsExpert: `python main.py --listen 127.0.0.1:50061 --host http://127.0.0.1:50052`."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

# The modules that generate.py makes import each other by the packages of the .proto files.
sys.path.insert(0, str(Path(__file__).resolve().parent / "generated"))

from expert import EXPERT  # noqa: E402
from host import open_channel  # noqa: E402
from serving import SERVICE, ExpertService  # noqa: E402

DRAIN_SECONDS = 10
OPTIONS = [
    # Inputs and outputs of earlier tasks may be larger than the 4 MiB that gRPC reads by itself.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # One port, one server.
    ("grpc.so_reuseport", 0),
    # Engines ping every 20 s, also while a task says nothing; by itself gRPC takes that for an attack and hangs up.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
]


async def serve(listen: str, host_url: str, token: str | None) -> None:
    engine = open_channel(host_url)
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((ExpertService(EXPERT, engine, token).handler(),))
    state = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    port = server.add_insecure_port(listen)
    await server.start()
    for service in ("", SERVICE):
        await state.set(service, health_pb2.HealthCheckResponse.SERVING)
    address = listen if listen.startswith("unix:") else f"{listen.rpartition(':')[0]}:{port}"
    print(f"{EXPERT.name} {EXPERT.version} listens on {address}", flush=True)
    await stopped()
    await state.enter_graceful_shutdown()
    await server.stop(DRAIN_SECONDS)
    await engine.close()


async def stopped() -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=EXPERT.description)
    parser.add_argument("--listen", default="127.0.0.1:50061", help="address and port, 0 for a free one; or unix:PATH")
    host = os.environ.get("ODG_HOST_URL") or "http://127.0.0.1:50052"
    parser.add_argument("--host", default=host, help=f"URL of the engine's HostService; {host} where absent")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    # By the environment, since whoever lists the processes of a machine sees their arguments.
    asyncio.run(serve(given.listen, given.host, os.environ.get("ODG_REMOTE_TOKEN") or None))


if __name__ == "__main__":
    main()
