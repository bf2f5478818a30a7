"""Jobs as an operator sees them: what waits, what runs, what failed for good, and what to do about it."""

import datetime as dt
import json

import make
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from daytwo_server.accounts.models import Membership
from daytwo_server.core import clock, jobs
from daytwo_server.core.models import AuditEntry, Job, Periodic, Topic
from daytwo_server.operate.web.jobs import schedule_words

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

JOBS = "/settings/jobs/"


@jobs.job("tests.mail")
def mail(to: int) -> None:
    """Send a mail.

    And more that no list has room for.
    """


def job(state="dead", *, kind="tests.mail", args=None, error="", ago=0, **fields):
    at = clock.now() - dt.timedelta(seconds=ago)
    return Job.objects.create(
        kind=kind, args=json.dumps(args or {"to": 7}, separators=(",", ":")), state=state, run_at=at, created_at=at,
        attempts=10 if state == "dead" else 0, max_attempts=10, error=error, **fields,
    )  # fmt: skip


@pytest.fixture
def bobs(bob, signed_in):
    return signed_in(bob)


def page_of(client, query=""):
    answer = client.get(JOBS + query)
    assert answer.status_code == 200
    return answer.content.decode()


def state_of(row):
    return Job.objects.get(pk=row.pk).state


def test_a_dead_letter_says_what_it_is_and_why_it_failed(bobs):
    dead = job(error="SMTPServerDisconnected: Connection unexpectedly closed")
    page = page_of(bobs)
    row = page.partition(f'<tr id="job-{dead.pk}">')[2].partition("</tr>")[0]
    assert "tests.mail" in row
    assert "SMTPServerDisconnected: Connection unexpectedly closed" in row
    assert "10 of 10" in row
    detail = bobs.get(f"{JOBS}{dead.pk}/").text
    assert "Send a mail." in detail
    assert "And more" not in detail


def test_each_state_has_its_tab_and_every_tab_its_count(bobs):
    for state, number in (("dead", 1), ("ready", 2), ("leased", 3), ("discarded", 4)):
        for _ in range(number):
            job(state)
    tabs = page_of(bobs).partition('<nav class="tabs"')[2].partition("</nav>")[0]
    for label, number in (("Dead letters", 1), ("Waiting", 2), ("Running", 3), ("Discarded", 4)):
        assert f'{label} <span class="count">{number}</span>' in tabs
    for name, number in (("dead", 1), ("waiting", 2), ("running", 3), ("discarded", 4)):
        assert page_of(bobs, f"?state={name}").count('<tr id="job-') == number


def test_what_waits_is_listed_in_the_order_in_which_it_is_due(bobs):
    later, soon = job("ready", ago=-60), job("ready", ago=30)
    page = page_of(bobs, "?state=waiting")
    assert page.index(f"job-{soon.pk}") < page.index(f"job-{later.pk}")
    assert "30 s" in page, "how far the queue is behind"


def test_the_list_can_be_narrowed_to_one_kind(bobs):
    one, other = job(), job(kind="core.prune", args={})
    page = page_of(bobs, "?kind=core.prune")
    assert f"job-{other.pk}" in page
    assert f"job-{one.pk}" not in page
    assert "tests.mail (1)" in page, "the other kinds stay to choose from"
    assert "No job like that" in page_of(bobs, "?kind=gone")


def test_secrets_among_the_arguments_are_not_shown(bobs):
    dead = job(args={"channel": 3, "webhook_url": "https://hooks.example/T0/secret", "api_token": "abc"})
    page = bobs.get(f"{JOBS}{dead.pk}/").text
    assert "channel" in page
    assert "hooks.example" not in page
    assert "abc" not in page


def test_a_reaction_is_called_by_what_it_does_and_leads_to_its_fact(bobs):
    dead = job(kind="core.react", args={"fact": 12, "reaction": "daytwo_server.wiring.customers_to_errors.forget_them"})
    assert "Forget them" in page_of(bobs)
    assert "/settings/facts/?fact=12" in bobs.get(f"{JOBS}{dead.pk}/").text


def test_one_dead_letter_is_retried_from_its_row(bobs, bob):
    dead, other = job(), job()
    answer = bobs.post(JOBS, {"do": f"retry:{dead.pk}", "job": [other.pk]}, follow=True)
    assert "1 job put back in line" in answer.text
    assert (state_of(dead), state_of(other)) == ("ready", "dead")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.ref_id) == ("operate:job:retried", str(bob.pk), str(dead.pk))


def test_many_are_discarded_at_once_and_put_back_by_undo(bobs):
    dead = [job() for _ in range(3)]
    answer = bobs.post(JOBS, {"do": "discard", "job": [one.pk for one in dead]}, follow=True)
    assert "3 jobs discarded" in answer.text
    assert "No dead letters" in answer.text
    undo = f"{JOBS}restore/?jobs={'.'.join(str(one.pk) for one in dead)}"
    assert undo in answer.text.replace("&amp;", "&")
    assert "3 jobs put back" in bobs.post(undo, {"next": JOBS}, follow=True).text
    assert {state_of(one) for one in dead} == {"dead"}
    verbs = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert verbs == ["operate:job:discarded"] * 3 + ["operate:job:restored"] * 3


def test_a_discarded_job_is_put_back_from_its_tab_long_after_the_toast(bobs):
    gone = job("discarded", ago=86_400 * 20)
    assert f"job-{gone.pk}" in page_of(bobs, "?state=discarded")
    bobs.post(f"{JOBS}?state=discarded", {"do": f"restore:{gone.pk}"})
    assert state_of(gone) == "dead"


def test_all_that_match_are_retried_in_the_background_those_that_died_since_are_not(bobs):
    old = [job(ago=60) for _ in range(130)]
    other = job(kind="core.prune", args={}, ago=60)
    shown = clock.now() - dt.timedelta(seconds=30)
    since = job()
    page = page_of(bobs, "?kind=tests.mail")
    assert "All 131 that match" in page
    answer = bobs.post(f"{JOBS}?kind=tests.mail", {"do": "retry", "every": shown.isoformat()}, follow=True)
    assert "130 jobs are being put back in line" in answer.text
    jobs.run_due_jobs(tick=False)
    assert not Job.objects.filter(pk__in=[one.pk for one in old]).exists(), "they ran"
    assert (state_of(since), state_of(other)) == ("dead", "dead")
    entry = AuditEntry.objects.get()
    assert (entry.action, json.loads(entry.after)) == (
        "operate:dead_letters:retried", {"kind": "tests.mail", "count": 130},
    )  # fmt: skip


@pytest.mark.parametrize("every", ["", "yesterday", "2026-11-23T09:00:00"])
def test_a_list_that_nobody_knows_is_not_changed(bobs, every):
    dead = job()
    answer = bobs.post(JOBS, {"do": "discard", "every": every}, follow=True)
    assert "does not know what to do" in answer.text
    assert state_of(dead) == "dead"


def test_a_planned_job_is_put_first_in_line(bobs):
    planned = job("ready", ago=-3600)
    bobs.post(f"{JOBS}?state=waiting", {"do": f"hurry:{planned.pk}"})
    assert Job.objects.get(pk=planned.pk).run_at <= clock.now()


@pytest.mark.parametrize(
    "form", [{}, {"do": "retry"}, {"do": "explode", "job": 1}, {"do": "retry:x"}, {"do": "retry:99"}]
)
def test_a_form_that_makes_no_sense_changes_nothing(bobs, form):
    dead = job()
    assert bobs.post(JOBS, form, follow=True).status_code == 200
    assert state_of(dead) == "dead"
    assert not AuditEntry.objects.exists()


def test_the_part_that_htmx_asks_for_comes_with_its_toast(bobs):
    dead = job()
    answer = bobs.post(JOBS, {"do": f"discard:{dead.pk}"}, headers={"HX-Request-Type": "partial"})
    assert "<html" not in answer.text
    toast = json.loads(answer["HX-Trigger"])["ui:toast"]
    assert toast == {"text": "1 job discarded", "level": "success", "undo": f"{JOBS}restore/?jobs={dead.pk}"}


def test_pages_hear_of_dead_letters(bobs):
    job()
    jobs.enqueue("core.react", fact=1, reaction="gone")
    jobs.run_due_jobs(tick=False)
    assert Job.objects.filter(state="dead", kind="core.react").exists()
    assert Topic.objects.filter(name="jobs.dead").exists()
    counts = bobs.get(f"{JOBS}counts/?state=dead").text
    assert 'Dead letters <span class="count">2</span>' in counts


def test_pages_follow_each_other_without_a_gap_or_a_repetition(bobs):
    rows = [job(ago=n // 2) for n in range(60)]
    first = page_of(bobs)
    query = first.partition('rel="next" href="/settings/jobs/')[2].partition('"')[0].replace("&amp;", "&")
    second = page_of(bobs, query)
    shown = [row.pk for row in rows for page in (first, second) if f'"job-{row.pk}"' in page]
    assert sorted(shown) == [row.pk for row in rows]
    assert "Newer" in second


@pytest.mark.parametrize("query", ["?state=asleep", "?cursor=x", "?cursor=WyJ4IiwxLGZhbHNlXQ"])
def test_an_address_that_means_nothing_is_refused_with_a_way_back(bobs, query):
    answer = bobs.get(JOBS + query)
    assert answer.status_code == 400
    assert f'href="{JOBS}"' in answer.text


def test_a_job_that_is_done_is_gone(bobs):
    assert bobs.get(f"{JOBS}4711/").status_code == 404
    assert bobs.get(f"{JOBS}99999999999999999999/").status_code == 404


def test_periodic_jobs_say_when_they_run_and_run_now(bobs, bob):
    now = clock.now()
    Periodic.objects.create(
        kind="core.prune", schedule="23 3 * * *", next_run=now + dt.timedelta(hours=5), last_run=None
    )
    Periodic.objects.create(kind="gone.since", schedule="0:05:00", next_run=now, last_run=now)
    page = bobs.get(f"{JOBS}periodic/").text
    assert "At 03:23 every day, UTC" in page
    assert "Not part of this version" in page
    answer = bobs.post(f"{JOBS}periodic/", {"kind": "core.prune"}, follow=True)
    assert "core.prune runs now" in answer.text
    assert Job.objects.get().unique_key == "periodic:core.prune"
    assert AuditEntry.objects.get().action == "operate:periodic_job:started"
    assert (
        "No function runs jobs of kind gone.since"
        in bobs.post(f"{JOBS}periodic/", {"kind": "gone.since"}, follow=True).text
    )


def test_schedules_are_told_in_words():
    assert schedule_words(dt.timedelta(minutes=5)) == "every 5 min"
    assert schedule_words("0 9 * * 1") == "At 09:00 on Monday, UTC"
    assert schedule_words("0:05:00") == "0:05:00"


def test_who_may_look_may_not_always_change(signed_in):
    dead = job()
    viewer = signed_in(make.member("Vera", role=Membership.Role.VIEWER))
    page = page_of(viewer)
    assert f"job-{dead.pk}" in page
    assert "checkbox" not in page
    answer = viewer.post(JOBS, {"do": f"retry:{dead.pk}"})
    assert answer.status_code == 403
    assert "Owner, Admin or Engineer" in answer.text


def test_a_long_list_costs_what_a_short_one_does(bobs):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            page = page_of(bobs)
        return len(captured), len(page)

    job(error="x" * 300)
    few, _ = cost()
    for n in range(120):
        job(error=f"{n} " + "x" * 295, kind=f"tests.{n % 30}")
    many, size = cost()
    assert many == few
    assert size < 60_000
