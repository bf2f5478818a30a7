"""Daytwo's own health and metrics, raw ASGI: they answer when pages cannot."""

from __future__ import annotations

import asyncio
import functools
import hmac
import resource
import time
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from daytwo.health import AsgiApp, Registry
from daytwo_server.core import jobs
from daytwo_server.core.conf import Conf
from daytwo_server.core.net.proxies import client_address, is_private
from daytwo_server.core.stores import DEFAULT, TELEMETRY
from daytwo_server.ingest import selectors as ingest
from daytwo_server.ingest.guards import free_bytes
from daytwo_server.main.version import version

if TYPE_CHECKING:
    from daytwo_server.main.parts import Parts

T = TypeVar("T")
# name, kind, help, and samples as (labels, value)
Metric = tuple[str, str, str, Iterable[tuple[str, float]]]
TEXT = "text/plain; version=0.0.4; charset=utf-8"
_PATHS = frozenset(
    {"/metrics"} | {f"/api/health{kind}{slash}" for kind in ("", "/live", "/ready") for slash in ("", "/")}
)
_FORWARDING = frozenset(
    {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"forwarded", b"via"}
)
STORE_PATIENCE_S = 1.0
LAG_WARN_S = 60  # a minute behind is an overload, not a hiccup


class Vitals:
    """`/api/health`, `/api/health/live`, `/api/health/ready` and `/metrics`."""

    def __init__(self, parts: Parts, conf: Conf, client: Callable[[MutableMapping[str, Any]], str]) -> None:
        self._parts = parts
        self._conf = conf
        self._client = client
        self._asking: asyncio.Task[list[Metric]] | None = None
        self.registry = Registry(version=version(conf), service_id="daytwo")
        self._register()
        self._health = AsgiApp(self.registry, privileged=self._is_private)

    def matches(self, path: str) -> bool:
        return path in _PATHS

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"].removeprefix(scope.get("root_path", "")) != "/metrics":
            await self._health(scope, receive, send)
            return
        if scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, 405, b"Metrics are read with GET.\n")
            return
        if not (self._is_private(scope) or self._holds_token(scope)):
            await _answer(
                send, 401, b"Send Authorization: Bearer DAYTWO_HEALTH_TOKEN, or ask from a private address.\n"
            )
            return
        await _answer(send, 200, await self._metrics())

    def _register(self) -> None:
        check = self.registry.check

        @check("database", warn_ms=500)
        @_closing
        def database() -> None:
            _ask(DEFAULT)

        @check("telemetry", warn_ms=500)
        @_closing
        def telemetry() -> None:
            _ask(TELEMETRY)

        @check("intake", required=False)
        def intake() -> None:
            if refusing := self._parts.guards.status():
                raise RuntimeError(refusing)

        @check("digest", required=False)
        @_closing
        def digest() -> str:
            if problem := ingest.digest_error(self._conf):
                raise RuntimeError(f"the digest cannot write: {problem}")
            state = ingest.state(self._conf)
            if state.lag_s > LAG_WARN_S:
                raise RuntimeError(f"events become visible {state.lag_s:.0f} s after they arrive")
            return f"{state.spool_segments} segments wait"

        @check("jobs", required=False, ttl=15.0)
        @_closing
        def work() -> str:
            stats = jobs.stats()
            return f"{stats.ready} ready, {stats.dead} dead"

    def _is_private(self, scope: Any) -> bool:
        """A private client that comes straight here or that a trusted proxy names.

        A peer with any sign of a proxy and no client that somebody vouches for is a proxy, and the client is unknown.
        """
        client = self._client(scope)
        peer = scope["client"][0] if scope.get("client") else ""
        forwarded = any(name in _FORWARDING for name, _ in scope["headers"])
        return is_private(client) and not (forwarded and client == client_address(peer, None, ()))

    def _holds_token(self, scope: dict[str, Any]) -> bool:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        wanted = f"Bearer {self._conf.health_token}".encode()
        return bool(self._conf.health_token) and hmac.compare_digest(given, wanted)

    async def _metrics(self) -> bytes:
        """In Prometheus's text form. A store that hangs holds up one thread at most, and no answer for long."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(asyncio.to_thread(self._of_stores))
        done, _ = await asyncio.wait([self._asking], timeout=STORE_PATIENCE_S)
        of_stores = self._asking.result() if done else [_up(0)]
        lines: list[str] = []
        for name, kind, text, samples in (*self._of_process(), *of_stores):
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
            lines += [f"{name}{labels} {value}" for labels, value in samples]
        return ("\n".join(lines) + "\n").encode()

    def _of_process(self) -> Iterator[Metric]:
        """What is known without the stores."""
        spool, free = self._parts.writer.size(), free_bytes(self._conf.data_dir)
        info = f'{{version="{version(self._conf)}"}}'
        yield from (
            ("daytwo_ingest_items_total", "counter", "Items by type and outcome.", self._items()),
            ("daytwo_spool_bytes", "gauge", "Size of the spool.", [("", spool.bytes)]),
            ("daytwo_spool_segments", "gauge", "Files of the spool.", [("", spool.segments)]),
            ("daytwo_disk_free_bytes", "gauge", "Free disk at the data directory.", [("", free)]),
            ("process_resident_memory_bytes", "gauge", "Memory of this process.", [("", resident_bytes())]),
            ("process_start_time_seconds", "gauge", "When this process started, unix time.", [("", _STARTED)]),
            ("daytwo_info", "gauge", "The version that runs.", [(info, 1)]),
        )

    def _of_stores(self) -> list[Metric]:
        """What the database knows; while it does not answer, only that."""
        close_old_connections()
        try:
            state, stats = ingest.state(self._conf), jobs.stats()
        except (DatabaseError, InterfaceError):
            return [_up(0)]
        oldest_due_s = stats.oldest_due.total_seconds()
        return [
            _up(1),
            ("daytwo_digest_lag_seconds", "gauge", "Age of the oldest event not digested.", [("", state.lag_s)]),
            ("daytwo_jobs", "gauge", "Jobs by state.", _labelled(stats)),
            ("daytwo_job_oldest_due_seconds", "gauge", "Age of the oldest due job.", [("", oldest_due_s)]),
        ]

    def _items(self) -> Iterable[tuple[str, int]]:
        for (item, outcome, reason), n in sorted(self._parts.counts.totals().items()):
            yield f'{{type="{_escaped(item)}",outcome="{outcome}",reason="{reason}"}}', n


def _up(answers: int) -> Metric:
    return "daytwo_database_up", "gauge", "Whether the database answers.", [("", answers)]


def _labelled(stats: jobs.Stats) -> list[tuple[str, float]]:
    counts = {"ready": stats.ready, "leased": stats.leased, "dead": stats.dead}
    return [(f'{{state="{state}"}}', number) for state, number in counts.items()]


_STARTED = time.time()


def resident_bytes() -> int:
    """Memory of this process as the kernel counts it."""
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123 - not a path of ours
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _ask(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")


def _closing(check: Callable[[], T]) -> Callable[[], T]:
    """Each run of a check has a thread, and so a connection, of its own."""

    @functools.wraps(check)
    def run() -> T:
        try:
            return check()
        finally:
            connections.close_all()

    return run


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


async def _answer(send: Any, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", TEXT.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
