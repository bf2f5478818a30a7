"""Whatever somebody types into an address, a form or the API gets an answer below 500, on both stores.

What a page reads of its address and its form is found out by watching it, so a new parameter is tested unasked.
"""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import json
from collections import Counter
from typing import Any
from urllib.parse import unquote

import make
import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import is_valid_path, reverse
from journeys.furnished import address, furnish
from journeys.routes import CALLS, OPEN, PAGES

from daytwo_server.accounts.models import ApiToken, OwnerLink, User
from daytwo_server.accounts.tokens import digest
from daytwo_server.catalog.models import DsnKey
from daytwo_server.core import clock
from daytwo_server.customers.models import Customer
from daytwo_server.errors.models import Issue

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

JSON = "application/json"


def cursor(*position: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


NASTY = (
    "\x00", "a:\x00b", "9" * 5000, "-1", str(2**63), "1e400", "\N{ARABIC-INDIC DIGIT THREE}", "x" * 10_000,
    "'\"\\%_*", "word", "user.email:a!b \ufffe\u202e",
)  # fmt: skip
CURSORS = (
    cursor("9999-12-31T23:59:59-23:59", 1, False), cursor("0001-01-01T00:00:00+23:59", 1, True),
    cursor(1e308, 1, False), cursor(2**63 - 1, 1, False), cursor("x", -1, True),
)  # fmt: skip
# What makes a page read further: the verb that looks at the assignee, the theme that goes on to `next`.
START = {"do": "assign", "issue": "1", "theme": "dark", "mark": "1.1", "count": "0", "range": "14d", "frames": "all"}


@pytest.fixture
def asked(monkeypatch) -> set[str]:
    """The names that were looked up in addresses and forms since the set was last cleared."""
    names: set[str] = set()

    def watch(method: str) -> None:
        original = getattr(QueryDict, method)

        def watching(self: QueryDict, key: Any, *rest: Any) -> Any:
            names.add(key)
            return original(self, key, *rest)

        monkeypatch.setattr(QueryDict, method, watching)

    for method in ("__getitem__", "getlist"):
        watch(method)
    return names


def send(client: Client, method: str, path: str, values: dict[str, str]) -> Any:
    path, _, query = path.partition("?")
    values = dict(QueryDict(query).items()) | values
    return client.get(path, values) if method == "get" else client.post(path, values)


@pytest.fixture
def workspace() -> dict[str, Any]:
    return furnish()


@pytest.fixture
def client(workspace) -> Client:
    """The owner's browser, in which a fault of ours is an answer instead of an exception."""
    alice = User.objects.get(email="alice@example.com")
    alice.set_password("correct horse battery")
    alice.save()
    OwnerLink.objects.create(digest=digest(workspace["link"]), expires_at=clock.now() + dt.timedelta(hours=1))
    browser = Client(raise_request_exception=False)
    browser.force_login(alice)
    return browser


def test_nothing_that_an_address_or_a_form_may_hold_breaks_a_page(workspace, client, asked):
    visitor = Client(raise_request_exception=False)
    forms: Counter[tuple[str, str]] = Counter()
    broken, tried = [], 0
    for name, method in itertools.product([*PAGES, *OPEN], ["get", "post"]):
        who, path = client if name in PAGES else visitor, address(name, workspace)
        asked.clear()
        send(who, method, path, START)
        names = asked - {"csrfmiddlewaretoken"}
        if method == "post":
            # Pages of a room share what reads a form, so two of them stand for all.
            forms.update((name.partition(":")[0], parameter) for parameter in names)
            names = {parameter for parameter in names if forms[name.partition(":")[0], parameter] <= 2}
        for parameter in sorted(names):
            for value in CURSORS if parameter == "cursor" else NASTY:
                status = send(who, method, path, START | {parameter: value}).status_code
                broken += [(name, method, parameter, value[:40], status)] if status >= 500 else []
                tried += 1
    assert broken == []
    assert tried > 500, "the pages read fewer parameters than they are known to"


def test_nothing_in_the_path_breaks_a_page(workspace, client):
    odd = ["%00", "%FF", "%ED%A0%80", "9" * 30, str(2**63), "%D9%A3", "x" * 5000, "%2e%2e%2f", "'\";"]
    tried = Counter()
    for name in [*PAGES, *OPEN, *CALLS]:
        path = address(name, workspace).partition("?")[0]
        for part, value in itertools.product([one for one in path.split("/") if one], odd):
            changed = path.replace(part, value)
            # What no route takes is the same page of ours wherever it is: it is asked for once with each value.
            taken = is_valid_path(unquote(changed)) or is_valid_path(unquote(changed) + "/")
            tried[changed if taken else value] += 1
            if tried[changed if taken else value] == 1:
                answer = client.get(changed)
                assert (name, value, answer.status_code < 500) == (name, value, True)
    assert len(tried) > 100, "fewer addresses have a part that may be anything than are known to"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_other_methods_are_answered_and_change_nothing(workspace, client, method):
    before = state()
    for name in [*PAGES, *CALLS]:
        answer = client.generic(method, address(name, workspace), b"do=resolve&status=resolved")
        assert (name, answer.status_code) in {(name, status) for status in (200, 204, 302, 401, 403, 405, 422)}
    assert state() == before


def state() -> list[Any]:
    return [
        list(Issue.objects.values_list("pk", "status", "assignee")),
        list(DsnKey.objects.values_list("pk", "is_active", "label")),
        list(ApiToken.objects.values_list("pk", "revoked_at")),
        list(Customer.objects.values_list("pk", "erased_at")),
    ]


PART = b"--x\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n--x--"
BODIES = (
    b"", b"{", b"[]", b"null", b"1", b'"x"', b"NaN", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"x":1}', b"[" * 100_000,
    b'{"a":' * 50_000, b'{"status":1}', b'{"status":null}', b'{"status":"\\u0000"}', b'{"status":"gone"}',
    b'{"assignee":1}', b'{"assignee":[]}', b'{"assignee":"\\u0000"}', b'{"assignee":"a\\u0000@b.c"}',
    b'{"assignee":"\\ud800"}', b'{"assignee":"nobody@example.com"}', b'{"assignee":"' + b"x" * 10_000 + b'"}',
    b'{"assignee":' + b"9" * 5000 + b"}", b'{"status":"resolved"}' + b" " * 3_000_000,
)  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:24]))
def test_a_body_that_the_api_cannot_read_is_answered_400_in_json(workspace, body):
    token = make.token(None)
    client = Client(raise_request_exception=False)
    for content_type in (JSON, "text/plain", "application/x-www-form-urlencoded", f"{JSON}; charset=utf-16", ""):
        answer = client.patch(
            reverse("api:change_issue", args=[workspace["issue"]]), body, content_type,
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip
        assert (content_type, answer.status_code) in {(content_type, 200), (content_type, 400), (content_type, 413)}
        if answer.status_code != 200:
            assert set(answer.json()) == {"detail", "fields"}


def test_nothing_that_the_api_is_asked_breaks_it(workspace):
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {make.token(None)}"})
    for path, names in API_PARAMETERS.items():
        for name, value in itertools.product(names, [*NASTY, *CURSORS]):
            answer = client.get(path.format(**workspace), {name: value})
            assert (path, name, value[:40], answer.status_code) in {
                (path, name, value[:40], status) for status in (200, 400)
            }
            assert answer.headers["Content-Type"].startswith(JSON)


API_PARAMETERS = {
    "/api/v1/issues": ("project", "status", "query", "cursor", "limit", "other"),
    "/api/v1/issues/{issue}/events": ("cursor", "limit"),
}


@pytest.mark.parametrize(
    "cookie",
    ['daytwo_session="aaaaaaaaaaaa\\000bbb"', "daytwo_session=" + "\xff" * 32, "daytwo_session=" + "x" * 9000,
     'daytwo_csrf="\\000"', 'messages="\\000"; daytwo_theme="\\000"', ";=;,=\\"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/login/", "/errors", "/nothing", "/theme/"])
def test_no_cookie_breaks_a_page(db, path, cookie):
    for method in ("GET", "POST"):
        answer = Client(raise_request_exception=False).generic(method, path, HTTP_COOKIE=cookie)
        assert answer.status_code < 500


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded; charset=utf-16", b"a=b"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(3000))),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 3_000_000),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=\xff", b"x"),
        ("multipart/form-data; boundary=x; charset=none", PART % (b"name=a", b"\xff")),
        ("multipart/form-data; boundary=x", PART % (b'name="a"; filename="\x00../x"', b"f")),
        ("x" * 5000, b"x"),
    ],
    ids=str,
)  # fmt: skip
def test_no_form_encoding_breaks_a_page(client, content_type, body):
    for path in ("/login/", "/profile/", "/errors", "/projects/new/", "/settings/tokens/", "/theme/"):
        answer = client.generic("POST", path, body, content_type)
        assert (path, answer.status_code < 500) == (path, True)
