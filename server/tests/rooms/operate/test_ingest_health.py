"""The page that says what arrives, what is kept and what is lost."""

import dataclasses
import datetime as dt

import make
import pytest

from daytwo_server.accounts.models import Membership
from daytwo_server.core import clock, conf
from daytwo_server.ingest.models import ItemCount
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
        response = client.get(f"/operate/ingest{query}")
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
    assert senders.index("sentry.javascript.browser/11.12.0") < senders.index("sentry.python/2.75.0")


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
    assert signed_in(make.member("Vera", role=role)).get("/operate/ingest/").status_code == 200


def test_charlie_finds_nothing_here(charlie, signed_in):
    assert signed_in(charlie).get("/operate/ingest").status_code == 404


def test_every_reason_that_intake_gives_has_words():
    """Reasons are passed as literals all over intake; the page must know each of them."""
    import re
    from pathlib import Path

    from daytwo_server import ingest

    source = "".join(path.read_text() for path in Path(ingest.__file__).parent.rglob("*.py"))
    given = set(re.findall(r'reason="(\w+)"', source)) | set(re.findall(r'"dropped", "(\w+)"', source))
    assert given <= set(words.REASONS) | {words.NOT_STORED_YET}
