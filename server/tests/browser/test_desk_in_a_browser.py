"""What people keep at hand, as they use it: the palette by keyboard and on a phone, views without a script, drafts."""

import re

import looks
import make
import pytest
from django.db import connection
from playwright.sync_api import expect
from rooms.errors import happen

from daytwo_server.desk import selectors as desk
from daytwo_server.desk.models import Draft, Recent, SavedView
from daytwo_server.errors import services
from daytwo_server.errors.models import Activity, Issue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]


@pytest.fixture
def issues(bob):
    shop = make.project("Shop")
    return [happen.issue(shop, name, "while paying") for name in ("FirstError", "SecondError")]


def box(page):
    return page.get_by_role("combobox", name="Search or run a command")


def options(page):
    return page.locator("#palette [role=option]")


def chosen(page):
    return page.locator('#palette [role=option][aria-selected="true"]')


def draft_of(user, issue):
    found = desk.draft(user, services.draft_key(issue.pk))
    return found.text if found else ""


def test_an_id_typed_at_once_leads_to_its_page(visit, bob, issues):
    page = visit("/profile/", bob)
    page.keyboard.press("Control+k")
    expect(box(page)).to_be_focused()
    page.keyboard.type(f"ERR-{issues[0].pk}")
    page.keyboard.press("Enter")  # before the answer is there
    page.wait_for_url(f"**/errors/{issues[0].pk}")


def test_arrows_choose_enter_opens_and_escape_gives_the_focus_back(visit, bob, issues):
    page = visit("/profile/", bob)
    page.locator("[name=name]").focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("while paying")
    expect(options(page)).to_have_count(2)
    expect(page.locator("#palette [role=status]")).to_have_text("2 results")
    expect(chosen(page)).to_contain_text("SecondError")
    page.keyboard.press("ArrowDown")
    expect(chosen(page)).to_contain_text("FirstError")
    expect(box(page)).to_have_attribute("aria-activedescendant", chosen(page).get_attribute("id"))
    page.keyboard.press("ArrowDown")
    expect(chosen(page)).to_contain_text("SecondError")
    page.keyboard.press("ArrowUp")
    expect(chosen(page)).to_contain_text("FirstError")
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    expect(page.locator("[name=name]")).to_be_focused()
    page.keyboard.press("Meta+k")
    page.keyboard.type("nothing has this")
    expect(page.locator("#palette [role=status]")).to_have_text("No results")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_hidden()


def test_enter_with_control_opens_a_new_tab(visit, bob, issues):
    page = visit("/profile/", bob)
    page.keyboard.press("Control+k")
    page.keyboard.type("firsterror")
    expect(chosen(page)).to_contain_text("FirstError")
    with page.context.expect_page() as opened:
        page.keyboard.press("Control+Enter")
    opened.value.wait_for_url(f"**/errors/{issues[0].pk}")
    assert page.url.endswith("/profile/")


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(visit, bob, issues):
    page = visit("/profile/", bob)
    slow = looks.holding(page, r"/palette\?q=first")
    page.keyboard.press("Control+k")
    with page.expect_request(re.compile(r"/palette\?q=first")):
        box(page).fill("firsterror")
    box(page).fill("seconderror")
    expect(chosen(page)).to_contain_text("SecondError")
    for route in slow:
        route.continue_()
    page.wait_for_timeout(300)
    expect(options(page)).to_have_count(1)
    expect(chosen(page)).to_contain_text("SecondError")


def test_an_answer_that_comes_late_leaves_the_choice_where_arrows_moved_it(visit, bob, issues):
    page = visit("/profile/", bob)
    slow = looks.holding(page, r"/palette\?q=while\+paying")
    page.keyboard.press("Control+k")
    box(page).fill("while payin")
    expect(chosen(page)).to_contain_text("SecondError")
    with page.expect_request(re.compile(r"/palette\?q=while\+paying")):
        page.keyboard.type("g")
    page.keyboard.press("ArrowDown")
    expect(chosen(page)).to_contain_text("FirstError")
    with page.expect_response(re.compile(r"/palette\?q=while\+paying")):
        slow[0].continue_()
    page.wait_for_timeout(100)
    expect(chosen(page)).to_contain_text("FirstError")
    box(page).fill("while")  # another word: the best match comes first again
    expect(chosen(page)).to_contain_text("SecondError")


def test_what_the_page_can_do_is_done_from_the_palette(visit, bob, issues):
    page = visit(f"/errors/{issues[0].pk}", bob)
    page.keyboard.press("Control+k")
    page.keyboard.type("assign to me")
    expect(chosen(page)).to_have_text("Assign to me")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("assigned")
    page.keyboard.press("Control+k")
    page.keyboard.type("resol")
    expect(chosen(page)).to_contain_text("Resolve")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    issue = Issue.objects.get(pk=issues[0].pk)
    assert (issue.status, issue.assignee) == ("resolved", bob)


def test_keys_of_a_row_act_on_the_row_that_had_the_focus(visit, bob, issues):
    page = visit("/errors", bob)
    expect(page.locator("tbody tr")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Control+k")
    page.keyboard.type("resolve the row")
    expect(options(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert Issue.objects.get(pk=issues[0].pk).status == "resolved"


def test_where_somebody_was_comes_first(visit, bob, issues):
    page = visit(f"/errors/{issues[0].pk}", bob)
    for _ in range(50):
        if Recent.objects.exists():
            break
        page.wait_for_timeout(100)
    page.goto(page.url.replace(f"/errors/{issues[0].pk}", "/profile/"))
    page.keyboard.press("Control+k")
    expect(page.locator("#palette .palette__group").first).to_have_text("Recent")
    expect(chosen(page)).to_contain_text("FirstError")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/errors/{issues[0].pk}")


def test_the_sheet_names_the_key_and_letters_stay_letters_in_the_palette(visit, bob, issues):
    page = visit("/errors", bob)
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_contain_text("Search and commands")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("gje?/")
    expect(box(page)).to_have_value("gje?/")
    assert page.url.endswith("/errors")


def test_on_a_phone_the_button_opens_it(visit, bob, issues):
    page = visit("/errors", bob, width=390, height=800, has_touch=True, is_mobile=True)
    page.get_by_role("link", name="Search and commands").tap()
    box(page).fill("first")
    expect(chosen(page)).to_contain_text("FirstError")
    assert looks.overflow(page) == 0
    box(page).fill("")
    expect(page.locator("#palette [role=status]")).not_to_have_text("1 result")
    page.locator("#palette").get_by_role("button", name="Close").tap()
    expect(page.locator("#palette")).to_be_hidden()
    page.get_by_role("link", name="Search and commands").tap()
    box(page).fill("first")
    expect(options(page)).to_have_count(1)
    chosen(page).tap()
    page.wait_for_url(f"**/errors/{issues[0].pk}")


@looks.ON_BOTH
def test_everybody_can_use_it(visit, live_server, bob, issues, width, height):
    page = visit(f"/errors/{issues[0].pk}/activity", bob, width=width, height=height)
    for text in ("", "while paying", "nothing has this"):
        page.evaluate("document.querySelector('[data-palette]').click()")
        box(page).fill(text)
        expect(page.locator("#palette [role=status]")).to_contain_text("result")
        looks.check_in_both_themes(page, text)
        page.keyboard.press("Escape")
    page.goto(f"{live_server.url}/errors?level=error")
    page.locator(".views summary").click()
    looks.check_in_both_themes(page, "views")
    page.goto(f"{live_server.url}/search?q=paying")
    looks.check_in_both_themes(page, "search")


def test_without_a_script_the_button_leads_to_the_search_and_views_are_kept(visit, bob, issues):
    page = visit("/errors?level=error", bob, java_script_enabled=False)
    page.locator(".views summary").click()
    page.get_by_label("Name").fill("All of them")
    page.locator(".views").get_by_role("button", name="Save view").click()
    expect(page.locator('.tab[aria-current="page"]')).to_have_text("All of them")
    page.get_by_role("link", name="Search and commands").click()
    page.get_by_role("searchbox").fill("firsterror")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="FirstError").click()
    page.wait_for_url(f"**/errors/{issues[0].pk}")


def test_a_view_is_saved_renamed_and_deleted_with_undo(visit, bob, issues):
    page = visit("/errors?level=error", bob)
    page.locator(".views summary").click()
    page.get_by_label("Name").fill("Mine")
    page.keyboard.press("Enter")
    expect(page.locator('.tab[aria-current="page"]')).to_have_text("Mine")
    page.locator(".views summary").click()
    page.get_by_label("Name").fill("Ours")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator('.tab[aria-current="page"]')).to_have_text("Ours")
    page.locator(".views summary").click()
    page.get_by_role("button", name="Delete view").click()
    expect(page.get_by_role("link", name="Ours")).to_have_count(0)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator('.tab[aria-current="page"]')).to_have_text("Ours")
    assert SavedView.objects.get().deleted_at is None


def test_a_text_survives_a_reload_and_another_device_and_is_sent_once(visit, bob, issues):
    path = f"/errors/{issues[0].pk}/activity"
    laptop, phone = visit(path, bob), visit(path, bob, width=390)
    laptop.get_by_label("Comment").fill("It is the bank")
    expect(laptop.locator("[data-draft-said]")).to_contain_text("Draft saved", timeout=8000)
    laptop.reload()
    expect(laptop.get_by_label("Comment")).to_have_value("It is the bank")
    phone.get_by_label("Comment").fill("It is not the bank")
    expect(phone.locator("[data-draft-other]")).to_be_visible(timeout=8000)
    phone.get_by_role("button", name="Use that text").click()
    expect(phone.get_by_label("Comment")).to_have_value("It is the bank")
    phone.get_by_role("button", name="Comment").click()
    expect(phone.locator(".timeline")).to_contain_text("It is the bank")
    phone.wait_for_timeout(3500)
    assert draft_of(bob, issues[0]) == ""
    assert Activity.objects.filter(kind="commented").count() == 1
    connection.close()


def test_leaving_the_page_keeps_what_was_typed_last(visit, bob, issues):
    page = visit(f"/errors/{issues[0].pk}/activity", bob)
    page.get_by_label("Comment").fill("Half a tho")
    page.goto(page.url.split("/errors")[0] + "/profile/")
    for _ in range(50):
        if Draft.objects.exists():
            break
        page.wait_for_timeout(100)
    assert draft_of(bob, issues[0]) == "Half a tho"
