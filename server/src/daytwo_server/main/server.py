"""One process that serves everything: intake, pages, live streams, jobs; the digest beside it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import uvicorn

from daytwo import get_logger
from daytwo_server.main.protocol import Http

if TYPE_CHECKING:
    from daytwo_server.main.parts import Parts

log = get_logger("daytwo.server")

# SIGTERM to exit in less than 5 s: requests get 2 s, then digest and jobs together 1.5 s, then threads 0.5 s.
REQUEST_GRACE_S = 2
CHILD_GRACE_S = 1.5
THREAD_GRACE_S = 0.5


class PortTaken(Exception):
    """Another program listens on the address."""


def listen(host: str, port: int, *, option: str = "--port") -> socket.socket:
    """A bound socket; port 0 picks a free one. Raises `PortTaken` in words, which name the option for another port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as problem:
        bound.close()
        raise PortTaken(
            f"Cannot listen on {host}:{port} ({problem.strerror}). Stop what uses it, or pass {option}."
        ) from problem
    bound.set_inheritable(False)
    return bound


class Server(uvicorn.Server):
    """uvicorn without its own signal handling: `serve` decides the order in which things stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(parts: Parts, bound: socket.socket, *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None) -> None:
    """Serve until SIGTERM or SIGINT. Threads that wait for a database then do not keep the process."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(serve(parts, bound))
        log.info("stopped")
        # What is acknowledged is on disk by now, and a page that still waits has nobody who reads it.
        impatience = threading.Timer(THREAD_GRACE_S, os._exit, [0])
        impatience.daemon = True
        impatience.start()


async def serve(parts: Parts, bound: socket.socket) -> None:
    """Run until SIGTERM or SIGINT, then stop within 5 s."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    config = uvicorn.Config(
        parts.application, lifespan="off", log_config=None, access_log=False, ws="none", server_header=False,
        timeout_graceful_shutdown=REQUEST_GRACE_S, timeout_keep_alive=30, proxy_headers=False, backlog=2048,
        http=Http, date_header=True,
    )  # fmt: skip
    server = Server(config)
    await parts.start()
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping")
    parts.vitals.registry.draining()
    await parts.close_streams()
    server.should_exit = True
    await serving
    await parts.stop(CHILD_GRACE_S)
