"""What a health endpoint answers: one pure function behind the ASGI and the WSGI app."""

import hmac
import ipaddress
import os
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qs

from daytwo._wire import dump
from daytwo.health.registry import Registry
from daytwo.health.report import Report

Kind = Literal["live", "ready", "all"]

JSON = "application/json"
HEALTH_JSON = "application/health+json"
OPENMETRICS = "application/openmetrics-text"
PROMETHEUS = "text/plain"
_CONTENT_TYPES = {
    JSON: JSON,
    HEALTH_JSON: HEALTH_JSON,
    OPENMETRICS: "application/openmetrics-text; version=1.0.0; charset=utf-8",
    PROMETHEUS: "text/plain; version=0.0.4; charset=utf-8",
}
# Each names a client that is not the peer, or a proxy between. What one proxy may leave out, another adds.
_FORWARDED = (
    "x-forwarded-for", "forwarded", "x-real-ip", "via", "x-forwarded-host", "x-forwarded-proto", "x-client-ip",
    "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip", "fastly-client-ip",
)  # fmt: skip
_STALLED = 30.0  # seconds without a heartbeat of the event loop, after which a restart is the cure


class Response(NamedTuple):
    """What a server sends. A HEAD request gets the same without the body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def kind_of(path: str) -> Kind:
    """Say which endpoint a path means by its last segment, under whatever prefix it is mounted."""
    last = path.rstrip("/").rpartition("/")[2]
    return "live" if last == "live" else "ready" if last == "ready" else "all"


def wanted(registry: Registry, kind: Kind, query: str) -> list[str]:
    """Name the checks a request asks for: none to be live, the required ones to be ready, else all.

    The comma lists `?only=` and `?exclude=` narrow them.
    """
    if kind == "live":
        return []
    only, exclude = _names(query, "only"), _names(query, "exclude")
    return [
        check.name
        for check in tuple(registry.checks.values())
        if (kind == "all" or check.required) and (not only or check.name in only) and check.name not in exclude
    ]


def respond(
    kind: Kind,
    report: Report,
    *,
    accept: str = "",
    query: str = "",
    privileged: bool = False,
    loop_age: float = 0.0,
) -> Response:
    """Answer a health request from a report on the wanted checks.

    200 unless: 503 when a required check fails, when `/ready` is asked while draining, when `/live` is asked
    and the event loop has not turned for 30 s; 400 when `?only=` names no check of this endpoint, since a
    probe with a typing error would else be happy for ever. Metrics are always 200: Prometheus drops the body
    of anything else, and the status is in there.
    """
    if kind == "live":
        alive = loop_age <= _STALLED
        return _json(200 if alive else 503, {"status": "ok" if alive else "stalled"})
    unknown = _names(query, "only") - {check.name for check in report.checks} - _names(query, "exclude")
    if unknown:
        return _json(400, {"detail": "no such check here", "fields": {"only": sorted(unknown)}})
    form = _preferred(accept)
    if form in (OPENMETRICS, PROMETHEUS):
        text = report.as_metrics(privileged=privileged, openmetrics=form == OPENMETRICS)
        return _response(200, form, text.encode())
    fine = report.ready if kind == "ready" else report.status != "unhealthy"
    body = (report.as_health_json if form == HEALTH_JSON else report.as_json)(privileged=privileged)
    if kind == "ready":
        body["status"] = ("pass" if fine else "fail") if form == HEALTH_JSON else ("ready" if fine else "not ready")
        body |= {"draining": True} if report.draining else {}
    return _response(200 if fine else 503, form, dump(body))


def not_allowed() -> Response:
    answer = _json(405, {"detail": "health is read with GET or HEAD"})
    answer.headers.append(("allow", "GET, HEAD"))
    return answer


def holds_token(authorization: str) -> bool:
    """Say whether an Authorization header carries the bearer token DAYTWO_HEALTH_TOKEN."""
    token = os.environ.get("DAYTWO_HEALTH_TOKEN", "")
    scheme, _, given = authorization.partition(" ")
    return bool(token) and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def is_private_peer(peer: str, header: Callable[[str], str]) -> bool:
    """Say whether a request comes straight from a private or loopback address.

    A forwarding header means a proxy stands between and the peer is not the client. A proxy that sends
    none cannot be told from a neighbour: behind such a one, give the app a `privileged` rule of its own.
    """
    if any(header(name) for name in _FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:  # a Unix socket, or no address at all
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_private


def _names(query: str, key: str) -> set[str]:
    lists = parse_qs(query).get(key, ())
    return {name.strip() for names in lists for name in names.split(",")} - {""}


def _preferred(accept: str) -> str:
    """Choose the media type with the highest q that there is, the first of equals; JSON if there is none."""
    best, best_quality = JSON, 0.0
    for choice in accept.split(","):
        media, *parameters = (part.strip().lower() for part in choice.split(";"))
        quality = next((_quality(p) for p in parameters if p.startswith("q=")), 1.0)
        media = JSON if media in ("*/*", "application/*") else media
        if media in _CONTENT_TYPES and quality > best_quality:
            best, best_quality = media, quality
    return best


def _quality(parameter: str) -> float:
    try:
        return float(parameter[2:])
    except ValueError:
        return 0.0


def _json(status: int, body: Mapping[str, Any]) -> Response:
    return _response(status, JSON, dump(body))


def _response(status: int, form: str, body: bytes) -> Response:
    headers = [
        ("content-type", _CONTENT_TYPES[form]),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
    ]
    return Response(status, headers, body)
