"""From which pages a public key may be used in browsers."""

import urllib.parse
from collections.abc import Collection


def is_allowed(entries: Collection[str], origin: str) -> bool:
    """Whether one of the entries stands for a page from `origin`.

    An entry is `*`, an origin (`https://app.example.com`), all of a scheme and port below a domain
    (`https://*.example.com`), and the last two without scheme: then of any scheme and port.
    Requests without an Origin header come from servers and are not asked.
    """
    try:
        host = urllib.parse.urlsplit(origin).hostname or ""
    except ValueError:
        return "*" in entries
    return any(_matches(entry.lower().rstrip("/"), origin.lower(), host) for entry in entries)


def _matches(entry: str, origin: str, host: str) -> bool:
    if entry == "*":
        return True
    if "://*." in entry:
        scheme, _, domain = entry.partition("*")
        return origin.startswith(scheme) and origin.endswith(domain)
    if "://" in entry:
        return entry == origin
    if entry.startswith("*."):
        return host.endswith(entry[1:])
    return bool(host) and entry == host
