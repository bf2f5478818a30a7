"""Stores in PostgreSQL, dumped and restored by its own tools."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, cast

import zstandard

from daytwo_server.operate.backup.files import MIB, Durable
from daytwo_server.operate.backup.problems import BackupError
from daytwo_server.operate.backup.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

Settings = Mapping[str, Any]  # one entry of Django's DATABASES
_SCRATCH = "Scratch of a check by Daytwo; it may be dropped."
_TABLES = "relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'm', 'v', 'S', 'f')"


def address(settings: Settings) -> dict[str, str]:
    """How to reach the database, without the password."""
    options = {name: str(value) for name, value in settings["OPTIONS"].items() if name not in {"options", "password"}}
    places = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"], "dbname": settings["NAME"]}
    return {name: str(value) for name, value in {**options, **places}.items() if value}


def connect(settings: Settings, **changes: str) -> psycopg.Connection[Any]:
    """A connection of its own, each statement for itself. Raises `BackupError`."""
    import psycopg

    options = settings["OPTIONS"].get("options", "")
    try:
        given: dict[str, Any] = {**address(settings), **changes}
        return psycopg.connect(**given, password=settings["PASSWORD"] or None, options=options, autocommit=True)
    except psycopg.Error as problem:
        raise BackupError(f"PostgreSQL does not let us in: {_line(problem)}") from problem


class Snapshot:
    """The moment at which this was made, for as long as it is open. Raises `BackupError`.

    `beside` is a snapshot of the same database, perhaps, whose moment is shared then.
    """

    kind: Literal["sqlite", "postgresql"] = "postgresql"
    suffix = ".dump.zst"
    name: str
    schema: str

    def __init__(self, settings: Settings, *, beside: Snapshot | None = None) -> None:
        self.settings = settings
        self._connection = connect(settings)
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if beside is not None and address(beside.settings) == address(settings):
            self._connection.execute(f"SET TRANSACTION SNAPSHOT '{beside.name}'")
        self._connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        [(name, schema)] = self.rows("SELECT pg_export_snapshot(), current_schema()")
        self.name, self.schema = str(name), str(schema)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql.encode()).fetchall()

    def size(self) -> int:
        """About the bytes that a dump has: compressed, it is rarely more than the tables."""
        return int(self.rows(f"SELECT coalesce(sum(pg_table_size(oid)), 0) FROM pg_class WHERE {_TABLES}")[0][0])

    def copy(self, target: Path, progress: Progress) -> None:
        """Dump the schema to a new file. Raises `BackupError`."""
        program = tool("pg_dump", self._connection.info.server_version // 10_000)
        command = [
            str(program), "--format=custom", "--compress=0", "--no-owner", "--no-privileges",
            f"--snapshot={self.name}", f"--schema={self.schema}", f"--dbname={_conninfo(self.settings)}",
        ]  # fmt: skip
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(handle, "wb", buffering=0) as file,
            _running(command, self.settings, stdout=subprocess.PIPE) as dump,
            zstandard.ZstdCompressor(level=3).stream_writer(cast("IO[bytes]", Durable(file))) as packing,
        ):
            assert dump.stdout
            while data := dump.stdout.read(MIB):
                packing.write(data)
                progress.add(len(data) // 2)  # bytes are dumped as two digits each

    def close(self) -> None:
        self._connection.close()


def tool(name: str, server: int) -> Path:
    """The program of PostgreSQL that fits a server of this major version. Raises `BackupError`."""
    found = {_version(path): path for path in _candidates(name)}
    fitting = sorted(version for version in found if version >= server)
    if fitting:
        return found[fitting[0]]
    have = f"; {name} {max(found)} is too old" if any(found) else ""
    raise BackupError(
        f"PostgreSQL {server} is backed up and restored with {name} of version {server} or newer, which is not "
        f"installed here{have}. Install it (Debian: `apt install postgresql-client-{server}`)."
    )


def _candidates(name: str) -> list[Path]:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin")) + sorted(Path("/usr").glob("pgsql-*/bin"))
    on_path = shutil.which(name)
    paths = [folder / name for folder in folders if (folder / name).exists()]
    return ([Path(on_path)] if on_path else []) + paths


def _version(path: Path) -> int:
    """The major version that a program calls itself; 0 when it does not run."""
    done = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - PostgreSQL's own
    number = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(number[1]) if number else 0


def is_empty(settings: Settings) -> bool:
    """Whether there is no table where this store's go."""
    with connect(settings) as connection:
        found = connection.execute(f"SELECT count(*) FROM pg_class WHERE {_TABLES}".encode()).fetchone()
    return found == (0,)


def others(settings: Settings) -> int:
    """How many other connections our role has to the database."""
    with connect(settings) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user "
            "AND pid <> pg_backend_pid()"
        ).fetchone()
    return int(found[0]) if found else 0


def schema_of(settings: Settings) -> str:
    """The schema that the store's tables go to; made if there is none."""
    wanted = re.search(r"search_path=(\w+)", settings["OPTIONS"].get("options", ""))
    with connect(settings) as connection:
        if wanted:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {wanted[1]}".encode())
        found = connection.execute("SELECT current_schema()").fetchone()
    return str(found[0]) if found else ""


def set_aside(settings: Settings, name: str) -> None:
    """Rename the store's schema and make an empty one in its place."""
    import psycopg

    schema = _quoted(schema_of(settings))
    try:
        with connect(settings) as connection, connection.transaction():
            connection.execute(f"ALTER SCHEMA {schema} RENAME TO {_quoted(name)}".encode())
            connection.execute(f"CREATE SCHEMA {schema}".encode())
    except psycopg.Error as problem:
        raise BackupError(
            f"What is in the database cannot be moved aside ({_line(problem)}). Make an empty database and name it in "
            "DATABASE_URL."
        ) from problem


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def restore(settings: Settings, dump: Path, schema: str, progress: Progress, *, database: str = "") -> None:
    """Fill an empty store from a dump, in one transaction. `database` is another one than that of the settings.

    Raises `BackupError`, and then the store is as empty as it was.
    """
    with connect(settings, **({"dbname": database} if database else {})) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}".encode())
        server = connection.info.server_version // 10_000
    command = [
        str(tool("pg_restore", server)), "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
        f"--schema={schema}", f"--dbname={_conninfo(settings, database)}",
    ]  # fmt: skip
    with dump.open("rb") as file, _running(command, settings, stdin=subprocess.PIPE) as restoring:
        assert restoring.stdin
        _pour(file, restoring.stdin, progress)


def listing(settings: Settings, dump: Path, progress: Progress) -> int:
    """How many entries `pg_restore --list` finds in a dump. Raises `BackupError` when it cannot be read."""
    with connect(settings) as connection:
        server = connection.info.server_version // 10_000
    listed = dump.with_suffix(".list")
    command = [str(tool("pg_restore", server)), "--list", f"--file={listed}"]
    with dump.open("rb") as file, _running(command, settings, stdin=subprocess.PIPE) as lister:
        assert lister.stdin
        _pour(file, lister.stdin, progress)
    return sum(1 for line in listed.read_text().splitlines() if line and not line.startswith(";"))


class Opened:
    """A restored dump, to be looked at."""

    def __init__(self, settings: Settings, database: str, schema: str) -> None:
        self._connection = connect(settings, dbname=database)
        self._connection.execute(f"SET search_path = {_quoted(schema)}".encode())

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql.encode()).fetchall()

    def damage(self) -> str:
        """Nothing: every row and reference was checked when it was restored."""
        return ""

    def close(self) -> None:
        self._connection.close()


def _pour(packed: IO[bytes], into: IO[bytes], progress: Progress) -> None:
    reading = zstandard.ZstdDecompressor().stream_reader(packed, read_size=MIB)
    try:
        while data := reading.read(MIB):
            into.write(data)
            progress.add(len(data) // 2)
    except BrokenPipeError:
        pass  # it has given up, or has read what it wanted; its exit code tells which
    with contextlib.suppress(BrokenPipeError):
        into.close()


@contextlib.contextmanager
def scratch_database(settings: Settings, alias: str) -> Iterator[str]:
    """An empty database beside the store's own, dropped at the end; "" where our role may not make one.

    One that a killed check left behind goes first: it is known by its comment.
    """
    name = f"{settings['NAME'][:40]}_check_{alias}"
    quoted = _quoted(name)
    with connect(settings) as connection:
        [(allowed,)] = connection.execute(
            "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchall()
        if not allowed:
            yield ""
            return
        left = "SELECT 1 FROM pg_database WHERE datname = %s AND shobj_description(oid, 'pg_database') = %s"
        if connection.execute(left, [name, _SCRATCH]).fetchone():
            connection.execute(f"DROP DATABASE {quoted} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {quoted} TEMPLATE template0".encode())
        try:
            connection.execute(f"COMMENT ON DATABASE {quoted} IS '{_SCRATCH}'".encode())
            yield name
        finally:
            connection.execute(f"DROP DATABASE {quoted} WITH (FORCE)".encode())


def _conninfo(settings: Settings, database: str = "") -> str:
    from psycopg.conninfo import make_conninfo

    return make_conninfo(**{**address(settings), **({"dbname": database} if database else {})})


@contextlib.contextmanager
def _running(
    command: list[str], settings: Settings, *, stdin: int | None = None, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program of PostgreSQL, with the password in its environment: others could read a command line.

    Raises `BackupError` with its own words when it fails.
    """
    password = {"PGPASSWORD": settings["PASSWORD"]} if settings["PASSWORD"] else {}
    with subprocess.Popen(  # noqa: S603 - PostgreSQL's own, found by `tool`
        command, env={**os.environ, "LC_ALL": "C", **password}, stdin=stdin or subprocess.DEVNULL, stdout=stdout,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        assert process.stderr
        said = process.stderr.read().decode(errors="replace")
        if process.wait():
            raise BackupError(f"{Path(command[0]).name} failed: {_reason(said)}")


def _reason(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    wrong = [line for line in lines if "error" in line.lower()]
    return (wrong or lines or ["it did not say why"])[0][:300]


def _line(problem: Exception) -> str:
    return " ".join(str(problem).split())[:300]
