import make
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.test import Client, RequestFactory
from django.urls import reverse

from daytwo_server.accounts.context import shell
from daytwo_server.core import preferences
from daytwo_server.ui import nav

pytestmark = pytest.mark.django_db


def request_of(user: object, path: str = "/"):
    request = RequestFactory().get(path)
    request.user = user
    return request


def labels(frame: dict) -> list[str]:
    return [item.label for group in frame["nav"] for item in group.links]


def test_a_visitor_costs_no_query_and_sees_no_navigation(django_assert_num_queries):
    with django_assert_num_queries(0):
        frame = shell(request_of(AnonymousUser()))
    assert frame["nav"] == frame["tabbar"] == []
    assert frame["viewer"] is None
    assert frame["theme"] == "auto"


def test_a_member_loaded_by_the_session_costs_no_further_query(alice, django_assert_num_queries):
    with django_assert_num_queries(0):
        frame = shell(request_of(alice))
    assert frame["viewer"] | {"hue": 0} == {
        "name": "Alice", "email": "alice@example.com", "initials": "A", "hue": 0, "url": "/profile/",
    }  # fmt: skip
    assert "Projects" in labels(frame)


def test_charlie_sees_his_name_and_no_navigation(charlie):
    frame = shell(request_of(charlie))
    assert frame["nav"] == []
    assert frame["viewer"]["url"] == ""


def test_the_page_one_is_on_is_marked_and_only_that(alice):
    frame = shell(request_of(alice, reverse("catalog:list") + "checkout/"))
    current = [item.label for group in frame["nav"] for item in group.links if item.current]
    assert current == ["Projects"]


def test_an_error_page_comes_up_while_the_database_is_down():
    class Down:
        @property
        def is_authenticated(self):
            raise DatabaseError("down")

    assert shell(request_of(Down()))["viewer"] is None
    request = RequestFactory().get("/")  # so early that nobody looked who it is
    assert shell(request)["nav"] == []


def test_a_missing_page_shows_no_way_into_the_workspace_to_charlie(charlie, signed_in):
    page = signed_in(charlie).get("/projects/")
    assert page.status_code == 404
    assert "shell__nav" not in page.text


def test_every_entry_of_the_navigation_leads_to_a_page(alice, signed_in):
    client = signed_in(alice)
    for item in nav.entries():
        assert client.get(reverse(item.url_name)).status_code in {200, 302}, item.label


def test_pages_that_a_team_does_not_use_are_left_out_but_still_there(alice, signed_in):
    client = signed_in(alice)
    preferences.change({"hidden": "Customers, deploys, settings"}, versions={}, actor=alice)
    preferences.reset()
    shown = [item.label for group in client.get("/profile/").context["nav"] for item in group.links]
    assert not {"Customers", "Deploys"} & set(shown)
    assert {"Errors", "Settings"} <= set(shown)
    assert client.get("/customers/").status_code == 200
    assert ">Deploys<" not in client.get("/palette?q=deplo").text


def test_an_entry_needs_a_known_group_and_a_free_key():
    with pytest.raises(ValueError, match="No navigation group"):
        nav.register("Fun", "Games", "catalog:list", "star", "", 1, "projects.view")
    with pytest.raises(ValueError, match="already leads to Projects"):
        nav.register("Operate", "Prices", "customers:prices", "star", "p", 1, "projects.view")


def test_pages_need_session_and_viewer_and_no_more_for_their_frame(alice, signed_in, django_assert_num_queries):
    client = signed_in(alice)
    with django_assert_num_queries(2):
        client.get("/profile/")


def test_an_htmx_part_that_needs_signing_in_is_redirected_as_a_whole_page_would_be():
    answer = Client().get("/projects/", headers={"HX-Request-Type": "partial"})
    assert answer["Location"] == "/login/?next=/projects/"
    posted = Client().post("/profile/", headers={"Referer": "http://testserver/profile/?a"})
    assert posted["Location"] == "/login/?next=http%3A//testserver/profile/%3Fa"
    assert Client().post("/profile/", headers={"Referer": "https://evil.example/"})["Location"] == "/login/?next=/"


def test_a_token_opens_no_page(alice):
    answer = Client().get("/projects/", headers={"Authorization": f"Bearer {make.token(alice)}"})
    assert answer.status_code == 302
