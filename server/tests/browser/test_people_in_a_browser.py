"""People as people manage them: inviting, joining, roles, sessions, tokens, and what a profile changes."""

import re

import looks
import make
import pytest
from playwright.sync_api import expect

from daytwo_server.accounts import services
from daytwo_server.accounts.models import Membership, User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]

IN_SIGHT = "(el) => { const box = el.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; }"
PASSWORD = "correct horse battery"


@pytest.fixture
def alice(transactional_db: None) -> User:
    return make.alice(password=PASSWORD)


@pytest.fixture
def stranger(chromium, live_server):
    """A browser in which nobody is signed in."""
    contexts = []

    def open_page(path: str, **options):
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        page.goto(path if path.startswith("http") else live_server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def shown_once(page) -> str:
    """What can be copied now and never again: it is in sight, and has the focus."""
    box = page.locator("#shown-once")
    expect(box).to_be_focused()
    expect(box).to_have_attribute("role", "status")
    assert box.evaluate(IN_SIGHT)
    return box.locator("pre").inner_text().strip()


@looks.ON_BOTH
def test_from_the_invitation_to_the_role_and_out_again(visit, stranger, alice, width, height):
    page = visit("/settings/members/", alice, width=width, height=height)
    page.get_by_role("link", name="Invite people").click()
    page.get_by_label("E-mail").fill("eve@example.com")
    page.get_by_label(re.compile("Viewer: reads")).check()
    page.get_by_role("button", name="Make a link").scroll_into_view_if_needed()
    page.get_by_role("button", name="Make a link").click()
    link = shown_once(page)
    looks.check(page, "the link is shown")

    theirs = stranger(link.replace("http://testserver", page.url.partition("/settings")[0]), viewport={"width": width, "height": height})  # fmt: skip
    expect(theirs.get_by_label("E-mail")).to_be_disabled()
    theirs.get_by_label("Your name").fill("Eve")
    theirs.get_by_label("Password").fill("short")
    theirs.get_by_role("button", name="Join").click()
    expect(theirs.get_by_label("Password")).to_be_focused()
    expect(theirs.get_by_text("This password is too short")).to_be_visible()
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Join").click()
    expect(theirs.locator(".toast")).to_contain_text("Welcome to")

    page.goto(page.url.replace("/invitations", ""))
    page.get_by_role("link", name="Eve").click()
    page.get_by_label(re.compile("Engineer: projects")).check()
    page.get_by_role("button", name="Change role").click()
    expect(page.locator(".toast")).to_contain_text("Eve is Engineer now")
    assert Membership.objects.get(user__name="Eve").role == "engineer"
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".toast")).to_contain_text("Eve was removed")
    theirs.reload()
    expect(theirs.get_by_role("heading", name="Sign in")).to_be_visible()
    page.keyboard.press("z")
    expect(page.locator(".toast")).to_contain_text("Eve is back")
    assert Membership.objects.get(user__name="Eve").role == "engineer"


def test_all_of_it_works_without_a_script(visit, stranger, alice):
    page = visit("/settings/members/invitations/", alice, java_script_enabled=False)
    page.get_by_label(re.compile("Viewer: reads")).check()
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("#shown-once pre").inner_text().strip()
    theirs = stranger(link.replace("http://testserver", page.url.partition("/settings")[0]), java_script_enabled=False)
    theirs.get_by_label("Your name").fill("Eve")
    theirs.get_by_label("E-mail").fill("eve@example.com")
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Join").click()
    theirs.goto(page.url.partition("/settings")[0] + "/settings/sessions/")
    expect(theirs.get_by_text("This browser")).to_be_visible()


def test_the_list_is_worked_through_with_the_keyboard(visit, alice):
    for name in ("Bob", "Carla"):
        make.member(name)
    page = visit("/settings/members/", alice)
    page.keyboard.press("/")
    page.keyboard.type("ca")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("searchbox").evaluate("(el) => el.blur()")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Carla")).to_be_visible()


@looks.ON_BOTH
def test_a_new_token_is_in_sight_and_can_be_limited_by_room(visit, alice, width, height):
    page = visit("/settings/tokens/", alice, width=width, height=height)
    page.get_by_label("What is it for?").fill("deploys")
    page.get_by_text("Everything its creator may do").click()
    page.get_by_text("Choose what it may do").click()
    looks.check(page, "scopes are open")
    page.get_by_label("projects.view").check()
    page.get_by_role("button", name="Create token").click()
    token = services.authenticate(shown_once(page))
    assert token.scopes == ["projects.view"]


def test_another_browser_is_ended_by_one_click(visit, alice):
    other = visit("/profile/", alice)
    page = visit("/settings/sessions/", alice)
    page.get_by_role("button", name="End", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("is signed out")
    other.reload()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


def test_pages_with_long_names_and_what_ended_are_accessible_and_fits_the_screen(visit, live_server, stranger, alice):
    long = make.member("Dora With A Rather Long Name", email="dora.with.a.long.address@department.example.com")
    services.switch_member(long, active=False, actor=alice)
    gone = make.member("Gone")
    services.remove_member(gone, actor=alice)
    _, link = services.invite(role="viewer", actor=alice, email="eve.with.a.long.address@department.example.com")
    services.revoke_invitation(services.invite(role="viewer", actor=alice, name="Nobody")[0], actor=alice)
    make.token(alice, scopes=("projects.view", "errors.view", "errors.triage", "customers.view"))
    make.token(alice, scopes=("projects.view",))
    page = visit("/settings/members/", alice)
    for path in (
        "/settings/members/", "/settings/members/?q=nobody", f"/settings/members/{long.pk}/",
        "/settings/members/invitations/", "/settings/tokens/",
    ):  # fmt: skip
        page.goto(live_server.url + path)
        looks.check_everywhere(page, path)
    outside = stranger(f"/join/{link}/")
    looks.check_everywhere(outside, "join")
    password_link = services.password_link(make.member("Lost"), actor=alice)
    for path in ("/join/unknown/", f"/password/choose/{password_link}/", "/password/choose/unknown/"):
        outside.goto(live_server.url + path)
        looks.check_everywhere(outside, path)
    charlie = visit(f"/join/{link}/", make.charlie())
    looks.check_everywhere(charlie, "join as")


# -- what a profile changes


def test_compact_pages_are_tighter(visit, alice):
    for _ in range(3):
        make.token(alice, scopes=("projects.view",))
    page = visit("/profile/", alice)
    root = page.url.partition("/profile")[0]
    sizes = "[document.querySelector('.card .input').offsetHeight, document.querySelector('tbody tr').offsetHeight]"
    page.goto(f"{root}/settings/tokens/")
    comfortable = page.evaluate(sizes)
    page.goto(f"{root}/profile/")
    page.get_by_label("Rows").select_option("compact")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Profile saved")
    page.goto(f"{root}/settings/tokens/")
    compact = page.evaluate(sizes)
    assert all(tight < wide for tight, wide in zip(compact, comfortable, strict=True)), (compact, comfortable)


def test_letters_do_nothing_for_whoever_switched_them_off(visit, alice):
    page = visit("/profile/", alice)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_text("Shortcuts of one letter").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Profile saved")
    page.keyboard.press("?")
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.endswith("/profile/")


def test_times_are_told_in_the_zone_of_the_profile(visit, alice):
    page = visit("/profile/", alice)
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Profile saved")
    page.goto(page.url.replace("/profile/", "/settings/sessions/"))
    moment = page.locator("time").first
    moment.hover()
    expect(page.locator(".tooltip")).to_contain_text("JST")


def test_the_theme_of_the_profile_wins_over_the_system(visit, alice):
    page = visit("/profile/", alice, color_scheme="light")
    page.get_by_label("Colours").select_option("dark")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Profile saved")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 15, 18)"
