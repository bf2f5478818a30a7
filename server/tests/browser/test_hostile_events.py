"""Whoever has a DSN, which is public, writes texts that end up on our pages. None of them may run or lead away."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import quote

import make
import pytest
from django.test import Client
from rooms.errors import happen

from daytwo_server.accounts import services as accounts
from daytwo_server.accounts.models import Membership, User
from daytwo_server.core import clock
from daytwo_server.customers.models import Customer
from daytwo_server.errors import services as errors
from daytwo_server.errors.models import Issue
from daytwo_server.ingest.models import ItemCount

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]

SCRIPT = "<script>window.pwned=1</script>"
IMAGE = '"><img src=x onerror="window.pwned=1">'
LINK = f"javascript:window.pwned=1//{IMAGE}"
ALL = (
    f"{SCRIPT} {IMAGE} '-(window.pwned=1)-' <svg/onload=window.pwned=1> </textarea></title></style></script> {SCRIPT}"
    "{{ request.user.password }}{% debug %} ` onmouseover=window.pwned=1 x= ${window.pwned=1} \u202e\x00\x1b[31m"
)
TREE = {ALL: ALL, "url": LINK, "href": LINK, "src": LINK, "nested": {ALL: [ALL, {LINK: LINK}]}}
FRAME = {
    "filename": ALL, "abs_path": LINK, "module": ALL, "function": ALL, "lineno": 3, "in_app": True, "package": ALL,
    "lang": ALL, "platform": ALL, "pre_context": [ALL, SCRIPT], "context_line": ALL, "post_context": [ALL],
    "vars": TREE, "source_link": LINK,
}  # fmt: skip
STACK = {"frames": [{**FRAME, "in_app": False}, {**FRAME, "function": IMAGE}, FRAME]}
MECHANISM = {"type": ALL, "handled": False, "help_link": LINK, "description": ALL, "data": TREE, "meta": TREE}
THROWN = {"type": ALL, "value": ALL, "module": ALL, "mechanism": MECHANISM, "stacktrace": STACK}
EVENT: dict[str, Any] = {
    "platform": "python", "level": "error", "logger": ALL, "transaction": ALL, "server_name": ALL, "release": ALL,
    "dist": ALL, "environment": SCRIPT, "fingerprint": [ALL], "message": ALL, "errors": [TREE],
    "logentry": {"message": ALL, "params": [ALL], "formatted": ALL},
    "exception": {"values": [THROWN, {**THROWN, "type": SCRIPT, "value": IMAGE}]},
    "threads": {"values": [{"id": ALL, "name": ALL, "crashed": True, "current": True, "stacktrace": STACK}]},
    "breadcrumbs": {"values": [
        {"type": ALL, "category": ALL, "message": ALL, "level": ALL, "data": TREE},
        {"category": "http", "data": {"url": LINK, "method": ALL, "status_code": ALL}},
        {"category": "navigation", "data": {"from": LINK, "to": LINK}},
    ]},
    "request": {"url": LINK, "method": ALL, "data": TREE, "query_string": ALL, "cookies": TREE, "headers": TREE,
                "env": TREE},
    "user": {"id": ALL, "email": f"{IMAGE}@example.com", "username": ALL, "name": ALL, "ip_address": ALL, "data": TREE},
    "tags": TREE, "extra": TREE, "modules": {ALL: ALL}, "sdk": {"name": ALL, "version": ALL},
    "contexts": {ALL: TREE, "browser": {"name": ALL, "version": ALL}, "os": {"name": ALL}, "device": {"family": ALL},
                 "flags": {"values": [{"flag": ALL, "result": ALL}, {"flag": SCRIPT, "result": True}]}},
    "debug_meta": {"images": [{"type": ALL, "debug_file": LINK, "code_file": ALL}]},
}  # fmt: skip
FOUND_ON_THE_PAGE = """() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  const attributes = (el) => [...el.attributes];
  const leads = (el) => el.getAttribute("href") ?? el.getAttribute("action") ?? el.getAttribute("src");
  return [
    ...(window.pwned ? ["a script ran"] : []),
    ...[...document.scripts].filter((el) => !el.src).map((el) => el.outerHTML),
    ...[...document.querySelectorAll("*")]
      .filter((el) => attributes(el).some((one) => one.name.startsWith("on"))).map((el) => el.outerHTML),
    ...[...document.querySelectorAll("img, iframe, object, embed, base, style")].map((el) => el.outerHTML),
    ...[...document.querySelectorAll("[href], [action], [src]")]
      .filter((el) => new URL(leads(el), location.href).origin !== location.origin).map((el) => el.outerHTML),
  ];
}"""


@pytest.fixture
def adam(transactional_db) -> User:
    """An admin whose own name is no better."""
    return make.member(SCRIPT + IMAGE[:60], role=Membership.Role.ADMIN, email="adam@example.com")


@pytest.fixture
def hostile(adam) -> list[Issue]:
    """Issues whose every field attacks, and what else strangers and members can name."""
    shop = make.project(IMAGE[:60], slug="shop")
    make.key(shop, label=SCRIPT)
    happen.send(shop, EVENT, {**EVENT, "exception": None, "fingerprint": [], "platform": "javascript"})
    issues = list(Issue.objects.order_by("pk"))
    errors.assign([issues[0].pk], adam.email, actor=adam)
    errors.resolve([issues[0].pk], actor=adam)
    for outcome, reason in (("arrived", ""), ("dropped", "too_large")):
        ItemCount.objects.create(
            hour=clock.now() - dt.timedelta(minutes=1), project_id=shop.pk, item_type=SCRIPT[:40], sdk=IMAGE[:80],
            outcome=outcome, reason=reason, count=3,
        )  # fmt: skip
    accounts.create_token(SCRIPT, scopes=["errors.view"], actor=adam)
    return issues


def addresses(issues: list[Issue]) -> list[str]:
    everywhere = quote(f'{SCRIPT} release:"{IMAGE[:20]}"')
    one, two = issues
    event = happen.event_of(one).event_id
    return [
        "/errors?status=all", f"/errors?query={everywhere}", f"/errors?environment={quote(SCRIPT)}",
        f"/errors/{one.pk}", f"/errors/{one.pk}?frames=all", f"/errors/{one.pk}?frames=raw&range=14d",
        f"/errors/{one.pk}/events", f"/errors/{one.pk}/tags", f"/errors/{one.pk}/activity",
        f"/errors/{one.pk}/events/{event}", f"/errors/{two.pk}", "/customers/",
        f"/customers/?q={quote(SCRIPT)}", f"/customers/{Customer.objects.get().pk}/", "/projects/", "/projects/shop/",
        "/settings/ingest/", "/settings/tokens/", "/profile/", f"/login/?next={quote(LINK)}",
    ]  # fmt: skip


def test_no_text_of_an_event_runs_or_leads_away_on_any_page(visit, adam, hostile):
    page = visit("/errors", adam)
    here = page.url.removesuffix("/errors")
    for path in addresses(hostile):
        assert page.goto(here + path).status == 200, path
        assert (path, page.evaluate(FOUND_ON_THE_PAGE)) == (path, [])
        page.evaluate("document.querySelectorAll('[title], summary, button').forEach((el) => el.dispatchEvent("
                      "new PointerEvent('pointerover', {bubbles: true})))")  # fmt: skip
        assert not page.evaluate("window.pwned"), path
        assert page.evaluate("document.title"), path


@pytest.mark.parametrize("path", ["/errors?status={}", "/errors?sort={}", "/errors?cursor={}", "/nothing/{}"])
def test_what_an_address_asks_in_vain_is_said_back_as_text(adam, hostile, path):
    client = Client()
    client.force_login(adam)
    answer = client.get(path.format(quote(SCRIPT + IMAGE)))
    assert answer.status_code in {400, 404}
    assert "<script>window" not in answer.text
    assert "<img" not in answer.text


def test_exports_are_no_pages(adam, hostile):
    client = Client()
    client.force_login(adam)
    event = happen.event_of(hostile[0]).event_id
    for end, content_type in ((".json", "application/json"), (".md", "text/markdown; charset=utf-8")):
        answer = client.get(f"/errors/{hostile[0].pk}/events/{event}{end}")
        assert answer.headers["Content-Type"] == content_type
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert json.loads(client.get(f"/errors/{hostile[0].pk}/events/{event}.json").content)["user"]


def test_toasts_say_what_people_named_as_text(visit, adam, hostile):
    page = visit("/settings/tokens/", adam)
    page.get_by_role("button", name="Revoke").first.click()
    page.get_by_text("was revoked").wait_for()
    assert page.evaluate(FOUND_ON_THE_PAGE) == []
