"""The test run's two stores and its cast.

`pytest --store sqlite` (the default) runs every test, `--store postgres` once more those that ask for a store.
PostgreSQL is a real server that this run starts in a temporary directory and stops again.
"""

from __future__ import annotations

import functools
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from installation import Installation
from postgres import Postgres, PostgresMissing

DATA = Path(tempfile.mkdtemp(prefix="daytwo-tests-"))
_postgres: Postgres | None = None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=("sqlite", "postgres"), default=os.environ.get("DAYTWO_TEST_STORE", "sqlite"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before pytest-django's own hook, which sets Django up from this environment."""
    _prepare(config.getoption("store"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On the second store, what asks for none has nothing new to say."""
    if config.getoption("store") == "sqlite":
        return
    others = [item for item in items if not _asks_for_a_store(item)]
    items[:] = [item for item in items if _asks_for_a_store(item)]
    config.hook.pytest_deselected(items=others)


def _asks_for_a_store(item: pytest.Item) -> bool:
    asked = {"db", "transactional_db", "store"} & set(getattr(item, "fixturenames", ()))
    return bool(asked or item.get_closest_marker("django_db"))


def pytest_unconfigure(config: pytest.Config) -> None:
    if _postgres is not None:
        _postgres.stop()
    shutil.rmtree(DATA, ignore_errors=True)


def _prepare(store: str) -> None:
    """Set the environment before Django reads its settings. Parallel workers inherit the first process's server."""
    global _postgres  # noqa: PLW0603 - one server a run
    os.environ["DAYTWO_DATA_DIR"] = str(DATA)
    (DATA / "static").mkdir(exist_ok=True)  # WhiteNoise warns of a folder that is not there
    os.environ.setdefault("DAYTWO_SECRET_KEY", "only-for-tests")
    os.environ["DAYTWO_URL"] = "http://testserver"
    if store == "postgres" and "DATABASE_URL" not in os.environ:
        try:
            _postgres = Postgres(DATA / "postgres")
        except PostgresMissing as missing:
            pytest.exit(str(missing), returncode=4)
        os.environ["DATABASE_URL"] = _postgres.url("daytwo")
        os.environ["DAYTWO_TELEMETRY_URL"] = _postgres.url("daytwo_telemetry")
    os.environ["DJANGO_SETTINGS_MODULE"] = "daytwo_server.main.settings"
    from django.conf import settings

    for alias, database in settings.DATABASES.items():
        name = f"test_{alias}" if store == "postgres" else DATA / f"test_{alias}.db"
        database.setdefault("TEST", {})["NAME"] = str(name)
    settings.UI_STRICT = True
    # The real one is slow on purpose. Servers that tests start have it.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


@pytest.fixture(autouse=True)
def _settings_of_this_test():
    """Each test begins without what another one changed on a page and then took back with its transaction."""
    from django.core.cache import cache

    from daytwo_server.core import preferences
    from daytwo_server.flags.selectors import snapshots
    from daytwo_server.ui import nav
    from daytwo_server.webhooks import services as webhooks

    snapshots.forget()  # by the number of an environment, which the next test gives to another one
    cache.clear()  # where attempts are counted
    preferences.reset()
    # Nothing is there to be found. The look once a second would be one query more in whichever count it falls into.
    preferences._cache.next_look = math.inf
    # Counted every few seconds, and so one query more now and then; tests of the counts ask by `nav.forget_counts`.
    nav.forget_counts()
    nav._cache.next_look = math.inf
    webhooks._known.until, webhooks._known.anybody = math.inf, False  # until a test makes one
    yield
    preferences.reset()
    nav.forget_counts()


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest) -> str:
    """The kind of store under test: sqlite or postgres."""
    return str(request.config.getoption("store"))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with tables and nothing in them, to be copied."""
    import sites

    return sites.migrated(tmp_path_factory.mktemp("migrated") / "data")


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory, migrated: Installation) -> Installation:
    """An installation after `daytwo setup` and one start, to be copied. `keys` are what setup printed."""
    import sites

    return sites.furnished(tmp_path_factory.mktemp("furnished") / "data", migrated)


@pytest.fixture(scope="session")
def store_env(
    store: str, migrated: Installation, furnished: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., dict[str, str]]:
    """`store_env("name")` is the environment of a copy of `furnished` on the store under test, or of `migrated`."""
    import sites
    from postgres import create_database

    worker = os.environ.get("PYTEST_XDIST_WORKER", "")

    @functools.cache
    def template(*, empty: bool) -> str:
        name = "migrated" if empty else "furnished"
        original, folder = migrated if empty else furnished, tmp_path_factory.mktemp(f"{name}-postgres") / "data"
        return sites.template(original, folder, beside=os.environ["DATABASE_URL"], name=f"{name}_{worker}")

    def env(name: str, *, empty: bool = False) -> dict[str, str]:
        if store == "sqlite":
            return {}  # the stores of a copy are in its directory
        beside = os.environ["DATABASE_URL"]
        return {"DATABASE_URL": create_database(beside, f"{name}_{worker}", template=template(empty=empty))}

    return env


@pytest.fixture
def shop(furnished: Installation, tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """`shop()` is a copy of `furnished` that is not started; `at` names its data directory."""
    import sites

    made: list[Installation] = []

    def build(*, at: Path | None = None, env: dict[str, str] | None = None) -> Installation:
        made.append(sites.copy(furnished, at or tmp_path / f"data{len(made)}", env=env))
        return made[-1]

    yield build
    for site in made:
        site.stop()
