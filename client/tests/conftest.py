import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from daytwo import logs
from daytwo.logs.output import output

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOG_LEVEL", "SENTRY_ENVIRONMENT", "NO_COLOR", "APP_VERSION", "SENTRY_RELEASE", "DAYTWO_SERVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("DAYTWO_HEALTH_TOKEN", raising=False)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    output.taps = ()
    output._untold = 0  # what one test lost is not told to the next
    logs.configure()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    """Everything down to debug goes to memory; calling it gives the lines written so far."""
    logs.configure("debug", form="json", stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]
