"""Flags where others look: on the page of an error, and beside a ticket."""

from __future__ import annotations

import datetime as dt

import make
import pytest
from rooms.errors import happen

from daytwo_server.core import clock
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import Change, ExposureCount, Override, State
from daytwo_server.flags.selectors import suspects
from daytwo_server.flags.services import overrides
from daytwo_server.tickets import services as tickets
from daytwo_server.tickets.models import Status

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

SOMEBODY = Actor("Somebody")
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def shop():
    return make.project("Shop")


@pytest.fixture
def owner(alice, signed_in):
    return signed_in(alice)


def exposed(state: State, *, on: int, off: int) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    for enabled, count in ((True, on), (False, off)):
        ExposureCount.objects.create(
            environment=state.environment, key=state.flag.key, minute=hour, revision=1,
            variant="on" if enabled else "off", enabled=enabled, count=count,
        )  # fmt: skip


def judged(state: State, counts: dict[str, int]) -> suspects.OnEvents:
    [one] = suspects.on_events(
        state.flag.project_id, {state.flag.key: counts}, since=clock.now(), environments=["production"]
    )
    return one


@pytest.mark.parametrize(
    ("counts", "on", "off", "suspected"),
    [
        ({"on": 20}, 100, 900, True),  # ten times as often as usual
        ({"on": 2, "off": 18}, 100, 900, False),  # as often as usual
        ({"on": 4}, 100, 900, False),  # too few to tell
        ({"on": 20}, 900, 100, False),  # nearly everybody has it
        ({"on": 20}, 0, 1000, True),  # nobody else has it
        ({"off": 20}, 900, 100, False),  # it is off where it breaks
        ({"on": 20}, 0, 0, False),  # nothing to compare with
    ],
)
def test_a_flag_is_suspect_when_chance_does_not_explain_how_often_errors_have_it(shop, counts, on, off, suspected):
    state = make.flag(shop, "checkout", enabled=True).state
    if on or off:
        exposed(state, on=on, off=off)
    assert judged(state, counts).is_suspect is suspected


def test_of_a_flag_with_variants_the_one_that_stands_out_is_named(shop):
    state = make.flag(
        shop, "theme", enabled=True, type="string", offVariant="plain", defaultVariant="blue",
        variants=[{"name": name, "value": name} for name in ("plain", "blue", "red")],
    ).state  # fmt: skip
    minute = clock.now().replace(minute=0, second=0, microsecond=0)
    for variant in ("plain", "blue", "red"):
        ExposureCount.objects.create(
            environment=state.environment, key="theme", minute=minute, revision=1, variant=variant,
            enabled=variant != "plain", count=100,
        )  # fmt: skip
    one = judged(state, {"red": 28, "blue": 2})
    assert (one.value, round(one.lift, 1)) == ("red", 2.8)


def test_the_page_of_an_error_names_the_suspect_and_the_change_before_it_with_the_switch_beside(owner, shop, signed_in):
    state = make.flag(shop, "checkout", enabled=True, rolloutPercentage=10).state
    exposed(state, on=100, off=900)
    flags = {"flags": {"values": [{"flag": "checkout", "result": True}, {"flag": "elsewhere", "result": False}]}}
    for _ in range(12):
        issue = happen.issue(shop, "KeyError", "vat", contexts=flags, environment="production")
    Change.objects.update(at=issue.first_seen - dt.timedelta(minutes=4))
    text = owner.get(f"/errors/{issue.pk}").text
    assert "is on in 100% of these events, but in 10% of all answers" in text
    assert "10.0 times as often as usual" in text
    assert "4 min before this began" in text
    assert "elsewhere" in text
    assert "Flags on its events" in text
    owner.post(f"/flags/{state.flag_id}/?environment=production", {"do": "kill"})
    assert State.objects.get().killed
    assert "Kill switch" in text
    assert "Kill switch" not in signed_in(make.member("Vera")).get(f"/errors/{issue.pk}").text


def test_an_error_without_flags_says_nothing_of_them(owner, shop):
    issue = happen.issue(shop, "KeyError", "vat")
    assert "Flags on its events" not in owner.get(f"/errors/{issue.pk}").text


# ---- Beside a ticket ----


@pytest.fixture
def dana():
    return make.dana(organization=make.organization("Brightside", external_id="org1", plan="pro"))


def of_ticket(browser, ticket, **headers):
    return browser.get(f"/flags/of-ticket/{ticket.pk}/", headers=headers)


def test_a_ticket_asks_for_the_flags_of_its_customer(owner, dana):
    ticket = make.ticket(dana)
    assert f'hx-get="/flags/of-ticket/{ticket.pk}/"' in owner.get(f"/tickets/{ticket.pk}").text


def test_the_flags_of_the_customer_stand_there_with_their_reasons(owner, shop, dana):
    ticket = make.ticket(dana, project=shop.pk)
    make.flag(shop, "plain", enabled=True)
    make.flag(shop, "planned", enabled=True, allowedPlans=["enterprise"])
    excepted = make.flag(shop, "excepted").flag
    saved = make.flag(shop, "excepted", enabled=True, rolloutPercentage=0)
    overrides.put(saved.state, organization_id="org1", enabled=True, by=SOMEBODY)
    page = of_ticket(owner, ticket, **PART)
    rows = [(one.flag.key, one.shown, one.why) for one in page.context["rows"]]
    assert rows == [
        ("excepted", "on", "override of the organization"),
        ("planned", "off", "the plan business does not have it"),
        ("plain", "on", "everybody else"),
    ]
    assert f"/flags/{excepted.pk}/?environment=production" in page.text
    assert "<html" not in page.text
    assert "<html" in of_ticket(owner, ticket).text


def test_an_agent_switches_a_flag_for_the_customer_until_the_ticket_is_closed(signed_in, shop, dana):
    agent = make.member("Agnes", role=make.Role.AGENT)
    ticket = make.ticket(dana, project=shop.pk)
    make.flag(shop, "checkout")
    browser = signed_in(agent)
    page = browser.post(f"/flags/of-ticket/{ticket.pk}/", {"do": "on", "flag": "checkout"}, headers=PART)
    assert page.status_code == 200
    one = Override.objects.get()
    assert (one.user_id, one.enabled, one.ticket) == ("dana", True, ticket.pk)
    assert f"until {ticket.code} is closed" in page.text
    ticket = tickets.set_status(ticket, Status.RESOLVED, actor=agent)
    run_due_jobs()
    assert Override.objects.exists()
    tickets.set_status(ticket, Status.CLOSED, actor=agent)
    run_due_jobs()
    assert not Override.objects.exists()
    assert Change.objects.latest("pk").reason == f"T-{ticket.pk} was closed"


def test_what_was_switched_for_a_ticket_can_be_ended_before(owner, shop, dana):
    ticket = make.ticket(dana, project=shop.pk)
    make.flag(shop, "checkout")
    owner.post(f"/flags/of-ticket/{ticket.pk}/", {"do": "off", "flag": "checkout"})
    page = of_ticket(owner, ticket)
    assert 'value="remove:checkout"' in page.text
    owner.post(f"/flags/of-ticket/{ticket.pk}/", {"do": "remove:checkout"})
    assert not Override.objects.exists()


def test_an_override_that_is_over_is_not_shown_beside_the_ticket(owner, shop, dana):
    ticket = make.ticket(dana, project=shop.pk)
    saved = make.flag(shop, "checkout")
    overrides.put(saved.state, user_id="dana", enabled=True, ticket=ticket.pk, by=SOMEBODY)
    assert 'value="remove:checkout"' in of_ticket(owner, ticket).text
    Override.objects.update(expires_at=clock.now() - dt.timedelta(seconds=1))
    assert 'value="remove:checkout"' not in of_ticket(owner, ticket).text


def test_who_has_no_id_is_switched_with_their_organization_and_the_words_say_so(owner, shop):
    company = make.organization("Brightside", external_id="org1")
    mara = make.customer("email:mara@example.com", email="mara@example.com", name="Mara", organization=company)
    ticket = make.ticket(mara, project=shop.pk)
    make.flag(shop, "checkout")
    assert "Switch one for everybody of Brightside" in of_ticket(owner, ticket).text
    page = owner.post(f"/flags/of-ticket/{ticket.pk}/", {"do": "on", "flag": "checkout"}, headers=PART)
    assert "checkout is on for everybody of Brightside until" in page["HX-Trigger"]
    assert (Override.objects.get().organization_id, Override.objects.get().user_id) == ("org1", "")


def test_what_was_said_of_the_organization_is_ended_from_the_ticket_of_one_with_an_id(owner, shop, dana):
    ticket = make.ticket(dana, project=shop.pk)
    saved = make.flag(shop, "checkout")
    overrides.put(saved.state, organization_id="org1", enabled=True, ticket=ticket.pk, by=SOMEBODY)
    assert 'value="remove:checkout"' in of_ticket(owner, ticket).text
    owner.post(f"/flags/of-ticket/{ticket.pk}/", {"do": "remove:checkout"})
    assert not Override.objects.exists()


def test_a_customer_known_by_no_id_cannot_be_excepted(owner, shop):
    ticket = make.ticket(make.customer("email:x@example.com", email="x@example.com"), project=shop.pk)
    make.flag(shop, "checkout")
    assert "Switch one for" not in of_ticket(owner, ticket).text
    page = owner.post(f"/flags/of-ticket/{ticket.pk}/", {"do": "on", "flag": "checkout"})
    assert page.status_code == 302
    assert "known by no id, so no app can be told" in owner.get(page["Location"]).text.split('class="toasts"')[1]
    assert not Override.objects.exists()


def test_a_flag_of_another_project_is_not_there(owner, shop, dana):
    ticket = make.ticket(dana, project=shop.pk)
    make.flag(shop, "checkout")
    make.flag(make.project("Other"), "theirs")
    assert "theirs" not in of_ticket(owner, ticket).text
    assert owner.post(f"/flags/of-ticket/{ticket.pk}/", {"do": "on", "flag": "theirs"}).status_code == 404
