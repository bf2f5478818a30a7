"""Numbers, durations and moments as people read them. Plain functions: no template, no request.

`static/ui/js/time.js` says the same words in the browser as `relative` and `clock_face` say here, so that a page
does not change its wording one minute after it arrived; test_time.py holds the two against each other.
"""

import datetime as dt

MINUTE, HOUR, DAY, WEEK = 60, 3_600, 86_400, 604_800
MINUS = "\N{MINUS SIGN}"
_SHORT_SCALE = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k"))


def grouped(number: float) -> str:
    """1284 is "1,284"; a fraction keeps at most two places ("0.25")."""
    if isinstance(number, int) or float(number).is_integer():
        return f"{int(number):,}"
    return f"{number:,.2f}".rstrip("0").rstrip(".")


def compact(number: float) -> str:
    """At most four characters and a unit: 9,999 stays exact, then "12.3k", "123k", "1.2M", "3B"."""
    size = abs(number)
    if size < 10_000:
        return grouped(number)
    for scale, unit in _SHORT_SCALE:
        # 999,950 would print as "1000k": the step up comes where rounding would reach it.
        if size >= scale * (1 if scale == 1_000 else 0.9995):
            return f"{_three_digits(number / scale)}{unit}"
    return grouped(number)


def _three_digits(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 99.95 else f"{number:.1f}".removesuffix(".0")


def duration(value: dt.timedelta | float) -> str:
    """The two largest units of a timedelta or of seconds: "48 s", "13 min", "3 h 40 min", "2 d 4 h"."""
    seconds = round(value.total_seconds() if isinstance(value, dt.timedelta) else value)
    sign, seconds = (MINUS if seconds < 0 else ""), abs(seconds)
    if seconds < MINUTE:
        return f"{sign}{seconds} s"
    minutes = seconds // 60
    if seconds < HOUR:
        return f"{sign}{minutes} min"
    if seconds < DAY:
        return sign + _two(minutes // 60, "h", minutes % 60, "min")
    hours = minutes // 60
    return sign + _two(hours // 24, "d", hours % 24, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def relative(moment: dt.datetime, now: dt.datetime, *, short: bool = False) -> str:
    """How long ago, or in how long: "just now", "5 min ago", "in 3 h", "6 d ago"; from a week on the date ("14 Oct").

    `short` drops "ago", for a column whose heading already says what the times are. Both moments are aware; the date
    is told in the zone of `moment`, and with its year when that is another one.
    """
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 45:
        return "just now"
    if abs(seconds) >= WEEK:
        return day(moment, now)
    text = _one_unit(abs(seconds))
    if seconds < 0:
        return f"in {text}"
    return text if short else f"{text} ago"


def _one_unit(seconds: float) -> str:
    # Rounded down, and never "0 min": "60 min ago" and "24 h ago" would be one unit too small.
    if seconds < HOUR:
        return f"{max(1, int(seconds // MINUTE))} min"
    if seconds < DAY:
        return f"{int(seconds // HOUR)} h"
    return f"{int(seconds // DAY)} d"


def day(moment: dt.datetime, now: dt.datetime) -> str:
    text = f"{moment.day} {moment:%b}"
    return text if moment.year == now.astimezone(moment.tzinfo).year else f"{text} {moment.year}"


def absolute(moment: dt.datetime, now: dt.datetime) -> str:
    """The time of day, after the date unless that is today's: "08:40", "14 Oct, 08:40", "14 Oct 2025, 08:40"."""
    today = moment.date() == now.astimezone(moment.tzinfo).date()
    return f"{moment:%H:%M}" if today else f"{day(moment, now)}, {moment:%H:%M}"


def exact(moment: dt.datetime) -> str:
    """To the second and with its zone, in the zone of `moment`: "23 November 2026, 08:40:05 CET"."""
    return f"{moment.day} {moment:%B %Y, %H:%M:%S %Z}".rstrip()


def clock_face(seconds: float) -> str:
    """A running clock, "24:17" or "1:04:09"; below zero it is late and says so with a minus."""
    rest = int(abs(seconds))
    sign = MINUS if seconds <= -1 else ""
    hours, minutes, rest = rest // HOUR, rest % HOUR // 60, rest % 60
    return f"{sign}{hours}:{minutes:02}:{rest:02}" if hours else f"{sign}{minutes:02}:{rest:02}"
