"""A workspace that wants a reason for each change of a flag: whatever a page offers can be done with one."""

from __future__ import annotations

import re

import make
import pytest
from rooms.errors import happen

from daytwo_server.core import clock, preferences
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import Change, ExposureCount, Flag, Override, State
from daytwo_server.flags.services import overrides

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

SOMEBODY = Actor("Somebody")
RULES = [{"name": name, "conditions": [{"attribute": "plan", "operator": "is_set"}]} for name in ("first", "second")]


@pytest.fixture
def owner(alice, signed_in):
    return signed_in(alice)


@pytest.fixture
def plain():
    """A flag of a workspace that does not ask."""
    made = make.flag(make.project("Shop"), "checkout", enabled=True, rolloutPercentage=10, rules=RULES).flag
    overrides.put(state(), user_id="dana", enabled=True, by=SOMEBODY)
    return made


@pytest.fixture
def flag(plain, alice):
    preferences.change({"flags_require_comment": "true"}, versions={}, actor=alice)
    return plain


def state() -> State:
    return State.objects.get(flag__key="checkout")


def form_of(text: str, button: str) -> dict[str, str]:
    """What the form around a button sends when somebody types a reason and presses it: its fields without those of
    other buttons, and the address under "action".
    """
    [form] = [one for one in re.findall(r"<form.*?</form>", text, re.DOTALL) if button in one]
    fields = {
        name: value
        for tag in re.findall(r"<input[^>]+>", form)
        if (name := (re.search(r'name="([^"]+)"', tag) or ["", ""])[1])
        for value in [(re.search(r'value="([^"]*)"', tag) or ["", ""])[1]]
    }
    assert "reason" in fields, form
    [action] = re.findall(r'<form[^>]* action="([^"]+)"', form)
    return fields | {"reason": "It sells", "action": action}


def test_a_preset_pressed_without_a_script_sends_the_reason(owner, flag):
    sent = form_of(owner.get(f"/flags/{flag.pk}/").text, 'name="preset" value="25"')
    owner.post(sent.pop("action"), sent | {"preset": "25"})
    assert (state().rollout, Change.objects.latest("pk").reason) == (25_000, "It sells")


def test_enter_in_the_rollout_saves_what_was_typed_and_no_preset(owner, flag):
    form = owner.get(f"/flags/{flag.pk}/").text.partition('<form class="rollout"')[2].partition("</form>")[0]
    first = re.search(r"<button[^>]*>", form)[0]
    assert first == "<button hidden>"


@pytest.mark.parametrize(("verb", "left"), [("up", ["second", "first"]), ("remove", ["first"])])
def test_rules_are_moved_and_removed_with_a_reason(owner, flag, verb, left):
    text = owner.get(f"/flags/{flag.pk}/").text
    sent = form_of(text.partition('id="rule-2"')[2], f'value="{verb}"')
    owner.post(sent.pop("action"), sent | {"do": verb})
    assert [one["name"] for one in state().definition["rules"]] == left
    assert Change.objects.latest("pk").reason == "It sells"


def test_an_override_is_removed_with_a_reason(owner, flag):
    here = f"/flags/{flag.pk}/overrides/"
    text = owner.get(here).text
    assert 'form="overrides" name="remove" value="user:dana"' in text
    sent = form_of(text, 'id="overrides"')
    owner.post(sent.pop("action"), sent | {"remove": "user:dana"})
    assert not Override.objects.exists()
    assert Change.objects.latest("pk").reason == "It sells"


def test_the_list_offers_no_button_that_is_always_refused(owner, plain, alice):
    offered = ("template data-actions", f'value="off:{plain.pk}.')
    text = owner.get("/flags/").text
    assert all(one in text for one in offered)
    preferences.change({"flags_require_comment": "true"}, versions={}, actor=alice)
    text = owner.get("/flags/").text
    assert not any(one in text for one in offered)
    assert 'name="reason"' in text
    page = owner.post("/flags/", {"do": "archive", "flag": plain.pk, "reason": "Done"}, follow=True)
    assert "checkout is archived" in page.text
    assert Flag.objects.get().archived_at


def test_the_switch_beside_an_error_asks_why(owner, flag):
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    for enabled, count in ((True, 100), (False, 900)):
        ExposureCount.objects.create(
            environment=state().environment, key="checkout", minute=hour, revision=1,
            variant="on" if enabled else "off", enabled=enabled, count=count,
        )  # fmt: skip
    flags = {"flags": {"values": [{"flag": "checkout", "result": True}]}}
    for _ in range(12):
        issue = happen.issue(flag.project, "KeyError", "vat", contexts=flags, environment="production")
    sent = form_of(owner.get(f"/errors/{issue.pk}").text, 'value="kill"')
    owner.post(sent.pop("action"), sent | {"do": "kill"})
    assert (state().killed, state().kill_reason) == (True, "It sells")
