import dataclasses

import pytest

from daytwo_server.core import conf


@pytest.fixture(autouse=True)
def _mail(monkeypatch):
    """An installation that sends mail, to nobody who answers."""
    told = dataclasses.replace(conf.current(), mail_url="smtp://127.0.0.1:1", mail_inbound="support@example.com")
    monkeypatch.setattr(conf, "current", lambda: told)
