"""Whatever is written by mail and on pages, in whatever order: nothing of ours is mailed to anybody but us."""

import contextlib

import make
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mail_sink import use_server
from rooms.tickets.mailing import arrives, mails, settle

from daytwo_server.core import conf
from daytwo_server.mail import threads
from daytwo_server.mail.models import Delivery
from daytwo_server.tickets import services
from daytwo_server.tickets.models import HeldMail, Message
from daytwo_server.tickets.services import holding
from daytwo_server.tickets.services.holding import NotTaken

pytestmark = pytest.mark.django_db

INTERNAL = "zq7+9"  # stands in everything of ours that no customer may see, and can stand in no token
OURS = {"paula@example.com", "bob@example.com", "team@acme.test"}
STEPS = st.lists(
    st.sampled_from(["note", "reply", "assign", "customer", "answer", "quote", "stranger", "accept"]), max_size=8
)


@pytest.fixture(autouse=True)
def _mail(settings, monkeypatch):
    before = conf.current()
    use_server(settings, 1, SUPPORT_EMAIL="team@acme.test")
    monkeypatch.setattr("daytwo_server.mail.jobs.drain", lambda **_: None)
    yield
    conf.use(before)


def step(what, ticket, paula, bob):
    notices = [one for one in mails() if one.to in OURS and one.reply_to]
    last = notices[-1] if notices else None
    quoted = "\n".join(f"> {line}" for line in last.text.split("\n")) if last else ""
    if what == "note":
        services.note(ticket, f"@Paula {INTERNAL} they pay late", actor=bob)
    elif what == "reply":
        services.reply(ticket, "Which month?", actor=bob)
    elif what == "assign":
        services.assign(ticket, paula.email, actor=bob)
    elif what == "customer":
        arrives("March.", In_Reply_To=threads.message_id(ticket.pk, 1))
    elif what == "answer" and last:
        private = "they pay late" in last.text
        words = f"{INTERNAL} indeed\n\nOn 23 Nov 2026 Daytwo <help@acme.test> wrote:\n{quoted}" if private else "April?"
        arrives(words, sender="paula@example.com", to=last.reply_to)
    elif what == "quote" and last and "they pay late" not in last.text:
        arrives(f"{quoted}\nMay?", sender="paula@example.com", to=last.reply_to)
    elif what == "stranger" and last:
        arrives(f"So be it.\n{quoted}\nEnd", sender="friend@x.test", to=last.reply_to)
    elif what == "accept" and (held := HeldMail.objects.filter(settled_at=None).first()):
        with contextlib.suppress(NotTaken):
            holding.accept(held, actor=bob, sender_too=True)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_nothing_internal_is_mailed_to_anybody_else(db, steps):
    from django.db import transaction

    with transaction.atomic():
        paula, bob = make.member("Paula", role="agent"), make.bob()
        ticket = make.ticket(make.dana())
        settle()
        for what in steps:
            step(what, ticket, paula, bob)
            settle()
        keys = {threads.marker(one.reply_to) for one in mails() if one.to in OURS} - {""}
        public = Message.objects.filter(kind="public").values_list("content", flat=True)
        outside = [f"{one.subject} {one.text} {one.reply_to}" for one in Delivery.objects.exclude(to__in=OURS)]
        for text in (*public, *outside):
            assert INTERNAL not in text
            assert not any(key in text for key in keys)
        transaction.set_rollback(True)
