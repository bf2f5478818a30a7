"""The tokens with one plain value for each theme, for pages that browsers older than `light-dark()` have to show.

`python -m daytwo_server.ui.plain` writes the sheets in `SHEETS` anew; test_plain.py finds one that is out of date.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent
TOKENS = ROOT / "static/ui/css/tokens.css"
# Made from the tokens -> for the sheet that uses them.
SHEETS = {ROOT.parent / "portal/static/portal/tokens.css": ROOT.parent / "portal/static/portal/portal.css"}
_TOKEN = re.compile(r"(--[\w-]+):\s*light-dark\(([^,]+),\s*([^)]+)\);")
_USED = re.compile(r"var\((--[\w-]+)\)")
_HEAD = "/* Made from ui/css/tokens.css by `python -m daytwo_server.ui.plain`: change the colours there. */\n"


def plain(sheet: str) -> str:
    """The tokens that a sheet uses, in the light and in the dark. Raises KeyError for one that is none."""
    known: dict[str, tuple[str, str]] = {}
    for name, light, dark in _TOKEN.findall(TOKENS.read_text()):
        known.setdefault(name, (light.strip(), dark.strip()))  # what follows is for those who ask for more contrast
    used = sorted(set(_USED.findall(sheet)))
    bright, dim = (" ".join(f"{name}: {known[name][theme]};" for name in used) for theme in (0, 1))
    return (
        f"{_HEAD}:root {{ color-scheme: light dark; {bright} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dim} }} }}\n"
    )


if __name__ == "__main__":
    for made, sheet in SHEETS.items():
        made.write_text(plain(sheet.read_text()))
