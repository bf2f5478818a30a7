"""Installations that are furnished already, so that a test of failures begins with the failure."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from installation import Installation
from postgres import Postgres, PostgresMissing, create_database

_names = itertools.count()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What starts servers on stores of its own choice needs no second run on another store."""
    own = {
        item
        for item in items
        if ("test_failures_" in item.nodeid or "test_upgrade" in item.nodeid)
        and "db" not in getattr(item, "fixturenames", ())
    }
    if config.getoption("store") == "postgres" and own:
        items[:] = [item for item in items if item not in own]
        config.hook.pytest_deselected(items=list(own))


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A data directory after `daytwo setup` and one start, to be copied, and what setup printed."""
    site = Installation(tmp_path_factory.mktemp("furnished") / "data")
    keys = site.setup()
    site.start()
    site.stop()
    shutil.rmtree(site.data_dir / "spool")  # its name is one node's own
    return site.data_dir, keys


@pytest.fixture
def shop(furnished: tuple[Path, dict[str, Any]], tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """`shop()` is a furnished installation that is not started; `at` names its data directory."""
    made: list[Installation] = []

    def build(*, at: Path | None = None, env: dict[str, str] | None = None) -> Installation:
        folder, keys = furnished
        site = Installation(at or tmp_path / f"data{len(made)}", env=env)
        shutil.copytree(folder, site.data_dir, dirs_exist_ok=True)
        site.keys = keys
        made.append(site)
        return site

    yield build
    for site in made:
        site.stop()


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
def furnished_database(furnished: tuple[Path, dict[str, Any]], postgres: Postgres, tmp_path_factory: Any) -> str:
    """The name of a database after `daytwo setup` with the furnished directory's secret key, to be copied."""
    folder = tmp_path_factory.mktemp("furnished-postgres") / "data"
    shutil.copytree(furnished[0], folder)
    site = Installation(folder, env={"DATABASE_URL": create_database(postgres.url("daytwo"), "furnished")})
    assert site.setup()["api_token"] == furnished[1]["api_token"]
    return "furnished"


@pytest.fixture
def database(postgres: Postgres, furnished_database: str) -> str:
    """The address of a fresh furnished database."""
    return create_database(postgres.url("daytwo"), f"shop{next(_names)}", template=furnished_database)
