"""A real PostgreSQL server for one test run, from whatever binaries the machine has."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


class PostgresMissing(Exception):
    """No PostgreSQL server binaries on this machine."""


def binaries() -> Path | None:
    """The folder with initdb and postgres: on the PATH or where Debian puts it; None when there is none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent  # a link on the PATH may stand alone, without createdb beside it
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


class Postgres:
    """Starts at once. `stop()` ends it, its files stay in `home`, and `start()` goes on with them on the same port."""

    def __init__(self, home: Path) -> None:
        folder = binaries()
        if folder is None:
            raise PostgresMissing("PostgreSQL is not installed: `apt-get install postgresql` enables these tests.")
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.port = _free_port()
        self._folder, self._home = folder, home
        home.mkdir(parents=True)
        home.parent.chmod(0o755)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(home, self.user)
        options = ["-U", "daytwo", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"]
        self._run([folder / "initdb", "-D", home / "data", *options])
        self.start()
        for name in ("daytwo", "daytwo_telemetry"):
            self._run([folder / "createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "daytwo", name])

    def start(self) -> None:
        """Returns once it takes connections."""
        options = f"-p {self.port} -k {self._home} -c fsync=off -c listen_addresses=127.0.0.1 -c max_connections=60"
        self._process = subprocess.Popen(
            [str(self._folder / "postgres"), "-D", str(self._home / "data"), *options.split()],
            preexec_fn=self._become(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._wait()

    def url(self, name: str) -> str:
        return f"postgres://daytwo@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """End all connections and the server, as `pg_ctl stop` does."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _become(self) -> Callable[[], None] | None:
        if os.geteuid() != 0:
            return None
        entry = pwd.getpwnam(self.user)

        def become() -> None:
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)

        return become

    def _run(self, command: list[object]) -> None:
        subprocess.run(
            [str(part) for part in command],
            check=True,
            capture_output=True,
            preexec_fn=self._become(),
            cwd="/",
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        ready = [str(self._folder / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while time.monotonic() < deadline:
            if subprocess.run(ready, check=False).returncode == 0:  # 1 while the port is open but no login is taken
                return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError("PostgreSQL did not start within 20 s")


def create_database(beside: str, name: str, *, template: str = "template0") -> str:
    """A new database on the server of the address `beside`, empty or a copy of one; returns its address."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(beside, autocommit=True) as connection:
        names = sql.Identifier(name), sql.Identifier(template)
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
    return f"{beside.rpartition('/')[0]}/{name}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
