"""The settings that name a mail server, and one that is up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from installation import free_port
from mail_sink import Sink, start, use_server

from daytwo_server.core import conf


@pytest.fixture
def configured() -> Iterator[None]:
    """What a test gives to `conf.use` ends with it."""
    before = conf.current()
    yield
    conf.use(before)


@pytest.fixture
def inbound(configured) -> None:
    """Mail comes in at support@acme.test."""
    conf.use(conf.load({"DAYTWO_MAIL_INBOUND": "support@acme.test", "DAYTWO_URL": "http://testserver"}))


@pytest.fixture
def sink(settings, configured) -> Iterator[Sink]:
    """A mail server that is up, and mail goes to it."""
    found = Sink(free_port())
    use_server(settings, found.port)
    controller = start(found)
    yield found
    controller.stop()
