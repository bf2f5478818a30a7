"""How much a request looks as if nobody had written it. Pure.

Whoever writes here has shown that they read their mail, so little is left to guess. Nothing is ever thrown away by it:
what is sent too fast comes back to be sent again, and what looks odd gets a tag.
"""

from __future__ import annotations

import re

from django.core import signing

LEAST_S = 3  # nobody reads four fields and writes twenty characters faster
LONGEST_S = 12 * 3600  # a page may be open for a working day
SUSPICIOUS = 5
_SALT = "portal.begun"
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_MARKUP = re.compile(r"<a\s|\[url[=\]]|\[link[=\]]", re.IGNORECASE)
_SOLD = re.compile(
    r"\b(seo|backlinks?|casino|viagra|cialis|crypto|bitcoin|forex|guest post|first page of google|loan offer|"
    r"web ?traffic|escorts?)\b",
    re.IGNORECASE,
)


def begun() -> str:
    """What a form carries so that it can be told how long it was open."""
    return signing.TimestampSigner(salt=_SALT).sign("form")


def in_a_hurry(mark: str) -> bool:
    """Whether the form came back faster than people write, or without having been looked at at all."""
    signer = signing.TimestampSigner(salt=_SALT)
    try:
        signer.unsign(mark, max_age=LONGEST_S)
    except signing.SignatureExpired:
        return False
    except signing.BadSignature:
        return True
    try:
        signer.unsign(mark, max_age=LEAST_S)
    except signing.SignatureExpired:
        return False
    return True


def score(subject: str, text: str) -> int:
    """From 0, nothing odd; `SUSPICIOUS` and more is for people to look at."""
    whole = f"{subject}\n{text}"
    points = 2 * max(0, len(_LINK.findall(whole)) - 2)  # two addresses are what people send who have a problem
    points += 5 * bool(_MARKUP.search(whole))
    points += 3 * len({one.lower() for one in _SOLD.findall(whole)})
    points += 2 * bool(_LINK.search(subject))
    letters = [char for char in whole if char.isalpha()]
    points += 2 * (len(letters) > 20 and sum(map(str.isupper, letters)) > 0.8 * len(letters))
    return points
