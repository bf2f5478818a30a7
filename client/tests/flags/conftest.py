import pytest
from flag_server import FlagServer

from daytwo import scope
from daytwo.flags import Client


@pytest.fixture
def server():
    made = FlagServer()
    yield made
    made.close()


@pytest.fixture
def client():
    made = Client()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def nothing_answered_yet(monkeypatch):
    for name in ("DAYTWO_URL", "DAYTWO_KEY", "SENTRY_DSN", "DAYTWO_SERVICE"):
        monkeypatch.delenv(name, raising=False)
    token = scope.evaluated.set(None)
    yield
    scope.evaluated.reset(token)
