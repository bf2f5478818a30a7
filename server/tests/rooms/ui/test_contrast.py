"""Text and meaningful shapes stand out from what lies behind them (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from pathlib import Path

import pytest

import daytwo_server.ui

SHEET = Path(daytwo_server.ui.__file__).parent / "static/ui/css/tokens.css"
TOKEN = re.compile(r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)")
STATUSES = ("ok", "degraded", "partial", "major", "maintenance", "unknown")
SURFACES = ("canvas", "surface", "surface-raised", "surface-sunken", "surface-hover")
TINTS = [f"{status}-tint" for status in STATUSES]

TEXT = [(text, surface) for text in ("text", "text-muted", "text-subtle") for surface in SURFACES]
TEXT += [("text", "surface-active"), ("text-muted", "surface-active")]
TEXT += [("accent", surface) for surface in (*SURFACES, "accent-tint")]
TEXT += [("text", "accent-tint"), ("text-muted", "accent-tint")]
TEXT += [("text-muted", "segment-track"), ("text", "segment-thumb")]
TEXT += [("on-ink", "ink"), ("on-ink", "ink-hover")]
TEXT += [("text-on-solid", solid) for solid in ("accent-solid", "sev1-solid", "sev2-solid")]
TEXT += [(f"{status}-text", back) for status in STATUSES for back in (*SURFACES, f"{status}-tint")]
TEXT += [(text, tint) for tint in TINTS for text in ("text", "text-muted")]
TEXT += [("text", "note-tint"), ("text-muted", "note-tint"), ("degraded-text", "note-tint")]
TEXT += [(code, back) for code in ("code-keyword", "code-string", "code-number") for back in ("code-bg", "code-hit")]
TEXT += [("text-subtle", "code-bg"), ("text-subtle", "code-hit"), ("text-muted", "code-hit")]

# Yellow on white ("degraded") and grey ("unknown") are paler than 3:1 by nature; a word always stands by them.
SHAPES = [
    ("line-control", "surface"),
    ("focus", "surface"),
    ("focus", "canvas"),
    ("knob", "switch-on"),
    ("knob", "line-control"),
]
SHAPES += [(f"{status}-solid", "surface") for status in ("ok", "partial", "major", "maintenance")]
SHAPES += [(f"chart-{number}", "surface") for number in (1, 2, 3, 4)]


def tokens() -> dict[str, tuple[str, str]]:
    """The first value of each token: later ones, under prefers-contrast, only ever raise the contrast."""
    found: dict[str, tuple[str, str]] = {}
    for name, light, dark in TOKEN.findall(SHEET.read_text("utf-8")):
        found.setdefault(name, (light, dark))
    return found


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_has_the_highest_contrast_there_is():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("needed", "pairs"), [(4.5, TEXT), (3.0, SHAPES)], ids=["text", "shapes"])
def test_every_pair_of_colours_is_readable(theme, needed, pairs):
    known = tokens()
    ratios = {(front, back): contrast(known[front][theme], known[back][theme]) for front, back in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < needed} == {}
