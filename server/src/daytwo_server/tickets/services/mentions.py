"""Members who are named in a note: `@bob@example.com`, `@Bob Builder`, or `@Bob` where that is one person."""

from __future__ import annotations

import re
from collections import defaultdict

from daytwo_server.accounts.models import User
from daytwo_server.accounts.permissions import can

# Not within a word: that is an address of somebody else.
_AT = re.compile(r"(?<![\w.+-])@(?=\w)")
_ADDRESS = re.compile(r"[^\s@<>()]+@[\w.-]*\w")
MOST = 20  # members that one note tells


def members_named(text: str) -> list[User]:
    """Those who may see tickets and whom the text names without doubt, in its order."""
    starts = [found.end() for found in _AT.finditer(text)]
    if not starts:
        return []
    by_name = _names()
    found = (_named(text[start : start + 300].lower(), by_name) for start in starts)
    return list(dict.fromkeys(user for user in found if user))[:MOST]


def _names() -> dict[str, set[User]]:
    """Who is meant by an address, a name or a first name, in lower case."""
    by_name: dict[str, set[User]] = defaultdict(set)
    for user in User.objects.filter(is_active=True, membership__isnull=False):
        if can(user, "tickets.view"):
            words = user.name.lower().split()
            for name in {user.email, " ".join(words), words[0] if words else ""} - {""}:
                by_name[name].add(user)
    return by_name


def _named(text: str, by_name: dict[str, set[User]]) -> User | None:
    address = _ADDRESS.match(text)
    if address:
        meant = by_name.get(address[0], set())
    else:
        names = [name for name in by_name if text.startswith(name) and not text[len(name) : len(name) + 1].isalnum()]
        meant = by_name[max(names, key=len)] if names else set()
    return next(iter(meant)) if len(meant) == 1 else None
