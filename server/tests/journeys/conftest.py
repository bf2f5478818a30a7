"""Installations on a PostgreSQL of their own, so that a test of failures begins with the failure."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sites
from installation import Installation
from postgres import Postgres, PostgresMissing, create_database

_names = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that tests may stop and start. Not below pytest's own folder, which its user may not enter."""
    home = Path(tempfile.mkdtemp(prefix="daytwo-postgres-"))
    try:
        server = Postgres(home / "server")
    except PostgresMissing as missing:
        pytest.skip(str(missing))
    yield server
    server.stop()
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def furnished_database(furnished: Installation, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with what is in `furnished`, to be copied."""
    folder = tmp_path_factory.mktemp("furnished-database") / "data"
    return sites.template(furnished, folder, beside=postgres.url("daytwo"), name="furnished")


@pytest.fixture
def database(postgres: Postgres, furnished_database: str) -> str:
    """The address of a fresh copy of it."""
    return create_database(postgres.url("daytwo"), f"shop{next(_names)}", template=furnished_database)
