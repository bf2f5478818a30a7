"""Secrets that are known by their shape, whatever they are called."""

import binascii
import re

from daytwo_server.errors.scrub.names import FILTERED

# Every alternative starts with a literal character, so the engine can skip through text by a table of first
# characters: that makes one pass over all of them as cheap as a pass for one. What a look-behind would say
# (does a word start here?) is asked in `_replacement`.
_SHAPES = re.compile(
    r"-----BEGIN[ A-Z0-9]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END[ A-Z0-9]{0,30}PRIVATE KEY-----|\Z)"
    r"|eyJ[\w-]{6,500}+\.[\w-]{4,}+(?:\.[\w-]*)?"  # JWT
    r"""|://[^\s/:@"'?#]{0,200}+:(?!\[Filtered\]@)[^\s/"'?#]{1,500}@"""  # user:password in a URL
    # A scheme followed by a word of prose ("Bearer token missing") is no secret.
    r"|B(?:earer|EARER) +(?!(?:[Tt]okens?|[Aa]uth\w*|scheme|realm|error|header|format|is|was|not|missing|required|must"
    r"|in|for|and|or|prefix|credentials?)\b)[\w.~+/=-]{3,}"
    r"|bearer +(?=[a-z.~+/=_-]{0,200}+[\dA-Z])[\w.~+/=-]{8,}"
    r"|Basic +[A-Za-z0-9+/_-]{4,}={0,2}|basic +[A-Za-z0-9+/_-]{4,}={0,2}"
    r"|Token +[0-9a-f]{20,}"
    # Keys that vendors mark by a prefix. Stripe's pk_ and Sentry's DSN keys are public and stay.
    r"|AKIA[A-Z0-9]{16}|ASIA[A-Z0-9]{16}|AIza[\w-]{35}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|gsk_\w{20,}"
    r"|sk_(?:live|test)_\w{10,}|sk-[\w-]{20,}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"
    r"|rk_(?:live|test)_\w{10,}|whsec_[\w+/=]{16,}"
    r"|xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{10,}|hooks\.slack\.com/services/[\w/]{10,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{16,}|ya29\.[\w-]{20,}|hvs\.[\w-]{20,}"
    r"|dop_v1_[a-f0-9]{40,}|dckr_pat_[\w-]{20,}|AccountKey=[\w+/=]{20,}|SharedAccessKey=[\w+/=]{20,}"
    r"|discord(?:app)?\.com/api/webhooks/\d+/[\w-]+"
)
_CARD = re.compile(r"[2-6]\d{3}(?:\d{9,15}|([ -])\d{4}\1\d{4}\1\d{1,7}|([ -])\d{6}\2\d{4,5})(?![\w-])")
# Issuer ranges: without them one in ten snowflake ids and phone numbers passes the check digit.
_ISSUED = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|2720\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}"
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12}(?:\d{3})?|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}|(?:50|5[6-8]|6[37])\d{11,17}"
)
_DOUBLED = str.maketrans("0123456789", "0246813579")
_KEEPS_SCHEME = ("Bearer", "BEARER", "bearer", "Basic", "basic", "Token")


def hide_shapes(text: str) -> tuple[str, int]:
    """The text with everything secret-shaped replaced, and how many were."""
    shaped, carded = _SHAPES.search(text), _CARD.search(text)
    if not shaped and not carded:
        return text, 0
    hidden = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal hidden
        found = _replacement(match)
        if found is None:
            return match.group()
        hidden += 1
        return found

    if shaped:
        text = _SHAPES.sub(replace, text)
    if carded:
        text = _CARD.sub(replace, text)
    return text, hidden


def is_card_number(digits: str) -> bool:
    """13 to 19 digits that an issuer could have given out and whose check digit (Luhn) is right."""
    if not _ISSUED.fullmatch(digits):
        return False
    doubled = digits[-2::-2].translate(_DOUBLED)
    return (sum(map(int, digits[-1::-2])) + sum(map(int, doubled))) % 10 == 0


def _replacement(match: re.Match[str]) -> str | None:
    """What stands instead of a match; None to leave it."""
    found, start = match.group(), match.start()
    if found.startswith("://"):
        return f"{found[: found.index(':', 3) + 1]}{FILTERED}@"
    if found.startswith("-----"):
        return FILTERED
    before = match.string[start - 1] if start else " "
    # The n of an escaped line break is no letter of the word.
    if (before.isalnum() or before == "_") and match.string[start - 2 : start - 1] != "\\":
        return None  # the middle of a longer word or number
    if found[0].isdigit():
        return FILTERED if before not in ".-" and is_card_number(re.sub(r"\D", "", found)) else None
    scheme, _, credentials = found.partition(" ")
    if scheme not in _KEEPS_SCHEME:
        return FILTERED
    known = scheme.lower() != "basic" or _is_basic(credentials.strip())
    return f"{scheme} {FILTERED}" if known else None


def _is_basic(credentials: str) -> bool:
    """Whether this is base64 of user:password, and not the next word of a sentence."""
    try:
        return b":" in binascii.a2b_base64(credentials + "=" * (-len(credentials) % 4))
    except binascii.Error:
        return False
