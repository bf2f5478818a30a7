"""Which errors count for a guard: the first of each user and issue, of flags that somebody watches."""

import dataclasses
import datetime as dt
import random

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from rooms.errors import happen
from rooms.rollouts import rolling

from daytwo_server.core import clock
from daytwo_server.core.models import Fact
from daytwo_server.errors.services import flagged
from daytwo_server.rollouts.models import Guard

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture(autouse=True)
def _nobody_before():
    """Issues have the numbers of those of other tests."""
    flagged._nobody.clear()


@pytest.fixture
def state():
    return rolling.flag(guard={"enabled": True})


def told():
    return list(Fact.objects.filter(name="FlaggedErrorsCounted"))


def test_each_user_counts_once_for_an_issue(state):
    rolling.send(state, *(rolling.event(state, True, user="dana") for _ in range(5)))
    rolling.send(state, rolling.event(state, True, user="dana"), rolling.event(state, False, user="erik"))
    assert rolling.counted(state) == (1, 1)


def test_each_user_counts_anew_for_another_issue(state):
    rolling.send(state, rolling.event(state, True, user="dana"))
    rolling.send(state, rolling.event(state, True, user="dana", function="refund"))
    assert rolling.counted(state) == (2, 0)


def test_of_several_errors_in_a_batch_the_earliest_says_how_the_flag_was(state):
    now = clock.now()
    later, earlier = ((now - dt.timedelta(seconds=s)).isoformat() for s in (1, 9))
    rolling.send(
        state,
        rolling.event(state, True, user="dana", timestamp=later),
        rolling.event(state, False, user="dana", timestamp=earlier),
    )
    assert rolling.counted(state) == (0, 1)


def test_a_batch_is_told_of_in_one_fact(state):
    other = rolling.flag(key="new-cart", guard={"enabled": True})
    before = len(told())
    happen.send(
        state.environment.project, *(rolling.event(state, n % 3 == 0) for n in range(30)), rolling.event(other, True)
    )
    assert len(told()) == before + 1
    rolling.settle()
    assert rolling.counted(state) == (10, 20)
    assert rolling.counted(other) == (0, 0), "that one is a flag of another project"


def test_without_a_user_an_issue_counts_once_in_five_seconds_whatever_the_flag_was(state):
    moment = clock.now() + dt.timedelta(seconds=60)
    moment -= dt.timedelta(seconds=moment.timestamp() % flagged.SPAN_S)
    for seconds, value in ((0, False), (1, True), (4, True), (5, True), (9, False), (10, True)):
        at = moment + dt.timedelta(seconds=seconds)
        happen.send(state.environment.project, rolling.event(state, value, user=""), at=at)
    rolling.settle()
    assert rolling.counted(state) == (2, 1)


def test_an_event_without_a_user_that_could_not_be_stored_counts_when_it_comes_again(state):
    [event] = happen.send(state.environment.project, rolling.event(state, True, user=""))
    assert flagged._of_nobody([event]) == [event]


def test_events_without_the_flag_or_of_another_environment_are_not_counted(state):
    rolling.send(
        state,
        happen.payload(environment="production", user={"id": "dana"}),
        rolling.event(state, True) | {"environment": "staging"},
    )
    assert told() == []


def test_flags_that_nobody_watches_are_not_counted(state):
    rolling.change(state, guard={"enabled": False})
    rolling.fail(state, on=3, off=3)
    assert told() == []


def test_what_waited_in_the_spool_since_before_a_change_says_nothing_of_it(state):
    """One batch holds errors of before and after."""
    events = rolling.send(state, *(rolling.event(state, value) for value in (True, False, False)))
    Guard.objects.update(since=clock.now() - dt.timedelta(minutes=5), tally={})
    for event, minutes in zip(events, (9, 3, 1), strict=True):
        event.arrival = dataclasses.replace(event.arrival, received=event.arrival.received - 60 * minutes)
    flagged.count(events, events)
    rolling.settle()
    assert rolling.counted(state) == (0, 2)


def test_a_duplicate_counts_once(state):
    event = rolling.event(state, True) | {"event_id": "f" * 32}
    rolling.send(state, event)
    rolling.send(state, event)
    assert rolling.counted(state) == (1, 0)


def test_a_batch_costs_one_statement_more_while_nothing_is_watched(state):
    rolling.change(state, guard={"enabled": False})
    events = [rolling.event(state, random.random() < 0.5, user=f"u{n}") for n in range(50)]
    with CaptureQueriesContext(connections["default"]) as asked:
        happen.send(state.environment.project, *events)
    assert len([one for one in asked if "rollouts_" in one["sql"]]) == 1
    assert told() == []
