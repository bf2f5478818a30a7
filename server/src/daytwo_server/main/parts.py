"""The parts of a running server, wired together: the only place that knows all of them."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
import threading

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from daytwo import get_logger
from daytwo_server.accounts.live import authorize
from daytwo_server.catalog import selectors as catalog
from daytwo_server.core import jobs, live
from daytwo_server.core.conf import Conf
from daytwo_server.ingest import selectors as ingest
from daytwo_server.ingest.app import IngestApp
from daytwo_server.ingest.counts import ItemCounts
from daytwo_server.ingest.guards import Guards
from daytwo_server.ingest.keys import Key, KeyTable
from daytwo_server.ingest.limits import MIB
from daytwo_server.ingest.spool import Writer
from daytwo_server.main import vitals
from daytwo_server.main.asgi import Front, client_of, is_secure
from daytwo_server.main.bridge import Bridge

log = get_logger("daytwo.server")


class Parts:
    """Everything `serve` runs. `start` before the port opens, `stop` after it is closed."""

    def __init__(self, conf: Conf) -> None:
        self._conf = conf
        spool = conf.data_dir / "spool"
        client = client_of(conf)
        self.writer = Writer(spool, floor=ingest.digested_segment(spool))
        self.guards = Guards(
            self.writer,
            rate_per_s=conf.ingest_rate,
            burst=conf.ingest_burst,
            spool_max_bytes=conf.spool_max_mb * MIB,
            min_free_bytes=conf.min_free_disk_mb * MIB,
        )
        self.counts = ItemCounts()
        self.keys = KeyTable(load_keys, version=keys_version)
        self.ingest = IngestApp(
            keys=self.keys, writer=self.writer, guards=self.guards, counts=self.counts, client_address=client
        )
        self.hub = live.Hub(versions=live.versions, authorize=authorize)
        self.pages = Bridge(get_wsgi_application(), threads=conf.web_threads, client=client, secure=is_secure(conf))
        self.vitals = vitals.Vitals(self, conf, client)
        self.worker = jobs.Worker(threads=conf.job_threads)
        self.digest = _digest_host(conf)
        self.application = Front(
            [
                (self.ingest.matches, self.ingest),
                (self.vitals.matches, self.vitals),
                ("/live".__eq__, self.hub.app),
            ],
            self.pages,
            prefix=settings.FORCE_SCRIPT_NAME or "",
        )

    async def start(self) -> None:
        await self.keys.start()
        await self.ingest.start()
        if self._conf.job_threads:
            self.worker.start()
        await self.digest.start()

    async def close_streams(self) -> None:
        """End the live streams, which would otherwise hold up the stop."""
        await self.hub.close()

    async def stop(self, grace_s: float) -> None:
        await self.ingest.stop()
        await self.keys.stop()
        await asyncio.to_thread(self.writer.close)
        await self.digest.stop(grace_s)
        await asyncio.to_thread(self.worker.stop, dt.timedelta(seconds=grace_s))
        self.pages.close()


def load_keys() -> dict[str, Key]:
    """The intake's key table from the catalog."""
    close_old_connections()
    return {
        public_key: Key(
            public_key=public_key, project=row.project, active=row.is_active,
            allowed_origins=tuple(row.allowed_origins), rate_per_s=row.rate_per_s, burst=row.burst,
        )
        for public_key, row in catalog.key_table().items()
    }  # fmt: skip


def keys_version() -> object:
    """Changes whenever a key does."""
    close_old_connections()
    return live.versions(["catalog.keys"])


class _NoDigest:
    """DAYTWO_DIGEST=off: `daytwo digest` runs elsewhere."""

    async def start(self) -> None:
        log.info("this process does not digest: run `daytwo digest`")

    async def stop(self, grace_s: float) -> None:
        pass


class _DigestThread:
    def __init__(self, conf: Conf) -> None:
        self._conf = conf
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="digest", daemon=True)

    def _run(self) -> None:
        from daytwo_server.main.cli.digest import build

        build(self._conf).run(self._stop.is_set)

    async def start(self) -> None:
        self._thread.start()

    async def stop(self, grace_s: float) -> None:
        self._stop.set()
        await asyncio.to_thread(self._thread.join, grace_s)


class _DigestChild:
    """`daytwo digest` as a child, started again when it dies: the second core, and no part in the pages' latency."""

    def __init__(self, conf: Conf) -> None:
        self._command = [sys.executable, "-m", "daytwo_server.main", "digest", "--data-dir", str(conf.data_dir)]
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        pause_s = 0.2
        while True:
            started = asyncio.get_running_loop().time()
            self._process = await asyncio.create_subprocess_exec(*self._command)
            code = await self._process.wait()
            if asyncio.get_running_loop().time() - started > 30:
                pause_s = 0.2
            log.error("the digest ended and is started again", exit_code=code, after_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 10.0)

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


def _digest_host(conf: Conf) -> _NoDigest | _DigestThread | _DigestChild:
    if conf.digest == "process":
        return _DigestChild(conf)
    return _DigestThread(conf) if conf.digest == "thread" else _NoDigest()
