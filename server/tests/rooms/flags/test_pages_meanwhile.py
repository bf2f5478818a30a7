"""What others do to a flag while somebody looks at it or edits it."""

from __future__ import annotations

import re

import make
import pytest

from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import Ramp, Segment, State
from daytwo_server.flags.services import killing, ramps, saving

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

GUARD = Actor("guard")
STEPS = ({"percent": 1, "holdSeconds": 3600}, {"percent": 10, "holdSeconds": 86_400}, {"percent": 100})
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def owner(alice, signed_in):
    return signed_in(alice)


@pytest.fixture
def other(bob, signed_in):
    return signed_in(bob)


@pytest.fixture
def flag():
    rules = [{"name": name, "conditions": [{"attribute": name, "operator": "is_set"}]} for name in ("a", "b", "c")]
    return make.flag(make.project("Shop"), "checkout", enabled=True, rules=rules).flag


def state() -> State:
    return State.objects.select_related("flag", "environment").get(flag__key="checkout")


def names() -> list[str]:
    return [one.get("name", "") for one in state().definition.get("rules", [])]


# ---- Looking at it ----


def news(browser, page) -> str:
    """What the bar of an open page asks for and shows."""
    url = re.search(r'class="news"[^>]* hx-get="([^"]+)"', page.text)[1].replace("&amp;", "&")
    text = re.sub(r"<[^>]+>", "", browser.get(url).text)
    return " ".join(text.split())


def test_a_page_says_nothing_while_nothing_happens_and_nothing_of_what_its_reader_does(owner, flag):
    page = owner.get(f"/flags/{flag.pk}/")
    assert news(owner, page) == ""
    owner.post(f"/flags/{flag.pk}/", {"do": "off"})
    assert news(owner, page) == ""


def test_what_a_colleague_changed_is_said_and_the_page_stays_as_it_is(owner, other, flag):
    page = owner.get(f"/flags/{flag.pk}/")
    other.post(f"/flags/{flag.pk}/", {"do": "rollout", "rollout": "25"})
    assert news(owner, page) == "Bob lowered the rollout. Show it as it is now"
    assert news(owner, owner.get(f"/flags/{flag.pk}/")) == ""


def test_a_step_of_a_ramp_is_said(owner, flag):
    ramps.start(state(), STEPS, by=Actor("Alice"))
    page = owner.get(f"/flags/{flag.pk}/")
    Ramp.objects.update(next_at=make.moment())
    ramps.advance_due()
    assert news(owner, page) == "The ramp took the next step. Show it as it is now"


def test_what_the_guard_did_is_said_with_why_also_when_somebody_came_after_it(owner, other, flag):
    page = owner.get(f"/flags/{flag.pk}/")
    killing.kill(state(), by=GUARD, reason="12 of 14 first errors had it on.")
    words = "The guard pulled the kill switch: 12 of 14 first errors had it on. Show it as it is now"
    assert news(owner, page) == words
    other.post(f"/flags/{flag.pk}/", {"do": "revive"})
    assert news(owner, page) == words


def test_a_colleague_who_is_called_guard_is_none(owner, signed_in, flag):
    page = owner.get(f"/flags/{flag.pk}/")
    signed_in(make.member("guard", role=make.Role.ENGINEER)).post(f"/flags/{flag.pk}/", {"do": "off"})
    assert news(owner, page) == "guard switched it off. Show it as it is now"


def test_what_happens_in_another_environment_is_no_news(owner, flag):
    there = make.flag(flag.project, "checkout", environment="staging").state.environment
    page = owner.get(f"/flags/{flag.pk}/?environment=production")
    saving.patch(flag, there, {"enabled": True}, by=GUARD)
    assert news(owner, page) == ""


def test_an_address_that_no_page_asks_is_not_there(owner, flag):
    for seen in ("", "one", "-1"):
        assert owner.get(f"/flags/{flag.pk}/news/", {"seen": seen}).status_code == 404


# ---- Editing its rules ----


def form(browser, flag, position) -> dict[str, str]:
    """What the form of a rule sends."""
    return sent(browser.get(f"/flags/{flag.pk}/rules/{position}/").text)


def sent(text: str) -> dict[str, str]:
    found = dict(re.findall(r'<input type="hidden" name="(revision|was)" value="([^"]*)"', text))
    name = re.search(r'name="name" value="([^"]*)"', text)[1]
    attribute = re.search(r'name="attribute-0" value="([^"]*)"', text)[1]
    return found | {"name": name, "attribute-0": attribute, "operator-0": "is_set"}


def action(text: str) -> str:
    return re.search(r'<form id="rule"[^>]* action="([^"]+)"', text)[1]


def test_a_rule_that_moved_up_meanwhile_is_saved_where_it_is_now(owner, other, flag):
    mine = form(owner, flag, 3) | {"name": "c2"}
    other.post(f"/flags/{flag.pk}/rules/1/move/", {"do": "remove"})
    page = owner.post(f"/flags/{flag.pk}/rules/3/", mine, headers=PART)
    assert page.status_code == 409
    assert "Bob" in page.text
    assert action(page.text).startswith(f"/flags/{flag.pk}/rules/2/")
    owner.post(action(page.text), sent(page.text))
    assert names() == ["b", "c2"]


def test_a_rule_that_was_removed_meanwhile_is_added_anew_and_the_form_says_so(owner, other, flag):
    for position in (3, 2):
        mine = form(owner, flag, position) | {"name": "mine"}
        other.post(f"/flags/{flag.pk}/rules/{position}/move/", {"do": "remove"})
        left = names()
        page = owner.post(f"/flags/{flag.pk}/rules/{position}/", mine)
        assert page.status_code == 409
        assert "saving again adds yours as the last one" in page.text
        assert "Add rule" in page.text
        owner.post(action(page.text), sent(page.text))
        assert names() == [*left, "mine"]


def test_the_same_place_holding_another_rule_is_noticed_also_without_a_revision(owner, other, flag):
    mine = form(owner, flag, 1) | {"name": "mine"}
    del mine["revision"]
    other.post(f"/flags/{flag.pk}/rules/1/move/", {"do": "down"})
    page = owner.post(f"/flags/{flag.pk}/rules/1/", mine)
    assert page.status_code == 409
    assert action(page.text).startswith(f"/flags/{flag.pk}/rules/2/")
    assert names() == ["b", "a", "c"]


@pytest.mark.parametrize("first", [{"do": "more"}, {"within": "many"}])
def test_asking_for_a_row_and_mistyping_take_no_look_at_what_others_did(owner, other, flag, first):
    mine = form(owner, flag, 1)
    other.post(f"/flags/{flag.pk}/", {"do": "off"})
    page = owner.post(f"/flags/{flag.pk}/rules/1/", mine | first)
    again = owner.post(action(page.text), sent(page.text) | {"name": "mine"})
    assert again.status_code == 409
    assert "switched it off" in again.text


def test_a_rule_that_is_gone_is_not_moved_and_the_page_says_why(owner, flag):
    page = owner.post(f"/flags/{flag.pk}/rules/4/move/", {"do": "up"}, follow=True)
    assert "look at its rules again" in page.text
    assert names() == ["a", "b", "c"]


# ---- Editing a segment ----


def near(**more) -> dict[str, object]:
    """What the form of a segment sends."""
    return {"attribute-0": "country", "operator-0": "in", "values-0": "DE", **more}


def revision_in(page) -> str:
    return re.search(r'name="revision" value="(\d+)"', page.text)[1]


def test_a_segment_that_somebody_else_changed_is_shown_before_it_is_overwritten(owner, other, flag):
    owner.post("/flags/segments/new/", near(project=flag.project.slug, name="near"))
    segment = Segment.objects.get()
    here = f"/flags/segments/{segment.pk}/"
    mine, theirs = (revision_in(browser.get(here)) for browser in (owner, other))
    other.post(here, near(revision=theirs, description="Theirs", **{"values-0": "SE"}))
    page = owner.post(here, near(revision=mine, **{"values-0": "NO"}), headers=PART)
    assert page.status_code == 409
    assert "somebody was faster" in page.text
    assert '<div class="small">country is one of SE</div>' in page.text
    assert "Theirs" in page.text
    assert Segment.objects.get().conditions[0]["values"] == ["SE"]
    owner.post(here, near(revision=revision_in(page), **{"values-0": "NO"}))
    assert Segment.objects.get().conditions[0]["values"] == ["NO"]


def test_a_segment_of_which_only_the_description_changes_is_another_one_each_time(owner, other, flag):
    owner.post("/flags/segments/new/", near(project=flag.project.slug, name="near"))
    here = f"/flags/segments/{Segment.objects.get().pk}/"
    for text in ("one", "two"):
        seen = revision_in(owner.get(here))
        other.post(here, near(revision=revision_in(other.get(here)), description=text))
        assert owner.post(here, near(revision=seen, description="mine")).status_code == 409
    assert Segment.objects.get().description == "two"
