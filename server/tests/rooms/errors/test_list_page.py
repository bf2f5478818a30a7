"""What the list of errors shows."""

import datetime as dt
import re

import make
import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from rooms.errors import happen

from daytwo_server.core import clock, conf
from daytwo_server.errors import services
from daytwo_server.errors.models import Issue

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


def queries(call):
    """How many statements a call sends to both stores."""
    with CaptureQueriesContext(connections["default"]) as one, CaptureQueriesContext(connections["telemetry"]) as two:
        call()
    return len(one) + len(two)


def test_a_row_says_what_where_how_often_and_since_when(bob, signed_in, shop):
    make.project("Website")  # where there is one project alone, no row repeats its name
    one = happen.issue(shop, "KeyError", "'vat_id'", release="shop@1.4", user={"id": "42"})
    services.assign([one.pk], bob.email, actor=bob)
    page = signed_in(bob).get("/errors").content.decode()
    row = page.partition('<tr id="ERR-')[2].partition("<tr ")[0]
    for words in (
        "KeyError",
        "&#x27;vat_id&#x27;",
        "billing/checkout.py in keyerror",
        "Shop",
        "shop@1.4",
        "New",
        "Unhandled",
        "Bob",
    ):
        assert words in row, words
    assert 'aria-label="1 events in 24 hours"' in row
    assert f'href="/errors/{one.pk}"' in row


def test_an_error_that_came_back_is_marked_and_its_bars_are_red_since_then(bob, signed_in, shop):
    now = clock.now()
    one = happen.issue(shop, "Back", at=now - dt.timedelta(hours=30))
    services.resolve([one.pk], actor=bob)
    Issue.objects.update(status_at=now - dt.timedelta(hours=20))
    happen.issue(shop, "Back", at=now)
    row = signed_in(bob).get("/errors").content.decode().partition('<tr id="ERR-')[2].partition("<tr ")[0]
    assert "Regressed" in row
    assert ">New<" not in row
    assert row.count('class="hot"') == 1


def test_bars_are_those_of_the_last_24_hours(bob, signed_in, shop):
    now = clock.now()
    for hours in (0, 0, 1, 5, 30):
        happen.issue(shop, "Same", at=now - dt.timedelta(hours=hours))
    assert 'aria-label="4 events in 24 hours"' in signed_in(bob).get("/errors").content.decode()


def test_fifty_errors_cost_as_many_queries_as_one(bob, signed_in, shop):
    client = signed_in(bob)
    happen.issue(shop, "E0", user={"id": "0"}, release="1")
    client.get("/errors")
    one = queries(lambda: client.get("/errors"))
    for number in range(1, 50):
        happen.issue(shop, f"E{number}", user={"id": str(number)}, release=str(number))
    services.assign(Issue.objects.values_list("pk", flat=True)[:20], bob.email, actor=bob)
    assert queries(lambda: client.get("/errors")) == one <= 14


def test_without_a_project_the_list_leads_to_creating_one(bob, signed_in):
    page = signed_in(bob).get("/errors").content.decode()
    assert "No project yet" in page
    assert 'href="/projects/"' in page


def test_without_an_event_the_list_leads_to_setting_the_project_up(bob, signed_in, shop):
    page = signed_in(bob).get("/errors").content.decode()
    assert "No error has arrived yet" in page
    assert 'href="/projects/shop/"' in page
    happen.issue(make.project("Blog"))
    assert "No error has arrived yet" in signed_in(bob).get("/errors?project=shop").content.decode()


def test_a_list_filtered_to_nothing_says_which_filter_stands_in_the_way(bob, signed_in, shop):
    happen.issue(shop, level="warning")
    response = signed_in(bob).get("/errors?level=fatal&query=country:XX")
    assert "Taking away one filter does not help" in response.content.decode()
    response = signed_in(bob).get("/errors?level=fatal&project=shop")
    assert [way["name"] for way in response.context["empty"]["ways"]] == ["level"]
    assert "Nothing matches all filters" in response.content.decode()


def test_when_everything_is_resolved_the_list_says_so(bob, signed_in, shop):
    services.resolve([happen.issue(shop).pk], actor=bob)
    client = signed_in(bob)
    assert "Nothing is unresolved" in client.get("/errors").content.decode()
    assert "No error is in this state" in client.get("/errors?status=ignored").content.decode()


def test_htmx_gets_the_list_alone(bob, signed_in, shop):
    happen.issue(shop)
    response = signed_in(bob).get("/errors", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert "KeyError" in response.content.decode()
    assert "<html" not in response.content.decode()
    assert "HX-Request-Type" in response["Vary"]


def news_after(client, page):
    url = re.search(r'hx-get="([^"]*news[^"]*)"', page)[1].replace("&amp;", "&")
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_what_happens_after_the_list_was_made_is_announced_and_moves_no_row(bob, signed_in, shop):
    now = clock.now()
    happen.issue(shop, "Old", at=now - dt.timedelta(minutes=5))
    client = signed_in(bob)
    page = client.get("/errors").content.decode()
    assert news_after(client, page) == ""
    happen.issue(shop, "Brand", at=now)
    happen.issue(shop, "Old", at=now)
    assert "1 new, 1 with new events. Show" in news_after(client, page)


def test_news_are_those_of_the_filter(bob, signed_in, shop):
    happen.issue(shop, "Old")
    client = signed_in(bob)
    page = client.get("/errors?level=error").content.decode()
    happen.issue(shop, "Brand", level="warning")
    assert news_after(client, page) == ""


@pytest.mark.parametrize("mark", ["", "x", "1.x", ".5", "1.", "-1.5", "9" * 19 + ".5", "1." + "9" * 18])
def test_a_mark_that_makes_no_sense_is_refused_in_words(mark, bob, signed_in, shop):
    response = signed_in(bob).get("/errors/news", {"mark": mark})
    assert response.status_code == 400
    assert response["Content-Type"] == "text/plain"


def test_the_greatest_mark_there_can_be_has_no_news(bob, signed_in, shop):
    happen.issue(shop)
    assert signed_in(bob).get("/errors/news", {"mark": "9" * 18 + "." + "9" * 17}).content == b""


def test_the_list_says_when_new_events_are_refused(bob, signed_in, shop, monkeypatch):
    import dataclasses

    full = dataclasses.replace(conf.current(), min_free_disk_mb=10_000_000)
    monkeypatch.setattr(conf, "_current", full)
    page = signed_in(bob).get("/errors").content.decode()
    assert "New events are being refused" in page
    assert 'href="/settings/ingest/"' in page
