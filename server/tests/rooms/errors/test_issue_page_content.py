"""What the pages of one error tell."""

import datetime as dt
import json
import re

import make
import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from rooms.errors import happen

from daytwo_server.core import clock
from daytwo_server.errors import services
from daytwo_server.errors.models import Issue

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


def test_the_header_says_what_it_is_and_where(read, shop):
    one = happen.issue(shop, "KeyError", "'vat_id'", level="fatal")
    page = read(f"/errors/{one.pk}")
    header = page.partition('class="page-header')[2].partition("</form>")[0]
    for words in (
        "KeyError: &#x27;vat_id&#x27;",
        "billing/checkout.py in keyerror",
        "Unhandled",
        "fatal",
        "Resolve",
        "Ignore",
        "Assign",
    ):
        assert words in header, words
    assert page.count("button--primary") == 1
    assert "ERR-" in page


def test_among_many_members_the_owner_is_named_and_not_listed(bob, signed_in, shop):
    people = [make.member(f"Member {number}") for number in range(30)]
    one = happen.issue(shop)
    client = signed_in(bob)
    page = client.get(f"/errors/{one.pk}").content.decode()
    assert people[3].email not in page
    assert 'name="assignee"' in page
    client.post(f"/errors/{one.pk}", {"do": "assign", "assignee": people[3].email})
    assert Issue.objects.get(pk=one.pk).assignee == people[3]


def test_breadcrumbs_that_hold_data_alone_are_told_too(read, shop):
    crumbs = [
        {
            "type": "http",
            "category": "xhr",
            "timestamp": 1763900000,
            "data": {"method": "GET", "url": "/api/weeks", "status_code": 500, "size": 12},
        },
        {"category": "navigation", "data": {"from": "/cart", "to": "/checkout"}},
        {"category": "console", "level": "warning", "message": "slow", "data": {"arguments": ["a", {"b": 1}]}},
        {"category": "odd", "data": [1, 2]},
    ]
    one = happen.issue(shop, breadcrumbs={"values": crumbs})
    told = happen.section(read(f"/errors/{one.pk}"), "Breadcrumbs")
    for words in ("GET /api/weeks 500", "size", "/cart → /checkout", "slow", "arguments", "odd"):
        assert words in told, words


def test_many_breadcrumbs_show_the_last_ones_first_hand(read, shop):
    one = happen.issue(shop, breadcrumbs=[{"category": "step", "message": f"number {n}"} for n in range(40)])
    told = happen.section(read(f"/errors/{one.pk}"), "Breadcrumbs")
    assert "25 earlier" in told
    assert told.index("number 0<") < told.index("number 39<")


def test_everything_the_event_carries_is_on_the_page(read, shop):
    one = happen.issue(
        shop,
        request={
            "url": "https://shop.example/pay",
            "method": "POST",
            "headers": {"Host": "shop.example"},
            "data": {"amount": 5},
            "query_string": "a=1&b=2",
            "cookies": {"lang": "de"},
            "env": {"SERVER_PORT": "443"},
        },
        user={"id": "42", "email": "dana@example.com", "plan": "business"},
        tags={"country": "DE"},
        extra={"order": {"id": 7}},
        modules={"django": "5.2"},
        contexts={
            "runtime": {"name": "CPython", "version": "3.12"},
            "flags": {"values": [{"flag": "checkout", "result": True}]},
        },
    )
    page = read(f"/errors/{one.pk}")
    for title, words in {
        "Request": ("POST", "https://shop.example/pay", "shop.example", "amount", "a=1&amp;b=2", "SERVER_PORT"),
        "User": ("dana@example.com", "business"),
        "Tags": ("country", "DE"),
        "Flags": ("checkout", "on"),
        "Contexts": ("runtime", "CPython"),
        "Extra": ("order",),
    }.items():
        card = happen.section(page, title)
        for word in words:
            assert word in card, (title, word)
    assert "1 installed package" in page
    assert "sentry.python 2.75.0" in page


def test_a_part_without_data_is_absent(read, shop):
    (event,) = happen.send(shop, {"message": "bare"})
    page = read(f"/errors/{event.issue}")
    for title in (
        "Breadcrumbs",
        "Request",
        "User",
        "Tags",
        "Flags",
        "Contexts",
        "Extra",
        "Stack trace",
        "Threads",
        "Affected customers",
    ):
        assert not re.search(rf"<h2[^>]*>{title}", page), title


def test_the_reasons_of_the_grouping_stand_beside_it(read, shop):
    one = happen.issue(shop)
    assert one.explanation["summary"] in read(f"/errors/{one.pk}").replace("&#x27;", "'")


def test_affected_customers_are_named_with_their_events_and_linked(read, shop):
    for _ in range(2):
        happen.issue(shop, "Same", user={"id": "42", "name": "Brightside Dental"})
    happen.issue(shop, "Same", user={"id": "7", "name": "Atelier Nord"})
    happen.issue(shop, "Same", user={"ip_address": "203.0.113.7"})
    page = read(f"/errors/{Issue.objects.get().pk}")
    rail = page.partition("Affected customers")[2].partition("</section>")[0]
    assert "3 users" in rail
    assert re.findall(r">([\w ]+)</a><span[^>]*>(\d) events?<", rail) == [
        ("Brightside Dental", "2"),
        ("Atelier Nord", "1"),
    ]
    assert 'href="/customers/' in rail


@pytest.mark.parametrize(("chosen", "total"), [("2h", 1), ("24h", 2), ("14d", 3), ("nonsense", 2)])
def test_the_histogram_counts_the_chosen_time(chosen, total, read, shop):
    now = clock.now()
    for hours in (0, 5, 100, 24 * 20):
        happen.issue(shop, "Same", at=now - dt.timedelta(hours=hours))
    page = read(f"/errors/{Issue.objects.get().pk}?range={chosen}")
    assert f'aria-label="{total} events in ' in page


def test_a_release_that_began_in_this_time_is_marked_in_the_histogram(read, shop):
    one = happen.issue(shop, release="shop@2.0.1")
    assert ">2.0.1</text>" in read(f"/errors/{one.pk}")


def test_of_releases_at_one_moment_the_latest_is_marked(read, shop):
    for version in ("1.0", "1.1", "1.2"):
        one = happen.issue(shop, "Same", release=version)
    page = read(f"/errors/{one.pk}")
    assert ">1.2</text>" in page
    assert ">1.1</text>" not in page


def test_one_event_leads_to_the_next_older_and_newer(bob, signed_in, shop):
    now = clock.now()
    ids = [f"{n:032x}" for n in range(3)]
    for n, event_id in enumerate(ids):
        happen.issue(shop, "Same", at=now + dt.timedelta(seconds=n), event_id=event_id)
    base = f"/errors/{Issue.objects.get().pk}/events"
    client = signed_in(bob)
    middle = client.get(f"{base}/{ids[1]}").content.decode()
    assert f'href="{base}/{ids[0]}" aria-label="Older event"' in middle
    assert f'href="{base}/{ids[2]}" aria-label="Newer event"' in middle
    assert "Newer event" not in client.get(f"{base}/{ids[2]}").content.decode()
    assert client.get(f"{base}/{'f' * 32}").status_code == 404


def test_an_event_of_another_error_is_not_found_here(bob, signed_in, shop):
    one, two = happen.issue(shop, "One"), happen.issue(shop, "Two")
    assert signed_in(bob).get(f"/errors/{one.pk}/events/{happen.event_of(two).event_id}").status_code == 404


def test_all_events_are_listed_latest_first(read, bob, signed_in, shop):
    now = clock.now()
    for n in range(60):
        happen.issue(shop, "Same", f"attempt {n}", at=now + dt.timedelta(seconds=n), user={"id": "42", "name": "Dana"})
    base = f"/errors/{Issue.objects.get().pk}/events"
    page = read(base)
    assert page.index("attempt 59") < page.index("attempt 10")
    assert "attempt 9<" not in page
    assert ">Dana</a>" in page
    older = re.search(r'rel="next" href="([^"]*)"', page)[1]
    assert "attempt 9<" in read(older)
    assert signed_in(bob).get(f"{base}?cursor=nonsense").status_code == 400


def test_tags_tell_how_the_events_divide(read, shop):
    for country, count in (("DE", 3), ("FR", 1)):
        for _ in range(count):
            happen.issue(shop, "Same", tags={"country": country})
    page = read(f"/errors/{Issue.objects.get().pk}/tags")
    card = happen.section(page, "country")
    assert card.index(">DE<") < card.index(">FR<")
    assert "2 values" in card
    assert "?status=all&amp;query=country:%22DE%22" in card


def test_a_tag_with_a_value_for_every_event_is_cut_and_says_so(read, shop, monkeypatch):
    monkeypatch.setattr("daytwo_server.errors.selectors.facets.MAX_VALUES", 20)
    happen.send(shop, *(happen.payload("Same", tags={"request": f"r{n}", "zone": "a"}) for n in range(30)))
    card = happen.section(read(f"/errors/{Issue.objects.get().pk}/tags"), "request")
    assert "more than 20 values" in card
    assert "zone" in read(f"/errors/{Issue.objects.get().pk}/tags")


def test_activity_tells_who_did_what(read, bob, shop):
    one = happen.issue(shop, "Same")
    services.assign([one.pk], bob.email, actor=make.alice())
    services.resolve([one.pk], actor=bob)
    happen.issue(shop, "Same", at=clock.now() + dt.timedelta(seconds=5), release="2.0")
    page = read(f"/errors/{one.pk}/activity")
    told = re.sub(r"<[^>]+>", "", page.partition('aria-label="Activity"')[2])
    order = [
        told.index(words)
        for words in ("Came back in 2.0", "Bob resolved it", "Alice assigned it to Bob", "Seen for the first time")
    ]
    assert order == sorted(order)


def test_the_raw_event_is_scrubbed_json(bob, signed_in, shop):
    one = happen.issue(shop, extra={"password": "hunter2"})
    response = signed_in(bob).get(f"/errors/{one.pk}/events/{happen.event_of(one).event_id}.json")
    assert response["Content-Type"] == "application/json"
    assert "hunter2" not in response.content.decode()
    assert json.loads(response.content)["exception"]["values"][0]["type"] == "KeyError"


def test_the_markdown_holds_what_somebody_needs_to_look_for_the_cause(bob, signed_in, shop):
    one = happen.issue(
        shop,
        "KeyError",
        "'vat_id'",
        release="shop@1.4",
        tags={"country": "DE"},
        breadcrumbs=[{"category": "q", "message": "SELECT"}],
        request={"url": "https://shop.example/pay", "method": "POST"},
        extra={"note": "```\n# not a heading"},
    )
    response = signed_in(bob).get(f"/errors/{one.pk}/events/{happen.event_of(one).event_id}.md")
    text = response.content.decode()
    assert response["Content-Type"].startswith("text/markdown")
    assert text.startswith(f"# ERR-{one.pk}: KeyError: 'vat_id'")
    for words in (
        f"http://testserver/errors/{one.pk}/events/",
        "shop@1.4",
        "country: DE",
        "SELECT",
        "POST https://shop.example/pay",
        "line 118, in keyerror",
    ):
        assert words in text, words
    assert "\n# not a heading" not in text


def test_new_events_are_announced_on_the_page(bob, signed_in, shop):
    one = happen.issue(shop, "Same")
    client = signed_in(bob)
    url = re.search(r'hx-get="([^"]*news[^"]*)"', client.get(f"/errors/{one.pk}").content.decode())[1]
    assert client.get(url).content == b""
    happen.issue(shop, "Same")
    assert "1 new event. Show the latest" in client.get(url).content.decode()


def test_a_thousand_events_cost_as_many_queries_as_one(bob, signed_in, shop):
    client = signed_in(bob)

    def cost(address):
        with (
            CaptureQueriesContext(connections["default"]) as one,
            CaptureQueriesContext(connections["telemetry"]) as two,
        ):
            assert client.get(address).status_code == 200
        return len(one) + len(two)

    now = clock.now()
    for seconds in range(3):  # an older and a newer one
        happen.issue(shop, "Same", at=now - dt.timedelta(seconds=seconds), user={"id": "0"}, tags={"a": "0"})
    base = f"/errors/{Issue.objects.get().pk}"
    pages = [base, f"{base}/events", f"{base}/tags", f"{base}/activity"]
    client.get(base)
    before = [cost(page) for page in pages]
    many = [
        happen.payload("Same", user={"id": str(n)}, tags={"a": str(n), f"b{n % 9}": "x"}, function="same")
        for n in range(1000)
    ]
    happen.send(shop, *many, at=now + dt.timedelta(minutes=1))
    assert Issue.objects.get().count == 1003
    assert [cost(page) for page in pages] == before
    assert max(before) <= 19


def test_text_from_outside_is_escaped_everywhere(bob, signed_in, shop):
    evil = '"><script>alert(1)</script>'
    one = happen.issue(
        shop,
        evil,
        evil,
        release=evil,
        environment=evil,
        transaction=evil,
        tags={evil: evil},
        user={"id": evil, "name": evil},
        breadcrumbs=[{"category": evil, "message": evil, "data": {evil: evil}}],
        extra={evil: evil},
        contexts={evil: {evil: evil}},
        request={"url": evil, "method": evil, "headers": {evil: evil}},
        function=evil,
        modules={evil: evil},
    )
    client = signed_in(bob)
    for address in (
        "/errors",
        f"/errors/{one.pk}",
        f"/errors/{one.pk}?frames=all",
        f"/errors/{one.pk}?frames=raw",
        f"/errors/{one.pk}/tags",
        f"/errors/{one.pk}/events",
    ):
        assert "<script>alert" not in client.get(address).content.decode()
