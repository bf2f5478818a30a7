"""A status page somewhere else: Atlassian Statuspage, or any server with the same API (`base_url`)."""

from __future__ import annotations

import email.utils
import json
import os
import random
import time
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import urllib3

ComponentStatus = Literal["operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"]
IncidentStatus = Literal[
    "investigating", "identified", "monitoring", "resolved",
    "scheduled", "in_progress", "verifying", "completed", "postmortem",
]  # fmt: skip
Impact = Literal["none", "maintenance", "minor", "major", "critical"]

BASE_URL = "https://api.statuspage.io/v1"
_LIMITED = {420, 429}  # 420 is what statuspage.io says; it allows one request a second
_GONE_WRONG = {500, 502, 503, 504}
_NEVER_SENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
_ATTEMPTS = 4
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 30.0


class StatusPageError(Exception):
    """What the page answered: `status` is its HTTP status, 0 without an answer; the text has the server's words."""

    def __init__(self, words: str, *, status: int = 0) -> None:
        super().__init__(words)
        self.status = status


class Refused(StatusPageError):
    """401 or 403: the API key is wrong, or may not do this."""


class NotFound(StatusPageError):
    """404: no such page, component or incident."""


class Invalid(StatusPageError):
    """400 or 422: the server does not take these values."""


class RateLimited(StatusPageError):
    """420 or 429, also after waiting as long as the server asked."""


class Unreachable(StatusPageError):
    """No answer. For an incident to be created that is an open question: look at the page before you try again."""


_ERRORS: dict[int, type[StatusPageError]] = {
    400: Invalid, 401: Refused, 403: Refused, 404: NotFound, 420: RateLimited, 422: Invalid, 429: RateLimited,
}  # fmt: skip


class StatusPage:
    """One page. Methods block, `timeout` seconds for each attempt, and raise `StatusPageError`.

    `api_key` and `page_id` default to STATUSPAGE_API_KEY and STATUSPAGE_PAGE_ID; ValueError without them.
    What failed is tried again, honouring Retry-After up to 30 s: reading and changing after any trouble, creating only
    when the server refused for its rate limit or was never reached, so that no incident is created twice.
    """

    def __init__(
        self,
        api_key: str | None = None,
        page_id: str | None = None,
        base_url: str = BASE_URL,
        *,
        timeout: float = 10.0,
    ) -> None:
        self._key = api_key or os.environ.get("STATUSPAGE_API_KEY", "")
        self._page = page_id or os.environ.get("STATUSPAGE_PAGE_ID", "")
        missing = [name for name, value in (("api_key", self._key), ("page_id", self._page)) if not value]
        if missing:
            raise ValueError(f"{' and '.join(missing)} missing: give it, or set STATUSPAGE_{missing[0].upper()}")
        self._base = base_url.rstrip("/")
        # Retries are decided here: urllib3 knows nothing of incidents.
        self._pool = urllib3.PoolManager(timeout=urllib3.Timeout(timeout), retries=False, maxsize=2)

    def __repr__(self) -> str:
        return f"StatusPage(page_id={self._page!r}, base_url={self._base!r})"  # without the key

    def update_component_status(self, component_id: str, status: ComponentStatus) -> dict[str, Any]:
        """Set what the page says about a component; the component as the server has it now."""
        return self._ask("PATCH", f"components/{_segment(component_id)}", {"component": {"status": status}})

    def create_incident(
        self,
        name: str,
        status: IncidentStatus,
        message: str,
        component_ids: Iterable[str] | None = None,
        component_status: ComponentStatus = "degraded_performance",
        *,
        impact: Impact | None = None,
    ) -> dict[str, Any]:
        """Publish an incident, and set the named components to `component_status`; the incident with its `id`."""
        touched = list(component_ids or ())
        incident: dict[str, Any] = {"name": name, "status": status, "body": message}
        if touched:
            incident |= {"component_ids": touched, "components": dict.fromkeys(touched, component_status)}
        if impact:
            incident["impact_override"] = impact
        return self._ask("POST", "incidents", {"incident": incident})

    def update_incident(
        self,
        incident_id: str,
        status: IncidentStatus,
        message: str,
        *,
        components: Mapping[str, ComponentStatus] | None = None,
    ) -> dict[str, Any]:
        """Publish an update, and set these components; the incident as the server has it now."""
        incident: dict[str, Any] = {"status": status, "body": message}
        if components:
            incident |= {"component_ids": list(components), "components": dict(components)}
        return self._ask("PATCH", f"incidents/{_segment(incident_id)}", {"incident": incident})

    def resolve_incident(self, incident_id: str, message: str, *, restore_components: bool = True) -> dict[str, Any]:
        """Publish the end of an incident, and return its components to operational unless told not to."""
        components: dict[str, ComponentStatus] = {}
        if restore_components:
            found = self._ask("GET", f"incidents/{_segment(incident_id)}", None)
            components = {str(one["id"]): "operational" for one in found.get("components") or ()}
        return self.update_incident(incident_id, "resolved", message, components=components)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        url = f"{self._base}/pages/{_segment(self._page)}/{path}"
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                answer = self._send(method, url, body)
            except urllib3.exceptions.HTTPError as error:
                if last or (method == "POST" and not isinstance(error, _NEVER_SENT)):
                    raise Unreachable(f"{method} {url} got no answer: {type(error).__name__}") from error
                time.sleep(_wait(attempt, None))
                continue
            again = answer.status in _LIMITED or (answer.status in _GONE_WRONG and method != "POST")
            if again and not last:
                time.sleep(_wait(attempt, answer.headers.get("Retry-After")))
                continue
            return _read(method, url, answer)
        raise AssertionError("the last attempt returns or raises")

    def _send(self, method: str, url: str, body: Mapping[str, Any] | None) -> urllib3.BaseHTTPResponse:
        headers = {"Authorization": f"OAuth {self._key}", "Accept": "application/json"}
        encoded = None
        if body is not None:
            encoded, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        # A redirect would carry the key to whoever answers there.
        return self._pool.request(method, url, body=encoded, headers=headers, redirect=False)


def _segment(value: str) -> str:
    """An id as one segment of a path, whatever is in it."""
    if not value or value in {".", ".."}:
        raise ValueError(f"{value!r} is no id")
    return urllib.parse.quote(value, safe="")


def _wait(attempt: int, retry_after: str | None) -> float:
    """Seconds: what the server asks for (a number or a date), else twice as long each time, never over 30."""
    asked = _seconds(retry_after) if retry_after else None
    grown = _FIRST_WAIT_S * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries
    return min(_LONGEST_WAIT_S, grown if asked is None else max(0.0, asked))


def _seconds(retry_after: str) -> float | None:
    try:
        return float(retry_after)
    except ValueError:
        pass
    try:
        return email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()
    except ValueError:
        return None


def _read(method: str, url: str, answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    try:
        found = json.loads(answer.data) if answer.data else {}
    except ValueError:
        found = None
    if answer.status >= 300:
        kind = _ERRORS.get(answer.status, StatusPageError)
        raise kind(f"{method} {url} answered {answer.status}: {_words(found, answer.data)}", status=answer.status)
    if not isinstance(found, dict):
        raise StatusPageError(f"{method} {url} answered {answer.status} without a JSON object", status=answer.status)
    return found


def _words(found: Any, raw: bytes) -> str:
    """What the server says about it: statuspage.io answers {"error": text or list}."""
    said = found.get("error") if isinstance(found, dict) else None
    if isinstance(said, list):
        said = "; ".join(map(str, said))
    return str(said or raw[:500].decode("utf-8", "replace").strip() or "no words")
