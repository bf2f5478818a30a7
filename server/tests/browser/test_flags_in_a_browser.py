"""Flags as people switch, edit and watch them: with a mouse, beside colleagues, and without a script."""

from __future__ import annotations

import looks
import make
import pytest
from playwright.sync_api import expect
from rooms.flags.flagged import ALICE
from rooms.rollouts import rolling

from daytwo_server.catalog.models import Environment
from daytwo_server.core import preferences
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import Segment, State
from daytwo_server.flags.services import killing, overrides, saving, segments

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]

RULES = [
    {"name": name, "conditions": [{"attribute": "plan", "operator": "in", "values": ["pro", "team"]}], "variant": "on"}
    for name in ("first", "second")
]


@pytest.fixture
def asking():
    """The workspace wants a reason for each change."""
    preferences.change({"flags_require_comment": "true"}, versions={}, actor=make.alice())


@pytest.fixture
def flag():
    shop = make.project("Shop", slug="shop")
    make.environment(shop, "staging")
    return make.flag(shop, "checkout", enabled=True, rolloutPercentage=10, rules=RULES).flag


def state() -> State:
    return State.objects.select_related("flag", "environment").get(flag__key="checkout", environment__name="production")


def change(**fields) -> None:
    """By somebody else, while a page is open."""
    saving.patch(state().flag, state().environment, fields, by=ALICE)


def tell(page) -> None:
    """What the stream of the page says when the flag changes; this server has no streams."""
    page.evaluate("document.querySelector('#live').dispatchEvent(new Event('changed'))")


def test_a_flag_is_switched_from_the_list_and_back(visit, bob, flag):
    page = visit("/flags/", bob)
    looks.check_everywhere(page, "list")
    page.get_by_role("button", name="staging off").click()
    expect(page.locator(".toast")).to_contain_text("checkout is on in staging")
    expect(page.get_by_role("button", name="staging on")).to_be_visible()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="staging off")).to_be_visible()
    page.locator("tbody input").focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert dict(State.objects.values_list("environment__name", "enabled")) == {"production": True, "staging": False}


def test_a_flag_is_switched_from_the_list_without_a_script(visit, bob, flag):
    page = visit("/flags/", bob, java_script_enabled=False)
    page.get_by_role("button", name="production 10%").click()
    expect(page.get_by_role("button", name="production off")).to_be_visible()
    assert not state().enabled


def test_an_open_page_tells_what_happens_and_keeps_what_is_typed(visit, bob, flag):
    page = visit(f"/flags/{flag.pk}/", bob)
    page.get_by_label("Rollout in percent").fill("50")
    tell(page)
    page.wait_for_timeout(300)
    expect(page.locator(".news a")).to_have_count(0)
    killing.kill(state(), by=Actor("guard"), reason="12 of 14 first errors had it on, although 10% of exposures had.")
    page.wait_for_timeout(3000)  # what is asked for at most every three seconds
    tell(page)
    expect(page.locator(".news a")).to_contain_text("The guard pulled the kill switch: 12 of 14 first errors had it on")
    expect(page.get_by_label("Rollout in percent")).to_have_value("50")
    # It floats over what lies below, and so over buttons, until it is pressed.
    assert [one for one in looks.wrong_anywhere(page) if "target-size" not in one] == []
    page.locator(".news a").click()
    expect(page.get_by_text("guard pulled the kill switch").first).to_be_visible()
    expect(page.locator(".news a")).to_have_count(0)


def test_the_bar_goes_on_from_what_the_page_shows_after_its_own_change(visit, bob, flag):
    page = visit(f"/flags/{flag.pk}/", bob)
    change(rolloutPercentage=20)
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("somebody was faster")).to_be_visible()
    looks.check_everywhere(page, "409")
    tell(page)
    page.wait_for_timeout(300)
    expect(page.locator(".news a")).to_have_count(0)


def test_a_rollout_that_is_refused_is_readable_for_everybody(visit, bob, flag):
    page = visit(f"/flags/{flag.pk}/", bob)
    page.get_by_label("Rollout in percent").fill("many")
    page.get_by_label("Rollout in percent").press("Enter")
    expect(page.get_by_text("Not saved.")).to_be_visible()
    looks.check_everywhere(page, "422")


@pytest.mark.parametrize(("path", "button"), [("rules/new/", "Add rule"), ("rules/1/", "Save rule")])
def test_the_form_of_a_rule_is_for_everybody_also_when_it_comes_back(visit, bob, flag, path, button):
    page = visit(f"/flags/{flag.pk}/{path}", bob)
    looks.check_everywhere(page, path)
    page.get_by_label("For how many of them").fill("many")
    page.get_by_label("Attribute").fill("country")
    page.get_by_role("button", name=button).click()
    expect(page.locator(".field__error").first).to_be_visible()
    looks.check_everywhere(page, path, "422")
    page.get_by_label("For how many of them").fill("50")
    page.get_by_label("Values, a line each").fill("DE")
    change(rules=RULES[1:])
    page.get_by_role("button", name=button).click()
    expect(page.get_by_text("somebody was faster")).to_be_visible()
    looks.check_everywhere(page, path, "409")
    page.get_by_role("button", name="Add rule").click()
    page.wait_for_url(f"**/flags/{flag.pk}/?environment=production")
    assert state().definition["rules"][0].get("name") == "second"
    assert state().definition["rules"][-1]["rolloutPercentage"] == 50


def test_what_a_flag_is_comes_back_readable_when_it_is_wrong_or_late(visit, bob, flag):
    page = visit(f"/flags/{flag.pk}/edit/", bob)
    page.get_by_label("Variants").fill("no variant at all")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field__error").first).to_be_visible()
    looks.check_everywhere(page, "edit", "422")
    page.get_by_label("Variants").fill("")
    change(name="By somebody else")
    page.get_by_label("Description").fill("Mine")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("somebody was faster")).to_be_visible()
    looks.check_everywhere(page, "edit", "409")


def test_the_form_of_a_segment_is_for_everybody_also_when_it_comes_back(visit, bob, flag):
    page = visit("/flags/segments/new/", bob)
    looks.check_everywhere(page, "segment")
    page.get_by_role("button", name="Create segment").click()
    expect(page.locator(".field__error").first).to_be_visible()
    looks.check_everywhere(page, "segment", "422")


def test_a_segment_that_somebody_else_changed_comes_back_readable(visit, bob, flag):
    nordic = {"attribute": "country", "operator": "in", "values": ["SE"]}
    made = segments.put(flag.project, "nordic", [nordic], by=ALICE)
    page = visit(f"/flags/segments/{made.pk}/", bob)
    segments.put(flag.project, "nordic", [nordic | {"values": ["SE", "NO"]}], by=ALICE)
    page.get_by_label("Description").fill("Mine")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("somebody was faster")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("country is one of SE, NO")
    looks.check_everywhere(page, "segment", "409")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/flags/segments/")
    assert (Segment.objects.get().description, Segment.objects.get().conditions) == ("Mine", [nordic])


def test_on_a_phone_a_key_has_the_width_of_the_list_and_its_environments_stand_below(visit, bob, flag):
    page = visit("/flags/", bob)
    page.set_viewport_size({"width": 390, "height": 844})
    key, switch = (page.locator("tbody tr").locator(one).first.bounding_box() for one in (".cell-title", ".places"))
    assert key["width"] > 280
    assert switch["y"] >= key["y"] + key["height"]
    looks.check_everywhere(page, "list")


def test_a_new_client_key_is_shown_for_everybody(visit, bob, flag):
    page = visit("/projects/shop/client-keys/", bob)
    looks.check_everywhere(page, "client keys")
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_role("button", name="Copy the key")).to_be_visible()
    looks.check_everywhere(page, "a new client key")
    page.get_by_text("Change").last.click()
    page.get_by_role("link", name="Web pages").click()
    looks.check_everywhere(page, "its web pages")
    page.get_by_role("textbox").last.fill("no address")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field__error").first).to_be_visible()
    looks.check_everywhere(page, "its web pages", "422")


def test_where_reasons_are_wanted_rules_overrides_and_presets_ask_for_them(visit, bob, flag, asking):
    overrides.put(state(), user_id="dana", enabled=True, by=ALICE)
    page = visit(f"/flags/{flag.pk}/overrides/", bob)
    looks.check_everywhere(page, "overrides")
    page.get_by_label("Why one is removed").fill("It sells")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nobody is excepted")).to_be_visible()
    page.goto(page.url.replace("overrides/", ""))
    page.get_by_label("Change rule 2").click()
    looks.check_everywhere(page, "menu of a rule")
    menu = page.locator("#rule-2")
    menu.get_by_label("Why").fill("It sells")
    menu.get_by_role("button", name="Remove").click()
    expect(page.locator("#rule-2")).to_have_count(0)
    assert [one["name"] for one in state().definition["rules"]] == ["first"]


def test_a_preset_works_without_a_script_where_a_reason_is_wanted(visit, bob, flag, asking):
    page = visit(f"/flags/{flag.pk}/", bob, java_script_enabled=False)
    page.locator("form.rollout").get_by_label("Why").fill("It sells")
    page.get_by_role("button", name="25%").click()
    expect(page.get_by_label("Rollout in percent")).to_have_value("25")
    assert state().rollout == 25_000


def test_a_ramp_that_hurts_is_rolled_back_from_the_top_of_the_page(visit, bob):
    ramp = rolling.ramp(guard={"action": "hold"})
    rolling.expose(ramp.state, on=100, off=900)
    rolling.fail(ramp.state, on=14, off=1)
    rolling.expose(ramp.state, on=1, off=1)
    assert Environment.objects.get().name == "production"
    page = visit(f"/flags/{ramp.state.flag_id}/", bob)
    looks.check_everywhere(page, "strip")
    page.get_by_role("button", name="Roll back to 1%").click()
    expect(page.locator(".toast")).to_contain_text("went back a step")
    expect(page.get_by_role("button", name="Roll back")).to_have_count(0)
