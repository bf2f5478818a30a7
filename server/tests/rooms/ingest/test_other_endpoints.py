"""Endpoints whose content is not stored yet: SDKs and crontabs see success, operators see the count."""

from __future__ import annotations

import asyncio

import pytest
from intake import KEY, Intake

from daytwo_server.ingest.app import IngestApp
from daytwo_server.ingest.keys import Key


@pytest.mark.parametrize(
    ("path", "item", "status"),
    [
        ("security/", "security", 200),
        ("security", "security", 200),
        ("csp-report/", "security", 200),
        ("nel/", "nel", 200),
        ("minidump/", "minidump", 200),
        (f"unreal/{KEY}/", "unreal", 200),
        ("events/fc6d8c0c43fc4630ad850ee518f1b9d0/attachments/", "attachment", 201),
        ("cron/nightly/", "check_in", 202),
        (f"cron/nightly/{KEY}/", "check_in", 202),
        (f"cron/nightly/{KEY}", "check_in", 202),
    ],
)
def test_it_is_taken_and_counted(intake: Intake, path: str, item: str, status: int):
    answer = intake.post(b"whatever", f"/api/42/{path}")
    assert (answer.status_code, answer.json()) == (status, {})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert intake.arrived() == {item: 1}
    assert intake.dropped() == {(item, "not_stored_yet"): 1}
    assert intake.envelopes() == []


def test_a_cron_check_in_may_be_a_get_with_the_key_in_the_path(intake: Intake):
    assert intake.http.get(f"/api/42/cron/nightly/{KEY}/?status=ok").status_code == 202
    assert intake.http.get("/api/42/cron/nightly/?status=ok").status_code == 401
    assert intake.http.put(f"/api/42/cron/nightly/{KEY}/").headers["allow"] == "GET, POST, OPTIONS"


def test_a_browser_report_carries_its_key_in_the_query(intake: Intake):
    assert intake.post(b"{}", f"/api/42/security/?sentry_key={KEY}", headers={}).status_code == 200


@pytest.mark.parametrize("path", ["security/", "unreal/ffff/", "cron/x/ffff/", "minidump/"])
def test_the_key_is_checked(intake: Intake, path: str):
    intake.keys["ffff"] = Key(public_key="ffff", project=7)
    answer = intake.post(b"x", f"/api/42/{path}", headers={})
    assert answer.status_code == (403 if "ffff" in path else 401)


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("/api/1/envelope/", True),
        ("/api/not-a-number/store", True),
        ("/api/store/", True),
        ("/api/1/cron/my-job/", True),
        ("/api/envelope/", False),
        ("/api/1/envelope/more", False),
        ("/api/0/organizations/acme/releases/", False),
        ("/api/0/projects/acme/web/store/", False),
        ("/api/v1/security/", False),
        ("/api/health", False),
        ("/other/api/1/envelope/", False),
        ("/api/1/envelope/\n", False),
        ("", False),
    ],
)
def test_the_dispatcher_is_told_which_paths_are_ours(path: str, ours: bool):
    assert IngestApp.matches(path) is ours


async def _ask(app: IngestApp, path: str, root_path: str) -> int:
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": path, "root_path": root_path, "client": ("127.0.0.1", 1),
        "query_string": b"", "headers": [(b"x-sentry-auth", f"Sentry sentry_key={KEY}".encode())],
    }  # fmt: skip
    await app(scope, receive, send)
    return int(str(sent[0]["status"]))


@pytest.mark.parametrize(
    ("path", "root_path", "status"),
    [
        ("/errors/api/42/envelope/", "/errors", 200),
        ("/api/42/envelope/", "/errors", 200),
        ("/errors/api/42/envelope/", "", 404),
    ],
)
def test_a_path_prefix_of_the_installation_is_passed_over(intake: Intake, path: str, root_path: str, status: int):
    intake.table._keys = dict(intake.keys)
    assert asyncio.run(_ask(intake.app, path, root_path)) == status
