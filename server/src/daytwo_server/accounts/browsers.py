"""What a browser says it is, in words. Told from the header alone: good enough to recognise one's own devices."""

import re

# The first that fits: every browser claims to be those that stand below it as well.
_BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\b(?:OPR|OPX|OPT)/"),
    ("Vivaldi", r"\bVivaldi/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("Chrome", r"\b(?:Chrome|CriOS|Chromium|HeadlessChrome)/"),
    ("Safari", r"\bVersion/.*\bSafari/"),
    ("curl", r"^curl/"),
    ("a Python program", r"^python-|^Python"),
)
_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac OS X\b|\bMacintosh\b"),
    ("Linux", r"\bLinux\b|\bX11\b"),
)


def words(user_agent: str) -> str:
    """Such as "Firefox on Linux"; the half that is known, or "Unknown browser"."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    known = browser or (f"Browser on {system}" if system else "Unknown browser")
    return known[0].upper() + known[1:] if known != "curl" else known


def _first(patterns: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for name, pattern in patterns if re.search(pattern, text)), "")
