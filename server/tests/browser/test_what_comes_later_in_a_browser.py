"""Parts of a page that are fetched when somebody wants them, and stay."""

import make
import pytest
from playwright.sync_api import expect
from rooms.errors import happen

from daytwo_server.errors.models import Issue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]


def test_a_fold_fetches_its_frames_and_keeps_them_when_the_page_changes(visit, bob):
    one = happen.issue(make.project("Shop"))
    page = visit(f"/errors/{one.pk}", bob)
    frame = page.locator("#stack .frame__where", has_text="django/core/handlers/base.py")
    expect(frame).to_have_count(0)
    page.get_by_text("1 library frame").click()
    expect(frame).to_be_visible()
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    expect(frame).to_be_visible()


def test_without_a_script_the_frames_are_a_link_away(visit, bob):
    one = happen.issue(make.project("Shop"))
    page = visit(f"/errors/{one.pk}", bob, java_script_enabled=False)
    page.get_by_text("1 library frame").click()
    page.get_by_role("link", name="Show every frame").click()
    expect(page.locator("#stack .frame__where", has_text="django/core/handlers/base.py")).to_be_visible()


def test_among_many_members_the_owner_is_found_by_typing(visit, bob):
    people = [make.member(f"Member {number:02}") for number in range(30)]
    one = happen.issue(make.project("Shop"))
    page = visit(f"/errors/{one.pk}", bob)
    page.keyboard.press("s")
    field = page.get_by_role("combobox", name="Assign to")
    field.fill("member 2")
    options = page.locator("datalist option")
    expect(options).to_have_count(10)
    field.fill(options.nth(3).get_attribute("value") or "")
    field.press("Enter")
    expect(page.get_by_text("assigned", exact=False).first).to_be_visible()
    assert Issue.objects.get(pk=one.pk).assignee == people[23]
