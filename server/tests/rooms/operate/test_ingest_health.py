"""The page that says what arrives, what is kept and what is lost."""

import dataclasses
import datetime as dt
import re
import shutil

import make
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from daytwo_server.accounts.models import Membership
from daytwo_server.core import clock, conf
from daytwo_server.ingest.jobs import merge_counts
from daytwo_server.ingest.models import ItemCount
from daytwo_server.ingest.selectors import NOT_STORED_YET
from daytwo_server.operate.jobs import measure_stores
from daytwo_server.operate.models import StoreSize
from daytwo_server.operate.web import words

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


def count(n, item="event", outcome="arrived", reason="", *, project=None, sdk="sentry.python/2.75.0", hours_ago=0):
    hour = clock.now().replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=hours_ago)
    ItemCount.objects.create(
        hour=hour,
        project_id=project.pk if project else 0,
        item_type=item,
        sdk=sdk,
        outcome=outcome,
        reason=reason,
        count=n,
    )


@pytest.fixture
def look(bob, signed_in, tmp_path, monkeypatch):
    """The page on a machine whose spool is empty and whose disk is large enough."""
    (tmp_path / "spool").mkdir()
    calm = dataclasses.replace(conf.current(), data_dir=tmp_path, min_free_disk_mb=0)
    monkeypatch.setattr(conf, "_current", calm)
    client = signed_in(bob)

    def page(query="", **settings):
        monkeypatch.setattr(conf, "_current", dataclasses.replace(calm, **settings))
        response = client.get(f"/settings/ingest/{query}")
        assert response.status_code == 200
        return response.content.decode()

    return page


def test_nothing_arrived_yet_leads_to_the_projects(look):
    page = look()
    assert "Nothing arrived" in page
    assert "nothing, as it should be" in page
    assert 'href="/projects/"' in page


def test_kinds_are_named_and_counted_by_what_became_of_them(look):
    shop = make.project("Shop")
    count(1200, project=shop)
    count(1190, outcome="stored", project=shop)
    count(10, outcome="dropped", reason="rate_limit", project=shop)
    page = look()
    row = page.partition(">Errors and messages</td>")[2].partition("</tr>")[0]
    assert [">1,200<" in row, ">1,190<" in row, ">10<" in row] == [True] * 3
    assert "The key sent faster than its rate." in page
    assert "Raise the limits of the key" in page
    assert 'href="/projects/shop/"' in page


def test_kinds_that_are_not_stored_yet_are_said_so_and_are_no_loss(look):
    count(12400, "span")
    count(12400, "span", "dropped", "not_stored_yet")
    page = look()
    assert "Spans: 12,400 arrived, not stored yet." in page
    assert "What was lost" not in page
    assert "nothing, as it should be" in page


def test_duplicates_are_no_loss(look):
    count(3, outcome="dropped", reason="duplicate")
    assert "What was lost" not in look()


def test_losses_without_a_key_name_no_project(look):
    count(4, "request", "dropped", "unknown_key")
    page = look()
    assert "The key is not known here." in page
    assert "unknown" in page.partition("What was lost")[2]


def test_a_reason_and_a_kind_that_nobody_described_are_shown_as_they_are(look):
    count(4, "hologram", "dropped", "bad_weather")
    page = look()
    assert "hologram" in page
    assert "Bad weather." in page


def test_the_range_can_be_a_week(look):
    count(5, hours_ago=30)
    assert "Nothing arrived" in look()
    assert ">5<" in look("?range=7d")
    assert "Nothing arrived" in look("?range=nonsense")


def test_senders_are_listed_by_sdk(look):
    shop = make.project("Shop")
    count(7, project=shop)
    count(9, sdk="sentry.javascript.browser/11.12.0", project=shop)
    senders = look().partition("Who sent it")[2]
    first, second = senders.split("</tr>")[1:3]
    assert ("sentry.javascript.browser" in first, ">11.12.0<" in first, ">9<" in first) == (True, True, True)
    assert ("sentry.python" in second, ">2.75.0<" in second, ">7<" in second) == (True, True, True)


def test_one_project_can_be_looked_at_alone(look):
    shop, _ = make.project("Shop"), make.project("Blog")
    count(7, project=shop)
    count(900, "transaction")
    assert ">900<" in look()
    page = look("?project=shop")
    assert (">7<" in page, ">900<" in page) == (True, False)


def test_a_project_that_does_not_exist_is_refused_with_a_way_back(bob, signed_in):
    answer = signed_in(bob).get("/settings/ingest/?project=nowhere")
    assert answer.status_code == 400
    assert "There is no project nowhere." in answer.text


@pytest.mark.parametrize(("query", "bars"), [("", 24), ("?range=7d", 7), ("?range=30d", 30)])
def test_the_course_of_things_is_drawn_and_written_as_a_table(look, query, bars):
    count(1200)
    count(1100, outcome="stored")
    count(60, outcome="dropped", reason="duplicate")
    count(40, outcome="dropped", reason="rate_limit")
    page = look(query)
    assert "1,200 arrived, 40 were lost" in page
    assert "1,100 stored, 60 counted only, 40 lost" in page
    table = page.partition("As a table")[2].partition("</table>")[0]
    assert table.count("<tr>") == bars + 1
    for number in ("1,200", "1,100", "60", "40"):
        assert f">{number}<" in table


def sample(hours_ago, megabytes):
    at = clock.now() - dt.timedelta(hours=hours_ago)
    StoreSize.objects.create(at=at, default_bytes=megabytes * 400_000, telemetry_bytes=megabytes * 600_000)


def days_left(page):
    return page.partition(">Days left<")[2].partition("</div>")[0]


def test_how_long_the_disk_lasts_is_told_once_there_is_a_day_of_samples(look, monkeypatch):
    assert "known after a day of samples" in days_left(look())
    sample(12, 100)
    sample(0, 150)
    assert "known after a day of samples" in days_left(look())
    sample(48, 50)
    told = days_left(look())
    if connection.vendor == "postgresql":
        assert "the disk is the database" in told
    else:
        free = shutil.disk_usage(conf.current().data_dir).free
        days = int(re.search(r">([\d,]+)<", told)[1].replace(",", ""))
        assert days == pytest.approx(free / 50_000_000, rel=0.02)  # 100 MB in two days


def test_stores_that_do_not_grow_are_enough(look):
    sample(30, 100)
    sample(0, 90)
    assert ("Enough" in days_left(look())) == (connection.vendor == "sqlite")


def test_the_stores_are_measured_every_hour_and_old_samples_go():
    sample(24 * 40, 1)
    measure_stores()
    [size] = StoreSize.objects.all()
    assert size.default_bytes > 100_000
    assert size.telemetry_bytes > 1000


def test_hours_older_than_a_day_become_days_and_nothing_is_lost(monkeypatch):
    at = clock.now().replace(hour=10, minute=30, second=0, microsecond=0)
    monkeypatch.setattr(clock, "now", lambda: at)
    shop, midnight = make.project("Shop"), at.replace(hour=0, minute=0)
    before = [(days, hour) for days in (1, 2, 9) for hour in (0, 9, 10, 23)]
    for days, hour in [*before, (0, 0), (0, 9), (0, 10)]:
        for outcome in ("arrived", "stored"):
            ItemCount.objects.create(
                hour=midnight + dt.timedelta(hours=hour - 24 * days), project_id=shop.pk, item_type="event",
                sdk="sentry.python/2.75.0", outcome=outcome, reason="", count=10 + hour,
            )  # fmt: skip
    merge_counts()
    merge_counts()
    rows = ItemCount.objects.filter(outcome="stored").order_by("hour").values_list("hour", "count")
    assert [((hour - midnight) // dt.timedelta(hours=1), count) for hour, count in rows] == [
        (-9 * 24, 82), (-2 * 24, 82), (-24, 10 + 19), (-14, 20), (-1, 33), (0, 10), (9, 19), (10, 20),
    ]  # fmt: skip


def test_the_old_address_leads_here(bob, signed_in):
    answer = signed_in(bob).get("/operate/ingest", follow=True)
    assert answer.redirect_chain[-1][0] == "/settings/ingest/"
    assert answer.status_code == 200


def test_many_counts_cost_no_more_queries_than_few(bob, signed_in):
    client = signed_in(bob)

    def cost():
        with CaptureQueriesContext(connection) as captured:
            page = client.get("/settings/ingest/?range=7d").text
        return len(captured), len(page)

    count(1, project=make.project())
    few, _ = cost()
    for n in range(60):
        count(n + 1, "event", "dropped", f"reason_{n}", project=make.project(), sdk=f"sdk.{n}/{n}", hours_ago=n)
    many, size = cost()
    assert many == few
    assert size < 60_000


def test_a_full_disk_is_said_loudly(look):
    assert "Everything is being refused" not in look()
    assert "Everything is being refused" in look(min_free_disk_mb=10_000_000)


def test_a_digest_that_cannot_write_is_said_loudly(look, tmp_path):
    from daytwo_server.ingest.status import DigestStatus

    DigestStatus(tmp_path / "spool" / "digest.json").failed("the disk is full")
    page = look()
    assert "the disk is full" in page
    assert "not lost" in page


@pytest.mark.parametrize("role", list(Membership.Role))
def test_every_member_may_look(role, signed_in):
    assert signed_in(make.member("Vera", role=role)).get("/settings/ingest/").status_code == 200


def test_charlie_finds_nothing_here(charlie, signed_in):
    assert signed_in(charlie).get("/settings/ingest/").status_code == 404


def test_every_reason_that_intake_gives_has_words():
    """Reasons are passed as literals all over intake; the page must know each of them."""
    from pathlib import Path

    from daytwo_server import ingest

    source = "".join(path.read_text() for path in Path(ingest.__file__).parent.rglob("*.py"))
    given = set(re.findall(r'reason="(\w+)"', source)) | set(re.findall(r'"dropped", "(\w+)"', source))
    assert given <= set(words.REASONS) | {NOT_STORED_YET}
