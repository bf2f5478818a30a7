"""Making flags and saying who gets them: rules, plans, splits, overrides, ramps, segments; all without a script."""

from __future__ import annotations

import datetime as dt

import make
import pytest
from rooms.flags.flagged import found

from daytwo_server.core import clock
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import Change, Flag, Override, Ramp, Segment, State
from daytwo_server.flags.selectors import snapshots
from daytwo_server.flags.services import overrides, saving

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

SOMEBODY = Actor("Somebody")
IN_GERMANY = {"attribute-0": "country", "operator-0": "in", "values-0": "DE\n AT \n\n"}


@pytest.fixture
def shop():
    return make.project("Shop")


@pytest.fixture
def owner(alice, signed_in):
    return signed_in(alice)


@pytest.fixture
def flag(shop):
    return make.flag(shop, "checkout", enabled=True).flag


def state() -> State:
    return State.objects.get(flag__key="checkout")


def rules() -> list[dict]:
    return state().definition.get("rules", [])


def answer(**context):
    return snapshots.ruleset(state().environment_id).evaluate("checkout", context)


# ---- The flag itself ----


def test_a_flag_is_made_off_everywhere_with_all_that_was_said(owner, alice, shop):
    form = {
        "key": "theme", "project": shop.slug, "type": "string", "name": "Theme", "kind": "experiment",
        "variants": "blue = #00f\nred = #f00\noff = #fff", "default_variant": "blue", "owner": alice.email,
        "tags": "design, q4", "remove_by": "2030-01-15", "client_exposed": "on",
    }  # fmt: skip
    page = owner.post("/flags/new/", form, follow=True)
    made = found(shop, "theme")
    assert page.redirect_chain[-1][0] == f"/flags/{made.pk}/"
    assert [(one["name"], one["value"]) for one in made.variants] == [
        ("blue", "#00f"),
        ("red", "#f00"),
        ("off", "#fff"),
    ]
    assert (made.owner, made.tags, made.kind, made.client_exposed) == (alice, ["design", "q4"], "experiment", True)
    assert made.remove_by == dt.date(2030, 1, 15)
    assert not snapshots.ruleset(shop.environments.get().pk).evaluate("theme", {"userId": "u"}).enabled


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"key": "no key"}, "letters, digits"),
        ({"key": "checkout"}, "There is a flag checkout in this project already"),
        ({"type": "integer", "variants": "a = one"}, "&#x27;one&#x27; is no whole number"),
        ({"type": "object", "variants": 'a = {"b":'}, "is no json"),
        ({"variants": "blue"}, "write it like blue = #00f"),
        ({"type": "string", "variants": "a = 1\na = 2"}, "two variants"),
        ({"type": "string", "variants": "a = 1", "off_variant": "b", "default_variant": "a"}, "no variant"),
    ],
)
def test_a_flag_that_makes_no_sense_is_refused_beside_its_field_with_everything_kept(owner, shop, flag, sent, words):
    form = {"key": "other", "project": shop.slug, "type": "boolean", "kind": "release", "description": "Kept words"}
    page = owner.post("/flags/new/", form | sent)
    assert page.status_code == 422
    assert words in page.text
    assert "Kept words" in page.text
    assert Flag.objects.count() == 1


def test_editing_leaves_the_weights_of_variants_as_they_are(owner, shop):
    made = make.flag(
        shop, "theme", type="string", offVariant="a", defaultVariant="a",
        variants=[{"name": "a", "value": "A", "weight": 20}, {"name": "b", "value": "B", "weight": 80}],
    ).flag  # fmt: skip
    page = owner.get(f"/flags/{made.pk}/edit/")
    form = page.context["form"]
    sent = {name: form.initial.get(name) or "" for name in form.fields} | {"name": "Theme of all pages"}
    owner.post(f"/flags/{made.pk}/edit/", sent)
    made.refresh_from_db()
    assert made.name == "Theme of all pages"
    assert [one["weight"] for one in made.variants] == [20, 80]


# ---- Who gets it ----


def test_plans_users_split_and_prerequisites_are_saved_together(owner, shop, flag):
    make.flag(shop, "base", enabled=True)
    sent = {
        "plans": "pro, team", "users": "u1\nu2", "bucket_by": "organizationId", "prerequisites": "base = on",
        "weight-0": "50", "weight-1": "50", "revision": state().revision,
    }  # fmt: skip
    owner.post(f"/flags/{flag.pk}/targeting/", sent)
    definition = state().definition
    assert definition["allowedPlans"] == ["pro", "team"]
    assert definition["allowedUsers"] == ["u1", "u2"]
    assert definition["bucketBy"] == "organizationId"
    assert definition["prerequisites"] == [{"flag": "base", "variants": ["on"]}]
    assert [one["weight"] for one in definition["split"]] == [50, 50]
    page = owner.get(f"/flags/{flag.pk}/targeting/")
    assert page.context["form"].initial["prerequisites"] == "base = on"
    assert [weight for _, weight in page.context["weights"]] == ["50", "50"]


def test_weights_that_do_not_add_up_are_refused_with_everything_kept(owner, flag):
    page = owner.post(f"/flags/{flag.pk}/targeting/", {"plans": "pro", "weight-0": "50", "weight-1": "40"})
    assert page.status_code == 422
    assert "add up to 90" in page.text
    assert 'value="40"' in page.text
    assert state().definition == {}


def test_a_flag_that_hangs_on_itself_is_refused(owner, flag):
    page = owner.post(f"/flags/{flag.pk}/targeting/", {"prerequisites": "checkout"})
    assert page.status_code == 422
    assert "cannot hang on itself" in page.text


def test_the_second_of_two_editors_keeps_what_they_entered(owner, flag, bob, signed_in):
    seen = state().revision
    signed_in(bob).post(f"/flags/{flag.pk}/targeting/", {"plans": "team", "revision": seen})
    page = owner.post(f"/flags/{flag.pk}/targeting/", {"plans": "pro, enterprise", "revision": seen})
    assert page.status_code == 409
    assert "plans team" in page.text
    assert 'value="pro, enterprise"' in page.text
    owner.post(f"/flags/{flag.pk}/targeting/", {"plans": "pro", "revision": state().revision})
    assert state().definition["allowedPlans"] == ["pro"]


# ---- Rules ----


def test_a_rule_is_added_last_edited_moved_and_removed(owner, flag):
    here = f"/flags/{flag.pk}/rules/"
    owner.post(f"{here}new/", IN_GERMANY | {"name": "Near", "serve": "off", "within": "50"})
    owner.post(f"{here}new/", {"attribute-0": "plan", "operator-0": "is_set"})
    assert [one["name"] for one in rules()] == ["Near", ""]
    near = rules()[0]
    assert near["conditions"][0]["values"] == ["DE", "AT"]
    assert (near["variant"], near["rolloutPercentage"]) == ("off", 50)
    form = owner.get(f"{here}1/")
    assert form.context["draft"].conditions[0].values == "DE\nAT"
    owner.post(f"{here}1/", IN_GERMANY | {"name": "Near us", "serve": "split", "weight-0": "20", "weight-1": "80"})
    assert [one["weight"] for one in rules()[0]["split"]] == [20, 80]
    assert not rules()[0].get("variant")
    owner.post(f"{here}2/move/", {"do": "up"})
    assert [one["name"] for one in rules()] == ["", "Near us"]
    page = owner.post(f"{here}2/move/", {"do": "remove"}, follow=True)
    assert "The rule is removed" in page.text
    assert [one["name"] for one in rules()] == [""]
    owner.post(f"/flags/changes/{Change.objects.latest('pk').pk}/revert/")
    assert len(rules()) == 2
    assert owner.get(f"{here}3/").status_code == 404


def test_another_condition_is_a_row_more_and_nothing_is_lost(owner, flag):
    page = owner.post(f"/flags/{flag.pk}/rules/new/", IN_GERMANY | {"do": "more", "name": "Kept"})
    assert page.status_code == 200
    assert [one.attribute for one in page.context["draft"].conditions] == ["country", ""]
    assert 'value="Kept"' in page.text
    assert rules() == []


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"operator-0": "regex", "values-0": "(a)\\1"}, "Values:"),
        ({"values-0": ""}, "nothing to compare to"),
        ({"operator-0": "segment", "values-0": "nobody"}, "no segment"),
        ({"within": "many"}, "number"),
        ({"serve": "purple"}, "no variant"),
        ({"serve": "split", "weight-0": "1"}, "add up to 1"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_words_and_kept(owner, flag, sent, words):
    page = owner.post(f"/flags/{flag.pk}/rules/new/", IN_GERMANY | {"name": "Kept"} | sent)
    assert page.status_code == 422
    assert words in page.text
    assert 'value="Kept"' in page.text
    assert rules() == []


def test_the_second_of_two_who_add_rules_keeps_theirs(owner, flag, bob, signed_in):
    seen = state().revision
    signed_in(bob).post(f"/flags/{flag.pk}/rules/new/", IN_GERMANY | {"name": "First", "revision": seen})
    page = owner.post(f"/flags/{flag.pk}/rules/new/", IN_GERMANY | {"name": "Second", "revision": seen})
    assert page.status_code == 409
    assert "First" in page.text
    owner.post(f"/flags/{flag.pk}/rules/new/", IN_GERMANY | {"name": "Second", "revision": state().revision})
    assert [one["name"] for one in rules()] == ["First", "Second"]


# ---- Overrides ----


def test_an_override_is_added_found_and_removed_by_an_agent(signed_in, flag):
    agent = signed_in(make.member("Agnes", role=make.Role.AGENT))
    make.customer("id:dana", name="Dana Miller")
    saving.patch(flag, state().environment, {"enabled": True, "rolloutPercentage": 0}, by=SOMEBODY)
    here = f"/flags/{flag.pk}/overrides/"
    page = agent.post(here, {"of": "user", "whom": "dana", "serve": "on", "lasts": "1d"}, follow=True)
    assert "Dana Miller" in page.text
    one = Override.objects.get()
    assert one.enabled
    assert abs(one.expires_at - clock.now() - dt.timedelta(days=1)) < dt.timedelta(minutes=1)
    assert answer(userId="dana").enabled
    assert agent.get(here, {"whose": "nobody"}).context["rows"] == []
    assert len(agent.get(here, {"whose": "dan"}).context["rows"]) == 1
    agent.post(here, {"remove": "user:dana"})
    assert not Override.objects.exists()
    assert agent.post(f"/flags/{flag.pk}/", {"do": "kill"}).status_code == 403


def test_an_override_of_an_organization_may_be_a_variant(owner, shop):
    made = make.flag(
        shop, "theme", enabled=True, type="string", offVariant="a", defaultVariant="a",
        variants=[{"name": "a", "value": "A"}, {"name": "b", "value": "B"}],
    ).flag  # fmt: skip
    owner.post(f"/flags/{made.pk}/overrides/", {"of": "organization", "whom": "org1", "serve": "=b"})
    assert (Override.objects.get().organization_id, Override.objects.get().variant) == ("org1", "b")


def test_the_form_is_filled_with_whom_the_try_it_box_was_asked_about(owner, flag):
    page = owner.get(f"/flags/{flag.pk}/overrides/?organization=org1")
    assert page.context["form"].initial == {"of": "organization", "whom": "org1", "serve": "on"}


def test_an_id_that_no_app_can_mean_is_refused(owner, flag):
    page = owner.post(f"/flags/{flag.pk}/overrides/", {"of": "user", "whom": "x" * 201, "serve": "on"})
    assert page.status_code == 422
    assert not Override.objects.exists()


# ---- Ramps ----


def test_a_ramp_is_started_held_set_back_and_stopped(owner, flag):
    here = f"/flags/{flag.pk}/ramp/"
    sent = {
        "percent-0": "1",
        "hold-0": "1",
        "unit-0": "h",
        "percent-1": "10",
        "hold-1": "2",
        "unit-1": "d",
        "percent-2": "100",
    }
    owner.post(here, sent)
    ramp = Ramp.objects.get()
    assert [one["percent"] for one in ramp.steps] == [1, 10, 100]
    assert [one["holdSeconds"] for one in ramp.steps[:2]] == [3600, 2 * 86_400]
    assert state().rollout == 1000
    for verb, status in (("hold", "held"), ("resume", "running"), ("back", "held"), ("stop", "stopped")):
        owner.post(here, {"do": verb})
        ramp.refresh_from_db()
        assert (verb, ramp.status) == (verb, status)
    text = owner.get(f"/flags/{flag.pk}/").text
    assert "Stopped" in text
    assert "started a ramp" in text


def test_a_ramp_that_goes_down_is_refused_at_its_step(owner, flag):
    sent = {"percent-0": "10", "hold-0": "1", "unit-0": "h", "percent-1": "5"}
    page = owner.post(f"/flags/{flag.pk}/ramp/", sent)
    assert page.status_code == 422
    assert "Step 2: " in page.text
    assert not Ramp.objects.exists()


def test_a_ramp_that_is_not_there_cannot_be_held(owner, flag):
    assert "There is no ramp" in owner.post(f"/flags/{flag.pk}/ramp/", {"do": "hold"}, follow=True).text


# ---- Segments ----


def test_a_segment_is_made_used_changed_and_not_removed_while_it_is_used(owner, shop, flag):
    owner.post("/flags/segments/new/", IN_GERMANY | {"project": shop.slug, "name": "near"})
    near = Segment.objects.get()
    owner.post(f"/flags/{flag.pk}/rules/new/", {"operator-0": "segment", "values-0": "near", "serve": "off"})
    assert not answer(userId="u", country="DE").enabled
    assert answer(userId="u", country="SE").enabled
    assert "checkout" in owner.get("/flags/segments/").text
    owner.post(f"/flags/segments/{near.pk}/", {"attribute-0": "country", "operator-0": "in", "values-0": "SE"})
    assert answer(userId="u", country="DE").enabled
    page = owner.post(f"/flags/segments/{near.pk}/remove/", follow=True)
    assert "used by checkout" in page.text
    owner.post(f"/flags/{flag.pk}/rules/1/move/", {"do": "remove"})
    owner.post(f"/flags/segments/{near.pk}/remove/")
    assert not Segment.objects.exists()


def test_a_new_segment_does_not_take_the_place_of_one_of_that_name(owner, shop):
    first = IN_GERMANY | {"project": shop.slug, "name": "near"}
    owner.post("/flags/segments/new/", first)
    page = owner.post("/flags/segments/new/", first | {"values-0": "SE"})
    assert page.status_code == 422
    assert "There is a segment near in this project already" in page.text
    assert Segment.objects.get().conditions[0]["values"] == ["DE", "AT"]


def test_a_segment_without_conditions_is_refused(owner, shop):
    page = owner.post("/flags/segments/new/", {"project": shop.slug, "name": "all"})
    assert page.status_code == 422
    assert not Segment.objects.exists()


# ---- What changed ----


def test_the_history_shows_each_difference_and_any_change_can_be_taken_back(owner, flag):
    owner.post(f"/flags/{flag.pk}/", {"do": "rollout", "rollout": "25"})
    raised = Change.objects.latest("pk")
    owner.post(f"/flags/{flag.pk}/rules/new/", IN_GERMANY | {"serve": "off"})
    text = owner.get(f"/flags/{flag.pk}/changes/").text
    assert "<del>rollout 100%</del><ins>rollout 25%</ins>" in text
    assert "if country is one of DE, AT → off" in text
    page = owner.post(f"/flags/changes/{raised.pk}/revert/", follow=True)
    assert "is taken back" in page.text
    assert state().rollout is None
    assert len(rules()) == 1


def test_what_was_changed_again_since_is_not_taken_back_silently(owner, flag):
    owner.post(f"/flags/{flag.pk}/", {"do": "rollout", "rollout": "25"})
    raised = Change.objects.latest("pk")
    owner.post(f"/flags/{flag.pk}/", {"do": "rollout", "rollout": "50"})
    page = owner.post(f"/flags/changes/{raised.pk}/revert/", follow=True)
    assert "changed that again since" in page.text
    assert state().rollout == 50_000


# ---- Trying it ----


def test_the_box_tells_the_answer_and_every_step(owner, flag):
    dana = make.dana(organization=make.organization("Brightside", external_id="org1"))
    saving.patch(
        flag, state().environment,
        {"rolloutPercentage": 25, "rules": [{"name": "staff", "conditions": [{"attribute": "email", "operator": "str_ends_with", "values": [".com"]}]}]},
        by=SOMEBODY,
    )  # fmt: skip
    page = owner.get(f"/flags/{flag.pk}/try/", {"user": dana.email})
    expected = answer(userId="dana")
    assert page.context["answer"].variant == expected.variant
    assert "Everybody else, position" in page.text
    assert "Asked as" in page.text
    assert "Rule staff" in page.text
    assert "it is not known" in page.text
    by_rule = owner.get(f"/flags/{flag.pk}/try/", {"user": "x", "more": "email=a@example.com"})
    assert "Rule staff." in by_rule.text
    assert by_rule.context["answer"].enabled


def test_without_anybody_to_count_it_says_what_is_missing(owner, flag):
    saving.patch(flag, state().environment, {"rolloutPercentage": 25}, by=SOMEBODY)
    page = owner.get(f"/flags/{flag.pk}/try/", {"user": "", "plan": "pro"})
    assert "nobody to count" in page.text.lower()


def test_an_override_is_named_as_the_reason(owner, flag):
    overrides.put(state(), organization_id="org1", enabled=False, by=SOMEBODY)
    page = owner.get(f"/flags/{flag.pk}/?organization=org1")
    assert "Override of the organization." in page.text
