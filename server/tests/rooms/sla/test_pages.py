"""Promises among the settings, in the inbox, beside a ticket and in the API."""

from __future__ import annotations

import datetime as dt

import make
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rooms.sla.counting import MONDAY, calendar, hours, promise

from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import AuditEntry
from daytwo_server.sla import selectors
from daytwo_server.sla.models import Policy
from daytwo_server.tickets import services as tickets
from daytwo_server.tickets.models import Priority, Status

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

FORM = {"name": "Business", "priorities": ["urgent"], "plans": "business, Team", "first_response": "1 h 30 min"}
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def owner(alice, signed_in):
    return signed_in(alice)


@pytest.fixture
def now():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def test_one_click_makes_the_usual_promises(owner):
    assert "Make the usual ones" in owner.get("/settings/sla/").text
    page = owner.post("/settings/sla/usual/", follow=True)
    assert [one.name for one in selectors.policies()] == ["Urgent", "High", "Everything else"]
    assert "Office hours" in page.text
    owner.post("/settings/sla/usual/")
    assert Policy.objects.count() == 3


def test_a_policy_is_made_changed_and_archived_without_a_script(owner):
    office = calendar()
    page = owner.post("/settings/sla/new/", FORM | {"calendar": str(office.pk)}, follow=True)
    made = Policy.objects.get()
    assert (made.first_response_s, made.next_response_s, made.plans) == (5400, None, ["business", "Team"])
    assert "1 h 30 min" in page.text
    owner.post(f"/settings/sla/{made.pk}/", FORM | {"resolution": "40h"})
    made.refresh_from_db()
    assert (made.resolution_s, made.calendar) == (144_000, None)
    owner.post(f"/settings/sla/{made.pk}/archive/")
    assert selectors.policies() == []
    owner.post(f"/settings/sla/{made.pk}/restore/")
    assert selectors.policies() == [made]
    actions = AuditEntry.objects.filter(ref_kind="sla_policy").order_by("pk").values_list("action", flat=True)
    assert [one.rpartition(":")[2] for one in actions] == ["created", "changed", "archived", "restored"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"first_response": "soon"}, "no length of time"),
        ({"first_response": "2 days"}, "no length of time"),
        ({"first_response": "0 min"}, "between 1 min"),
        ({"first_response": ""}, "at least one of the three"),
        ({"priorities": [], "plans": ""}, "takes everything already"),
        ({"priorities": ["mauve"]}, "Select a valid choice"),
        ({"name": ""}, "required"),
    ],
)
def test_what_cannot_be_promised_is_said_in_words(owner, changes, words):
    promise()
    answer = owner.post("/settings/sla/new/", FORM | changes, headers=PART)
    assert answer.status_code == 422
    assert words in answer.text
    assert Policy.objects.count() == 1


def test_the_page_says_which_policy_a_ticket_gets_and_the_order_decides(owner):
    promise()
    one = promise(name="Urgent", priorities=["urgent"])
    other = promise(name="Business", plans=["business"])
    assert selectors.table(selectors.policies())[0] == ("business", [Priority.URGENT], one)
    owner.post(f"/settings/sla/{other.pk}/move/", {"do": "up"})
    found = [
        (plan, [str(each) for each in given], policy.name)
        for plan, given, policy in selectors.table(selectors.policies())
    ]
    assert found == [
        ("business", ["urgent", "high", "medium", "low"], "Business"),
        ("", ["urgent"], "Urgent"),
        ("", ["high", "medium", "low"], "Everybody"),
    ]
    page = owner.get("/settings/sla/").text
    assert "Any other" in page
    assert "High, Medium, Low" in page


def codes(page):
    import re

    return re.findall(r'id="(T-\d+)"', page.text)


def test_what_is_due_next_stands_first_whatever_its_priority(owner, now):
    promise(first=8, following=None, resolved=None)
    promise(name="Low", priorities=["low"], first=1, following=None, resolved=None)
    nothing = make.ticket(priority=Priority.HIGH)
    Policy.objects.filter(name="Everybody").update(priorities=["urgent", "medium"])
    later, sooner = make.ticket(priority=Priority.URGENT), make.ticket(priority=Priority.LOW)
    run_due_jobs(tick=False)
    assert codes(owner.get("/tickets")) == [sooner.code, later.code, nothing.code]
    now.shift(hours(2))
    page = owner.get("/tickets").text
    assert '<b class="text-major">' in page
    assert "late</b>" in page


def test_the_list_asks_few_questions_however_many_promises_there_are(owner, now):
    promise()
    owner.get("/tickets")
    counts = []
    for _ in range(2):
        for _ in range(5):
            make.ticket()
        run_due_jobs(tick=False)
        with CaptureQueriesContext(connection) as seen:
            assert len(codes(owner.get("/tickets"))) >= 5
        counts.append(len([one for one in seen.captured_queries if "SAVEPOINT" not in one["sql"]]))
    assert counts[0] == counts[1]
    assert 3 <= counts[0] <= 8


def test_tickets_that_are_late_or_soon_will_be_can_be_asked_for(owner, now, bob):
    promise(first=1, resolved=None)
    late, answered = make.ticket(), make.ticket()
    now.shift(hours(1))
    tickets.reply(answered, "Which month?", actor=bob)
    run_due_jobs(tick=False)
    soon = make.ticket()
    now.shift(dt.timedelta(minutes=50))
    fresh = make.ticket()
    run_due_jobs(tick=False)
    assert set(codes(owner.get("/tickets?view=all&query=is:breached"))) == {late.code, answered.code}
    assert set(codes(owner.get("/tickets?query=is:at-risk"))) == {soon.code}
    assert fresh.code in codes(owner.get("/tickets?query=!is:at-risk"))


def test_the_clocks_stand_beside_the_ticket(owner, now, bob):
    promise(first=1, resolved=8)
    ticket = make.ticket()
    run_due_jobs(tick=False)
    assert 'data-countdown="' in owner.get(f"/tickets/{ticket.pk}").text
    now.shift(dt.timedelta(minutes=7))
    tickets.reply(ticket, "Which month?", actor=bob)
    run_due_jobs(tick=False)
    page = owner.get(f"/tickets/{ticket.pk}").text
    assert "7 min</span>" in page
    assert "paused, 7 h 53 min left" in page
    assert "paused, 7 h 53 min left" in owner.get(f"/tickets/{ticket.pk}/promises").text


def test_the_api_tells_the_clocks_and_takes_their_order(now, alice, bob):
    promise(first=1, resolved=8)
    one, other = make.ticket(), make.ticket()
    tickets.reply(one, "Which month?", actor=bob, status=Status.IN_PROGRESS)
    run_due_jobs(tick=False)
    client = Client(headers={"Authorization": f"Bearer {make.token(alice)}"})
    found = client.get("/api/v1/tickets?sort=due&query=is:unresolved").json()["results"]
    assert [each["number"] for each in found] == [other.code, one.code]
    assert found[0]["dueAt"] == "2026-11-23T10:00:00Z"
    assert [(each["kind"], each["state"], each["dueAt"]) for each in found[1]["sla"]] == [
        ("first_response", "met", None), ("resolution", "running", "2026-11-23T17:00:00Z")
    ]  # fmt: skip
    told = client.get(f"/api/v1/tickets/{one.code}").json()["sla"][1]
    assert (told["targetSeconds"], told["policy"]) == (8 * 3600, "Everybody")
    assert client.get("/api/v1/tickets?sort=mauve").status_code == 400


def test_a_customer_is_told_nothing_of_what_was_promised_inside(now):
    from rooms.tickets.asking import Desk, identity

    promise()
    app = Desk(identity(make.project("Shop")))
    opened = app.open()
    run_due_jobs(tick=False)
    assert not {"sla", "dueAt", "place"} & set(app.get(f"/{opened['id']}"))
