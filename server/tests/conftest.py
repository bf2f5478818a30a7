"""The test run's two stores and its cast.

`pytest --store sqlite` (the default) or `--store postgres`: the same tests on both. PostgreSQL is a real server that
this run starts in a temporary directory and stops again.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from postgres import Postgres, PostgresMissing

DATA = Path(tempfile.mkdtemp(prefix="daytwo-tests-"))
_postgres: Postgres | None = None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=("sqlite", "postgres"), default=os.environ.get("DAYTWO_TEST_STORE", "sqlite"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before pytest-django's own hook, which sets Django up from this environment."""
    _prepare(config.getoption("store"))


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
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


@pytest.fixture(autouse=True)
def _settings_of_this_test():
    """Each test begins without what another one changed on a page and then took back with its transaction."""
    from daytwo_server.core import preferences

    preferences.reset()
    # Nothing is there to be found. The look once a second would be one query more in whichever count it falls into.
    preferences._cache.next_look = math.inf
    yield
    preferences.reset()


@pytest.fixture(scope="session")
def store_env():
    """Environment of a started server on the store under test: `store_env("name")` is a fresh pair of stores."""

    def env(name: str) -> dict[str, str]:
        if "DATABASE_URL" not in os.environ:
            return {}
        from postgres import create_database

        worker = os.environ.get("PYTEST_XDIST_WORKER", "")
        return {"DATABASE_URL": create_database(os.environ["DATABASE_URL"], f"{name}_{worker}")}

    return env
