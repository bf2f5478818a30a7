"""Errors as people use them: with a mouse, with the keyboard, on a phone, without a script."""

import datetime as dt

import looks
import make
import pytest
from playwright.sync_api import expect
from rooms.errors import happen

from daytwo_server.core import clock
from daytwo_server.errors.models import Issue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]


@pytest.fixture
def three(bob):
    """Three errors, the first of them seen last."""
    shop, now = make.project("Shop"), clock.now()
    return [
        happen.issue(
            shop, name, "something long happened " * 6, at=now - dt.timedelta(minutes=n), release="shop@2026.11.23-1",
            user={"id": str(n), "name": f"Practice {n}"}, tags={"country": "DE", "request.id": "7" * 40},
            breadcrumbs=[{"category": "xhr", "data": {"url": f"https://shop.example/{'path/' * 30}", "method": "GET"}}],
            request={"url": "https://shop.example/pay?" + "q" * 200, "headers": {"Cookie": "x" * 300}},
            contexts={"runtime": {"name": "CPython"}, "flags": {"values": [{"flag": "checkout", "result": True}]}},
            extra={"nested": {"deep": ["x" * 200]}},
        )
        for n, name in enumerate(("FirstError", "SecondError", "ThirdError"))
    ]  # fmt: skip


def states():
    return list(Issue.objects.order_by("pk").values_list("status", flat=True))


def rows(page):
    return page.locator("tbody a > b").all_inner_texts()


def test_from_the_list_to_the_page_to_resolved_and_back_again(visit, bob, three):
    page = visit("/errors", bob)
    page.get_by_role("link", name="FirstError").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("FirstError")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    assert states() == ["resolved", "unresolved", "unresolved"]
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Resolve")).to_be_visible()
    assert states() == ["unresolved"] * 3


def test_a_change_keeps_what_is_open_on_the_page(visit, bob, three):
    page = visit(f"/errors/{three[0].pk}", bob)
    page.locator(".frame--library > summary").click()
    page.evaluate("scrollTo(0, 300)")
    page.keyboard.press("h")
    expect(page.locator("[data-part] > .page-header").get_by_text("Ignored")).to_be_visible()
    assert page.locator(".frame--library").get_attribute("open") is not None
    assert page.evaluate("scrollY") == 300


def test_ticked_rows_leave_the_list_at_once_and_come_back_by_z(visit, bob, three):
    page = visit("/errors", bob)
    expect(page.locator(".bulk")).to_be_hidden()
    page.get_by_label(f"Select ERR-{three[0].pk}").check()
    page.get_by_label(f"Select ERR-{three[2].pk}").click(modifiers=["Shift"])
    expect(page.locator(".bulk")).to_contain_text("3 selected")
    page.get_by_label(f"Select ERR-{three[1].pk}").uncheck()
    expect(page.locator(".bulk")).to_contain_text("2 selected")
    page.locator(".bulk").get_by_role("button", name="Resolve").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator(".bulk")).to_be_hidden()
    assert rows(page) == ["SecondError"]
    page.keyboard.press("z")
    expect(page.locator("tbody tr")).to_have_count(3)
    assert states() == ["unresolved"] * 3


def test_all_of_a_page_are_ticked_by_one_box(visit, bob, three):
    page = visit("/errors", bob)
    page.get_by_label("Select all on this page").check()
    page.locator(".bulk").get_by_role("button", name="Assign to me").click()
    expect(page.locator(".toast")).to_contain_text("3 errors assigned")
    assert Issue.objects.filter(assignee=bob).count() == 3


def test_the_list_is_worked_through_with_the_keyboard(visit, bob, three):
    page = visit("/errors", bob)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator(".toast")).to_contain_text(f"ERR-{three[1].pk} resolved")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert states() == ["unresolved", "resolved", "unresolved"]
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(".bulk")).to_contain_text("1 selected")
    page.keyboard.press("h")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("FirstError")
    page.keyboard.press("Enter")
    page.wait_for_url("**query=FirstError**")


def test_the_pages_of_a_list_are_read_one_after_the_other_and_left_by_escape(visit, bob, three):
    page = visit("/errors?sort=first", bob)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("FirstError")
    expect(page.locator("[data-place]")).to_have_text("1 of 3")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_contain_text("SecondError")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_contain_text("FirstError")
    page.keyboard.press("s")
    expect(page.locator(".menu__panel")).to_be_visible()
    page.keyboard.press("s")
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    page.keyboard.press("Escape")
    page.wait_for_url("**/errors?sort=first")
    assert states()[0] == "resolved"


def test_the_sheet_of_keys_names_what_the_page_offers(visit, bob, three):
    page = visit(f"/errors/{three[0].pk}", bob)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog")
    for words in ("Resolve", "Ignore", "Assign", "Back to the list"):
        expect(sheet.get_by_text(words, exact=True)).to_be_visible()


def test_news_are_announced_and_no_row_moves_until_somebody_asks(visit, bob, three):
    page = visit("/errors", bob)
    happen.issue(three[0].project, "Brand")
    page.evaluate("htmx.trigger('#live', 'changed')")
    expect(page.locator(".news")).to_contain_text("1 new. Show")
    assert rows(page) == ["FirstError", "SecondError", "ThirdError"]
    page.locator(".news a").click()
    expect(page.locator("tbody tr")).to_have_count(4)


def test_a_filter_is_chosen_in_the_panel_and_taken_away_by_its_chip(visit, bob, three):
    page = visit("/errors", bob)
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Level").select_option("fatal")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Nothing matches all filters")).to_be_visible()
    page.get_by_role("link", name="level is fatal").first.click()
    expect(page.locator("tbody tr")).to_have_count(3)


def test_markdown_is_copied_by_one_click(visit, bob, three):
    page = visit(f"/errors/{three[0].pk}", bob, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="Markdown").click()
    expect(page.locator(".toast")).to_contain_text("Copied as Markdown")
    assert page.evaluate("navigator.clipboard.readText()").startswith(f"# ERR-{three[0].pk}: FirstError")


def test_everything_works_without_a_script(visit, bob, three):
    page = visit("/errors", bob, java_script_enabled=False)
    page.get_by_label(f"Select ERR-{three[0].pk}").check()
    page.get_by_label(f"Select ERR-{three[1].pk}").check()
    page.locator(".bulk").get_by_role("button", name="Ignore").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_role("link", name="ThirdError").click()
    page.get_by_text("All", exact=True).click()
    expect(page.get_by_text("django/core/handlers/base.py")).to_be_visible()
    page.locator("summary", has_text="Assign").click()
    page.get_by_role("button", name="Me", exact=True).click()
    page.get_by_role("button", name="Resolve").click()
    assert states() == ["unresolved", "unresolved", "resolved"]
    assert Issue.objects.get(pk=three[2].pk).assignee == bob


def test_other_states_of_pages_are_accessible_and_fit_the_screen(visit, live_server, bob, three):
    page = visit("/errors", bob)
    for path in ("/errors?query=country:XX", "/errors/{0}?frames=all", "/errors/{0}?frames=raw&range=14d"):
        page.goto(live_server.url + path.format(three[0].pk))
        looks.check_everywhere(page, path)


def test_open_panels_are_accessible_and_inside_a_phones_screen(visit, bob, three):
    page = visit(f"/errors/{three[0].pk}", bob, width=390, height=844)
    page.locator("summary", has_text="Assign").click()
    looks.check(page)
    box = page.locator(".menu__panel").bounding_box()
    assert 0 <= round(box["x"]) <= 390 - box["width"]
    page.goto(page.url.rpartition("/")[0])
    page.locator("summary", has_text="Filter").click()
    looks.check(page)
    box = page.locator(".menu__panel").bounding_box()
    assert 0 <= round(box["x"]) <= 390 - box["width"]


def test_escape_closes_an_open_panel_before_it_leaves_the_page(visit, bob, three):
    page = visit(f"/errors/{three[0].pk}", bob)
    page.keyboard.press("s")
    expect(page.locator(".menu__panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".menu__panel")).to_be_hidden()
    assert page.url.endswith(f"/errors/{three[0].pk}")
