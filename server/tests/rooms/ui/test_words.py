"""Numbers, durations and moments as people read them."""

import datetime as dt
import zoneinfo

import pytest
import time_machine

from daytwo_server.ui import formats, times

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
NOW = dt.datetime(2026, 11, 23, 9, 6, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "whole", "short"),
    [
        (0, "0", "0"),
        (1284, "1,284", "1,284"),
        (9999, "9,999", "9,999"),
        (12_345, "12,345", "12.3k"),
        (99_949, "99,949", "99.9k"),
        (123_456, "123,456", "123k"),
        (999_499, "999,499", "999k"),
        (999_600, "999,600", "1M"),
        (1_250_000, "1,250,000", "1.2M"),
        (3_000_000_000, "3,000,000,000", "3B"),
        (-12_345, "-12,345", "-12.3k"),
        (0.5, "0.5", "0.5"),
        (99.714, "99.71", "99.71"),
    ],
)
def test_numbers_are_grouped_or_shortened(value, whole, short):
    assert (formats.grouped(value), formats.compact(value)) == (whole, short)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (48, "48 s"),
        (59.6, "1 min"),
        (780, "13 min"),
        (3600, "1 h"),
        (13_200, "3 h 40 min"),
        (187_200, "2 d 4 h"),
        (-120, "\N{MINUS SIGN}2 min"),
    ],
)
def test_a_duration_names_its_two_largest_units(seconds, text):
    assert formats.duration(seconds) == text
    assert formats.duration(dt.timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("seconds", "text", "short"),
    [
        (0, "just now", "just now"),
        (-44, "just now", "just now"),
        (45, "1 min ago", "1 min"),
        (119, "1 min ago", "1 min"),
        (3599, "59 min ago", "59 min"),
        (3600, "1 h ago", "1 h"),
        (86_399, "23 h ago", "23 h"),
        (86_400, "1 d ago", "1 d"),
        (-600, "in 10 min", "in 10 min"),
        (604_799, "6 d ago", "6 d"),
        (604_800, "16 Nov", "16 Nov"),
    ],
)
def test_a_moment_is_told_in_one_unit_and_from_a_week_on_as_a_date(seconds, text, short):
    moment = NOW - dt.timedelta(seconds=seconds)
    assert (formats.relative(moment, NOW), formats.relative(moment, NOW, short=True)) == (text, short)


def test_a_date_of_another_year_says_its_year():
    assert formats.day(dt.datetime(2025, 10, 14, tzinfo=dt.UTC), NOW) == "14 Oct 2025"


def test_the_year_is_that_of_the_readers_zone():
    eve = dt.datetime(2026, 12, 31, 23, 30, tzinfo=dt.UTC)
    auckland = dt.timezone(dt.timedelta(hours=13))
    assert formats.day(eve.astimezone(auckland), eve) == "1 Jan"


@pytest.mark.parametrize(
    ("seconds", "face"),
    [(0, "00:00"), (1457.9, "24:17"), (3849, "1:04:09"), (-0.5, "00:00"), (-120, "\N{MINUS SIGN}02:00")],
)
def test_a_clock_shows_hours_only_when_there_are_any(seconds, face):
    assert formats.clock_face(seconds) == face


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (dt.datetime(2026, 11, 23, 8, 40, tzinfo=BERLIN), "08:40"),
        (dt.datetime(2026, 11, 22, 23, 59, tzinfo=BERLIN), "22 Nov, 23:59"),
        (dt.datetime(2025, 10, 14, 8, 40, tzinfo=BERLIN), "14 Oct 2025, 08:40"),
        (dt.datetime(2026, 11, 24, 8, 40, tzinfo=BERLIN), "24 Nov, 08:40"),
    ],
)
def test_a_moment_by_the_clock_has_its_date_unless_it_is_today(moment, text):
    assert formats.absolute(moment, dt.datetime(2026, 11, 23, 11, 0, tzinfo=dt.UTC)) == text


@time_machine.travel(dt.datetime(2026, 11, 23, 11, 0, tzinfo=dt.UTC), tick=False)
def test_who_wants_absolute_times_is_still_told_lengths_of_time():
    moment = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
    for bare in (True, False):
        assert ">2 h ago</time>" in times.shown(moment, bare=bare)
        with times.absolute(on=True):
            assert ">09:00</time>" in times.shown(moment, bare=bare)
            assert ">09:00</time>" in times.shown(moment, "short", bare=bare)
            told = times.shown(moment, "left", bare=bare)
        assert 'data-relative="left"' in told
        assert ">2 h</time>" in told
