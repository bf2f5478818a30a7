"""Small charts as SVG text, drawn on the server: one markup for both themes and for paper, and no script.

Every shape carries a class and no colour; `static/ui/css/components.css` decides what a class looks like.
Words that a caller passes (labels, titles) are escaped here; `strict.choice` judges tones and states.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.html import conditional_escape as esc
from django.utils.safestring import SafeString, mark_safe

from daytwo_server.ui.formats import compact, grouped
from daytwo_server.ui.strict import choice

TONES = frozenset({"", "ok", "degraded", "partial", "major", "maintenance", "accent"})
PERIODS = frozenset({"ok", "degraded", "partial", "major", "maintenance", "none"})
FILLS = {"1": "fill-1", "muted": "fill-muted", "major": "fill-3"}

_TOP, _BOTTOM = 16, 20  # pixels above the plot for marker words, below it for axis words
_TALLEST = 11  # steps of a bar in a list; `.bars` in components.css draws each 2 pixels high, and 5 from bar to bar
_LETTER = 2  # percent of the width that a letter of a marker takes on the narrowest screen (6 of 300 px)


def sparkline(values: Sequence[float], *, label: str, tone: str = "", width: int = 64, height: int = 20) -> SafeString:
    """A line with a tinted area, scaled from its own lowest to its own highest value; flat when they are equal.

    `label` is what a screen reader says in place of the picture ("error rate, rising").
    """
    css = f"spark spark--{tone}" if tone and choice(tone, TONES, "tone") else "spark"
    frame = _frame(css, width, height, label)
    if len(values) < 2:
        return mark_safe(f"{frame}</svg>")  # noqa: S308 - numbers and an escaped label
    low, high = min(values), max(values)
    # 1.5 px of room so that the stroke is not cut off at its peaks.
    scale = (height - 3) / (high - low) if high > low else 0
    step = width / (len(values) - 1)
    floor = height - 1.5
    points = "L".join(f"{i * step:.1f} {floor - (value - low) * scale:.1f}" for i, value in enumerate(values))
    return mark_safe(  # noqa: S308
        f'{frame}<path class="spark__area" d="M{points}L{width} {height}L0 {height}Z"/>'
        f'<path class="spark__line" d="M{points}"/></svg>'
    )


def bars(values: Sequence[float], *, label: str, hot_from: int | None = None) -> SafeString:
    """Bars from zero up, the tallest as high as the picture. Those from index `hot_from` on are drawn in alarm red."""
    top = max(values, default=0)
    # Something is never drawn as nothing: one event in a quiet hour still shows.
    tall = [max(1, round(value / top * _TALLEST)) if value > 0 else 0 for value in values]
    cut = len(tall) if hot_from is None else hot_from
    shapes = _steps(tall[:cut], 0) + _steps(tall[cut:], cut, ' class="hot"')
    return mark_safe(f'<svg class="bars" role="img" aria-label="{esc(label)}">{shapes}</svg>')  # noqa: S308


def _steps(tall: Sequence[int], start: int, css: str = "") -> str:
    """One outline of all bars in small numbers, as a list shows fifty of them; `.bars` turns, stretches and cuts it."""
    if not any(tall):
        return ""
    path = f"M{start} 0"
    for height, same in itertools.groupby(tall):
        path += f"V{height}h{len(list(same))}"
    return f'<path{css} d="{path}V0z"/>'


def periods(states: Sequence[tuple[str, str] | str], *, label: str = "", size: str = "") -> SafeString:
    """A strip with one piece for each period: `states` are PERIODS, or (state, tooltip) pairs.

    `size` is "", "small" or "days" (ninety days; a phone shows the last forty-five). Without a `label` the strip
    says how many periods went without trouble: the colours alone would tell a screen reader nothing.
    """
    pieces, fine = [], 0
    for given, title in ((s, "") if isinstance(s, str) else s for s in states):
        state = choice(given, PERIODS, "state of a period") or "none"
        fine += state == "ok"
        css = "" if state == "ok" else f' class="{state}"'
        pieces.append(f'<span{css} title="{esc(title)}"></span>' if title else f"<span{css}></span>")
    spoken = label or f"{fine} of {len(pieces)} periods without trouble"
    css = f"uptime uptime--{size}" if size in {"small", "days"} else "uptime"
    return mark_safe(f'<div class="{css}" role="img" aria-label="{esc(spoken)}">{"".join(pieces)}</div>')  # noqa: S308


@dataclass(frozen=True, slots=True)
class Series:
    """One layer of the bars: `fill` is a key of FILLS; the first series lies at the bottom of the stack."""

    values: Sequence[float]
    fill: str = "1"
    name: str = ""  # shown in the legend when there is more than one series


@dataclass(frozen=True, slots=True)
class Marker:
    """A dashed line with a word: what happened at `at`, counted in bars from the left edge (2.5: in the third)."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars over an axis. All series have one length. `label` is the sentence that stands for the picture.

    `ticks` are (position in bars, words) under the axis, `titles` one tooltip for each bar.
    """

    series: Sequence[Series]
    label: str
    markers: Sequence[Marker] = ()
    ticks: Sequence[tuple[float, str]] = ()
    titles: Sequence[str] = ()
    height: int = 160  # pixels, words included
    count: int = field(init=False)

    def __post_init__(self) -> None:
        lengths = {len(one.values) for one in self.series}
        if len(lengths) != 1:
            raise ValueError(f"Series of one chart must have one length, not {sorted(lengths)}")
        object.__setattr__(self, "count", lengths.pop())

    @property
    def legend(self) -> list[Series]:
        return [one for one in self.series if one.name] if len(self.series) > 1 else []


def bar_chart(chart: BarChart) -> SafeString:
    """The chart as SVG: percent sideways and pixels upwards, so that text keeps its size in any column."""
    floor = chart.height - _BOTTOM
    totals = [sum(column) for column in zip(*(one.values for one in chart.series), strict=True)]
    scale = axis(max(totals, default=0))
    parts = [
        f'<svg class="chart__plot" width="100%" height="{chart.height}" role="img" aria-label="{esc(chart.label)}">',
        *_grid(scale, floor),
        *_columns(chart, scale[-1], floor),
        *_markers(chart, floor),
        *_ticks(chart),
        "</svg>",
    ]
    return mark_safe("".join(parts))  # noqa: S308 - numbers, known classes and escaped words


def axis(top: float) -> list[float]:
    """Round numbers from zero to at least `top`, three to five steps: 151 gives 0, 50, 100, 150, 200."""
    if top <= 0:
        return [0, 1]
    rough = top / 4
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next(magnitude * nice for nice in (1, 2, 2.5, 5, 10) if magnitude * nice >= rough)
    if step < 1 and (top > 4 or isinstance(top, int)):  # counts have no quarters
        step = 1
    return [step * i for i in range(math.ceil(top / step) + 1)]


def _grid(scale: list[float], floor: float) -> list[str]:
    parts = []
    for value in scale:
        y = floor - value / scale[-1] * (floor - _TOP)
        words = compact(value) if value >= 10_000 else grouped(value)
        parts.append(f'<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="-5" y="{y + 3.5:.1f}" text-anchor="end">{words}</text>')
    return parts


def _columns(chart: BarChart, top: float, floor: float) -> list[str]:
    slot = 100 / max(1, chart.count)
    parts = []
    for i in range(chart.count):
        base = floor
        for one in chart.series:
            tall = one.values[i] / top * (floor - _TOP)
            if tall <= 0:
                continue
            base -= tall
            title = f"<title>{esc(chart.titles[i])}</title>" if i < len(chart.titles) else ""
            parts.append(
                f'<rect class="{FILLS[one.fill]}" x="{(i + 0.05) * slot:.2f}%" y="{base:.1f}"'
                f' width="{slot * 0.9:.2f}%" height="{tall:.1f}" rx="1">{title}</rect>'
            )
    return parts


def _markers(chart: BarChart, floor: float) -> list[str]:
    """Words stand right of their line, left of it close to the edge, and a row lower where others stand already."""
    parts: list[str] = []
    taken: list[tuple[float, float]] = []
    for marker in chart.markers:
        x = min(100.0, max(0.0, marker.at / max(1, chart.count) * 100))
        wide = len(marker.text) * _LETTER
        fits = x + wide <= 100
        left, right = (x, x + wide) if fits else (x - wide, x)
        y = 30 if any(left < end and start < right for start, end in taken) else 18
        taken.append((left, right))
        side, dx = ("start", 5) if fits else ("end", -5)
        parts.append(f'<line class="marker" x1="{x:.2f}%" x2="{x:.2f}%" y1="10" y2="{floor}"/>')
        parts.append(
            f'<text class="marker-label" x="{x:.2f}%" dx="{dx}" y="{y}" text-anchor="{side}">{esc(marker.text)}</text>'
        )
    return parts


def _ticks(chart: BarChart) -> list[str]:
    parts = []
    for at, words in chart.ticks:
        x = at / max(1, chart.count) * 100
        anchor = "start" if x < 2 else "end" if x > 98 else "middle"
        parts.append(f'<text x="{x:.2f}%" y="{chart.height - 4}" text-anchor="{anchor}">{esc(words)}</text>')
    return parts


def _frame(css: str, width: int, height: int, label: str) -> str:
    return (
        f'<svg class="{css}" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' role="img" aria-label="{esc(label)}">'
    )
