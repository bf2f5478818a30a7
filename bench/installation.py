"""A Daytwo of its own for one measurement or test: a data directory, `daytwo setup`, `daytwo serve` on a free port."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

PASSWORD = "correct horse battery staple"
MODULE = [sys.executable, "-m", "daytwo_server.main"]


class Installation:
    """`start`, `stop` and `kill` as often as wanted; the data directory stays."""

    def __init__(self, data_dir: Path, *, env: dict[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("DAYTWO_", "DATABASE_URL"))}
        self.env = clean | {"LOG_LEVEL": "warning"} | (env or {})
        self.keys: dict[str, Any] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.log = data_dir.with_suffix(".log")

    def setup(self, project: str = "Shop") -> dict[str, Any]:
        """What `daytwo setup --json` prints."""
        command = [
            *MODULE, "setup", "--data-dir", str(self.data_dir), "--url", self.url, "--email", "alice@example.com",
            "--password", PASSWORD, "--project", project, "--json",
        ]  # fmt: skip
        done = subprocess.run(command, env=self.env, check=True, capture_output=True, text=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def start(self, *arguments: str) -> float:
        """Start the server; returns the seconds until the first page answered."""
        begun = time.perf_counter()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*MODULE, "serve", "--data-dir", str(self.data_dir), "--port", str(self.port), *arguments],
                env=self.env, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = begun + 60
        while time.perf_counter() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended: {self.log.read_text()[-2000:]}")
            try:
                if httpx.get(f"{self.url}/login/", timeout=5).status_code == 200:
                    return time.perf_counter() - begun
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"no page within 60 s: {self.log.read_text()[-2000:]}")

    def stop(self) -> float:
        """SIGTERM; returns the seconds until the process was gone."""
        if self.process is None or self.process.poll() is not None:
            return 0.0
        begun = time.perf_counter()
        self.process.terminate()
        self.process.wait(20)
        return time.perf_counter() - begun

    def kill(self) -> None:
        """SIGKILL to the server alone, as the kernel does when memory runs out. Its child must notice by itself."""
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def get(self, path: str, *, token: str = "") -> Any:
        """The JSON of an API path. Raises `httpx.HTTPStatusError` for anything but success."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = httpx.get(self.url + path, headers=headers, timeout=30)
        if path != "/api/health":  # which answers 503 with the same report
            answer.raise_for_status()
        return answer.json()

    def events(self) -> int:
        """How many events are visible."""
        return int(self.query("SELECT count(*) FROM errors_event")[0][0])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the `default` store."""
        return self._postgres(sql) if "DATABASE_URL" in self.env else self._embedded("daytwo.db", sql)

    def query_telemetry(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the `telemetry` store, which on PostgreSQL is a schema beside the default one."""
        if "DATABASE_URL" in self.env:
            return self._postgres(sql, options="-c search_path=telemetry")
        return self._embedded("telemetry.db", sql)

    def _postgres(self, sql: str, **options: str) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.env["DATABASE_URL"], **options) as connection:
            return connection.execute(sql.encode()).fetchall()

    def _embedded(self, name: str, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self.data_dir / name}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def wait_for_events(self, count: int, *, seconds: float = 60) -> float:
        """Wait until that many are visible; returns how long it took."""
        begun = time.perf_counter()
        while self.events() < count:
            if time.perf_counter() - begun > seconds:
                raise TimeoutError(f"{self.events()} of {count} events visible after {seconds} s")
            time.sleep(0.02)
        return time.perf_counter() - begun

    def wait_for_spool(self, *, seconds: float = 60) -> None:
        """Wait until nothing accepted is left to digest: no segment but the newest, and that one empty."""
        begun = time.perf_counter()
        while any(map(_size, (self.data_dir / "spool").glob("*.seg"))):
            if time.perf_counter() - begun > seconds:
                raise TimeoutError(f"the spool is not digested after {seconds} s: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def wait_for_jobs(self, *, seconds: float = 120) -> None:
        """Wait until no job is due or runs: after the first start the search index is looked through, for one."""
        begun = time.perf_counter()
        now = "now()" if "DATABASE_URL" in self.env else "datetime('now')"
        while self.query(f"SELECT 1 FROM core_job WHERE state IN ('ready', 'leased') AND run_at <= {now} LIMIT 1"):
            if time.perf_counter() - begun > seconds:
                raise TimeoutError(f"jobs still run after {seconds} s")
            time.sleep(0.2)

    def memory_mb(self) -> float:
        """Resident memory of the server and its children, summed."""
        import psutil

        if self.process is None:
            return 0.0
        root = psutil.Process(self.process.pid)
        return sum(process.memory_info().rss for process in [root, *root.children(recursive=True)]) / 1e6

    def cpu_s(self) -> float:
        """Processor seconds of the server and its children."""
        import psutil

        root = psutil.Process(self.process.pid) if self.process else None
        processes = [root, *root.children(recursive=True)] if root else []
        return sum(sum(process.cpu_times()[:2]) for process in processes)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # a segment goes when it is digested
        return 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
