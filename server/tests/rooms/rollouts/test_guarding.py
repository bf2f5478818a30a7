"""What a guard does when errors gather where a flag is on, and when it does nothing."""

import pytest
from rooms.rollouts import rolling

from daytwo_server.core import clock
from daytwo_server.core.models import Fact
from daytwo_server.flags.models import Change, Ramp
from daytwo_server.flags.services import ramps, saving
from daytwo_server.rollouts import services
from daytwo_server.rollouts.models import Verdict

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])
WORDS = "12 of 14 first errors had it on, although 10% of exposures had."


def hurt(state, *, on=12, off=2):
    """It fails far more often where it is on: enough to be sure."""
    rolling.expose(state, on=100, off=900)
    rolling.fail(state, on=on, off=off)
    rolling.expose(state, on=1, off=9)
    state.refresh_from_db()


def test_a_ramp_that_hurts_goes_a_step_back_and_stays_there():
    ramp = rolling.ramp()
    hurt(ramp.state)
    ramp.refresh_from_db()
    assert (ramp.state.rollout, ramp.step, ramp.status) == (1000, 0, Ramp.Status.HELD)
    assert ramp.note == WORDS
    assert ramp.next_at is None


def test_what_was_done_stands_in_the_history_of_the_flag_and_is_a_fact():
    ramp = rolling.ramp()
    tested = ramp.state.revision
    hurt(ramp.state)
    change = Change.objects.order_by("-pk")[0]
    assert (change.by, change.user, change.reason, change.action) == ("guard", None, WORDS, "ramp_stepped_back")
    [fact] = Fact.objects.filter(name="GuardTripped")
    assert f'"flag":{ramp.state.flag_id}' in fact.data
    assert '"did":"stepped_back","errors_on":12,"errors":14' in fact.data
    [verdict] = rolling.verdicts(ramp.state)
    assert (verdict.did, verdict.reason, verdict.revision) == ("stepped_back", WORDS, tested)


def test_a_ramp_that_goes_on_hurting_goes_back_until_nobody_has_it():
    ramp = rolling.ramp()
    hurt(ramp.state)
    hurt(ramp.state)
    ramp.refresh_from_db()
    assert (ramp.state.rollout, ramp.state.killed) == (0, False)
    assert [one.did for one in rolling.verdicts(ramp.state)] == ["stepped_back"] * 2


def test_a_guard_may_be_told_only_to_hold():
    ramp = rolling.ramp(guard={"action": "hold"})
    hurt(ramp.state)
    ramp.refresh_from_db()
    assert (ramp.state.rollout, ramp.step, ramp.status, ramp.note) == (10_000, 1, Ramp.Status.HELD, WORDS)


def test_a_held_ramp_that_hurts_is_told_of_once_and_left_where_it_is():
    ramp = rolling.ramp(guard={"action": "hold"})
    ramps.hold(ramp, by=rolling.ALICE)
    rolling.settle()
    hurt(ramp.state)
    hurt(ramp.state)
    ramp.refresh_from_db()
    assert (ramp.state.rollout, ramp.state.killed) == (10_000, False)
    assert [one.did for one in rolling.verdicts(ramp.state)] == ["nothing"]


def test_a_guard_may_be_told_to_kill():
    ramp = rolling.ramp(guard={"action": "kill"})
    hurt(ramp.state)
    state = ramp.state
    assert (state.killed, state.killed_by, state.kill_reason) == (True, "guard", WORDS)
    assert Change.objects.order_by("-pk")[0].reason == WORDS
    ramp.refresh_from_db()
    assert ramp.status == Ramp.Status.HELD
    assert not rolling.is_watched(state)


def test_a_flag_without_a_ramp_is_watched_when_people_say_so_and_switched_off():
    state = rolling.flag(guard={"enabled": True})
    hurt(state)
    assert (state.killed, state.killed_by) == (True, "guard")


def test_a_flag_that_hurts_as_much_when_it_is_off_is_left_alone():
    ramp = rolling.ramp()
    rolling.expose(ramp.state, on=100, off=900)
    rolling.fail(ramp.state, on=10, off=90)
    ramp.state.refresh_from_db()
    assert rolling.counted(ramp.state) == (10, 90)
    assert (ramp.state.rollout, rolling.verdicts(ramp.state)) == (10_000, [])


def test_nothing_is_concluded_before_exposures_came_in_after_the_errors():
    ramp = rolling.ramp()
    rolling.fail(ramp.state, on=30, off=0)
    assert rolling.verdicts(ramp.state) == []
    assert rolling.tally(ramp.state).waiting_on == 30
    rolling.expose(ramp.state, on=100, off=900)
    assert [one.did for one in rolling.verdicts(ramp.state)] == ["stepped_back"]


def test_each_revision_is_watched_from_the_beginning():
    ramp = rolling.ramp()
    rolling.expose(ramp.state, on=100, off=900)
    rolling.fail(ramp.state, on=5, off=1)
    rolling.change(ramp.state, allowedPlans=["pro"])
    assert rolling.counted(ramp.state) == (0, 0)
    assert rolling.tally(ramp.state).all_off == 0
    assert rolling.is_watched(ramp.state)


def test_an_error_that_happened_before_the_change_says_nothing_of_it():
    ramp = rolling.ramp()
    rolling.settle()
    before = ramp.started_at.timestamp()
    services.count_errors([(before, ramp.state.environment.project_id, "production", rolling.KEY, "on", 50)])
    assert rolling.counted(ramp.state) == (0, 0)


def test_somebody_who_changed_the_flag_meanwhile_is_not_overruled():
    """The guard has not heard of the change yet."""
    state = rolling.flag(guard={"enabled": True})
    rolling.expose(state, on=100, off=900)
    saving.patch(state.flag, state.environment, {"rolloutPercentage": 5}, by=rolling.ALICE)
    now = clock.now().timestamp()
    services.count_errors([(now, state.environment.project_id, "production", rolling.KEY, "on", 50)])
    state.refresh_from_db()
    assert (state.killed, rolling.verdicts(state)) == (False, [])


def test_variants_count_as_on_unless_it_is_the_one_of_off():
    colours = [{"name": name, "value": name} for name in ("grey", "blue", "red")]
    state = rolling.flag(
        type="string", variants=colours, offVariant="grey", defaultVariant="blue", guard={"enabled": True}
    )
    rolling.send(state, *(rolling.event(state, value) for value in ("blue", "red", "grey", "grey", "grey")))
    assert rolling.counted(state) == (2, 3)


def test_exposures_of_an_earlier_revision_are_known_as_such():
    state = rolling.flag(guard={"enabled": True})
    rolling.expose(state, on=5, off=5)
    rolling.expose(state, on=40, off=60, revision=0)
    found = rolling.tally(state)
    assert (found.on, found.off, found.all_on, found.all_off) == (5, 5, 45, 65)


def test_other_flags_and_environments_are_not_touched():
    one, other = rolling.ramp(), rolling.ramp(key="new-cart")
    hurt(one.state)
    assert rolling.counted(other.state) == (0, 0)
    assert rolling.verdicts(other.state) == []


def test_a_reaction_that_is_cut_off_counts_nothing_and_is_run_again(monkeypatch):
    """As when the process is killed between counting and acting."""
    state = rolling.flag(guard={"enabled": True})
    rolling.expose(state, on=100, off=900)
    real = services.killing.kill

    def cut_off(*_args, **_kwargs):
        raise OSError("killed here")

    monkeypatch.setattr(services.killing, "kill", cut_off)
    rolling.fail(state, on=30, off=0)
    rolling.expose(state, on=1, off=9)
    state.refresh_from_db()
    assert (state.killed, Verdict.objects.count()) == (False, 0)
    assert (rolling.tally(state).all_on, rolling.tally(state).waiting_on) == (100, 30)

    monkeypatch.setattr(services.killing, "kill", real)
    rolling.retry()
    state.refresh_from_db()
    assert (state.killed, Verdict.objects.count()) == (True, 1)
    found = rolling.verdicts(state)[0].tally
    assert (found["errors_on"], found["all_on"]) == (30, 101)


# ---- Who is watched ----


def test_a_ramp_is_watched_from_its_start():
    assert rolling.is_watched(rolling.ramp(step=0).state)


def test_a_ramp_of_a_flag_that_is_to_stay_is_not_watched():
    assert not rolling.is_watched(rolling.ramp(kind="ops").state)
    assert not rolling.is_watched(rolling.ramp(kind="permission").state)


def test_a_ramp_of_a_flag_that_is_to_stay_is_watched_when_people_say_so():
    assert rolling.is_watched(rolling.ramp(kind="ops", guard={"enabled": True}).state)


def test_a_flag_without_a_ramp_is_not_watched():
    assert not rolling.is_watched(rolling.flag())


def test_a_ramp_is_not_watched_when_people_say_so():
    assert not rolling.is_watched(rolling.ramp(guard={"enabled": False}).state)


def test_a_step_may_say_that_it_is_not_watched():
    steps = [{"percent": 1, "holdSeconds": 3600, "guard": False}, {"percent": 10, "holdSeconds": 3600}, {"percent": 50}]
    assert not rolling.is_watched(rolling.ramp(step=0, steps=steps).state)
    assert rolling.is_watched(rolling.ramp(step=1, steps=steps).state)


def test_a_ramp_that_came_to_its_last_step_is_still_watched():
    ramp = rolling.ramp(step=1, steps=[{"percent": 1, "holdSeconds": 3600}, {"percent": 50}])
    assert ramp.status == Ramp.Status.DONE
    assert rolling.is_watched(ramp.state)


def test_the_last_step_may_say_too_that_it_is_not_watched():
    steps = [{"percent": 1, "holdSeconds": 3600}, {"percent": 50, "guard": False}]
    ramp = rolling.ramp(step=1, steps=steps)
    assert ramp.status == Ramp.Status.DONE
    assert not rolling.is_watched(ramp.state)


def test_a_ramp_that_starts_where_the_flag_is_already_is_watched():
    state = rolling.flag(percent=10)
    ramps.start(state, [{"percent": 10, "holdSeconds": 3600}, {"percent": 50}], by=rolling.ALICE)
    rolling.settle()
    assert rolling.is_watched(state)


def test_a_stopped_ramp_is_not_watched_and_neither_is_a_flag_that_is_off_or_archived():
    stopped, off, archived = rolling.ramp(), rolling.ramp(key="new-cart"), rolling.ramp(key="new-menu")
    ramps.stop(stopped, by=rolling.ALICE)
    rolling.change(off.state, enabled=False)
    rolling.archive(archived.state)
    assert [rolling.is_watched(one.state) for one in (stopped, off, archived)] == [False] * 3
