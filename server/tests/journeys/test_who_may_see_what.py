"""Who gets past the door of each route: every role, somebody who is no member, and a visitor."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import make
import msgspec
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from journeys.furnished import address, browser, furnish
from journeys.routes import CALLS, OPEN, PAGES, ROUTES, Role

from daytwo_server.accounts.models import User
from daytwo_server.core import clock

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


def routes(resolver: URLResolver, space: str = "") -> Iterator[str]:
    """The names of all patterns, with their namespaces."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name or pattern.pattern}"
        else:
            yield from routes(pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space)


@pytest.fixture
def workspace() -> dict[str, Any]:
    return furnish()


def ask(client: Client, method: str, name: str, workspace: dict[str, Any]) -> Any:
    form = {key: value.format(**workspace) for key, value in getattr(ROUTES[name], "form", {}).items()}
    return getattr(client, method)(address(name, workspace), form if method == "post" else None)


def test_every_route_is_written_down_here_and_nothing_that_is_gone():
    assert set(routes(get_resolver())) == set(ROUTES)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_visitor_is_sent_to_sign_in_and_comes_back_afterwards(workspace, method):
    for name in PAGES:
        answer = ask(browser(), method, name, workspace)
        assert answer.status_code == 302, name
        assert answer["Location"].startswith("/login/?next="), name


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_charlie_finds_nothing_anywhere(workspace, method):
    charlie = browser(make.charlie())
    for name in PAGES:
        answer = ask(charlie, method, name, workspace)
        assert answer.status_code == 404, name
        assert "Shop" not in answer.text, name


@pytest.mark.parametrize("role", Role.values)
def test_each_role_reads_and_writes_what_is_its_own_and_is_told_who_may_do_the_rest(workspace, role):
    member = make.member("Somebody", role=role, password="correct horse battery")
    for name, page in PAGES.items():
        for method, roles in (("get", page.read), ("post", page.write)):
            answer = ask(browser(member), method, name, workspace)
            needed = roles if roles is not None else page.read or page.write
            if role not in needed:
                assert (name, method, answer.status_code) == (name, method, 403)
                assert "This is for the role Owner" in answer.text, name
            elif roles is None:
                assert (name, method, answer.status_code) == (name, method, 405)
            else:
                assert (name, method, answer.status_code) in {(name, method, status) for status in (200, 204, 302, 422)}
                assert "/login/" not in answer.get("Location", ""), name


def test_what_everybody_may_open_tells_a_visitor_nothing_about_the_workspace(workspace):
    for name, expected in OPEN.items():
        for method in ("get", "post"):
            answer = ask(browser(), method, name, workspace)
            assert (name, method, answer.status_code) == (name, method, getattr(expected, method))
            assert "Shop" not in answer.text, name
            assert "alice@example.com" not in answer.text, name


def _filled(body: dict[str, Any] | None, workspace: dict[str, Any]) -> bytes:
    """The body as JSON, with the furnished objects that it names by `{name}`."""
    raw = msgspec.json.encode(body).decode() if body else ""
    return re.sub(r"\{(\w+)\}", lambda match: str(workspace[match[1]]), raw).encode()


def call(name: str, workspace: dict[str, Any], token: str = "", **more: Any) -> Any:
    expected = CALLS[name]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = more.pop("client", None) or Client()
    return client.generic(
        expected.method, address(name, workspace), _filled(expected.body, workspace),
        content_type="application/json", headers=headers | more.pop("headers", {}), **more,
    )  # fmt: skip


def test_the_api_opens_to_tokens_alone_whoever_is_signed_in(workspace):
    owner = browser(make.member("Owner", role=Role.OWNER))
    stale = clock.now() - dt.timedelta(seconds=1)
    closed = {
        "expired": make.token(None, expires_at=stale),
        "revoked": make.token(None, revoked_at=stale),
        "unknown": f"dt_00000000_{'x' * 43}",
        "a part": make.token(None)[:-1],
    }
    good = make.token(None)
    for name, expected in CALLS.items():
        assert call(name, workspace, client=owner).status_code == 401, name
        for what, token in closed.items():
            assert call(name, workspace, token).status_code == 401, (name, what)
        in_the_address = Client().generic(expected.method, f"{address(name, workspace)}?token={good}")
        assert in_the_address.status_code == 401, name
        assert call(name, workspace, headers={"Authorization": f"Basic {good}"}).status_code == 401, name
        assert call(name, workspace, good).status_code == expected.ok, name


def test_a_token_does_what_its_scope_says_and_no_more(workspace):
    # In the order of the table: what erases comes last.
    for scope in dict.fromkeys(expected.scope for expected in CALLS.values()):
        token = make.token(None, scopes=(scope,))
        for name, expected in CALLS.items():
            status = expected.ok if expected.scope == scope else 403
            assert (name, scope, call(name, workspace, token).status_code) == (name, scope, status)


@pytest.mark.parametrize("role", [*Role.values, None])
def test_a_token_never_does_more_than_its_creator_may_now(workspace, role):
    creator = make.member("Maker", role=role) if role else make.charlie()
    token = make.token(creator)
    for name, expected in CALLS.items():
        status = expected.ok if role in expected.roles else 403
        assert (name, call(name, workspace, token).status_code) == (name, status)
    User.objects.filter(pk=creator.pk).update(is_active=False)
    assert {call(name, workspace, token).status_code for name in CALLS} == {403}
    creator.delete()
    assert {call(name, workspace, token).status_code for name in CALLS} == {401}
