"""Resolving, ignoring and assigning errors from their pages."""

import datetime as dt
import json

import make
import pytest
from django.test import Client
from rooms.errors import happen

from daytwo_server.accounts.models import Membership
from daytwo_server.core import clock
from daytwo_server.errors import services
from daytwo_server.errors.models import Activity, Issue

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def three(shop):
    return [happen.issue(shop, name) for name in ("One", "Two", "Three")]


def states():
    return dict(Issue.objects.values_list("type", "status"))


def test_the_ticked_errors_are_resolved_and_the_list_comes_again(bob, signed_in, three):
    response = signed_in(bob).post(
        "/errors?sort=first", {"do": "resolve", "issue": [three[0].pk, three[2].pk]}, follow=True
    )
    assert response.redirect_chain == [("/errors?sort=first", 302)]
    assert states() == {"One": "resolved", "Two": "unresolved", "Three": "resolved"}
    assert "2 errors resolved" in response.content.decode()
    assert 'action="/errors/undo?changes=' in response.content.decode()


@pytest.mark.parametrize(("verb", "state"), [("resolve", "resolved"), ("ignore", "ignored")])
def test_a_row_has_its_own_buttons(verb, state, bob, signed_in, three):
    signed_in(bob).post("/errors", {"do": f"{verb}:{three[1].pk}", "issue": [three[0].pk]})
    assert states() == {"One": "unresolved", "Two": state, "Three": "unresolved"}


def test_resolved_errors_can_be_opened_again(bob, signed_in, three):
    services.resolve([three[0].pk], actor=bob)
    signed_in(bob).post("/errors?status=resolved", {"do": "reopen", "issue": [three[0].pk]})
    assert states()["One"] == "unresolved"


def test_the_ticked_errors_become_mine(bob, signed_in, three):
    signed_in(bob).post("/errors", {"do": "assign", "assignee": "me", "issue": [one.pk for one in three[:2]]})
    assert list(Issue.objects.filter(assignee=bob).values_list("type", flat=True)) == ["One", "Two"]


def test_htmx_gets_the_list_without_the_rows_and_a_toast_with_undo(bob, signed_in, three):
    response = signed_in(bob).post("/errors", {"do": "resolve", "issue": [three[0].pk]}, headers=HTMX)
    assert response.status_code == 200
    page = response.content.decode()
    assert "<html" not in page
    assert f'id="ERR-{three[0].pk}"' not in page
    assert f'id="ERR-{three[1].pk}"' in page
    toast = json.loads(response["HX-Trigger"])["ui:toast"]
    assert toast["text"] == f"ERR-{three[0].pk} resolved"
    assert toast["undo"].startswith("/errors/undo?changes=")


def test_when_the_last_page_is_dealt_with_the_list_begins_again(bob, signed_in, shop):
    now = clock.now()
    for number in range(51):
        happen.issue(shop, f"E{number}", at=now - dt.timedelta(seconds=number))
    client = signed_in(bob)
    last = client.get("/errors").context["older"]
    (row,) = client.get(last).context["rows"]
    response = client.post(last, {"do": "resolve", "issue": [row["issue"].pk]}, headers=HTMX)
    assert len(response.context["rows"]) == 50


def test_undo_takes_back_everything_the_button_did(bob, signed_in, three):
    client = signed_in(bob)
    response = client.post("/errors", {"do": "ignore", "issue": [one.pk for one in three]}, headers=HTMX)
    undo = json.loads(response["HX-Trigger"])["ui:toast"]["undo"]
    back = client.post(undo, {"next": "/errors?sort=users"}, follow=True)
    assert back.redirect_chain == [("/errors?sort=users", 302)]
    assert "3 changes undone" in back.content.decode()
    assert set(states().values()) == {"unresolved"}
    again = client.post(undo, {"next": "/errors"}, follow=True)
    assert "Nothing was undone" in again.content.decode()


def test_nobody_undoes_what_somebody_else_did(bob, signed_in, three):
    (change,) = services.resolve([three[0].pk], actor=make.alice())
    signed_in(bob).post(f"/errors/undo?changes={change.pk}", {"next": "/errors"})
    assert states()["One"] == "resolved"


def test_undo_leads_nowhere_else(bob, signed_in, three):
    response = signed_in(bob).post("/errors/undo?changes=1", {"next": "https://elsewhere.example/"})
    assert response["Location"] == "/errors"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"do": "resolve"}, "Nothing is selected"),
        ({"do": "explode", "issue": ["1"]}, "does not know what to do"),
        ({"issue": ["1"]}, "does not know what to do"),
        ({"do": "resolve", "issue": ["x", "-1", "1e9", "9" * 30]}, "Nothing is selected"),
    ],
)
def test_a_form_that_says_nothing_changes_nothing_and_says_so(data, words, bob, signed_in, three):
    response = signed_in(bob).post("/errors", data, follow=True)
    assert words in response.content.decode()
    assert set(states().values()) == {"unresolved"}


def test_resolving_what_somebody_resolved_already_says_so_and_offers_no_undo(bob, signed_in, three):
    services.resolve([three[0].pk], actor=make.alice())
    response = signed_in(bob).post(f"/errors/{three[0].pk}", {"do": "resolve"}, follow=True)
    assert f"ERR-{three[0].pk} was resolved already" in response.content.decode()
    assert "/errors/undo" not in response.content.decode()


@pytest.mark.parametrize("page", ["", "/events", "/tags", "/activity"])
def test_every_page_of_an_error_can_resolve_it_and_stays_where_it_is(page, bob, signed_in, three):
    address = f"/errors/{three[0].pk}{page}"
    response = signed_in(bob).post(f"{address}?range=2h", {"do": "resolve"}, follow=True)
    assert response.redirect_chain == [(f"{address}?range=2h", 302)]
    assert states()["One"] == "resolved"
    assert "Reopen" in response.content.decode()


def test_htmx_gets_the_page_with_its_new_state(bob, signed_in, three):
    response = signed_in(bob).post(f"/errors/{three[0].pk}?frames=all", {"do": "ignore"}, headers=HTMX)
    page = response.content.decode()
    assert "Ignored" in page
    assert "<html" not in page
    assert "ui:toast" in response["HX-Trigger"]


def test_an_error_is_assigned_to_a_member_of_the_menu_and_taken_away_again(bob, signed_in, three):
    alice = make.alice()
    client = signed_in(bob)
    page = client.get(f"/errors/{three[0].pk}").content.decode()
    assert 'value="assign:alice@example.com"' in page
    client.post(f"/errors/{three[0].pk}", {"do": "assign:alice@example.com"})
    assert Issue.objects.get(pk=three[0].pk).assignee == alice
    client.post(f"/errors/{three[0].pk}", {"do": "assign:"})
    assert Issue.objects.get(pk=three[0].pk).assignee is None


def test_who_is_no_member_cannot_be_assigned(bob, charlie, signed_in, three):
    response = signed_in(bob).post(f"/errors/{three[0].pk}", {"do": f"assign:{charlie.email}"}, follow=True)
    assert "is no member of this workspace" in response.content.decode()
    assert not Activity.objects.filter(kind="assigned").exists()


# -- all that match


@pytest.fixture
def many(shop):
    """Sixty errors, every second of them a warning."""
    now = clock.now()
    for number in range(60):
        happen.issue(
            shop, f"E{number}", at=now - dt.timedelta(minutes=number), level="error" if number % 2 else "warning"
        )
    return Issue.objects.order_by("-last_seen")


def test_a_list_of_several_pages_offers_all_that_match_and_one_page_does_not(bob, signed_in, many):
    client = signed_in(bob)
    newest = Issue.objects.order_by("-pk")[0].pk
    page = client.get("/errors").content.decode()
    assert f'name="every" value="{newest}" data-tick-every="60"> All 60 that match' in page
    assert 'name="every"' not in client.get("/errors?level=error").content.decode()


def test_all_that_match_are_those_of_the_filter_and_not_what_came_later(bob, signed_in, many, shop):
    newest = Issue.objects.order_by("-pk")[0].pk
    later = happen.issue(shop, "Later", level="warning")
    data = {"do": "resolve", "every": newest, "issue": [many[0].pk]}
    response = signed_in(bob).post("/errors?level=warning", data, headers=HTMX)
    assert json.loads(response["HX-Trigger"])["ui:toast"]["text"] == "30 errors resolved"
    assert set(Issue.objects.filter(status="resolved").values_list("level", flat=True)) == {"warning"}
    later.refresh_from_db()
    assert later.status == "unresolved"


def test_one_undo_takes_all_of_them_back(bob, signed_in, many):
    client = signed_in(bob)
    newest = Issue.objects.order_by("-pk")[0].pk
    response = client.post("/errors", {"do": "assign", "assignee": "me", "every": newest}, headers=HTMX)
    undo = json.loads(response["HX-Trigger"])["ui:toast"]["undo"]
    assert len(undo) < 200, "the ids of a thousand changes fit into an address"
    assert Issue.objects.filter(assignee=bob).count() == 60
    assert "60 changes undone" in client.post(undo, {"next": "/errors"}, follow=True).content.decode()
    assert Issue.objects.filter(assignee=bob).count() == 0


def test_no_more_than_a_limit_are_changed_at_once_and_the_list_says_so(bob, signed_in, many, monkeypatch):
    monkeypatch.setattr("daytwo_server.errors.web.listing.MOST", 55)
    client = signed_in(bob)
    assert "The first 55 that match" in client.get("/errors").content.decode()
    newest = Issue.objects.order_by("-pk")[0].pk
    client.post("/errors", {"do": "ignore", "every": newest})
    left = Issue.objects.filter(status="unresolved").order_by("-last_seen")
    assert [one.pk for one in left] == [one.pk for one in many.filter(status="unresolved")]
    assert len(left) == 5


def test_the_button_of_a_row_means_its_row_though_all_are_selected(bob, signed_in, many):
    signed_in(bob).post("/errors", {"do": f"resolve:{many[3].pk}", "every": "999999"})
    assert Issue.objects.filter(status="resolved").count() == 1


@pytest.mark.parametrize("every", ["x", "-1", "9" * 30, "1.5"])
def test_a_mark_that_makes_no_sense_means_the_ticked_rows(every, bob, signed_in, many):
    signed_in(bob).post("/errors", {"do": "resolve", "every": every, "issue": [many[0].pk]})
    assert Issue.objects.filter(status="resolved").count() == 1


# -- who may


@pytest.mark.parametrize("role", [Membership.Role.VIEWER, Membership.Role.AGENT])
def test_who_may_only_look_sees_no_button_and_is_refused_with_the_role_that_may(role, signed_in, three):
    client = signed_in(make.member("Vera", role=role))
    for address in ("/errors", f"/errors/{three[0].pk}"):
        assert 'value="resolve' not in client.get(address).content.decode()
        response = client.post(address, {"do": "resolve", "issue": [three[0].pk]})
        assert response.status_code == 403
        assert "Engineer" in response.content.decode()
    assert client.post("/errors/undo?changes=1").status_code == 403
    assert set(states().values()) == {"unresolved"}


ADDRESSES = [
    "/errors", "/errors/news?mark=1.5", "/errors/{0}", "/errors/{0}/news?count=1",
    "/errors/{0}/events", "/errors/{0}/tags", "/errors/{0}/activity", "/errors/{0}/events/{1}",
    "/errors/{0}/events/{1}.json", "/errors/{0}/events/{1}.md", "/settings/ingest/",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_charlie_finds_nothing_here(address, charlie, bob, signed_in, three):
    path = address.format(three[0].pk, happen.event_of(three[0]).event_id)
    assert signed_in(bob).get(path).status_code == 200
    assert signed_in(charlie).get(path).status_code == 404
    visitor = Client().get(path)
    assert visitor.status_code == 302
    assert visitor["Location"].startswith("/login/")


@pytest.mark.parametrize("address", ["/errors", "/errors/{0}", "/errors/undo?changes=1"])
def test_charlie_changes_nothing_here(address, charlie, signed_in, three):
    response = signed_in(charlie).post(address.format(three[0].pk), {"do": f"resolve:{three[0].pk}"})
    assert response.status_code == 404
    assert set(states().values()) == {"unresolved"}


def test_a_form_of_another_site_is_refused(bob, three):
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    assert client.post("/errors", {"do": "resolve", "issue": [three[0].pk]}).status_code == 403
    assert set(states().values()) == {"unresolved"}


def test_htmx_sends_its_token_in_a_header(bob, three):
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    page = client.get("/errors").content.decode()
    token = page.partition('"X-CSRFToken": "')[2].partition('"')[0]
    data = {"do": "resolve", "issue": [three[0].pk]}
    response = client.post("/errors", data, headers={**HTMX, "X-CSRFToken": token, "Origin": "http://testserver"})
    assert response.status_code == 200
    assert states()["One"] == "resolved"


@pytest.mark.parametrize(
    "address",
    ["/errors/999999", "/errors/0", "/errors/" + "9" * 18, "/errors/999999/events", "/errors/999999/news?count=1"],
)
def test_an_error_that_does_not_exist_is_not_found(address, bob, signed_in, three):
    assert signed_in(bob).get(address).status_code == 404
