"""The test that guards watch by, on its own: how soon it stops what hurts, and that it stops nothing else."""

import statistics

import pytest
from rooms.rollouts import simulated

from daytwo_server.rollouts.evidence import RATIOS, Tally


def shown(*, on, off, errors_on, errors_off):
    """After exposures and then errors."""
    tally = Tally()
    tally.expose(on=on, off=off, at=100.0)
    tally.fail(on=errors_on, off=errors_off, at=99.0)
    return tally


@pytest.mark.parametrize("per_flush", [20, 200])
def test_five_times_as_many_errors_at_ten_percent_stop_within_twenty_of_them(per_flush):
    stopped = [simulated.run(seed, exposures=40_000, times=5, per_flush=per_flush) for seed in range(100)]
    assert all(one.is_conclusive for one in stopped)
    needed = [one.errors_on for one in stopped]
    assert statistics.median(needed) <= 14
    assert sum(n <= 20 for n in needed) >= 90


def test_twenty_times_as_many_errors_stop_within_a_dozen():
    stopped = [simulated.run(seed, exposures=20_000, times=20, per_flush=40) for seed in range(50)]
    assert all(one.is_conclusive and one.errors_on <= 12 for one in stopped)


@pytest.mark.parametrize(("share", "runs"), [(0.01, 60), (0.1, 300), (0.5, 60)])
def test_a_flag_that_changes_nothing_is_not_stopped_however_long_it_is_looked_at(share, runs):
    stopped = [simulated.run(seed, exposures=200_000, share=share).is_conclusive for seed in range(runs)]
    assert sum(stopped) <= 1


def test_a_flag_that_helps_is_not_stopped():
    assert not any(simulated.run(seed, exposures=40_000, times=0.2).is_conclusive for seed in range(20))


def test_an_outage_that_hits_everybody_stops_nothing():
    outage = lambda at: 100.0 if 0.4 < at < 0.6 else 1.0  # noqa: E731
    runs = [simulated.run(seed, exposures=40_000, errors_at=outage) for seed in range(30)]
    assert min(one.errors for one in runs) > 3000
    assert not any(one.is_conclusive for one in runs)


def test_an_outage_while_other_people_than_usual_come_stops_nothing():
    """Three times as many of them have it on, and most errors are of that hour."""
    evening = lambda at: 3.0 if at > 0.8 else 1.0  # noqa: E731
    outage = lambda at: 40.0 if at > 0.84 else 1.0  # noqa: E731
    runs = [simulated.run(seed, exposures=40_000, share_at=evening, errors_at=outage) for seed in range(30)]
    assert min(one.errors for one in runs) > 1000
    assert not any(one.is_conclusive for one in runs)


def test_errors_wait_until_exposures_came_in_after_them():
    tally = Tally()
    tally.fail(on=30, off=0, at=10.0)
    assert (tally.errors, tally.waiting_on, tally.is_conclusive) == (0, 30, False)
    tally.expose(on=100, off=900, at=12.0)
    assert (tally.errors, tally.waiting_on, tally.is_conclusive) == (30, 0, True)


def test_errors_whose_exposures_are_in_are_tested_at_once():
    assert shown(on=100, off=900, errors_on=30, errors_off=0).is_conclusive


def test_where_everybody_has_it_on_there_is_nothing_to_compare_with():
    tally = shown(on=10_000, off=0, errors_on=500, errors_off=0)
    assert not tally.is_conclusive
    assert tally.times is None


def test_a_handful_of_exposures_is_not_taken_at_its_word():
    """None of ten was on, which says little of whether one of twenty is."""
    assert not shown(on=0, off=10, errors_on=2, errors_off=1).is_conclusive


def test_processes_that_answer_by_the_revision_before_stop_nothing_after_a_step_down():
    """Half had it, a tenth has it now, and for a moment errors and exposures are of both."""
    tally = Tally()
    tally.expose(on=20, off=180, older_on=400, older_off=400, at=10.0)
    tally.fail(on=30, off=40, at=9.0)
    assert tally.errors == 70
    assert not tally.is_conclusive


def test_processes_that_answer_by_the_revision_before_stop_nothing_after_a_step_up():
    tally = Tally()
    tally.expose(on=500, off=500, older_on=10, older_off=990, at=10.0)
    tally.fail(on=50, off=50, at=9.0)
    assert not tally.is_conclusive


def test_how_many_times_as_many_errors_it_leads_to_is_said():
    assert shown(on=100, off=900, errors_on=10, errors_off=18).times == pytest.approx(5.0)
    assert shown(on=100, off=900, errors_on=10, errors_off=0).times is None


def test_what_was_counted_survives_being_written_down():
    tally = shown(on=100, off=900, errors_on=7, errors_off=5)
    again = Tally.of(tally.kept())
    assert again == tally
    assert Tally.of({}) == Tally()


def test_what_another_version_weighed_otherwise_begins_anew():
    kept = shown(on=100, off=900, errors_on=7, errors_off=5).kept() | {"weights": [1.0]}
    assert Tally.of(kept) == Tally()
    assert Tally.of(kept | {"weights": [0.0] * len(RATIOS), "something": 1}).errors_on == 7
