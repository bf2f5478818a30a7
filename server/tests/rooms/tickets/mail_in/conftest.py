"""Imports of the project wait inside: this file loads before Django is set up."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _mail(settings, monkeypatch):
    """A mail server is named, and nothing is sent."""
    from mail_sink import use_server
    from rooms.tickets.mailing import OURS

    from daytwo_server.core import conf

    before = conf.current()
    use_server(settings, 1, DAYTWO_MAIL_AUTHSERV=OURS, SUPPORT_EMAIL="team@acme.test")
    monkeypatch.setattr("daytwo_server.mail.jobs.drain", lambda **_: None)
    yield
    conf.use(before)


@pytest.fixture
def dana(db):
    import make

    return make.dana()


@pytest.fixture
def ticket(dana):
    """One whose beginning was told to everybody."""
    import make
    from rooms.tickets.mailing import settle

    from daytwo_server.mail.models import Delivery

    made = make.ticket(dana)
    settle()
    Delivery.objects.all().delete()
    return made


@pytest.fixture
def agent(db):
    import make

    return make.member("Paula", role="agent")
