"""Every route of the product, and who gets past its door. A route that nobody wrote down here fails the test."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import make
import msgspec
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rooms.errors import happen

from daytwo_server.accounts import services
from daytwo_server.accounts.models import ApiToken, Membership, User
from daytwo_server.core import clock
from daytwo_server.core.models import Job
from daytwo_server.core.ref import Ref
from daytwo_server.desk import services as desk
from daytwo_server.errors.services import comment
from daytwo_server.links import services as links
from daytwo_server.tickets.files import File
from daytwo_server.tickets.models import Attachment

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

Role = Membership.Role
ALL = frozenset(Role)
ADMINS = frozenset({Role.OWNER, Role.ADMIN})
BUILDERS = ADMINS | {Role.ENGINEER}
AGENTS = ADMINS | {Role.AGENT}


@dataclass(frozen=True)
class Page:
    """Members with these roles may read it (GET) and write to it (POST); None: it does not take that method.

    `args` names what of the furnished workspace stands in the address.
    """

    read: frozenset[Role] | None = None
    write: frozenset[Role] | None = None
    args: tuple[str, ...] = ()
    query: str = ""
    form: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """An operation of the API, opened by a token alone: roles its creator may have, and the scope it needs."""

    method: str
    roles: frozenset[Role]
    scope: str
    args: tuple[str, ...] = ()
    body: dict[str, Any] | None = None
    ok: int = 200


@dataclass(frozen=True)
class Open:
    """Anybody may come, because there is no other way in or out: answers these, by method."""

    why: str
    get: int = 200
    post: int = 405
    args: tuple[str, ...] = ()


LINK = "x" * 43
ROUTES: dict[str, Page | Call | Open] = {
    "home": Open("leads to a page that asks who it is", get=302, post=302),
    "account_login": Open("the way in", post=422),
    "account_logout": Open("the way out; who is not in is led to the way in", get=302, post=302),
    "account_inactive": Open("tells who was switched off why the way in ends here"),
    "account_reset_password": Open("off without a mail server", get=404, post=404),
    "account_reset_password_done": Open("off without a mail server", get=404, post=404),
    "account_reset_password_from_key_done": Open("off without a mail server", get=404, post=404),
    "account_reset_password_from_key": Open("off without a mail server", get=404, post=404, args=("uid", "key")),
    "welcome": Open("the link is the key", get=410, post=410, args=("link",)),
    "choose_password": Open("the link is the key", get=410, post=410, args=("link",)),
    "join": Open("the link is the key", get=410, post=410, args=("link",)),
    "theme": Open("visitors have eyes too", get=405, post=400),
    "account_change_password": Page(ALL, ALL),
    "second_factor": Open("the second step; who has not made the first is led to it", get=302, post=302),
    "passkey_sign_in": Open("a way in; an unknown passkey is led to the others", get=405, post=302),
    "sign_in_with": Open("off unless configured", get=405, post=404, args=("provider",)),
    "sign_in_with_callback": Open("off unless configured", get=404, args=("provider",)),
    "account_reauthenticate": Page(ALL, ALL),
    "security": Page(ALL),
    "add_app": Page(ALL, ALL),
    "remove_app": Page(write=ALL),
    "recovery_codes": Page(write=ALL),
    "add_passkey": Page(write=ALL),
    "rename_passkey": Page(write=ALL, args=("passkey",)),
    "remove_passkey": Page(write=ALL, args=("passkey",)),
    "connect_identity": Page(write=ALL, args=("provider",)),
    "disconnect_identity": Page(write=ALL, args=("identity",)),
    "reset_second_factor": Page(write=ADMINS, args=("person",)),
    "account_set_password": Page(ALL, ALL),
    "make_password_link": Page(write=ADMINS, args=("person",)),
    "profile": Page(ALL, ALL),
    "change_email": Page(ALL, ALL),
    "sessions": Page(ALL),
    "end_session": Page(write=ALL, args=("session",)),
    "end_other_sessions": Page(write=ALL),
    "members": Page(ALL),
    "people": Page(ALL),
    "member": Page(ADMINS, args=("person",)),
    "change_role": Page(write=ADMINS, args=("person",), form={"role": "agent"}),
    "switch_member_off": Page(write=ADMINS, args=("person",)),
    "switch_member_on": Page(write=ADMINS, args=("person",)),
    "end_member_sessions": Page(write=ADMINS, args=("person",)),
    "remove_member": Page(write=ADMINS, args=("person",)),
    "restore_member": Page(write=ADMINS, args=("person",)),
    "invitations": Page(ADMINS, ADMINS, form={"role": "viewer"}),
    "renew_invitation": Page(write=ADMINS, args=("invitation",)),
    "revoke_invitation": Page(write=ADMINS, args=("invitation",)),
    "restore_invitation": Page(write=ADMINS, args=("invitation",)),
    "settings": Page(ALL),
    "api_tokens": Page(ADMINS, ADMINS),
    "revoke_token": Page(write=ADMINS, args=("token",)),
    "restore_token": Page(write=ADMINS, args=("token",)),
    "catalog:list": Page(ALL),
    "catalog:create": Page(BUILDERS, BUILDERS, form={"name": "Another"}),
    "catalog:project": Page(ALL, args=("slug",)),
    "catalog:create-key": Page(write=BUILDERS, args=("slug",), form={"label": "Another"}),
    "catalog:key": Page(BUILDERS, BUILDERS, args=("slug", "dsn_key")),
    "catalog:disable-key": Page(write=BUILDERS, args=("slug", "dsn_key")),
    "catalog:enable-key": Page(write=BUILDERS, args=("slug", "dsn_key")),
    "catalog:rotate-key": Page(BUILDERS, BUILDERS, args=("slug", "dsn_key")),
    "catalog:undo-rotation": Page(write=BUILDERS, args=("slug", "dsn_key")),
    "catalog:seen": Page(ALL, args=("slug",)),
    "catalog:settings": Page(BUILDERS, BUILDERS, args=("slug",), form={"name": "Shop"}),
    "catalog:archive": Page(write=BUILDERS, args=("slug",)),
    "catalog:restore": Page(write=BUILDERS, args=("slug",)),
    "catalog:environments": Page(ALL, BUILDERS, args=("slug",), form={"do": "hide"}),
    "catalog:undo-environments": Page(write=BUILDERS, args=("slug",)),
    "catalog:releases": Page(ALL, args=("slug",)),
    "catalog:release": Page(ALL, args=("slug", "release")),
    "catalog:components": Page(ALL),
    "catalog:create-component": Page(BUILDERS, BUILDERS, form={"name": "Another"}),
    "catalog:component": Page(ALL, args=("component",)),
    "catalog:edit-component": Page(BUILDERS, BUILDERS, args=("component",), form={"name": "Checkout API"}),
    "catalog:archive-component": Page(write=BUILDERS, args=("component",)),
    "catalog:restore-component": Page(write=BUILDERS, args=("component",)),
    "catalog:deploys": Page(ALL),
    "catalog:deploys-news": Page(ALL),
    "catalog:deploy": Page(ALL, args=("deploy",)),
    "customers:list": Page(ALL),
    "customers:detail": Page(ALL, args=("customer",)),
    "customers:erase": Page(ADMINS, ADMINS, args=("customer",)),
    "desk:search": Page(ALL, query="?q=shop"),
    "desk:palette": Page(ALL, query="?q=shop"),
    "desk:short-link": Page(ALL, args=("code",)),
    "desk:visit": Page(write=ALL, form={"ref": "issue:1"}),
    "desk:save-view": Page(write=ALL, form={"page": "errors", "name": "Mine", "query": "level=error"}),
    "desk:view": Page(write=ADMINS, args=("shared_view",), form={"do": "left"}),
    "desk:restore-view": Page(write=ADMINS, args=("shared_view",)),
    "desk:draft": Page(write=ALL, form={"key": "a", "text": "b", "version": "0"}),
    "desk:presence": Page(ALL, ALL, query="?ref=issue:1", form={"ref": "issue:1"}),
    "links:add": Page(write=ALL - {Role.VIEWER}, form={"ref": "issue:{issue}", "what": "nothing"}),
    "links:remove": Page(write=ALL - {Role.VIEWER}, args=("tie",)),
    "links:restore": Page(write=ALL - {Role.VIEWER}, args=("tie",)),
    "errors:comment": Page(write=ALL - {Role.VIEWER}, args=("issue",), form={"text": "Seen"}),
    "errors:delete-comment": Page(write=ALL - {Role.VIEWER}, args=("issue", "comment")),
    "errors:restore-comment": Page(write=ALL - {Role.VIEWER}, args=("issue", "comment")),
    "errors:list": Page(ALL, BUILDERS, form={"do": "resolve"}),
    "errors:news": Page(ALL, query="?mark=1.1"),
    "errors:undo": Page(write=BUILDERS),
    "errors:issue": Page(ALL, BUILDERS, args=("issue",), form={"do": "resolve"}),
    "errors:issue-news": Page(ALL, args=("issue",), query="?count=0"),
    "errors:events": Page(ALL, BUILDERS, args=("issue",), form={"do": "resolve"}),
    "errors:tags": Page(ALL, BUILDERS, args=("issue",), form={"do": "resolve"}),
    "errors:activity": Page(ALL, BUILDERS, args=("issue",), form={"do": "resolve"}),
    "errors:event": Page(ALL, BUILDERS, args=("issue", "event"), form={"do": "resolve"}),
    "errors:event-frames": Page(ALL, args=("issue", "event", "fold")),
    "errors:event-json": Page(ALL, args=("issue", "event")),
    "errors:event-md": Page(ALL, args=("issue", "event")),
    "tickets:list": Page(ALL, AGENTS, form={"do": "status=resolved"}),
    "tickets:news": Page(ALL, query="?mark=1"),
    "tickets:undo": Page(write=AGENTS),
    "tickets:new": Page(ALL - {Role.VIEWER}, ALL - {Role.VIEWER}),
    "tickets:customers": Page(ALL - {Role.VIEWER}),
    "tickets:ticket": Page(ALL, AGENTS, args=("ticket",), form={"do": "priority=high"}),
    "tickets:since": Page(ALL, args=("ticket",), query="?after=0"),
    "tickets:message": Page(ALL, args=("ticket", "ticket_message")),
    "tickets:file": Page(ALL, args=("ticket", "ticket_file")),
    "tickets:reply": Page(write=ALL - {Role.VIEWER}, args=("ticket",), form={"reply": "Hello.", "seen": "9" * 15}),
    "tickets:note": Page(write=ALL - {Role.VIEWER}, args=("ticket",), form={"note": "Odd."}),
    "tickets:merge": Page(write=AGENTS, args=("spare_ticket",), form={"into": "{ticket}"}),
    "operate:ingest": Page(ALL),
    "operate:backup": Page(ADMINS, ADMINS),
    "operate:ingest-before": Open("leads to where that page is now", get=302, post=302),
    "operate:jobs": Page(ALL, BUILDERS, form={"do": "retry"}),
    "operate:job-counts": Page(ALL, query="?state=dead"),
    "operate:restore-jobs": Page(write=BUILDERS),
    "operate:periodic": Page(ALL, BUILDERS, form={"kind": "core.prune"}),
    "operate:job": Page(ALL, BUILDERS, args=("job",), form={"do": "retry"}),
    "operate:facts": Page(ALL),
    "operate:audit": Page(ADMINS),
    "operate:audit-export": Page(ADMINS, args=("export",)),
    "operate:permissions": Page(ALL),
    "operate:settings-general": Page(ALL, ADMINS),
    "operate:settings-sign-in": Page(ALL, ADMINS),
    "operate:settings-backup-settings": Page(ALL, ADMINS),
    "operate:settings-intake": Page(ALL, ADMINS),
    "operate:settings-retention": Page(ALL, ADMINS),
    "operate:settings-privacy": Page(ALL, ADMINS),
    "operate:settings-mail": Page(ALL, ADMINS),
    "operate:settings-health": Page(ALL, ADMINS),
    "operate:settings-server": Page(ALL, ADMINS),
    "operate:settings-undo": Page(write=ADMINS),
    "operate:rename-workspace": Page(write=ADMINS, form={"name": "Daytwo", "was": "Daytwo"}),
    "operate:test-mail": Page(ALL, ADMINS),
    "operate:run-retention": Page(ALL, ADMINS),
    "api:openapi-json": Open("describes the API, which is the same everywhere", post=200),
    "api:api-root": Open("nothing is there", get=404, post=404),
    "api:list_projects": Call("GET", ALL, "projects.view"),
    "api:list_components": Call("GET", ALL, "components.view"),
    "api:create_component": Call("POST", BUILDERS, "components.manage", body={"name": "Another"}, ok=201),
    "api:get_component": Call("GET", ALL, "components.view", args=("component",)),
    "api:change_component": Call("PATCH", BUILDERS, "components.manage", args=("component",), body={"team": "Money"}),
    "api:list_deploys": Call("GET", ALL, "deploys.view"),
    "api:record_deploy": Call(
        "POST",
        BUILDERS,
        "deploys.create",
        body={"project": "shop", "environment": "production", "version": "1"},
        ok=201,
    ),
    "api:get_deploy": Call("GET", ALL, "deploys.view", args=("deploy",)),
    "api:change_deploy": Call("PATCH", BUILDERS, "deploys.create", args=("deploy",), body={"status": "failed"}),
    "api:list_issues": Call("GET", ALL, "errors.view"),
    "api:get_issue": Call("GET", ALL, "errors.view", args=("issue",)),
    "api:change_issue": Call("PATCH", BUILDERS, "errors.triage", args=("issue",), body={"status": "resolved"}),
    "api:list_events": Call("GET", ALL, "errors.view", args=("issue",)),
    "api:get_event": Call("GET", ALL, "errors.view", args=("event",)),
    "api:export_customer": Call("GET", ADMINS, "customers.export", args=("customer",)),
    "api:list_tickets": Call("GET", ALL, "tickets.view"),
    "api:change_tickets": Call("POST", AGENTS, "tickets.manage", body={"ids": ["{ticket}"], "priority": "high"}),
    "api:get_ticket": Call("GET", ALL, "tickets.view", args=("ticket",)),
    "api:change_ticket": Call("PATCH", AGENTS, "tickets.manage", args=("ticket",), body={"priority": "low"}),
    "api:reply_to_ticket": Call(
        "POST", ALL - {Role.VIEWER}, "tickets.reply", args=("ticket",), body={"content": "Hello."}, ok=201
    ),
    "api:note_on_ticket": Call(
        "POST", ALL - {Role.VIEWER}, "tickets.reply", args=("ticket",), body={"content": "Odd."}, ok=201
    ),
    "api:merge_ticket": Call("POST", AGENTS, "tickets.manage", args=("spare_ticket",), body={"into": "{ticket}"}),
    "api:get_ticket_attachment": Call("GET", ALL, "tickets.view", args=("ticket", "ticket_file")),
    "api:erase_customer": Call("POST", ADMINS, "customers.erase", args=("customer",), ok=202),
    "support:tickets": Open("customers come with tokens of their own", get=401, post=401),
    "support:ticket": Open("as above", get=401, args=("ticket",)),
    "support:replies": Open("as above", get=405, post=401, args=("ticket",)),
    "support:rating": Open("as above", get=405, post=401, args=("ticket",)),
    "support:attachment": Open("as above", get=401, args=("ticket", "ticket_file")),
}


def routes(resolver: URLResolver, space: str = "") -> Iterator[str]:
    """The names of all patterns, with their namespaces."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name or pattern.pattern}"
        else:
            yield from routes(pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space)


PAGES = {name: page for name, page in ROUTES.items() if isinstance(page, Page)}
CALLS = {name: call for name, call in ROUTES.items() if isinstance(call, Call)}
OPEN = {name: page for name, page in ROUTES.items() if isinstance(page, Open)}


def furnish() -> dict[str, Any]:
    """One of everything, by the names that `args` use."""
    owner = make.alice()
    shop = make.project("Shop")
    key = make.key(shop)
    issue = happen.issue(shop, user={"id": "someone"})
    deploy = make.deploy(shop)
    make.token(owner)
    files = [File("a.txt", "text/plain", b"a")]
    ticket = make.ticket(make.dana(), files=files)
    return {
        "slug": shop.slug,
        "dsn_key": key.pk,
        "release": deploy.release_id,
        "deploy": deploy.pk,
        "component": make.component("Checkout API").slug,
        "issue": issue.pk,
        "event": happen.event_of(issue).event_id,
        "fold": "e0.1",
        "customer": ticket.customer_id,
        "ticket": ticket.pk,
        "spare_ticket": make.ticket(ticket.customer).pk,
        "ticket_message": ticket.messages.get().pk,
        "ticket_file": str(Attachment.objects.get().uid),
        "token": ApiToken.objects.get(created_by=owner).pk,
        "job": Job.objects.create(kind="core.prune", state=Job.State.DEAD, max_attempts=1).pk,
        "export": "csv",
        "code": f"ERR-{issue.pk}",
        "shared_view": desk.save_view(owner, "errors", "Fatal", "level=fatal", shared=True).pk,
        "tie": links.link(Ref("issue", issue.pk), Ref("deploy", deploy.pk), actor=owner).pk,
        "comment": comment(issue.pk, "Seen", actor=owner).pk,
        "link": LINK,
        "person": make.member("Paula").pk,
        "invitation": services.invite(role=Role.VIEWER, actor=owner)[0].pk,
        "session": 1,
        "provider": "github",
        "passkey": 1,
        "identity": 1,
        "uid": "1",
        "key": "a-b",
    }


@pytest.fixture
def workspace() -> dict[str, Any]:
    return furnish()


def address(name: str, workspace: dict[str, Any]) -> str:
    expected = ROUTES[name]
    return reverse(name, args=[workspace[arg] for arg in expected.args]) + getattr(expected, "query", "")


def browser(user: Any = None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


def whole_pages(
    client: Client, workspace: dict[str, Any], *, names: Iterable[str] = PAGES
) -> Iterator[tuple[str, str, Any]]:
    """Name, address and answer of what is a page by itself: no file to download, no part of a page."""
    for name in names:
        if PAGES[name].read is None:
            continue
        path = address(name, workspace)
        answer = client.get(path)
        if not answer.streaming and answer.get("Content-Type", "").startswith("text/html") and "<html" in answer.text:
            yield name, path, answer


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
