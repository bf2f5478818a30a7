"""Saved views: a name for the address of a list, one's own or shared, as tabs that work without a script."""

import html
import re

import make
import pytest
from rooms.errors import happen

from daytwo_server.accounts.models import Membership
from daytwo_server.desk import services
from daytwo_server.desk.jobs import prune
from daytwo_server.desk.models import SavedView

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

TAB = re.compile(r'<a class="tab" href="([^"]*)"( aria-current="page")?>([^<]*)')


def tabs(client, address="/errors"):
    """(label, address, current) of the tabs above the list."""
    page = client.get(address)
    assert page.status_code == 200
    return [(html.unescape(label), html.unescape(url), bool(now)) for url, now, label in TAB.findall(page.text)]


def save(client, name, query, **more):
    values = {"page": "errors", "name": name, "query": query, "next": f"/errors?{query}"} | more
    answer = client.post("/views/", values)
    assert answer.status_code == 302
    return answer


def change(client, view, do, **more):
    view = SavedView.objects.get(name=view)
    return client.post(f"/views/{view.pk}/", {"do": do, "next": "/errors", **more})


@pytest.fixture
def shop(db):
    return make.project("Shop")


def test_a_saved_list_is_a_tab_after_those_of_the_list(bob, signed_in, shop):
    client = signed_in(bob)
    assert save(client, "Bad ones", "level=fatal&status=all")["Location"] == "/errors?level=fatal&status=all"
    assert [label for label, _, _ in tabs(client)] == ["Unresolved", "Ignored", "Resolved", "All", "Bad ones"]
    assert tabs(client)[-1] == ("Bad ones", "/errors?level=fatal&status=all", False)
    now = tabs(client, "/errors?status=all&level=fatal&cursor=&open=ERR-1")
    assert [label for label, _, current in now if current] == ["Bad ones"]


def test_saving_is_offered_where_the_address_is_no_tab_yet(bob, signed_in, shop):
    client = signed_in(bob)
    for address, offered in (("/errors", False), ("/errors?status=resolved", False), ("/errors?level=error", True)):
        assert ("Save view" in client.get(address).text) == offered, address
    save(client, "Errors only", "level=error")
    page = client.get("/errors?level=error").text
    assert "Save view" not in page
    assert "Delete view" in page


def test_the_same_name_again_replaces_the_view(bob, signed_in, shop):
    client = signed_in(bob)
    save(client, "Mine", "level=error")
    save(client, "Mine", "level=fatal")
    assert [url for label, url, _ in tabs(client) if label == "Mine"] == ["/errors?level=fatal"]


def test_views_are_renamed_moved_and_deleted_and_a_deletion_can_be_undone(bob, signed_in, shop):
    client = signed_in(bob)
    for name in ("One", "Two", "Three"):
        save(client, name, f"query={name}")
    change(client, "Three", "left")
    change(client, "One", "right")
    change(client, "Two", "rename", name="  Zwei  ")
    assert [label for label, _, _ in tabs(client)][4:] == ["Three", "One", "Zwei"]
    change(client, "Three", "left")  # it is the first
    page = client.get("/errors").text
    change(client, "Three", "delete")
    page = client.get("/errors").text
    assert "View Three deleted" in page
    undo = re.search(r'action="(/views/\d+/restore/)"', page)[1]
    assert [label for label, _, _ in tabs(client)][4:] == ["One", "Zwei"]
    assert client.post(undo, {"next": "/errors"})["Location"] == "/errors"
    assert [label for label, _, _ in tabs(client)][4:] == ["Three", "One", "Zwei"]


def test_a_deletion_is_final_after_ten_minutes_and_the_row_goes_after_a_day(bob, signed_in, shop, time_machine):
    client = signed_in(bob)
    time_machine.move_to("2026-11-23T09:00:00Z")
    save(client, "One", "level=error")
    change(client, "One", "delete")
    time_machine.move_to("2026-11-23T09:11:00Z")
    client.post(f"/views/{SavedView.objects.get().pk}/restore/")
    assert "too long ago" in client.get("/errors").text
    prune()
    assert SavedView.objects.exists()
    time_machine.move_to("2026-11-24T10:00:00Z")
    prune()
    assert not SavedView.objects.exists()


def test_a_shared_view_is_everybodys_and_others_cannot_change_it(bob, signed_in, shop):
    engineer, viewer, owner = signed_in(bob), signed_in(make.member("Vera")), signed_in(make.alice())
    save(engineer, "Ours", "level=fatal", shared="1")
    save(engineer, "Mine", "level=error")
    assert [label for label, _, _ in tabs(viewer)][4:] == ["Ours"]
    assert "Delete view" not in viewer.get("/errors?level=fatal").text
    refused = change(viewer, "Ours", "delete")
    assert refused.status_code == 403
    assert "This is for the role Owner or Admin" in refused.text
    assert change(viewer, "Mine", "delete").status_code == change(owner, "Mine", "delete").status_code == 404
    assert change(owner, "Ours", "hide").status_code == 302
    assert [label for label, _, _ in tabs(viewer)][4:] == []
    assert [label for label, _, _ in tabs(engineer)][4:] == ["Ours", "Mine"]


def test_only_builders_share(signed_in, shop):
    agent = signed_in(make.member("Aggie", role=Membership.Role.AGENT))
    assert "Show it to everybody" not in agent.get("/errors?level=fatal").text
    save(agent, "Mine", "level=fatal", shared="1")
    change(agent, "Mine", "share")
    assert not SavedView.objects.get().shared


def test_a_view_that_the_list_does_not_understand_any_more_can_still_be_deleted(bob, signed_in, shop):
    client = signed_in(bob)
    save(client, "Old", "level=catastrophic&gone=1")
    assert ("Old", "/errors?gone=1&level=catastrophic", False) in tabs(client)
    page = client.get("/errors?gone=1&level=catastrophic")
    assert page.status_code == 400
    assert "Delete view" in page.text
    change(client, "Old", "delete")
    assert [label for label, _, _ in tabs(client)][4:] == []


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        ("   ", "level=error", "Give the view a name."),
        ("x" * 61, "level=error", "61 characters"),
        ("a\x07b", "level=error", "cannot be printed"),
        ("Long", "query=" + "x" * 2001, "too long"),
        ("Many", "&".join(f"a{n}=1" for n in range(60)), "too many"),
        ("Nul", "query=%00", "too long"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(bob, signed_in, shop, name, query, said):
    client = signed_in(bob)
    save(client, name, query, next="/errors")
    assert said in client.get("/errors").text
    assert not SavedView.objects.exists()


def test_names_are_text_and_addresses_stay_on_their_list(bob, signed_in, shop):
    client = signed_in(bob)
    save(client, "<b>&amp;", "query=%22%3E%3Cscript%3E", next="//evil.example/")
    assert "<b>&amp;" not in client.get("/errors").text
    assert ("<b>&amp;", "/errors?query=%22%3E%3Cscript%3E", False) in tabs(client)
    assert save(client, "x", "level=error", next="https://evil.example/")["Location"] == "/"


def test_a_person_keeps_at_most_fifty_views_of_a_list(bob, signed_in, shop):
    for number in range(50):
        services.save_view(bob, "errors", f"View {number}", f"query={number}")
    with pytest.raises(services.DeskError, match="You have 50"):
        services.save_view(bob, "errors", "One more", "query=x")
    services.save_view(bob, "errors", "View 7", "query=other")
    services.save_view(bob, "customers", "Another list", "q=x")


def test_two_views_of_one_name_are_not_made_by_renaming(bob):
    one, _ = services.save_view(bob, "errors", "One", "a=1"), services.save_view(bob, "errors", "Two", "a=2")
    with pytest.raises(services.DeskError, match="already"):
        services.rename_view(one, "Two")


def test_sharing_is_in_the_audit_log_without_words_of_people(bob, signed_in, shop):
    from daytwo_server.core import audit

    client = signed_in(bob)
    save(client, "Dana's errors", "user.email=dana@example.com", shared="1")
    change(client, "Dana's errors", "delete")
    entries = audit.entries(action="desk:").rows
    assert [entry.action for entry in entries] == ["desk:view:deleted", "desk:view:shared"]
    assert "dana" not in "".join(entry.before + entry.after for entry in entries).lower()


def test_any_number_of_views_cost_one_query(bob, signed_in, shop, django_assert_num_queries):
    happen.issue(shop, "KeyError", "x")
    client, other = signed_in(bob), make.alice()
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get("/errors")
    with CaptureQueriesContext(connection) as before:
        client.get("/errors")
    for number in range(10):
        services.save_view(bob, "errors", f"View {number}", f"query={number}")
        services.save_view(other, "errors", f"View {number}", f"query={number}", shared=True)
    with django_assert_num_queries(len(before)):
        client.get("/errors")


def test_views_go_with_their_owner(bob):
    services.save_view(bob, "errors", "One", "a=1", shared=True)
    bob.delete()
    assert not SavedView.objects.exists()
