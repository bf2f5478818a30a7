"""What an operator does with a mouse, with the keyboard, on a phone and without a script."""

import datetime as dt
import json

import looks
import make
import pytest
from django.db import transaction
from playwright.sync_api import expect
from rooms.errors import happen

from daytwo_server.core import audit, clock
from daytwo_server.core.models import Fact, Job, Periodic
from daytwo_server.core.ref import Ref
from daytwo_server.errors import services as errors
from daytwo_server.ingest.models import ItemCount

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]


@pytest.fixture
def alice(transactional_db):
    """The owner, who may see everything."""
    return make.alice()


@pytest.fixture
def dead(transactional_db):
    """Three dead letters, the first of them failed last."""
    now = clock.now()
    return [
        Job.objects.create(
            kind="core.prune", args=json.dumps({"where": "x" * 200}), state="dead", attempts=10, max_attempts=10,
            run_at=now - dt.timedelta(minutes=n), error="ConnectionRefusedError: " + "no route to host " * 12,
        )
        for n in range(3)
    ]  # fmt: skip


def states(dead):
    return [Job.objects.get(pk=one.pk).state for one in dead]


def test_a_dead_letter_is_read_and_retried_by_keyboard(visit, bob, dead):
    page = visit("/settings/jobs/", bob)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Why it failed for good")).to_be_visible()
    page.keyboard.press("e")
    expect(page.locator(".toast")).to_contain_text("1 job put back in line")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert states(dead) == ["dead", "ready", "dead"]


def test_rows_are_dealt_with_where_they_stand_and_given_back_by_z(visit, bob, dead):
    page = visit("/settings/jobs/", bob)
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("h")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert states(dead) == ["ready", "discarded", "dead"]
    page.keyboard.press("z")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert states(dead) == ["ready", "dead", "dead"]


def test_a_range_of_rows_is_ticked_by_shift_and_retried_at_once(visit, bob, dead):
    page = visit("/settings/jobs/", bob)
    page.get_by_label(f"Select job {dead[0].pk}").check()
    page.get_by_label(f"Select job {dead[2].pk}").click(modifiers=["Shift"])
    expect(page.locator(".bulk")).to_contain_text("3 selected")
    page.locator(".bulk").get_by_role("button", name="Retry").click()
    expect(page.get_by_text("No dead letters")).to_be_visible()
    assert states(dead) == ["ready"] * 3


def test_figures_follow_what_happens_and_ticks_stay(visit, bob, dead):
    page = visit("/settings/jobs/", bob)
    page.get_by_label(f"Select job {dead[0].pk}").check()
    Job.objects.create(kind="core.prune", state="dead", max_attempts=1)
    page.evaluate("htmx.trigger('#live', 'changed')")
    expect(page.locator("#counts")).to_contain_text("Dead letters 4")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.get_by_label(f"Select job {dead[0].pk}")).to_be_checked()


def test_everything_works_without_a_script(visit, bob, dead):
    page = visit("/settings/jobs/", bob, java_script_enabled=False)
    page.get_by_label(f"Select job {dead[0].pk}").check()
    page.locator(".bulk").get_by_role("button", name="Discard").click()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    assert states(dead) == ["dead"] * 3
    page.locator("[data-row-link]").first.click()
    page.get_by_role("button", name="Retry").click()
    assert states(dead) == ["ready", "dead", "dead"]


def test_a_change_in_the_audit_log_opens_by_keyboard(visit, alice):
    issue = happen.issue(make.project("Shop"), "KeyError")
    errors.resolve([issue.pk], actor=alice)
    page = visit("/settings/audit/", alice)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".diff ins")).to_have_text("status: resolved")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert "errors:issue:resolved" in download.value.path().read_text()


@pytest.fixture
def busy(alice, dead):
    """Something on every page."""
    shop = make.project("Shop")
    make.project("Blog")
    issue = happen.issue(shop, "KeyError", "something long happened " * 6)
    errors.resolve([issue.pk], actor=alice)
    with transaction.atomic():
        audit.record("errors:issue:moved", actor=alice, ref=Ref("issue", issue.pk), after={"to": "x" * 150})
    fact = Fact.objects.create(
        name="ShipSank", data=json.dumps({"ship": "V" * 120, "issue": issue.pk}), reactions="wiring.call wiring.sink"
    )
    args = json.dumps({"fact": fact.pk, "reaction": "wiring.call"}, separators=(",", ":"))
    Job.objects.create(kind="core.react", args=args, state="dead", max_attempts=1)
    Periodic.objects.create(kind="core.prune", schedule="23 3 * * *", next_run=clock.now())
    Job.objects.create(kind="tests.unknown", state="ready", max_attempts=1, run_at=clock.now() + dt.timedelta(hours=1))
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    for outcome, reason in (("arrived", ""), ("stored", ""), ("dropped", "rate_limit")):
        ItemCount.objects.create(
            hour=hour, project_id=shop.pk, item_type="event", sdk="sentry.javascript.react-native/11.12.0-beta.3",
            outcome=outcome, reason=reason, count=12345,
        )  # fmt: skip


PAGES = [
    "/settings/jobs/", "/settings/jobs/?state=running", "/settings/facts/", "/settings/audit/", "/settings/ingest/",
]  # fmt: skip


def test_pages_with_everything_unfolded_are_accessible_and_fit_the_screen(visit, alice, busy, dead, live_server):
    page = visit("/settings/", alice)
    for path in [*PAGES, f"/settings/jobs/{dead[0].pk}/"]:
        page.goto(live_server.url + path)
        page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
        looks.check_everywhere(page, path)
