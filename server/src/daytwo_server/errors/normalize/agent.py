"""Browser and system out of a User-Agent header.

Browser SDKs send no more than the header. Only what people filter by is told apart: the ten names below cover
what browsers call themselves; anything else (scripts, bots) has no browser facet rather than a wrong one.
"""

import re
from functools import lru_cache

# The order matters: Edge, Opera and Samsung Internet also say Chrome, and Chrome also says Safari.
_BROWSERS = (
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/(\d+)")),
    ("Opera", re.compile(r"(?:OPR|Opera)/(\d+)")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/(\d+)")),
    ("Firefox", re.compile(r"(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"(?:HeadlessChrome|Chrome|CriOS)/(\d+)")),
    ("Safari", re.compile(r"Version/(\d+)[\d.]* (?:Mobile/\S+ )?Safari/")),
)
_SYSTEMS = (
    ("iOS", re.compile(r"\((?:iPhone|iPad|iPod)")),
    ("Android", re.compile(r"Android")),
    ("Windows", re.compile(r"Windows NT")),
    ("ChromeOS", re.compile(r"CrOS")),
    ("macOS", re.compile(r"Macintosh|Mac OS X")),
    ("Linux", re.compile(r"Linux|X11")),
)


@lru_cache(maxsize=1024)
def _device_of(user_agent: str) -> tuple[tuple[str, str], ...]:
    for name, pattern in _BROWSERS:
        if match := pattern.search(user_agent):
            system = next((label for label, found in _SYSTEMS if found.search(user_agent)), None)
            return (("browser", f"{name} {match[1]}"), *((("os", system),) if system else ()))
    return ()


def device_of(user_agent: str) -> dict[str, str]:
    """`browser` (name and major version) and `os` of a browser; {} for anything that is none."""
    return dict(_device_of(user_agent)) if user_agent else {}
