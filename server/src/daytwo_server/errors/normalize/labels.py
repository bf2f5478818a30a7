"""Facets: the values an issue's events are counted by, and that a search can name."""

from typing import Any
from urllib.parse import urlsplit

from daytwo_server.errors.normalize.agent import device_of
from daytwo_server.errors.normalize.headline import handled
from daytwo_server.errors.normalize.scalars import MAX_SHORT, text_of

_MAX_FLAGS = 100
_NEVER_REPEATED = frozenset({"replayId"})  # set by the browser SDK: a link, and as a facet one row per session
_PLAIN = ("release", "dist", "environment", "server_name", "transaction", "level", "logger")


def facets(event: dict[str, Any]) -> dict[str, str]:
    """Facet name to value for a normalised event, values at most 200 characters.

    Tags keep their own names and give way to the names below; flags become `flag.<key>` with `on`, `off` or the
    variant. Browser and system come from the SDK's contexts, else from the User-Agent header.
    """
    found = {name: value for name, value in (event.get("tags") or {}).items() if name not in _NEVER_REPEATED}
    found.update(_flags(event))
    found.update((name, event[name]) for name in _PLAIN if event.get(name))
    found.update(_machine(event))
    caught = handled(event)
    if caught is not None:
        found["handled"] = "yes" if caught else "no"
    if path := _url_path(event):
        found["url"] = path
    if user := user_label(event.get("user") or {}):
        found["user"] = user
    sdk = event.get("sdk") or {}
    if sdk.get("name"):
        found["sdk"] = f"{sdk['name']} {sdk.get('version', '')}".strip()
    return {name: value[:MAX_SHORT] for name, value in found.items()}


def user_label(user: dict[str, Any]) -> str:
    """How one user is told from another: by the first of id, email, username and address that is known."""
    for name, short in (("id", "id"), ("email", "email"), ("username", "username"), ("ip_address", "ip")):
        if value := text_of(user.get(name)):
            return f"{short}:{value}"
    return ""


def _flags(event: dict[str, Any]) -> dict[str, str]:
    values = (_context(event, "flags")).get("values")
    found: dict[str, str] = {}
    for one in values[-_MAX_FLAGS:] if isinstance(values, list) else []:
        key, result = (one.get("flag"), one.get("result")) if isinstance(one, dict) else (None, None)
        name = text_of(key)
        value = ("on" if result else "off") if isinstance(result, bool) else text_of(result)
        if name and value:
            found[f"flag.{name}"] = value
    return found


def _machine(event: dict[str, Any]) -> dict[str, str]:
    """Browser with its major version, system, runtime and device."""
    found = device_of(_user_agent(event))
    browser, system = _context(event, "browser"), _context(event, "os")
    runtime, device = _context(event, "runtime"), _context(event, "device")
    if name := text_of(browser.get("name")):
        major = (text_of(browser.get("version")) or "").partition(".")[0]
        found["browser"] = f"{name} {major}".strip()
    for label, context in (("os", system), ("runtime", runtime)):
        if name := text_of(context.get("name")):
            found[label] = f"{name} {(text_of(context.get('version')) or '').strip()}".strip()
    if family := text_of(device.get("family") or device.get("model")):
        found["device.family"] = family
    return found


def _context(event: dict[str, Any], name: str) -> dict[str, Any]:
    context = (event.get("contexts") or {}).get(name)
    return context if isinstance(context, dict) else {}


def _user_agent(event: dict[str, Any]) -> str:
    headers = (event.get("request") or {}).get("headers")
    for pair in headers if isinstance(headers, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and str(pair[0]).lower() == "user-agent":
            return str(pair[1])[:400]
    return ""


def _url_path(event: dict[str, Any]) -> str:
    url = (event.get("request") or {}).get("url")
    if not isinstance(url, str):
        return ""
    try:
        return urlsplit(url).path
    except ValueError:  # an unclosed bracket of an IPv6 host
        return ""
