"""Charts are safe SVG that carries classes and words, and never a colour."""

import re

import pytest
from django.utils.safestring import SafeString

from daytwo_server.ui import charts
from daytwo_server.ui.strict import UnknownChoice


def test_a_sparkline_runs_from_the_left_edge_to_the_right_and_uses_the_whole_height():
    svg = charts.sparkline([1, 5, 3], label="rising")
    assert 'd="M0.0 18.5L32.0 1.5L64.0 10.0"' in svg
    assert 'role="img" aria-label="rising"' in svg
    assert isinstance(svg, SafeString)


@pytest.mark.parametrize("values", [[], [4], [3, 3, 3], [-2, 0, 2]])
def test_a_sparkline_of_little_or_level_data_is_still_a_picture(values):
    svg = charts.sparkline(values, label="flat")
    assert svg.startswith("<svg")
    assert svg.endswith("</svg>")
    assert "nan" not in svg


def test_a_single_event_among_thousands_is_still_visible():
    assert re.findall(r"V(\d+)h1", charts.bars([0, 1, 5000], label="per hour")) == ["0", "1", "11"]


def test_bars_of_a_day_are_short_enough_for_fifty_in_a_list():
    assert len(charts.bars(range(1, 25), label="12,345 events in 24 hours", hot_from=18)) < 260


def test_bars_from_the_given_hour_on_are_hot():
    cool, hot = re.findall(r'<path(?: class="hot")? d="([^"]+)"', charts.bars([1, 1, 1], label="x", hot_from=1))
    assert (cool, hot) == ("M0 0V11h1V0z", "M1 0V11h2V0z")


def test_a_strip_of_periods_says_in_words_what_its_colours_show():
    strip = charts.periods(["ok", "ok", ("major", "12 May: down 40 min"), "none"])
    assert 'aria-label="2 of 4 periods without trouble"' in strip
    assert '<span class="major" title="12 May: down 40 min"></span>' in strip


def test_an_unknown_state_of_a_period_fails_while_developing():
    with pytest.raises(UnknownChoice, match="broken"):
        charts.periods(["broken"])


@pytest.mark.parametrize(
    ("top", "scale"),
    [(151, [0, 50, 100, 150, 200]), (0, [0, 1]), (3, [0, 1, 2, 3]), (4, [0, 1, 2, 3, 4]), (60_000, [0, 2e4, 4e4, 6e4])],
)
def test_an_axis_has_few_round_steps(top, scale):
    assert charts.axis(top) == pytest.approx(scale)


@pytest.mark.parametrize("top", [0.003, 0.7, 1, 7, 11, 99, 101, 12_345, 10**9])
def test_an_axis_reaches_its_highest_value_in_at_most_six_lines(top):
    scale = charts.axis(top)
    assert scale[-1] >= top
    assert 2 <= len(scale) <= 6


def test_a_bar_chart_stacks_its_series_and_names_them_only_when_there_are_several():
    chart = charts.BarChart([charts.Series([10], "1", "On"), charts.Series([30], "muted", "Off")], label="On and off")
    heights = [float(h) for h in re.findall(r'height="([\d.]+)" rx', charts.bar_chart(chart))]
    assert heights[1] == pytest.approx(3 * heights[0])
    assert [series.name for series in chart.legend] == ["On", "Off"]
    assert charts.BarChart([charts.Series([1], name="On")], label="On").legend == []


def test_series_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        charts.BarChart([charts.Series([1]), charts.Series([1, 2])], label="x")


def test_words_of_neighbouring_markers_do_not_lie_on_each_other():
    markers = [charts.Marker(68, "deploy"), charts.Marker(75, "flag to 25%")]
    chart = charts.BarChart([charts.Series([1] * 100)], label="x", markers=markers)
    assert re.findall(r'y="(\d+)" text-anchor="(\w+)">(deploy|flag)', charts.bar_chart(chart)) == [
        ("18", "start", "deploy"),
        ("30", "start", "flag"),
    ]


def test_words_close_to_the_right_edge_stand_left_of_their_line():
    chart = charts.BarChart([charts.Series([1] * 10)], label="x", markers=[charts.Marker(99, "now <b>")])
    svg = charts.bar_chart(chart)
    assert 'x="100.00%" dx="-5" y="18" text-anchor="end">now &lt;b&gt;<' in svg


def test_no_chart_contains_a_colour():
    chart = charts.BarChart([charts.Series([1, 2])], label="x", markers=[charts.Marker(1, "m")], ticks=[(0, "t")])
    parts = [charts.sparkline([1, 2], label="x", tone="major"), charts.bars([1], label="x"), charts.bar_chart(chart)]
    assert re.findall(r"fill=|stroke=|style=|#[0-9a-f]{3}", "".join(parts)) == []
