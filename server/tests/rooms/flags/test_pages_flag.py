"""The page of a flag: switching it, moving its rollout, saying what that means, and taking it back."""

from __future__ import annotations

import datetime as dt
import json
import re

import make
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rooms.flags.flagged import found

from daytwo_server.core import clock, preferences
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import Asker, Change, ExposureCount, Flag, Override, Ramp, State
from daytwo_server.flags.selectors import reach, snapshots
from daytwo_server.flags.services import killing, overrides, saving

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

GUARD = Actor("guard")
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def shop():
    return make.project("Shop")


@pytest.fixture
def owner(alice, signed_in):
    return signed_in(alice)


@pytest.fixture
def flag(shop):
    return make.flag(shop, "checkout", enabled=True, rolloutPercentage=10).flag


def state() -> State:
    return State.objects.get(flag__key="checkout")


def undo_of(page) -> str:
    """What the Undo button of the toast on a page posts to."""
    return re.search(r'action="(/flags/changes/\d+/revert/)"', page.text.split('class="toasts"')[1])[1]


def undoes(browser, page) -> None:
    browser.post(undo_of(page))


def test_a_flag_is_switched_off_and_the_toast_takes_it_back(owner, flag):
    page = owner.post(f"/flags/{flag.pk}/", {"do": "off"}, follow=True)
    assert "checkout is off in production" in page.text
    assert not state().enabled
    undoes(owner, page)
    assert state().enabled
    assert [one.action for one in Change.objects.order_by("pk")][-2:] == ["disabled", "reverted"]


def test_the_kill_switch_asks_nothing_and_is_undone_from_its_toast(owner, flag):
    page = owner.post(f"/flags/{flag.pk}/", {"do": "kill"}, follow=True)
    assert "off for everybody in production" in page.text
    assert state().killed
    assert state().killed_by == "Alice"
    undoes(owner, page)
    assert not state().killed


def test_the_page_says_who_pulled_the_kill_switch_and_why(owner, flag):
    killing.kill(state(), by=GUARD, reason="Errors are 9 times higher")
    text = owner.get(f"/flags/{flag.pk}/").text
    assert "guard pulled the kill switch" in text
    assert "Errors are 9 times higher" in text
    owner.post(f"/flags/{flag.pk}/", {"do": "revive"})
    assert not state().killed


def test_the_rollout_is_saved_as_it_was_typed_or_by_a_preset(owner, flag):
    for sent, thousandths in (
        ({"rollout": "12.5"}, 12_500),
        ({"rollout": "33,125 %"}, 33_125),
        ({"preset": "50"}, 50_000),
    ):
        owner.post(f"/flags/{flag.pk}/", {"do": "rollout"} | sent)
        assert (sent, state().rollout) == (sent, thousandths)


def test_a_rollout_that_makes_no_sense_is_refused_and_kept_in_the_field(owner, flag):
    for typed in ("half", "-1", "101", ""):
        page = owner.post(f"/flags/{flag.pk}/", {"do": "rollout", "rollout": typed})
        assert page.status_code == 422
        assert "Not saved" in page.text
        assert f'value="{typed}"' in page.text
    assert state().rollout == 10_000


def test_the_second_of_two_sees_what_the_first_did_and_keeps_what_they_entered(owner, flag, bob, signed_in):
    seen = state().revision
    signed_in(bob).post(f"/flags/{flag.pk}/", {"do": "rollout", "rollout": "25", "revision": seen})
    page = owner.post(f"/flags/{flag.pk}/", {"do": "rollout", "rollout": "50", "revision": seen}, headers=PART)
    assert page.status_code == 409
    assert "somebody was faster" in page.text
    assert "rollout 25%" in page.text
    assert "Bob" in page.text
    assert 'value="50"' in page.text
    assert state().rollout == 25_000
    again = re.search(r'name="revision" value="(\d+)"', page.text)[1]
    owner.post(f"/flags/{flag.pk}/", {"do": "rollout", "rollout": "50", "revision": again})
    assert state().rollout == 50_000


def test_a_workspace_that_wants_reasons_gets_them(owner, alice, flag):
    preferences.change({"flags_require_comment": "true"}, versions={}, actor=alice)
    assert 'name="reason"' in owner.get(f"/flags/{flag.pk}/").text
    page = owner.post(f"/flags/{flag.pk}/", {"do": "off"})
    assert page.status_code == 422
    assert state().enabled
    owner.post(f"/flags/{flag.pk}/", {"do": "off", "reason": "  Too many\nerrors "})
    assert not state().enabled
    assert Change.objects.latest("pk").reason == "Too many errors"


def test_a_flag_that_was_never_spoken_of_in_an_environment_is_off_and_can_be_switched_on_there(owner, shop, flag):
    make.environment(shop, "staging")
    text = owner.get(f"/flags/{flag.pk}/?environment=staging").text
    assert "Switch on" in text
    owner.post(f"/flags/{flag.pk}/?environment=staging", {"do": "on"})
    assert State.objects.get(environment__name="staging").enabled
    assert owner.get(f"/flags/{flag.pk}/?environment=elsewhere").status_code == 404


def test_a_flag_of_a_project_without_environments_has_a_page(owner, shop):
    made = Flag.objects.create(project=shop, key="lonely", name="lonely")
    page = owner.get(f"/flags/{made.pk}/")
    assert page.status_code == 200
    assert "has no environment yet" in page.text
    assert owner.post(f"/flags/{made.pk}/", {"do": "on"}).status_code == 404


def test_a_viewer_reads_everything_and_changes_nothing(signed_in, flag):
    viewer = signed_in(make.member("Vera"))
    text = viewer.get(f"/flags/{flag.pk}/").text
    assert "Kill" not in text
    assert "Save change" not in text
    assert "10%" in text
    assert viewer.post(f"/flags/{flag.pk}/", {"do": "kill"}).status_code == 403
    assert not state().killed


def test_numbers_that_nobody_means_are_refused_in_words(owner, flag):
    for typed in ("inf", "nan", "-inf", "1e308", "1e9"):
        assert owner.post(f"/flags/{flag.pk}/", {"do": "rollout", "rollout": typed}).status_code == 422
        steps = {"percent-0": "1", "hold-0": typed, "unit-0": "d", "percent-1": "5"}
        page = owner.post(f"/flags/{flag.pk}/ramp/", steps)
        assert (typed, page.status_code) == (typed, 422)
        assert "Step 1: " in page.text
    assert (state().rollout, Ramp.objects.count()) == (10_000, 0)


def test_who_gets_it_says_what_the_weights_of_the_variants_serve(owner, shop):
    made = make.flag(
        shop, "theme", enabled=True, type="string", offVariant="a", defaultVariant="a", allowedUsers=["u7"],
        variants=[{"name": "a", "value": "A", "weight": 20}, {"name": "b", "value": "B", "weight": 80}],
        rules=[{"name": "plans", "conditions": [{"attribute": "plan", "operator": "is_set"}]}],
    )  # fmt: skip
    answered = snapshots.ruleset(made.state.environment_id)
    for number in range(50):  # the evaluator does what the page says: of those with a plan some get each
        assert answered.evaluate("theme", {"userId": f"u{number}", "plan": "pro"}).variant in {"a", "b"}
    assert {answered.evaluate("theme", {"userId": f"u{one}"}).variant for one in range(50)} == {"a", "b"}
    page = owner.get(f"/flags/{made.flag.pk}/")
    assert page.text.count(">a 20%, b 80%</span>") == 2  # the users and the rule
    assert "by user, else by organization: a 20%, b 80%" in " ".join(page.text.split())
    assert owner.get("/flags/").context["rows"][0]["places"][0]["text"] == "split"
    saving.patch(made.flag, made.state.environment, {"rolloutPercentage": 10}, by=GUARD)
    assert owner.get("/flags/").context["rows"][0]["places"][0]["text"] == "10%"


def test_the_links_of_a_page_stay_in_its_environment(owner, shop, flag):
    make.environment(shop, "staging")
    here = "environment=staging"
    text = owner.get(f"/flags/{flag.pk}/?{here}").text
    for name in ("edit", "changes", "archive", "targeting", "overrides", "ramp", "rules/new"):
        links = set(re.findall(rf'"(/flags/{flag.pk}/{name}/[^"]*)"', text))
        assert (name, links) == (name, {f"/flags/{flag.pk}/{name}/?{here}"})
    answer = owner.post(f"/flags/{flag.pk}/archive/?{here}")
    assert answer["Location"] == f"/flags/{flag.pk}/?{here}"
    page = owner.get(answer["Location"])
    assert f'action="/flags/{flag.pk}/restore/?{here}"' in page.text.split('class="toasts"')[1]
    assert owner.post(f"/flags/{flag.pk}/restore/?{here}")["Location"] == f"/flags/{flag.pk}/?{here}"


def test_an_agent_undoes_overrides_and_nothing_else(signed_in, flag):
    agent = signed_in(make.member("Agnes", role=make.Role.AGENT))
    here = f"/flags/{flag.pk}/overrides/"
    page = agent.post(here, {"of": "user", "whom": "dana", "serve": "on"}, follow=True)
    assert Override.objects.count() == 1
    undoes(agent, page)
    assert Override.objects.count() == 0
    shown = agent.get(f"/flags/{flag.pk}/").text.split('class="toasts"')[0]
    assert len(re.findall(r"/flags/changes/\d+/revert/", shown)) == 2  # of both overrides, not of how it began
    raised = saving.patch(flag, state().environment, {"rolloutPercentage": 50}, by=GUARD).change
    refused = agent.post(f"/flags/changes/{raised.pk}/revert/")
    assert refused.status_code == 403
    assert "Owner, Admin or Engineer" in refused.text
    assert f"/flags/changes/{raised.pk}/revert/" not in agent.get(f"/flags/{flag.pk}/").text
    assert state().rollout == 50_000


def test_what_a_percentage_means_is_what_the_evaluator_answers(owner, shop):
    companies = [make.organization(f"Company {number}", plan="pro") for number in range(20)]
    for number in range(200):
        make.customer(f"id:u{number}", organization=companies[number % 20], plan="pro" if number % 2 else "free")
    saved = make.flag(
        shop, "checkout", enabled=True, rolloutPercentage=30, allowedPlans=["pro"],
        rules=[{"conditions": [{"attribute": "userId", "operator": "in", "values": ["u1", "u2"]}], "variant": "on"}],
    )  # fmt: skip
    overrides.put(saved.state, user_id="u4", enabled=True, by=GUARD)
    rules = snapshots.ruleset(saved.state.environment_id)
    told = reach.reach(rules, "checkout")
    for percentage in (0, 30, 100):
        saving.patch(found(shop, "checkout"), saved.state.environment, {"rolloutPercentage": percentage}, by=GUARD)
        now = snapshots.ruleset(saved.state.environment_id)
        have = [
            number for number in range(200)
            if now.evaluate("checkout", {
                "userId": f"u{number}", "organizationId": companies[number % 20].external_id,
                "plan": "pro" if number % 2 else "free",
            }).enabled
        ]  # fmt: skip
        assert told.at(percentage) == (len(have), len({number % 20 for number in have}))
    assert (told.total, told.organizations, told.is_estimate) == (200, 20, False)
    page = owner.get(f"/flags/{saved.flag.pk}/")
    assert "of 200 customers" in page.text
    curve, _ = json.loads(page.context["curves"])
    assert len(curve) == 101
    assert curve == sorted(curve)


def test_of_very_many_customers_a_part_is_asked_about_and_it_says_so(owner, flag, monkeypatch):
    monkeypatch.setattr(reach, "SAMPLE", 50)
    for number in range(100):
        make.customer(f"id:u{number}")
    make.customer("email:a@example.com")  # no app can name them
    saving.patch(flag, state().environment, {"rolloutPercentage": 100}, by=GUARD)
    page = owner.get(f"/flags/{flag.pk}/")
    assert "100 of 100 customers" in page.text
    assert "An estimate from the 50 customers seen last" in page.text


def test_rules_stand_in_the_order_in_which_they_are_asked(owner, shop):
    made = make.flag(
        shop, "checkout", enabled=True, allowedPlans=["pro"], allowedUsers=["u7"],
        rules=[
            {"conditions": [{"attribute": "email", "operator": "str_ends_with", "values": ["@example.com"]}], "variant": "on"},
            {"conditions": [{"attribute": "country", "operator": "in", "values": ["DE"]}], "variant": "off", "rolloutPercentage": 50},
        ],
    ).flag  # fmt: skip
    text = re.sub(r"<[^>]+>|\s+", " ", owner.get(f"/flags/{made.pk}/").text)
    text = re.sub(r"\s+", " ", text)
    places = [
        text.index(words)
        for words in (
            "Overrides nobody", "Only plan pro", "User is u7", "If email ends with @example.com On",
            "If country is one of DE for 50% of them Off", "Everybody else, by user",
        )
    ]  # fmt: skip
    assert places == sorted(places)


def test_the_chart_shows_the_answers_of_seven_days_with_the_changes_of_the_rollout(owner, flag):
    where = state().environment
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    for age, enabled, count in ((2, True, 30), (2, False, 70), (24 * 8, True, 999)):
        ExposureCount.objects.create(
            environment=where, key="checkout", minute=hour - dt.timedelta(hours=age), revision=1,
            variant="on" if enabled else "off", enabled=enabled, count=count,
        )  # fmt: skip
    Asker.objects.create(environment=where, key="checkout", service="billing-api", last_at=clock.now())
    page = owner.get(f"/flags/{flag.pk}/")
    assert page.context["exposure"].total == 100
    assert "100 evaluations, 30 on" in page.text
    assert "by billing-api" in page.text
    assert ">10%</text>" in page.text


def test_a_flag_nobody_asked_for_says_so(owner, flag):
    text = owner.get(f"/flags/{flag.pk}/").text
    assert "Nothing was asked in production in seven days" in text
    assert "No app asked for it yet in production" in text


def test_the_snippet_is_in_the_language_that_was_chosen(owner, shop, flag):
    python = re.sub(r"<[^>]+>", "", owner.get(f"/flags/{flag.pk}/").text)
    assert "flags.enabled(\n    &quot;checkout&quot;,\n    user=user.id" in python
    script = owner.get(f"/flags/{flag.pk}/?code=js").text
    assert "getBooleanValue" in script
    assert "only once it is exposed" in script


def test_a_page_costs_the_same_however_much_there_is(owner, shop, flag):
    make.customer("id:u0", organization=make.organization("Org"))
    owner.get(f"/flags/{flag.pk}/")
    with CaptureQueriesContext(connection) as one:
        owner.get(f"/flags/{flag.pk}/")
    for number in range(20):
        make.flag(shop, f"other-{number}", enabled=True)
        make.customer(f"id:v{number}", organization=make.organization(f"Org {number}"))
        overrides.put(state(), user_id=f"v{number}", enabled=True, by=GUARD)
    owner.get(f"/flags/{flag.pk}/")  # compiles the flags anew
    with CaptureQueriesContext(connection) as many:
        page = owner.get(f"/flags/{flag.pk}/")
    assert len(many) == len(one)
    assert len(page.content) < 60_000


def test_an_archived_flag_says_so_and_comes_back(owner, flag):
    owner.post(f"/flags/{flag.pk}/archive/")
    page = owner.get(f"/flags/{flag.pk}/")
    assert "Apps that still ask for it use their own default" in page.text
    assert "Save change" not in page.text
    assert "is archived" in owner.post(f"/flags/{flag.pk}/", {"do": "off"}, follow=True).text
    owner.post(f"/flags/{flag.pk}/restore/")
    assert Flag.objects.get(pk=flag.pk).archived_at is None


def test_the_page_of_a_flag_reads_those_it_has_to_do_with_and_not_ten_thousand_others(owner, shop, flag):
    make.flag(shop, "parent", enabled=True)
    make.flag(shop, "checkout", enabled=True, prerequisites=[{"flag": "parent"}])
    make.flag(shop, "other", enabled=True)
    here = state().environment_id
    assert set(snapshots.ruleset_of(here, "checkout").written) == {"parent", "checkout"}
    page = owner.get(f"/flags/{flag.pk}/?user=dana")
    assert page.context["answer"].enabled
    with CaptureQueriesContext(connection) as queries:
        snapshots.ruleset(here)
    assert len(queries) > 1  # nobody compiled all of them before
    assert set(snapshots.ruleset_of(here, "checkout").written) == {"parent", "checkout", "other"}
