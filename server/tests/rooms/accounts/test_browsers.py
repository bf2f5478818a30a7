"""Browsers as people call them. The headers are what the browsers of 2026 send."""

import pytest

from daytwo_server.accounts.browsers import words

GECKO = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
SAFARI = "Mozilla/5.0 ({}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 {}Safari/604.1"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (GECKO, "Firefox on Linux"),
        (CHROME.format("Windows NT 10.0; Win64; x64"), "Chrome on Windows"),
        (CHROME.format("Windows NT 10.0; Win64; x64") + " Edg/143.0.0.0", "Edge on Windows"),
        (CHROME.format("X11; Linux x86_64") + " OPR/125.0.0.0", "Opera on Linux"),
        (CHROME.format("Linux; Android 10; K"), "Chrome on Android"),
        (CHROME.format("X11; CrOS x86_64 14541.0.0"), "Chrome on ChromeOS"),
        (SAFARI.format("Macintosh; Intel Mac OS X 10_15_7", ""), "Safari on macOS"),
        (SAFARI.format("iPhone; CPU iPhone OS 18_7 like Mac OS X", "Mobile/15E148 "), "Safari on iPhone"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 CriOS/143.0 Mobile Safari/604.1",
            "Chrome on iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0)", "Browser on Windows"),
        ("curl/8.14.1", "curl"),
        ("python-httpx/0.28.1", "A Python program"),
        ("", "Unknown browser"),
        ("<script>", "Unknown browser"),
    ],
)
def test_a_header_is_told_in_words(header, said):
    assert words(header) == said
