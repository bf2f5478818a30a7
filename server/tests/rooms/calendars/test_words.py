"""Hours and holidays as people write them, and as files bring them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daytwo_server.calendars.ical import holidays_in
from daytwo_server.calendars.words import (
    LEAP_YEAR,
    Day,
    Unreadable,
    read_day,
    read_holidays,
    write_day,
    write_holidays,
)


@pytest.mark.parametrize(
    ("text", "intervals"),
    [
        ("09:00-17:00", [(540, 1020)]),
        ("9-12, 13-17", [(540, 720), (780, 1020)]),
        ("13:30–18:00,9.15-12.30", [(555, 750), (810, 1080)]),  # noqa: RUF001 - as people type it
        ("00:00-12:00, 12:00-24:00", [(0, 1440)]),
        ("", []),
        ("closed", []),
    ],
)
def test_hours_are_read_as_people_write_them(text, intervals):
    assert read_day(text) == intervals


@pytest.mark.parametrize(
    "text", ["nine to five", "9-25", "9:75-10", "17-9", "9-12, 11-13", "9-9", "24-24", ", ".join(["1-2"] * 40)]
)
def test_hours_that_mean_nothing_are_refused_in_words(text):
    with pytest.raises(Unreadable):
        read_day(text)


@given(st.lists(st.integers(0, 1440), min_size=2, max_size=12, unique=True).map(sorted))
def test_what_is_written_reads_the_same(cuts):
    intervals = list(zip(cuts[::2], cuts[1::2], strict=False))
    assert read_day(write_day(intervals)) == intervals


def test_holidays_are_once_or_every_year():
    text = "12-25 Christmas\n\n2026-12-24 Company outing\n02-29  Leap   day"
    found = read_holidays(text)
    assert found == [
        Day(dt.date(LEAP_YEAR, 2, 29), "Leap day", yearly=True),
        Day(dt.date(LEAP_YEAR, 12, 25), "Christmas", yearly=True),
        Day(dt.date(2026, 12, 24), "Company outing"),
    ]
    assert read_holidays(write_holidays(found)) == found


@pytest.mark.parametrize("text", ["Christmas", "2026-02-30 Never", "13-01 Never", "12-25 " + "x" * 101, "12-25 a\x07b"])
def test_a_line_that_is_no_holiday_is_refused_in_words(text):
    with pytest.raises(Unreadable):
        read_holidays(text)


def ics(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\r\nUID:{number}\r\n{event}\r\nEND:VEVENT\r\n" for number, event in enumerate(events))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{body}END:VCALENDAR\r\n".encode()


def test_all_day_events_of_a_file_are_holidays():
    found = holidays_in(
        ics(
            "DTSTART;VALUE=DATE:20261003\r\nSUMMARY:Tag der Deutschen\r\n  Einheit",
            "DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Christmas",
            "DTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:New Year",
            "DTSTART:20261005T090000Z\r\nSUMMARY:A meeting",
            "DTSTART;VALUE=DATE:20261102\r\nSTATUS:CANCELLED\r\nSUMMARY:Called off",
            "DTSTART;VALUE=DATE:20270802\r\nDURATION:P2D\r\nSUMMARY:Summer",
            "DTSTART;VALUE=DATE:20240101\r\nSUMMARY:New Year once",
        )
    )
    assert found == [
        Day(dt.date(LEAP_YEAR, 1, 1), "New Year", yearly=True),
        Day(dt.date(2026, 10, 3), "Tag der Deutschen Einheit"),
        *[Day(dt.date(2026, 12, day), "Christmas") for day in (24, 25, 26)],
        *[Day(dt.date(2027, 8, day), "Summer") for day in (2, 3)],
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"no calendar", b"\xff\xfe\x00", b"BEGIN:VCALENDAR\r\n", ics(), ics("DTSTART:20261005T090000Z"),
        ics("DTSTART;VALUE=DATE:20261126\r\nRRULE:FREQ=YEARLY;BYDAY=4TH;BYMONTH=11\r\nSUMMARY:Thanksgiving"),
        ics("DTSTART;VALUE=DATE:20261126\r\nRRULE:FREQ=WEEKLY\r\nSUMMARY:Sundays"),
        ics("DTSTART;VALUE=DATE:20260101\r\nDTEND;VALUE=DATE:20270101\r\nSUMMARY:A year"),
        ics("DTSTART;VALUE=DATE:20261126\r\nRDATE;VALUE=DATE:20271125\r\nSUMMARY:Thanksgiving"),
        ics("DTSTART;VALUE=DATE:20261126\r\nRRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20271126\r\nSUMMARY:Not in 2027"),
        ics("DTSTART;VALUE=DATE:20260101\r\nDURATION:P99999999D\r\nSUMMARY:For ever"),
        ics("DTSTART;VALUE=DATE:20269901\r\nSUMMARY:Never"),
        b"x" * (1024 * 1024 + 1),
    ],
)  # fmt: skip
def test_a_file_that_this_cannot_keep_is_refused_whole(data):
    with pytest.raises(Unreadable):
        holidays_in(data)
