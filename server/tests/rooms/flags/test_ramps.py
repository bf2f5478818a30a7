"""Rollouts that go up by themselves."""

from __future__ import annotations

import datetime as dt

import make
import pytest
import time_machine
from rooms.flags.flagged import ALICE, change, flag, place, state

from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import Fact
from daytwo_server.flags.models import Change, Ramp
from daytwo_server.flags.selectors import snapshots
from daytwo_server.flags.services import archiving, killing, ramps, reverting
from daytwo_server.flags.services.common import Conflict, Refused

pytestmark = pytest.mark.django_db
HOUR = 3600
STEPS = [{"percent": 1, "holdSeconds": HOUR}, {"percent": 10, "holdSeconds": HOUR}, {"percent": 100}]


@pytest.fixture(autouse=True)
def _forgetful():
    snapshots.forget()


@pytest.fixture
def clock():
    with time_machine.travel(make.moment("2026-11-23T09:00:00"), tick=False) as travelling:
        yield travelling


@pytest.fixture
def here(db: None):
    where = place()
    flag(where)
    return where


def rollout(here) -> float:
    return state(here).rollout / 1000


def latest() -> Ramp:
    return Ramp.objects.select_related("state__flag", "state__environment").order_by("-pk")[0]


def test_a_ramp_switches_on_and_goes_up_in_the_moment_of_each_step(here, clock):
    ramps.start(state(here), STEPS, by=ALICE)
    assert (state(here).enabled, rollout(here)) == (True, 1)
    clock.shift(HOUR - 1)
    run_due_jobs(tick=False)
    assert rollout(here) == 1
    clock.shift(1)
    run_due_jobs(tick=False)
    assert (rollout(here), latest().step, latest().status) == (10, 1, "running")
    clock.shift(HOUR)
    run_due_jobs(tick=False)
    assert (rollout(here), latest().status, latest().next_at) == (100, "done", None)
    assert [one.action for one in Change.objects.order_by("pk")][1:] == ["ramp_started", "ramp_stepped", "ramp_stepped"]
    assert Change.objects.order_by("-pk")[0].reason == "Step 3 of 3"


def test_after_a_long_silence_only_one_step_is_made(here, clock):
    ramps.start(state(here), STEPS, by=ALICE)
    clock.shift(dt.timedelta(days=3))
    assert ramps.advance_due() == 1
    assert (rollout(here), ramps.advance_due()) == (10, 0)


def test_a_ramp_that_is_held_stays_until_it_is_resumed_for_a_whole_step(here, clock):
    ramps.start(state(here), STEPS, by=ALICE)
    clock.shift(HOUR // 2)
    ramps.hold(latest(), by=ALICE, note="Lunch")
    clock.shift(10 * HOUR)
    assert ramps.advance_due() == 0
    assert (latest().status, latest().note) == ("held", "Lunch")
    ramps.resume(latest(), by=ALICE)
    clock.shift(HOUR - 1)
    assert ramps.advance_due() == 0
    clock.shift(1)
    assert ramps.advance_due() == 1


def test_a_ramp_of_a_flag_that_is_switched_off_goes_on_only_once_it_is_on(here, clock):
    ramps.start(state(here), STEPS, by=ALICE)
    change(here, enabled=False)
    with pytest.raises(Conflict, match="Switch it on first"):
        ramps.resume(latest(), by=ALICE)
    assert latest().status == "held"
    change(here, enabled=True)
    assert ramps.resume(latest(), by=ALICE).status == "running"


def test_a_step_back_lowers_the_rollout_and_holds_there_and_before_the_first_is_nobody(here, clock):
    ramps.start(state(here), STEPS, by=ALICE)
    clock.shift(HOUR)
    ramps.advance_due()
    ramps.step_back(latest(), by=ALICE, note="Errors")
    assert (rollout(here), latest().status, latest().step) == (1, "held", 0)
    ramps.step_back(latest(), by=ALICE)
    assert (rollout(here), latest().status) == (0, "held")
    ramps.resume(latest(), by=ALICE)
    assert (rollout(here), latest().status) == (1, "running")


def test_whoever_sets_the_rollout_by_hand_has_taken_over(here, clock):
    ramps.start(state(here), STEPS, by=ALICE)
    change(here, rolloutPercentage=30)
    assert (latest().status, latest().note) == ("stopped", "Alice set the rollout")
    clock.shift(HOUR)
    assert (ramps.advance_due(), rollout(here)) == (0, 30)


def test_killing_holds_a_ramp_which_cannot_go_on_before_the_flag_does(here, clock):
    ramps.start(state(here), STEPS, by=ALICE)
    killing.kill(state(here), by=ALICE, reason="Down")
    assert latest().status == "held"
    with pytest.raises(Conflict):
        ramps.resume(latest(), by=ALICE)
    killing.revive(state(here), by=ALICE)
    assert latest().status == "held"
    ramps.resume(latest(), by=ALICE)
    assert Fact.objects.filter(name="FlagKilled").count() == 1


def test_archiving_ends_a_ramp_and_taking_its_start_back_does_too(here, clock):
    ramps.start(state(here), STEPS, by=ALICE)
    reverting.revert(Change.objects.get(action="ramp_started"), by=ALICE)
    assert (latest().status, state(here).enabled, state(here).rollout) == ("stopped", False, None)
    ramps.start(state(here), STEPS, by=ALICE)
    archiving.archive([state(here).flag], by=ALICE)
    assert latest().status == "stopped"


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ([], "steps"),
        (None, "steps"),
        ([{"percent": "10"}], "steps[0].percent"),
        ([{"percent": 10}, {"percent": 20}], "steps[0].holdSeconds"),
        ([{"percent": 10, "holdSeconds": 5}, {"percent": 20}], "steps[0].holdSeconds"),
        ([{"percent": 10, "holdSeconds": HOUR}, {"percent": 10}], "steps[1].percent"),
        ([{"percent": 10, "hold": HOUR}], "steps[0].hold"),
        ([{"percent": number, "holdSeconds": 60} for number in range(1, 30)], "steps"),
    ],
)
def test_steps_that_make_no_sense_are_refused(here, steps, field):
    with pytest.raises(Refused) as refused:
        ramps.start(state(here), steps, by=ALICE)
    assert list(refused.value.fields) == [field]
    assert not Ramp.objects.exists()


def test_there_is_one_ramp_at_a_time_and_none_of_a_killed_flag(here):
    ramps.start(state(here), STEPS, by=ALICE)
    with pytest.raises(Refused, match="There is a ramp already"):
        ramps.start(state(here), STEPS, by=ALICE)
    ramps.stop(latest(), by=ALICE)
    killing.kill(state(here), by=ALICE, reason="Down")
    with pytest.raises(Refused, match="kill switch"):
        ramps.start(state(here), STEPS, by=ALICE)
