"""What an open page of a ticket learns without being loaded again: it asks `since` whenever its topic changes."""

from __future__ import annotations

import html
import re

import make
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from mail_sink import use_server
from rooms.tickets import mailing

from daytwo_server.core import clock, conf, live
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.mail.models import Delivery
from daytwo_server.mail.sending import afterwards
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Status
from daytwo_server.tickets.services import ticket_topic

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture(autouse=True)
def _mail(settings, monkeypatch):
    before = conf.current()
    use_server(settings, 1, DAYTWO_MAIL_AUTHSERV=mailing.OURS, DAYTWO_MAIL_INBOUND=mailing.SUPPORT)
    monkeypatch.setattr("daytwo_server.mail.jobs.drain", lambda **_: None)
    yield
    conf.use(before)


@pytest.fixture
def nia(db):
    return make.member("Nia", role="agent")


@pytest.fixture
def agent(nia, signed_in):
    return signed_in(nia)


@pytest.fixture
def ticket(db):
    return make.ticket(make.dana())


class Open:
    """A page that is open: what it shows is what it got first, and what it asks for when its topic moves."""

    def __init__(self, browser, ticket, beside=""):
        self.browser, self.topic = browser, ticket_topic(ticket.pk)
        page = html.unescape(browser.get(f"/tickets/{ticket.pk}{beside}").text)
        self.asks = re.search(r'hx-get="(/tickets/\d+/since\?after=\d+[^"]*)"', page)[1]
        self.rail = re.search(r'hx-get="(/tickets/\d+/promises)/?"', page)[1]
        self.ids = set(re.findall(r' id="([\w-]+)"', page))
        self.version = self._version()

    def _version(self):
        return live.versions([self.topic]).get(self.topic, 0)

    def learns(self, asks=""):
        assert self._version() != self.version, "the page was not told that anything changed"
        self.version = self._version()
        part = self.browser.get(asks or self.asks).text
        assert set(re.findall(r'hx-target="#([\w-]+)"', part)) <= self.ids
        return part


def sent(answer, **fields):
    delivery = Delivery.objects.get(about=f"ticket_message:{answer.pk}")
    Delivery.objects.filter(pk=delivery.pk).update(state="sent", provider_id=f"p{delivery.pk}", **fields)
    return f"p{delivery.pk}"


def test_mail_that_is_held_appears_with_its_buttons_and_goes_when_it_was_decided_about(agent, ticket, nia):
    page = Open(agent, ticket)
    held = mailing.held(ticket)
    part = page.learns()
    assert "Let me in." in part
    assert f'action="/tickets/{ticket.pk}/held/{held.pk}"' in part
    assert f'name="next" value="/tickets/{ticket.pk}"' in part
    from daytwo_server.tickets.services import holding

    holding.discard(held, actor=nia)
    assert "Let me in." not in page.learns()


def test_what_a_page_learns_leads_back_beside_its_list(agent, ticket):
    page = Open(agent, ticket, "?view=mine&priority=high")
    mailing.held(ticket)
    part = html.unescape(page.learns())
    assert f'name="next" value="/tickets/{ticket.pk}?view=mine&priority=high"' in part
    again = re.search(r'hx-get="(/tickets/\d+/since[^"]*)"', part)[1]
    assert "view=mine" in html.unescape(agent.get(again).text)


@pytest.mark.parametrize(
    ("event", "words", "state"),
    [("delivered", "Delivered to dana@example.com", "delivered"), ("complained", "dana@example.com called it spam", "complained")],
)  # fmt: skip
def test_what_a_provider_tells_of_an_answer_stands_below_it_at_once(agent, nia, ticket, event, words, state):
    answer = services.reply(ticket, "Which month?", actor=nia)
    page = Open(agent, ticket)
    name = sent(answer)
    assert afterwards.told(name, "dana@example.com", event, at=clock.now(), words="")
    run_due_jobs(tick=False)
    part = page.learns()
    assert words in part
    assert f'hx-target="#d-{answer.pk}"' in part
    assert words in agent.get(f"/tickets/{ticket.pk}").text
    told = agent.get(f"/api/v1/tickets/{ticket.pk}", headers={"Authorization": f"Bearer {make.token(nia)}"}).json()
    assert [one["delivery"]["state"] for one in told["messages"] if one["delivery"]] == [state]


def test_an_event_that_a_provider_tells_twice_is_told_once(nia, ticket):
    from daytwo_server.core.models import Fact

    name = sent(services.reply(ticket, "Which month?", actor=nia))
    for _ in range(2):
        afterwards.told(name, "", "delivered", at=clock.now(), words="")
    assert Fact.objects.filter(name="MailDelivered").count() == 1


def test_a_mail_that_came_back_stands_below_its_answer_with_the_button_to_send_it_again(agent, nia, ticket):
    answer = services.reply(ticket, "Which month?", actor=nia)
    page = Open(agent, ticket)
    sent(answer)
    afterwards.bounced(Delivery.objects.get(about=f"ticket_message:{answer.pk}"), "no such user")
    run_due_jobs(tick=False)
    part = page.learns()
    assert "Came back from dana@example.com: no such user" in part
    assert "Send again" in part


@pytest.mark.parametrize("closed", [False, True])
def test_a_rating_appears_in_the_rail(agent, nia, ticket, closed):
    for status in (Status.RESOLVED, Status.CLOSED) if closed else (Status.RESOLVED,):
        services.set_status(ticket, status, actor=nia)
    page = Open(agent, ticket)
    services.rate(ticket, 2, "Slow.")
    part = page.learns(page.rail)
    assert "2 of 5" in part
    assert "Slow." in part


def test_asking_costs_the_same_for_many_answers_as_for_two(agent, nia, ticket):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            assert agent.get(f"/tickets/{ticket.pk}/since?after=999999").status_code == 200
        return len(asked)

    for _ in range(2):
        services.reply(ticket, "Which month?", actor=nia)
    queries()
    few = queries()
    for _ in range(10):
        services.reply(ticket, "Which month?", actor=nia)
    assert queries() == few


def test_what_somebody_else_made_of_the_ticket_stands_on_an_open_page(agent, nia, ticket):
    tom = make.member("Tom", role="agent")
    page = Open(agent, ticket)
    services.change(ticket, services.Change(assignee=tom.email, add_tags=["vip"]), actor=tom)
    services.set_status(ticket, Status.RESOLVED, actor=tom)
    part = page.learns()
    state, buttons, properties = re.findall(r'hx-target="#ticket-(status|do|properties)"', part)
    assert (state, buttons, properties) == ("status", "do", "properties")
    assert "Resolved" in part
    assert 'value="status=open"' in part
    assert "Tom" in part
    assert 'value="untag=vip"' in part
