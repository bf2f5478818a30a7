"""Installations of earlier versions of Daytwo, and what has to be there after an upgrade.

`fixtures/past/` holds one for every schema that anybody may still upgrade from, twice: on SQLite and on PostgreSQL.

To keep the next one, when a version is released whose migrations are not those of the last that was kept:

1. Check out the release, with nothing changed, and install it: `make test` has done so.
2. `python server/tests/past.py 1.4` lives through `live_through` on both stores and writes
   `fixtures/past/1.4-sqlite.tar.zst` and `1.4-postgres.tar.zst`, some 50 kB each. It needs PostgreSQL.
3. Commit both. `journeys/test_upgrade.py` and `journeys/test_backup.py` find them by their names.

What an earlier version should be remembered for (a room that came meanwhile, say) is added to `live_through` and
`check_kept` beforehand; what is kept already is never made anew, so `check_kept` asks older memories for less.
An installation is removed when its version may no longer be upgraded from, which the changelog says first.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import zstandard

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "bench")]

import load  # noqa: E402 - found through the line above
from installation import Installation  # noqa: E402 - found through the line above
from postgres import Postgres, binaries, create_database  # noqa: E402 - found through the line above
from storm import Storm, check_nothing_lost, press, signed_in  # noqa: E402 - found through the line above

ROOT = Path(__file__).parents[2]
PAST = Path(__file__).parent / "fixtures" / "past"
DIGESTED, IN_SPOOL = 40, 10


@dataclass(frozen=True)
class Memory:
    """What the earlier version was told, and acknowledged."""

    keys: dict[str, Any]
    acked: list[str]
    ignored: str
    second_dsn: str
    session: str


def live_through(site: Installation) -> Memory:
    """The life of an installation: events, a decision, a second project, a person signed in, and events not digested."""
    site.keys = site.setup()
    second = site.setup("Second")
    site.start()
    with Storm(site, DIGESTED, rate_per_s=200, groups=5) as storm:
        pass
    check_nothing_lost(site, storm.acked)
    token = site.keys["api_token"]
    ignored = site.get("/api/v1/issues", token=token)["results"][0]["id"]
    headers = {"Authorization": f"Bearer {token}"}
    body = {"status": "ignored"}
    httpx.patch(f"{site.url}/api/v1/issues/{ignored}", headers=headers, json=body).raise_for_status()
    with signed_in(site) as browser:
        form = {"name": "Alice Past", "theme": "dark", "density": "compact", "time_zone": "Europe/Berlin"}
        assert press(browser, "/profile/", **form).status_code == 200
        session = browser.cookies["daytwo_session"]
    site.stop()
    site.env["DAYTWO_DIGEST"] = "off"
    site.start()
    with Storm(site, IN_SPOOL, rate_per_s=200, groups=5) as more:
        pass
    site.stop()
    del site.env["DAYTWO_DIGEST"]
    return Memory(site.keys, sorted(storm.acked | more.acked), str(ignored), second["dsn"], session)


def check_kept(site: Installation, memory: Memory) -> None:
    """Everything that `live_through` did is there. The server runs."""
    check_nothing_lost(site, set(memory.acked))
    token = memory.keys["api_token"]
    assert site.get(f"/api/v1/issues/{memory.ignored}", token=token)["status"] == "ignored"
    cookies = {"daytwo_session": memory.session}
    page = httpx.get(f"{site.url}/profile/", cookies=cookies)
    assert page.status_code == 200, "who was signed in still is"
    assert "Alice Past" in page.text
    assert 'data-theme="dark"' in page.text
    with signed_in(site) as browser:
        assert browser.get("/errors").status_code == 200
    for dsn in (memory.keys["dsn"], memory.second_dsn):
        sent = asyncio.run(load.send(site.url, load.requests(dsn, 1), connections=1))
        assert sent.codes == {"200": 1}, "what is built into an app still reaches its project"


def names() -> list[str]:
    """The earlier versions that are kept."""
    return sorted({path.name.removesuffix(".tar.zst").rpartition("-")[0] for path in PAST.iterdir()})


def earlier_commits() -> list[str]:
    """The commit before this one and that of the release before it, as far as git knows them; at least one, or ""."""
    released = _git("describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD~1")
    found = [commit for commit in ("HEAD~1", released) if commit and _git("rev-parse", "--verify", "-q", commit)]
    return found or [""]


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def code_of(commit: str, folder: Path) -> dict[str, str]:
    """The environment in which `python -m daytwo_server.main` is that commit's."""
    packed = subprocess.run(
        ["git", "archive", commit, "client/src", "server/src"], cwd=ROOT, capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return {"PYTHONPATH": os.pathsep.join(str(folder / name / "src") for name in ("client", "server"))}


def unpack(name: str, folder: Path) -> Memory:
    """The kept installation of that name in `folder`: `data` and, of one on PostgreSQL, `stores.sql`."""
    raw = zstandard.ZstdDecompressor().decompress((PAST / f"{name}.tar.zst").read_bytes(), 50_000_000)
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        archive.extractall(folder, filter="data")
    return Memory(**json.loads((folder / "memory.json").read_text()))


def load_stores(folder: Path, database_url: str) -> None:
    """Fill an empty database with what `unpack` found."""
    import psycopg

    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute((folder / "stores.sql").read_bytes())


def keep(folder: Path, name: str, *, database_url: str = "") -> Path:
    """Make the fixture of that name with the version that is installed."""
    site = Installation(folder / "data", env={"DATABASE_URL": database_url} if database_url else None)
    memory = live_through(site)
    (folder / "memory.json").write_text(json.dumps(asdict(memory)))
    if database_url:
        dump = [binaries() / "pg_dump", "--inserts", "--no-owner", database_url]
        text = subprocess.run(dump, check=True, capture_output=True, text=True).stdout
        # Lines for psql alone are left out: the tests have no psql.
        lines = [line for line in text.splitlines() if not line.startswith("\\")]
        (folder / "stores.sql").write_text("\n".join(lines))
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for part in sorted({"memory.json", "data", "stores.sql"} & {path.name for path in folder.iterdir()}):
            archive.add(folder / part, part, filter=lambda one: None if "/static" in one.name else one)
    packed = PAST / f"{name}.tar.zst"
    packed.parent.mkdir(parents=True, exist_ok=True)
    packed.write_bytes(zstandard.ZstdCompressor(19).compress(raw.getvalue()))
    return packed


def main(name: str) -> None:
    """Keep the installed version on both stores."""
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)  # PostgreSQL's own user enters it
        server = Postgres(Path(home) / "server")
        try:
            for store, url in (("sqlite", ""), ("postgres", create_database(server.url("daytwo"), "past"))):
                (Path(home) / store).mkdir()
                made = keep(Path(home) / store, f"{name}-{store}", database_url=url)
                sys.stdout.write(f"{made}\n")
        finally:
            server.stop()


if __name__ == "__main__":
    main(sys.argv[1])
