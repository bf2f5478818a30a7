"""The tickets of the demo are ones that could have happened."""

import pytest

from daytwo_server.core import clock
from daytwo_server.main.demo.support import ASKED, ask
from daytwo_server.tickets.models import HeldMail, Message, Ticket
from daytwo_server.tickets.selectors import inbox

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


def test_the_story_of_the_demo_is_told_in_its_order_and_in_the_past(alice):
    ask(alice)
    tickets = list(Ticket.objects.order_by("pk"))
    assert [one.subject for one in tickets] == [asked.subject for asked in ASKED]
    for ticket in tickets:
        times = list(Message.objects.filter(ticket=ticket).order_by("pk").values_list("created_at", flat=True))
        assert times == sorted(times)
        assert times[0] == ticket.created_at
        assert times[-1] < clock.now()
        assert ticket.waiting_since is None or ticket.created_at <= ticket.waiting_since < clock.now()
        assert ticket.first_response_at is None or ticket.first_response_at > ticket.created_at


def test_what_is_due_next_stands_first_in_the_demo_and_one_promise_was_missed(alice):
    ask(alice)
    due = [one.due_at for one in inbox.inbox(inbox.waiting()).rows]
    assert due == sorted(due)
    assert due[0] < clock.now() < due[1]


def test_of_the_demo_one_answer_came_by_mail_and_one_mail_is_held(alice):
    ask(alice)
    mailed = Message.objects.exclude(mailed=None).get()
    assert mailed.content == "It is the one of my phone. The same time, and the same title. I can send a picture."
    assert "> Hello Ana" in mailed.body_text
    held = HeldMail.objects.get()
    assert (held.name, held.ticket.priority) == ("Peter Brandt", "urgent")
    assert held.created_at < clock.now()
