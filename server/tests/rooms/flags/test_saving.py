"""What flags are, and how they change."""

from __future__ import annotations

import make
import pytest
from rooms.flags.flagged import ALICE, change, flag, found, is_on, place, state

from daytwo_server.core import jobs, search
from daytwo_server.core.models import AuditEntry, Fact
from daytwo_server.flags.models import Change, Edition, State
from daytwo_server.flags.selectors import snapshots
from daytwo_server.flags.services import archiving, overrides, reverting, saving
from daytwo_server.flags.services.common import Conflict, Refused

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forgetful():
    """The next test has other environments of the same numbers."""
    snapshots.forget()


def test_a_flag_is_off_until_somebody_switches_it_on():
    here = place()
    made = flag(here)
    assert made.created
    assert not is_on(here, targetingKey="u1")
    change(here, enabled=True)
    assert is_on(here, targetingKey="u1")


def test_a_put_replaces_what_it_does_not_name():
    here = place()
    flag(here, enabled=True, rolloutPercentage=25, allowedPlans=["pro"])
    again = flag(here, enabled=True)
    assert not again.created
    assert state(here).rollout is None
    assert state(here).definition == {}


def test_a_put_leaves_the_salt_and_what_is_for_people():
    here = place()
    flag(here, description="Why", tags=["a"], salt="old")
    flag(here, enabled=True)
    assert found(here.project).description == "Why"
    assert found(here.project).tags == ["a"]
    assert state(here).salt == "old"


def test_the_same_again_is_no_change():
    here = place()
    flag(here, enabled=True)
    before = snapshots.revision(here.pk)
    assert flag(here, enabled=True).change is None
    assert snapshots.revision(here.pk) == before
    assert Change.objects.count() == 2  # created, and what it is here


def test_a_change_leaves_a_line_a_fact_an_audit_entry_and_a_new_revision():
    here = place()
    flag(here)
    before = snapshots.revision(here.pk)
    saved = saving.patch(found(here.project), here, {"rolloutPercentage": 12.5}, by=ALICE, reason="Careful")
    line = saved.change
    assert (line.before, line.after) == ({"rolloutPercentage": None}, {"rolloutPercentage": 12.5})
    assert (line.reason, line.by, line.environment) == ("Careful", "Alice", here)
    assert snapshots.revision(here.pk) == line.revision == state(here).revision > before
    assert Fact.objects.filter(name="FlagChanged").count() == 2
    assert AuditEntry.objects.filter(action="flags:flag:changed").count() == 1
    assert Edition.objects.get(environment=here).revision == line.revision
    assert State.objects.count() == 1


def test_an_environment_that_a_flag_makes_is_found_like_every_other():
    here = place()
    saving.put(here.project, "qa", "new-checkout", {}, by=ALICE)
    made = here.project.environments.get(name="qa")
    assert made.kind == made.Kind.STAGING
    jobs.run_due_jobs()
    assert search.ids("environment", "qa", 5) == [made.pk]


def test_what_is_the_same_everywhere_moves_the_revision_of_every_environment():
    here = place()
    there = make.environment(here.project, "staging")
    flag(here)
    local = change(here, enabled=True)
    assert snapshots.revision(there.pk) < local.change.revision
    shared = change(here, clientExposed=True)
    assert shared.change.environment is None
    assert snapshots.revision(here.pk) == snapshots.revision(there.pk) == shared.change.revision
    assert snapshots.document(there.pk)["flags"][0]["clientExposed"]


def test_one_call_that_changes_both_leaves_a_line_for_each():
    here = place()
    flag(here)
    change(here, enabled=True, name="Checkout")
    shared, local = Change.objects.order_by("pk")[1:]
    assert (shared.after, shared.environment, shared.action) == ({"name": "Checkout"}, None, "changed")
    assert (local.after, local.environment, local.action) == ({"enabled": True}, here, "enabled")


def test_a_change_of_what_is_the_same_everywhere_must_make_sense_in_every_environment():
    here = place()
    there = make.environment(here.project, "staging")
    two = [{"name": "on", "value": True}, {"name": "off", "value": False}, {"name": "also", "value": True}]
    flag(here, variants=two)
    change(there, split=[{"variant": "also", "weight": 100}])
    with pytest.raises(Refused) as refused:
        change(here, variants=[])
    assert list(refused.value.fields) == ["split[0].variant"]
    assert len(found(here.project).variants) == 3


def test_weights_of_variants_split_where_an_environment_has_no_split_of_its_own():
    here = place()
    there = make.environment(here.project, "staging")
    weighted = [{"name": "a", "value": "a", "weight": 25}, {"name": "b", "value": "b", "weight": 75}]
    flag(here, type="string", variants=weighted, offVariant="a", defaultVariant="a", enabled=True)
    change(there, enabled=True, split=[{"variant": "a", "weight": 100}])
    served = {snapshots.ruleset(here.pk).evaluate("new-checkout", {"targetingKey": f"u{n}"}).variant for n in range(50)}
    assert served == {"a", "b"}
    assert snapshots.ruleset(there.pk).evaluate("new-checkout", {"targetingKey": "u1"}).variant == "a"


def test_taking_a_change_back_leaves_what_others_changed_since():
    here = place()
    flag(here)
    rollout = change(here, rolloutPercentage=10).change
    change(here, enabled=True)
    back = reverting.revert(rollout, by=ALICE)
    assert (state(here).rollout, state(here).enabled, back.action) == (None, True, "reverted")
    reverting.revert(back, by=ALICE)
    assert state(here).rollout == 10_000
    change(here, rolloutPercentage=20)
    with pytest.raises(Conflict):
        reverting.revert(rollout, by=ALICE)


def test_a_change_that_makes_no_sense_any_more_is_not_taken_back():
    here = place()
    flag(here, "parent")
    flag(here, prerequisites=[{"flag": "parent"}])
    gone = change(here, prerequisites=[]).change
    archiving.archive([found(here.project, "parent")], by=ALICE)
    with pytest.raises(Refused, match="there is no flag 'parent'"):
        reverting.revert(gone, by=ALICE)


def test_several_flags_are_archived_together_with_those_that_hang_on_them_or_not_at_all():
    here = place()
    flag(here, "parent")
    flag(here, "child", prerequisites=[{"flag": "parent"}])
    parent, child = found(here.project, "parent"), found(here.project, "child")
    with pytest.raises(Refused, match="child hangs on parent"):
        archiving.archive([parent], by=ALICE)
    assert len(archiving.archive([parent, child], by=ALICE)) == 2
    with pytest.raises(Refused, match="there is no flag 'parent'"):
        archiving.restore([child], by=ALICE)
    archiving.restore([parent, child], by=ALICE)
    assert len(snapshots.document(here.pk)["flags"]) == 2


def test_the_snapshot_is_the_same_seven_queries_for_one_flag_and_for_fifty(django_assert_num_queries):
    here = place()
    for number in range(50):
        made = flag(here, f"f{number}", enabled=True)
        overrides.put(made.state, user_id="u1", enabled=True, by=ALICE)
    with django_assert_num_queries(7):
        assert len(snapshots.document(here.pk)["flags"]) == 50
    snapshots.ruleset(here.pk)
    with django_assert_num_queries(1):
        snapshots.ruleset(here.pk)


def test_audit_and_facts_name_nobody():
    here = place()
    flag(here)
    change(here, allowedUsers=["dana"])
    overrides.put(state(here), user_id="dana", enabled=True, by=ALICE, reason="For dana")
    assert "dana" not in str([*AuditEntry.objects.values(), *Fact.objects.values()])


@pytest.mark.parametrize("what", ["archived", "without its variant"])
def test_a_flag_on_which_one_hangs_in_an_environment_of_which_it_says_nothing_stays_as_it_is(what):
    here = place()
    make.environment(here.project, "staging")
    there = make.environment(here.project, "qa")
    colours = [{"name": "red", "value": "r"}, {"name": "blue", "value": "b"}]
    flag(here, "parent", type="string", variants=colours, offVariant="blue", defaultVariant="blue")
    flag(there, "child", prerequisites=[{"flag": "parent", "variants": ["red"]}])
    parent = found(here.project, "parent")
    changes = {
        "archived": lambda: archiving.archive([parent], by=ALICE),
        "without its variant": lambda: saving.patch(parent, None, {"variants": colours[1:]}, by=ALICE),
    }
    with pytest.raises(Refused, match="child"):
        changes[what]()
