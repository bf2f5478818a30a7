"""Installations to start with. Making the tables of one takes longer than most tests: they are made once and copied."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from installation import MODULE, Installation
from postgres import create_database


def migrated(folder: Path) -> Installation:
    """The tables of this version with nothing in them, in `folder`: as `daytwo migrate` leaves it, without its key."""
    site = Installation(folder)
    _migrate(site)
    (folder / "secret-key").unlink()
    return site


def furnished(folder: Path, empty: Installation) -> Installation:
    """An installation after `daytwo setup` and one start, made of what `migrated` returned."""
    site = copy(empty, folder)
    site.keys = site.setup()
    site.start()
    site.stop()
    shutil.rmtree(folder / "spool")  # its name is one node's own
    return site


def copy(original: Installation, folder: Path, *, env: dict[str, str] | None = None) -> Installation:
    """The same installation in another folder and, with a DATABASE_URL in `env`, on that database. It is not started."""
    site = Installation(folder, env=env)
    shutil.copytree(original.data_dir, folder, dirs_exist_ok=True)
    if original.keys:
        dsn = original.keys["dsn"].replace(f":{original.port}/", f":{site.port}/")
        site.keys = original.keys | {"url": site.url, "dsn": dsn}
    return site


def template(original: Installation, folder: Path, *, beside: str, name: str) -> str:
    """The name of a database on the server of the address `beside`, to be copied: with what is in `original`."""
    site = copy(original, folder, env={"DATABASE_URL": create_database(beside, name)})
    if original.keys:
        assert site.setup()["api_token"] == original.keys["api_token"]
    else:
        _migrate(site)
    return name


def _migrate(site: Installation) -> None:
    command = [*MODULE, "migrate", "--data-dir", str(site.data_dir)]
    subprocess.run(command, env=site.env, check=True, capture_output=True)
