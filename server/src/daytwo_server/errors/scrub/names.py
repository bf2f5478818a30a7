"""Which names announce a secret.

A name is split into words (`stripeSecretKey`, `X-Api-Key` and `card[password]` alike), because searching for
substrings finds `token` in `tokenizer_count` and `auth` in `author`, and comparing whole names misses `db_password`.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

FILTERED = "[Filtered]"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|\d+")
_MAX_NAME = 120

# Matched against the words joined with "_" and with "_" at both ends.
_SECRET = re.compile(
    r"""
    # Long enough to mean it wherever they stand, even run together with other words.
    password|passwd|passphrase|passcode|pwd_|secret(?!ar)|credential|mnemonic
    |api_?key|access_?key|private_?key|(?:encryption|signing|master|account|shared|auth|ssh|session|app|
        application|subscription|consumer|deploy|license|gpg_private|server|service|webhook|rsa|hmac|aes)_?key
    |authorization|csrf|xsrf|cookie|bearer|jwt|(?:oauth|code)_?verifier|connection_?str|conn_?str
    |_sess(?:ion)?_(?:id|hash|data|value)s?_|sess(?:ion)?ids?_|connect_sid
    |card_?(?:number|num|no|pan|cvv|cvc|code|pin|exp|expiry|data|details)_|credit_?card|debit_?card
    |cvv|cvc2?_|_ssn_|social_security|_iban_|_(?:cc|account|routing)_(?:number|num|no)_|bank_account
    |_(?:verification|recovery|backup|reset|mfa|2_?fa|security|pin|auth|otp)_codes?_|one_time_pass|_t?otp_
    |seed_phrase|signature
    # Secret as the end of a word: csrftoken, but not tokenizer or tokens_used.
    |tokens?_
    # Words of everyday code too: secret only when they are what the name is about.
    |_(?:auth|authentication|session|pass|card|cards|pin|sid|sig|pem)_$
    |_auth_(?:key|header|data|value|pass|info)_
    """,
    re.VERBOSE,
)
# What stands at the end says the name is about the secret without holding it. Values are still searched for patterns.
_ABOUT = re.compile(
    r"_(?:types?|counts?|counter|total|length|len|size|limit|usage|used|max|min|budget|expires|expiry|expired|expiration"
    r"|ttl|age|class|classes|name|names|uri|url|endpoint|status|state|enabled|disabled|required|valid|verified|method"
    r"|policy|algorithm|alg|strength|field|fields|label|placeholder|errors?|at|timestamp|created|updated|changed|timeout|kind|provider"
    r"|backends?|scheme|version|brand|model|validators?|hashers?|form|views?|file|path|dir|duration|engine|serializer"
    r"|manager|factory|middleware|exempt|httponly|secure|samesite|domain)_$"
)
_COUNTED = re.compile(r"_(?:tokens|secrets|cookies|passwords|credentials)_$")

NEVER, ALWAYS, UNLESS_NUMBER = 0, 1, 2


class Names:
    """Decides by name; `extra` are further names that a project calls secret, in any spelling."""

    __slots__ = ("_extra", "_known")

    def __init__(self, extra: Iterable[str] = ()) -> None:
        self._extra = tuple(squeezed for name in extra if (squeezed := _joined(name).replace("_", "")))
        self._known: dict[str, int] = {}

    def verdict(self, name: str) -> int:
        """NEVER, ALWAYS, or UNLESS_NUMBER: `tokens: 4096` is a count, `tokens: "ab12..."` is not."""
        found = self._known.get(name)
        if found is None:
            found = self._judge(name)
            # Names are the sender's to choose, and this memory is for ever.
            if len(self._known) >= 4096:
                self._known.clear()
            if len(name) <= 64:
                self._known[name] = found
        return found

    def _judge(self, name: str) -> int:
        joined = _joined(name)
        if self._extra:
            squeezed = joined.replace("_", "")
            if any(extra in squeezed for extra in self._extra):
                return ALWAYS
        if not _SECRET.search(joined) or _ABOUT.search(joined):
            return NEVER
        return UNLESS_NUMBER if _COUNTED.search(joined) else ALWAYS


@lru_cache(maxsize=64)
def names_for(extra: tuple[str, ...]) -> Names:
    """The same `Names` for the same project settings, so that what it learned is kept between events."""
    return Names(extra)


def _joined(name: str) -> str:
    if len(name) > _MAX_NAME:
        name = f"{name[: _MAX_NAME // 2]} {name[-_MAX_NAME // 2 :]}"
    return f"_{'_'.join(_WORD.findall(name)).lower()}_"


_EMPTY = frozenset(
    {
        "",
        "None",
        "null",
        "nil",
        "undefined",
        "True",
        "False",
        "true",
        "false",
        "YES",
        "NO",
        "''",
        '""',
        "b''",
        "[]",
        "{}",
    }
)
_OBJECT = re.compile(r"<(?:class '[\w.]+'|function [\w.<>]+ at 0x[0-9a-f]+|[\w.<>]+ object at 0x[0-9a-f]+)>\Z")
_ALREADY = re.compile(r"[bruf]{0,2}[\"']?\[Filtered\][\"']?\Z")
_PLACEHOLDER = re.compile(r"(?:%s|%\(\w{1,40}\)s|\?|\$\d{1,3})\Z")  # of an SQL statement
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,6})?\Z")


def is_harmless(value: Any, verdict: int, *, name: str = "") -> bool:
    """Whether a value under a secret name holds nothing: empty, a switch, a placeholder, an address, filtered before.

    "Was there a session at all" is often the bug, so these stay readable. PWD is a path in a process environment
    and a password in a connection string.
    """
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, str):
        if value in _EMPTY or _ALREADY.match(value) or _OBJECT.match(value) or _PLACEHOLDER.match(value):
            return True
        if name in ("PWD", "OLDPWD") and value.strip("'")[:1] == "/":
            return True
        return verdict == UNLESS_NUMBER and bool(_NUMBER.match(value))
    return verdict == UNLESS_NUMBER and isinstance(value, int | float)
