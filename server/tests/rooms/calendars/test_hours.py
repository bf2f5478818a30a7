"""Working time, exact to the second: in lunch breaks, over weekends, and when clocks are put forward or back."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import make
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from daytwo_server.calendars.hours import ALWAYS, Hours, NoWorkingTime, add, between, opening

BERLIN = "Europe/Berlin"
OFFICE = ((540, 720), (780, 1020))  # 9 to 12, 13 to 17
HOUR = dt.timedelta(hours=1)


def office(zone: str = BERLIN, **days: frozenset) -> Hours:
    return Hours(zone, (OFFICE,) * 5 + ((), ()), **days)


def local(text: str, zone: str = BERLIN, fold: int = 0) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-23T09:00", 2, "2026-11-23T11:00"),
        ("2026-11-23T11:00", 2, "2026-11-23T14:00"),  # over lunch
        ("2026-11-23T11:00", 1, "2026-11-23T12:00"),  # by the end of the morning, not after lunch
        ("2026-11-23T12:30", 1, "2026-11-23T14:00"),
        ("2026-11-27T16:00", 2, "2026-11-30T10:00"),  # over a weekend
        ("2026-11-28T03:00", 1, "2026-11-30T10:00"),
        ("2026-11-23T09:00", 35, "2026-11-27T17:00"),  # a whole week
    ],
)
def test_time_passes_only_while_people_work(start, hours, due):
    assert add(office(), local(start), hours * HOUR) == local(due)
    assert between(office(), local(start), local(due)) == hours * HOUR


def test_a_holiday_is_no_working_time_once_or_every_year():
    christmas = office(yearly=frozenset({(12, 25)}), once=frozenset({dt.date(2026, 12, 28)}))
    assert add(christmas, local("2026-12-24T16:00"), 2 * HOUR) == local("2026-12-29T10:00")
    assert add(christmas, local("2030-12-24T16:00"), 2 * HOUR) == local("2030-12-26T10:00")


NIGHT = Hours(BERLIN, (((0, 360),),) * 7)  # midnight to six


def test_the_hour_that_spring_leaves_out_is_not_worked():
    assert between(NIGHT, local("2026-03-29T00:00"), local("2026-03-29T06:00")) == 5 * HOUR
    assert add(NIGHT, local("2026-03-29T00:00"), 4 * HOUR) == local("2026-03-29T05:00")


def test_the_hour_that_autumn_shows_twice_is_worked_twice():
    assert between(NIGHT, local("2026-10-25T00:00"), local("2026-10-25T06:00")) == 7 * HOUR
    assert add(NIGHT, local("2026-10-25T00:00"), 4 * HOUR) == local("2026-10-25T03:00")


def test_times_within_the_hour_that_is_shown_twice_count_both_times():
    shift = Hours(BERLIN, (((150, 210),),) * 7)  # 02:30 to 03:30
    assert between(shift, local("2026-10-25T00:00"), local("2026-10-25T06:00")) == dt.timedelta(minutes=90)
    first, second = local("2026-10-25T02:45", fold=0), local("2026-10-25T02:45", fold=1)
    assert between(shift, first, second) == dt.timedelta(minutes=30)


def test_times_within_the_hour_that_is_left_out_are_skipped():
    shift = Hours(BERLIN, (((150, 210),),) * 7)
    assert between(shift, local("2026-03-29T00:00"), local("2026-03-29T06:00")) == dt.timedelta(minutes=30)
    assert opening(shift, local("2026-03-29T01:00")) == local("2026-03-29T03:00")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/Havana", "2026-03-08", 23),  # clocks go forward at midnight
        ("America/Havana", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),  # by half an hour
        ("Asia/Kathmandu", "2026-06-01", 24),
        ("Pacific/Apia", "2011-12-30", 0),  # a day that never was
    ],
)
def test_a_whole_day_has_the_hours_that_it_has_there(zone, day, hours):
    date = dt.date.fromisoformat(day)
    week = tuple((((0, 1440),) if number == date.weekday() else ()) for number in range(7))
    around = make.moment(f"{day}T00:00:00")
    found = between(Hours(zone, week), around - 40 * HOUR, around + 60 * HOUR)
    assert found == dt.timedelta(hours=hours)


def test_a_calendar_on_which_nobody_works_is_refused_in_words_and_not_searched_for_ever():
    with pytest.raises(NoWorkingTime, match="twenty years"):
        add(Hours(BERLIN, ((),) * 7), make.moment(), HOUR)
    off = frozenset(make.moment().date() + dt.timedelta(days=number) for number in range(366 * 21))
    with pytest.raises(NoWorkingTime, match="twenty years"):
        add(office(once=off), make.moment(), HOUR)


def test_a_year_off_is_waited_for():
    off = frozenset(dt.date(2027, 1, 1) + dt.timedelta(days=number) for number in range(365))
    assert add(office(once=off), local("2026-12-31T16:00"), 2 * HOUR) == local("2028-01-03T10:00")


def test_around_the_clock_is_plain_time():
    start = make.moment()
    assert add(ALWAYS, start, 1000 * HOUR) == start + 1000 * HOUR
    assert between(ALWAYS, start, start - HOUR) == -HOUR


ZONES = st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kolkata"])
CUTS = st.lists(st.integers(0, 1440), max_size=6, unique=True).map(sorted)
DAYS = CUTS.map(lambda cuts: tuple(zip(cuts[::2], cuts[1::2], strict=False)))
DATES = st.dates(dt.date(2025, 1, 1), dt.date(2028, 1, 1))
CALENDARS = st.builds(
    Hours,
    zone=ZONES,
    week=st.tuples(*[DAYS] * 7),
    once=st.frozensets(DATES, max_size=20),
    yearly=st.frozensets(st.tuples(st.integers(1, 12), st.integers(1, 28)), max_size=10),
)
MOMENTS = st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2027, 12, 31), timezones=st.just(dt.UTC))  # noqa: DTZ001
WORK = st.timedeltas(dt.timedelta(), dt.timedelta(hours=60))


@given(hours=CALENDARS, start=MOMENTS, working=WORK)
@settings(max_examples=150, deadline=None)
def test_what_was_added_is_what_lies_between(hours, start, working):
    assume(sum(ends - begins for day in hours.week for begins, ends in day) > 60)
    due = add(hours, start, working)
    assert between(hours, start, due) == working
    if working:  # and not a moment earlier
        assert between(hours, start, due - dt.timedelta(microseconds=1)) < working


@given(hours=CALENDARS, moments=st.tuples(MOMENTS, MOMENTS, MOMENTS))
@settings(max_examples=100, deadline=None)
def test_working_time_is_additive_and_never_more_than_time(hours, moments):
    one, two, three = moments
    assert between(hours, one, two) + between(hours, two, three) == between(hours, one, three)
    assert abs(between(hours, one, two)) <= abs(two - one)
    assert (between(hours, one, two) >= dt.timedelta()) == (one <= two) or between(hours, one, two) == dt.timedelta()


@given(hours=CALENDARS, start=MOMENTS, works=st.tuples(WORK, WORK))
@settings(max_examples=100, deadline=None)
def test_more_work_is_never_due_earlier_and_work_can_be_done_in_two_parts(hours, start, works):
    assume(sum(ends - begins for day in hours.week for begins, ends in day) > 60)
    less, more = sorted(works)
    assert add(hours, start, less) <= add(hours, start, more)
    assert add(hours, add(hours, start, less), more) == add(hours, start, less + more)


@given(hours=CALENDARS, start=MOMENTS)
@settings(max_examples=60, deadline=None)
def test_it_agrees_with_looking_at_the_wall_clock_each_minute(hours, start):
    start = start.replace(second=0, microsecond=0)
    place, worked = ZoneInfo(hours.zone), 0
    for number in range(600):
        wall = (start + dt.timedelta(minutes=number)).astimezone(place)
        date, minute = wall.date(), wall.hour * 60 + wall.minute
        off = date in hours.once or (date.month, date.day) in hours.yearly
        worked += not off and any(begins <= minute < ends for begins, ends in hours.week[date.weekday()])
    assert between(hours, start, start + dt.timedelta(minutes=600)) == dt.timedelta(minutes=worked)
