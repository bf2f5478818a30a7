"""What the page of a flag says of its guard, and changing it there."""

import datetime as dt
import re

import make
import pytest
import time_machine
from rooms.rollouts import rolling

from daytwo_server.core import clock, preferences

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def browser(bob, signed_in):
    return signed_in(bob)


def hurting(ramp):
    rolling.expose(ramp.state, on=100, off=900)
    rolling.fail(ramp.state, on=14, off=1)
    rolling.expose(ramp.state, on=1, off=1)
    return ramp


def text_of(browser, state):
    html = browser.get(f"/flags/{state.flag_id}/?environment=production").text
    return " ".join(html[html.index('id="hurt"') :].partition("</section>")[0].split())


def post(browser, state, **form):
    return browser.post(f"/flags/{state.flag_id}/guard/?environment=production", form, follow=True).text


def test_a_flag_that_nobody_watches_says_how_to_have_it_watched(browser):
    said = text_of(browser, rolling.flag())
    assert "Not watched" in said
    assert "It watches by itself while a flag ramps" in said


def test_errors_are_compared_where_it_is_on_and_off(browser):
    ramp = rolling.ramp()
    rolling.expose(ramp.state, on=1000, off=9000)
    rolling.fail(ramp.state, on=2, off=9)
    assert "11 errors wait for the exposures of that moment." in text_of(browser, ramp.state)
    rolling.expose(ramp.state, on=10, off=90)
    said = text_of(browser, ramp.state)
    assert "Watched" in said
    assert (
        '<td class="numeric">0.99</td><td class="numeric">1.98</td><td class="numeric">2\N{MULTIPLICATION SIGN}</td>'
        in said
    )
    assert '<td class="numeric">9,090</td><td class="numeric">1,010</td>' in said
    assert "may be chance" in said


def test_what_the_guard_did_is_said_with_why_for_a_day(browser):
    ramp = hurting(rolling.ramp())
    said = text_of(browser, ramp.state)
    assert "The guard went a step back." in said
    assert "14 of 15 first errors had it on, although 10% of exposures had." in said
    with time_machine.travel(clock.now() + dt.timedelta(hours=25), tick=False):
        assert "step back." not in text_of(browser, ramp.state)


def test_a_flag_that_the_guard_switched_off_says_so_at_the_top(browser):
    ramp = hurting(rolling.ramp(guard={"action": "kill"}))
    page = " ".join(browser.get(f"/flags/{ramp.state.flag_id}/?environment=production").text.split())
    assert "guard pulled the kill switch" in page
    assert page.index("14 of 15 first errors had it on") < page.index('id="hurt"')
    assert "The guard switched it off." not in page


def strip_of(browser, state):
    """The strip at the top of the page, without its tags; empty where there is none."""
    html = browser.get(f"/flags/{state.flag_id}/?environment=production").text
    found = re.search(r'<div role="alert">(.*?)</form>', html.partition('class="with-rail"')[0], re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()) if found else ""


def test_a_ramp_that_was_only_held_is_rolled_back_from_the_top_of_the_page(browser):
    ramp = hurting(rolling.ramp(guard={"action": "hold"}))
    said = strip_of(browser, ramp.state)
    assert "Errors gather where this flag is on. 14 of 15 first errors had it on" in said
    assert "The guard held the ramp" in said
    assert said.endswith("Roll back to 1%")
    assert "The guard held the ramp" not in text_of(browser, ramp.state)  # not said twice
    browser.post(f"/flags/{ramp.state.flag_id}/ramp/?environment=production", {"do": "back"})
    ramp.state.refresh_from_db()
    assert ramp.state.rollout == 1000
    assert strip_of(browser, ramp.state) == ""


def test_a_ramp_that_somebody_lets_go_on_is_left_to_the_guard(browser):
    ramp = hurting(rolling.ramp(guard={"action": "hold"}))
    browser.post(f"/flags/{ramp.state.flag_id}/ramp/?environment=production", {"do": "resume"})
    assert strip_of(browser, ramp.state) == ""


def test_errors_that_a_guard_may_do_nothing_about_are_told_with_the_kill_switch_beside(browser):
    state = hurting_by_hand()
    said = strip_of(browser, state)
    assert re.match(r"Errors are 12\d times as frequent where this flag is on\.", said)
    assert "The guard was told to change nothing but a ramp that runs." in said
    assert said.endswith("Kill switch")
    browser.post(f"/flags/{state.flag_id}/?environment=production", {"do": "kill"})
    assert strip_of(browser, state) == ""


def hurting_by_hand():
    state = rolling.flag(guard={"enabled": True, "action": "hold"})
    rolling.expose(state, on=100, off=900)
    rolling.fail(state, on=14, off=1)
    rolling.expose(state, on=1, off=1)
    return state


def test_who_may_change_nothing_reads_the_strip_without_its_button(signed_in):
    state = hurting_by_hand()
    html = signed_in(make.member("Vera")).get(f"/flags/{state.flag_id}/?environment=production").text
    assert "where this flag is on." in html
    assert 'value="kill"' not in html


def test_a_step_back_by_the_guard_leaves_nothing_to_decide(browser):
    assert strip_of(browser, hurting(rolling.ramp()).state) == ""


def test_an_engineer_has_a_flag_watched_and_takes_it_back(browser):
    state = rolling.flag()
    said = post(browser, state, watched="yes", action="hold")
    state.refresh_from_db()
    assert state.guard == {"enabled": True, "action": "hold"}
    assert "The guard watches" in said
    rolling.settle()
    assert rolling.is_watched(state)
    undo = said.partition('/revert/"')[0].rpartition('"')[2] + "/revert/"
    browser.post(undo)
    state.refresh_from_db()
    assert state.guard == {}


def test_as_usual_says_nothing_of_its_own(browser):
    state = rolling.flag(guard={"enabled": True})
    post(browser, state, watched="", action="")
    state.refresh_from_db()
    assert state.guard == {}


def test_as_usual_is_not_watched_for_a_flag_that_is_to_stay(browser):
    for kind, words in (("ops", "Not watched, as usual"), ("release", "Watched while it ramps, as usual")):
        state = rolling.flag(key=f"of-{kind}", kind=kind, guard={"enabled": True})
        assert words in post(browser, state, watched="", action="").split('class="toasts"')[1]


def test_a_choice_that_there_is_not_changes_nothing(browser):
    state = rolling.flag()
    assert "There is no such choice" in post(browser, state, watched="maybe", action="")
    assert "There is no such choice" in post(browser, state, watched="yes", action="explode")
    state.refresh_from_db()
    assert state.guard == {}


def test_a_reason_is_wanted_where_the_workspace_wants_one(browser, alice):
    state = rolling.flag()
    preferences.change({"flags_require_comment": "true"}, versions={}, actor=alice)
    assert "Say why" in post(browser, state, watched="yes", action="")
    state.refresh_from_db()
    assert state.guard == {}
    post(browser, state, watched="yes", action="", reason="It sells things")
    state.refresh_from_db()
    assert state.guard == {"enabled": True}


def test_who_may_not_change_flags_sees_no_form(alice, signed_in):
    state = rolling.flag()
    viewer = signed_in(make.member("Vera"))
    assert "<form" not in text_of(viewer, state)
    assert viewer.post(f"/flags/{state.flag_id}/guard/?environment=production", {"watched": "yes"}).status_code == 403
