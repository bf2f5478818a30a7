"""The habits of the desk with a thumb: rows, several at once, undo, filters, views, pages, owners, copies."""

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
        happen.issue(shop, name, "it broke", at=now - dt.timedelta(minutes=n))
        for n, name in enumerate(("FirstError", "SecondError", "ThirdError"))
    ]


@pytest.fixture
def phone(visit, bob):
    """Open a page as Bob on a phone; nothing may stand outside its screen when the test is over."""
    opened = []

    def open_page(path, **options):
        page = visit(path, bob, width=390, height=844, has_touch=True, is_mobile=True, **options)
        opened.append(page)
        return page

    yield open_page
    assert [looks.overflow(page) for page in opened] == [0] * len(opened)


def states():
    return list(Issue.objects.order_by("pk").values_list("status", flat=True))


def test_several_rows_are_resolved_at_once_and_brought_back(phone, three):
    page = phone("/errors")
    page.get_by_label(f"Select ERR-{three[0].pk}").tap()
    page.get_by_label(f"Select ERR-{three[2].pk}").tap()
    expect(page.locator(".bulk")).to_contain_text("2 selected")
    page.locator(".bulk").get_by_role("button", name="Resolve").tap()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert states() == ["resolved", "unresolved", "resolved"]
    page.locator(".toast").get_by_role("button", name="Undo").tap()
    expect(page.locator("tbody tr")).to_have_count(3)
    assert states() == ["unresolved"] * 3


def test_a_list_is_filtered_kept_as_a_view_and_left_again(phone, three):
    page = phone("/errors")
    page.locator("summary", has_text="Filter").tap()
    page.get_by_label("Level").select_option("error")
    page.get_by_role("button", name="Apply").tap()
    expect(page.get_by_role("group", name="Filters")).to_contain_text("error")
    page.locator(".views summary").tap()
    page.get_by_label("Name").fill("Mine")
    page.locator(".views").get_by_role("button", name="Save").tap()
    expect(page.locator('.tab[aria-current="page"]')).to_have_text("Mine")
    page.get_by_role("link", name="level is error").tap()
    expect(page.get_by_role("group", name="Filters")).to_have_count(0)
    expect(page.locator("tbody tr")).to_have_count(3)


def test_an_error_is_given_an_owner_resolved_and_reopened(phone, bob, three):
    page = phone("/errors")
    page.get_by_role("link", name="FirstError").tap()
    page.locator("summary", has_text="Assign").tap()
    page.get_by_role("button", name="Me").tap()
    expect(page.locator(".toast")).to_contain_text("assigned")
    page.get_by_role("button", name="Resolve").tap()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    page.get_by_role("button", name="Reopen").tap()
    expect(page.get_by_role("button", name="Resolve")).to_be_visible()
    issue = Issue.objects.get(pk=three[0].pk)
    assert (issue.assignee, issue.status) == (bob, "unresolved")


def test_folded_frames_open_and_markdown_is_copied(phone, three):
    page = phone(f"/errors/{three[0].pk}", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_text("1 library frame").tap()
    expect(page.locator("#stack .frame__where", has_text="django/core/handlers/base.py")).to_be_visible()
    page.get_by_role("link", name="Markdown").tap()
    expect(page.locator(".toast")).to_contain_text("Copied as Markdown")
    assert page.evaluate("navigator.clipboard.readText()").startswith(f"# ERR-{three[0].pk}: FirstError")


def test_the_pages_of_a_list_follow_each_other(phone, bob):
    shop, now = make.project("Shop"), clock.now()
    for n in range(60):
        happen.issue(shop, f"Error{n}", at=now - dt.timedelta(minutes=n))
    page = phone("/errors")
    expect(page.locator("tbody tr")).to_have_count(50)
    page.get_by_role("link", name="Older").tap()
    expect(page.locator("tbody tr")).to_have_count(10)
    page.get_by_role("link", name="Newer").tap()
    expect(page.locator("tbody tr")).to_have_count(50)


def test_the_navigation_behind_more_leads_everywhere(phone, bob):
    page = phone("/errors")
    page.get_by_text("More", exact=True).tap()
    page.get_by_role("link", name="Deploys").first.tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Deploys")


def test_a_refused_form_says_so_beside_its_field(phone, bob):
    page = phone("/components/new")
    page.get_by_label("Name").fill("API")
    page.get_by_label("Owners").fill("nobody@example.com")
    page.get_by_role("button", name="Create component").tap()
    expect(page.get_by_text("'nobody@example.com' is no member; name members by e-mail address.")).to_be_visible()
    expect(page.get_by_label("Owners")).to_be_focused()
