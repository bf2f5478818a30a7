import re

import make
import pytest
from django.test import Client

from daytwo_server.accounts.models import User

pytestmark = pytest.mark.django_db
FORM = {
    "name": "Alice L.",
    "theme": "dark",
    "density": "compact",
    "time_zone": "Europe/Berlin",
    "single_key_shortcuts": "on",
}


def test_alice_changes_how_pages_look_to_her(alice, signed_in):
    client = signed_in(alice)
    assert client.post("/profile/", FORM)["Location"] == "/profile/"
    page = client.get("/profile/")
    assert 'data-theme="dark" data-density="compact"' in page.text
    assert "Alice L." in page.text
    assert "Profile saved" in page.text
    client.post("/profile/", FORM | {"single_key_shortcuts": ""})
    assert 'data-keys="off"' in client.get("/profile/").text


def test_who_reads_clocks_sees_times_by_the_clock_everywhere(alice, signed_in):
    client = signed_in(alice)
    ago = re.compile(r"<time [^>]*>(just now|\d+ min ago)</time>")
    by_the_clock = re.compile(r"<time [^>]*>\d\d:\d\d</time>")
    assert ago.search(client.get("/settings/sessions/").text)
    client.post("/profile/", FORM | {"absolute_times": "on"})
    page = client.get("/settings/sessions/").text
    assert 'data-times="absolute"' in page
    assert by_the_clock.search(page)
    assert not ago.search(page)
    client.post("/profile/", FORM)
    assert ago.search(client.get("/settings/sessions/").text)


def test_a_wrong_time_zone_is_refused_beside_its_field(alice, signed_in):
    client = signed_in(alice)
    page = client.post("/profile/", FORM | {"time_zone": "Mars/Olympus"})
    assert page.status_code == 422
    assert "<!doctype html>" in page.text
    part = client.post("/profile/", FORM | {"time_zone": "Mars/Olympus"}, headers={"HX-Request-Type": "partial"})
    assert part.status_code == 422
    assert part.text.startswith("<form")
    assert 'id="id_time_zone_error"' in part.text
    assert User.objects.get(pk=alice.pk).name == "Alice"


def test_htmx_is_told_to_load_the_page_again_after_saving(alice, signed_in):
    answer = signed_in(alice).post("/profile/", FORM, headers={"HX-Request-Type": "partial"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/profile/")


@pytest.mark.parametrize("path", ["/profile/", "/settings/tokens/", "/password/change/"])
def test_charlie_sees_no_page_and_visitors_sign_in_first(charlie, signed_in, path):
    assert signed_in(charlie).get(path).status_code == 404
    assert Client().get(path)["Location"] == f"/login/?next={path}"


def test_the_theme_button_works_for_members_visitors_and_charlie(alice, charlie, signed_in):
    visitor = Client()
    for client in (signed_in(alice), visitor, signed_in(charlie)):
        answer = client.post("/theme/", {"theme": "dark", "next": "/login/?next=/profile/"})
        assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/profile/")
        assert answer.cookies["daytwo_theme"].value == "dark"
    assert 'data-theme="dark"' in visitor.get("/login/").text
    assert 'data-theme="dark"' in signed_in(alice).get("/profile/").text
    assert User.objects.get(pk=charlie.pk).theme == "dark"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example", "", "http:///evil.example"],
)
def test_the_theme_button_never_leads_to_another_server(db, elsewhere):
    assert Client().post("/theme/", {"theme": "light", "next": elsewhere})["Location"] == "/"


def test_a_theme_that_does_not_exist_is_refused_and_a_forged_cookie_ignored(db):
    assert Client().post("/theme/", {"theme": "pink"}).status_code == 400
    assert Client().get("/theme/").status_code == 405
    client = Client()
    client.cookies["daytwo_theme"] = '"><script>'
    assert 'data-theme="auto"' in client.get("/login/").text


def test_a_form_without_its_csrf_token_is_refused(alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post("/profile/", FORM).status_code == 403
    assert client.post("/theme/", {"theme": "dark"}).status_code == 403


def test_times_are_told_in_the_viewers_zone(signed_in):
    alice = make.alice(time_zone="Asia/Tokyo")
    make.project("Checkout", created_at=make.moment("2026-11-01T20:00:00"))
    assert "2 November 2026, 05:00:00 JST" in signed_in(alice).get("/projects/").text
