"""The parts of a running server, wired together: the only place that knows all of them."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection

from daytwo import get_logger
from daytwo_server.accounts.live import authorize
from daytwo_server.catalog import selectors as catalog
from daytwo_server.catalog.services import note_client_keys_used, note_server_keys_used
from daytwo_server.core import jobs, live, secret
from daytwo_server.core.conf import Conf
from daytwo_server.core.keytable import KeyTable
from daytwo_server.flags.app.door import Door
from daytwo_server.flags.app.keys import Key as FlagKey
from daytwo_server.flags.selectors import keys as flag_keys
from daytwo_server.flags.selectors import snapshots
from daytwo_server.flags.services import exposures
from daytwo_server.ingest import selectors as ingest
from daytwo_server.ingest.app import IngestApp
from daytwo_server.ingest.counts import ItemCounts
from daytwo_server.ingest.guards import Guards
from daytwo_server.ingest.keys import Key
from daytwo_server.ingest.limits import MIB
from daytwo_server.ingest.spool import SpoolLocked, Writer
from daytwo_server.ingest.status import DigestStatus
from daytwo_server.main import vitals
from daytwo_server.main.asgi import Front, client_of, is_secure
from daytwo_server.main.bridge import Bridge
from daytwo_server.main.follow import follower

if TYPE_CHECKING:
    from daytwo_server.mail.listener import Listener

log = get_logger("daytwo.server")

PREDECESSOR_GRACE_S = 5.0  # the time a server needs at most to stop


class Parts:
    """Everything `serve` runs. `start` before the port opens, `stop` after it is closed."""

    def __init__(self, conf: Conf, *, smtp: socket.socket | None = None) -> None:
        self._conf = conf
        client = client_of(conf)
        self.writer = _writer(conf.data_dir / "spool")
        self.guards = Guards(self.writer)
        self._limit(conf)
        self._follow = follower(conf, self._limit)
        self.counts = ItemCounts()
        self.keys = KeyTable(load_keys, version=self._look, name="DSN keys")
        self.ingest = IngestApp(
            keys=self.keys, writer=self.writer, guards=self.guards, counts=self.counts, client_address=client
        )
        self.flags = Door(
            keys=KeyTable[FlagKey](load_flag_keys, version=keys_version, name="flag keys"),
            load=load_flags, revisions=flag_revisions, record=exposures.record, note_uses=note_flag_keys,
            secret=secret.derive(settings.SECRET_KEY, "flag-streams"),
        )  # fmt: skip
        self.hub = live.Hub(versions=live.versions, authorize=authorize)
        self.pages = Bridge(get_wsgi_application(), threads=conf.web_threads, client=client, secure=is_secure(conf))
        self.vitals = vitals.Vitals(self, conf, client)
        self.worker = jobs.Worker(threads=conf.job_threads, busy=self.pages.busy)
        self.digest = _digest_host(conf)
        self.mail = _mail_listener(smtp)
        self.application = Front(
            [
                (self.ingest.matches, self.ingest),
                (self.vitals.matches, self.vitals),
                (self.flags.matches, self.flags),
                ("/live".__eq__, self.hub.app),
            ],
            self.pages,
            prefix=settings.FORCE_SCRIPT_NAME or "",
        )

    def _limit(self, conf: Conf) -> None:
        self.guards.limit(
            rate_per_s=conf.ingest_rate,
            burst=conf.ingest_burst,
            spool_max_bytes=conf.spool_max_mb * MIB,
            min_free_bytes=conf.min_free_disk_mb * MIB,
        )

    def _look(self) -> object:
        """Called once a second by the one thread of this process that may wait for the store all the time."""
        self._follow()
        return keys_version()

    async def start(self) -> None:
        await self.keys.start()
        await self.ingest.start()
        await self.flags.start()
        if self._conf.job_threads:
            self.worker.start()
        await self.digest.start()
        if self.mail:
            await self.mail.start()

    async def close_streams(self) -> None:
        """End the live streams, which would otherwise hold up the stop."""
        self.flags.close_streams()
        await self.hub.close()

    async def stop(self, grace_s: float) -> None:
        await self.ingest.stop()
        await self.flags.stop()
        if self.mail:
            await self.mail.stop()
        await self.keys.stop()
        self.pages.close()
        await asyncio.to_thread(self.writer.close)
        stop_worker = asyncio.to_thread(self.worker.stop, dt.timedelta(seconds=grace_s))
        await asyncio.gather(self.digest.stop(grace_s), stop_worker)


def _writer(spool: Path) -> Writer:
    """Waits for a predecessor that is still stopping, then raises `SpoolLocked`."""
    deadline = time.monotonic() + PREDECESSOR_GRACE_S
    while True:
        try:
            return Writer(spool, floor=ingest.digested_segment(spool))
        except SpoolLocked:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _mail_listener(bound: socket.socket | None) -> Listener | None:
    """Its library is loaded only where mail is taken by SMTP."""
    if bound is None:
        return None
    from daytwo_server.mail.listener import Listener

    return Listener(bound)


def load_keys() -> dict[str, Key]:
    """The intake's key table from the catalog."""
    close_old_connections()
    return {
        public_key: Key(
            public_key=public_key, project=row.project, active=row.is_active,
            allowed_origins=tuple(row.allowed_origins), rate_per_s=row.rate_per_s, burst=row.burst,
            ends_at=row.ends_at.timestamp() if row.ends_at else None, archived=row.archived,
        )
        for public_key, row in catalog.key_table().items()
    }  # fmt: skip


def keys_version() -> object:
    """Changes whenever a key does."""
    close_old_connections()
    return live.versions(["catalog.keys"])


def load_flag_keys() -> dict[str, FlagKey]:
    """The keys by which apps ask for flags."""
    close_old_connections()
    return flag_keys.key_table()


def load_flags(environment: int) -> dict[str, Any]:
    """All flags of an environment, as apps get them."""
    close_old_connections()
    return snapshots.document(environment)


def flag_revisions() -> dict[int, int]:
    """Asked four times a second while anybody asks for flags."""
    close_old_connections()
    return snapshots.revisions()


def note_flag_keys(ids: set[str]) -> None:
    """Say of these keys that they were used; on whichever thread, which keeps no connection."""
    try:
        note_server_keys_used([one.removeprefix("dts_") for one in ids if one.startswith("dts_")])
        note_client_keys_used(ids)
    finally:
        connection.close()


class _NoDigest:
    """DAYTWO_DIGEST=off: `daytwo digest` runs elsewhere."""

    async def start(self) -> None:
        log.info("this process does not digest: run `daytwo digest`")

    async def stop(self, grace_s: float) -> None:
        pass


class _DigestThread:
    """The digest in this process, begun again when it fails."""

    def __init__(self, conf: Conf) -> None:
        self._conf = conf
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="digest", daemon=True)

    def _run(self) -> None:
        from daytwo_server.main.cli.digest import digesting

        pauses = _Pauses()
        while not self._stop.is_set():
            pauses.begin()
            try:
                with digesting(self._conf) as digester:
                    digester.run(self._stop.is_set)
            except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever it was, the spool must go on
                log.error("the digest failed and is begun again", problem)
                _tell(self._conf, f"it failed ({type(problem).__name__}) and is begun again; the log says why")
                self._stop.wait(pauses.end())

    async def start(self) -> None:
        self._thread.start()

    async def stop(self, grace_s: float) -> None:
        self._stop.set()
        await asyncio.to_thread(self._thread.join, grace_s)


class _DigestChild:
    """`daytwo digest` as a child, started again when it dies: the second core, and no part in the pages' latency."""

    def __init__(self, conf: Conf) -> None:
        self._conf = conf
        module = [sys.executable, "-m", "daytwo_server.main"]
        self._command = [*module, "digest", "--child", str(os.getpid()), "--data-dir", str(conf.data_dir)]
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        pauses = _Pauses()
        while True:
            pauses.begin()
            ended = await self._run()
            pause_s = pauses.end()
            log.error("the digest ended and is started again", reason=ended, after_s=pause_s)
            _tell(self._conf, f"it {ended} and is started again; the log says why")
            await asyncio.sleep(pause_s)

    async def _run(self) -> str:
        """One child's life; how it ended, in words."""
        # uvloop runs Python in the child before that becomes the program. A collection there may close a connection
        # while SQLite's lock is one that another thread held at that moment: then both processes wait for ever.
        gc.disable()
        try:
            self._process = await asyncio.create_subprocess_exec(*self._command)
        except OSError as problem:
            return f"could not be started ({problem.strerror})"
        finally:
            gc.enable()
        return f"ended with exit code {await self._process.wait()}"

    async def stop(self, grace_s: float) -> None:
        if self._keeper:
            self._keeper.cancel()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace_s)
        except TimeoutError:
            process.kill()  # what it had not committed is read again at the next start
            await process.wait()


class _Pauses:
    """How long to wait before what keeps failing is tried again: 0.2 s to 10 s, the least after a good half minute."""

    def __init__(self) -> None:
        self._next_s = 0.2
        self._began = 0.0

    def begin(self) -> None:
        self._began = time.monotonic()

    def end(self) -> float:
        if time.monotonic() - self._began > 30:
            self._next_s = 0.2
        pause_s, self._next_s = self._next_s, min(self._next_s * 2, 10.0)
        return pause_s


def _tell(conf: Conf, error: str) -> None:
    """Say for the digest, which cannot any more, what is wrong with it."""
    DigestStatus(conf.data_dir / "spool" / "digest.json").failed(error)


def _digest_host(conf: Conf) -> _NoDigest | _DigestThread | _DigestChild:
    if conf.digest == "process":
        return _DigestChild(conf)
    return _DigestThread(conf) if conf.digest == "thread" else _NoDigest()
