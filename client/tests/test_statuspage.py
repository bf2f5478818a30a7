"""The status page of somebody else, behind a socket that checks what it is asked."""

import contextlib
import socket
import time
import typing

import pytest
from receiver import Answers

from daytwo import statuspage
from daytwo.statuspage import Invalid, NotFound, RateLimited, Refused, StatusPage, StatusPageError, Unreachable

OK = (200, {}, {"id": "i1", "status": "resolved"})


@pytest.fixture
def page(monkeypatch):
    """`page(answers...)` is a page and the server behind it; waits are written down instead of waited."""
    made, waits = [], []
    monkeypatch.setattr(statuspage.time, "sleep", waits.append)

    def build(*answers, **named):
        server = Answers(*answers)
        made.append(server)
        server.waits = waits
        return StatusPage("secret-key", "p1", server.url, timeout=2, **named), server

    yield build
    for server in made:
        server.close()


def test_a_component_is_set(page):
    mine, server = page((200, {}, {"id": "c1", "status": "major_outage"}))
    assert mine.update_component_status("c1", "major_outage")["status"] == "major_outage"
    (asked,) = server.asked
    assert (asked["method"], asked["path"]) == ("PATCH", "/v1/pages/p1/components/c1")
    assert asked["headers"]["Authorization"] == "OAuth secret-key"
    assert asked["json"] == {"component": {"status": "major_outage"}}


def test_an_incident_is_created_with_its_components(page):
    mine, server = page((201, {}, {"id": "i1"}))
    mine.create_incident("Slow", "investigating", "We are looking.", ["api", "web"], impact="minor")
    assert server.asked[0]["json"]["incident"] == {
        "name": "Slow", "status": "investigating", "body": "We are looking.", "component_ids": ["api", "web"],
        "components": {"api": "degraded_performance", "web": "degraded_performance"}, "impact_override": "minor",
    }  # fmt: skip


def test_without_components_none_are_named(page):
    mine, server = page((201, {}, {"id": "i1"}))
    mine.create_incident("Slow", "investigating", "We are looking.")
    assert server.asked[0]["json"]["incident"].keys() == {"name", "status", "body"}


def test_resolving_returns_the_components_to_operational(page):
    found = {"id": "i1", "components": [{"id": "api", "status": "major_outage"}, {"id": "web"}]}
    mine, server = page((200, {}, found), OK)
    assert mine.resolve_incident("i1", "Fixed.")["status"] == "resolved"
    assert [one["method"] for one in server.asked] == ["GET", "PATCH"]
    assert server.asked[1]["json"]["incident"] == {
        "status": "resolved", "body": "Fixed.", "component_ids": ["api", "web"],
        "components": {"api": "operational", "web": "operational"},
    }  # fmt: skip


def test_resolving_may_leave_the_components_alone(page):
    mine, server = page(OK)
    mine.resolve_incident("i1", "Fixed.", restore_components=False)
    assert server.asked[0]["json"] == {"incident": {"status": "resolved", "body": "Fixed."}}


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [(401, "bad key", Refused), (403, "no", Refused), (404, "no page", NotFound), (422, ["name is blank"], Invalid),
     (400, "odd", Invalid), (418, "teapot", StatusPageError)],
)  # fmt: skip
def test_an_error_is_typed_and_carries_the_servers_words_but_not_the_key(page, status, said, kind):
    mine, server = page((status, {}, {"error": said}))
    with pytest.raises(kind) as raised:
        mine.create_incident("Slow", "investigating", "We are looking.")
    assert (raised.value.status, type(raised.value)) == (status, kind)
    assert (said if isinstance(said, str) else said[0]) in str(raised.value)
    assert "secret-key" not in str(raised.value) + repr(mine)
    assert len(server.asked) == 1


@pytest.mark.parametrize("limited", [420, 429])
def test_a_rate_limit_is_waited_for_also_when_creating(page, limited):
    mine, server = page((limited, {"Retry-After": "7"}, {"error": "slow down"}), (201, {}, {"id": "i1"}))
    assert mine.create_incident("Slow", "investigating", "We are looking.")["id"] == "i1"
    assert server.waits == [7.0]
    assert len(server.asked) == 2


def test_a_date_to_come_back_at_is_understood_and_nobody_waits_forever(page):
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600))
    mine, server = page((429, {"Retry-After": later}, {}), OK)
    mine.update_incident("i1", "monitoring", "Better.")
    assert server.waits == [30.0]


def test_a_limit_that_stays_is_said_in_the_end(page):
    mine, server = page(*[(429, {"Retry-After": "0"}, {"error": "slow down"})] * 4)
    with pytest.raises(RateLimited, match="slow down"):
        mine.update_incident("i1", "monitoring", "Better.")
    assert len(server.asked) == 4


def test_a_change_is_tried_again_after_trouble(page):
    mine, server = page((503, {}, {}), None, OK)
    assert mine.update_incident("i1", "resolved", "Fixed.")["id"] == "i1"
    assert len(server.asked) == 3


@pytest.mark.parametrize("trouble", [(503, {}, {"error": "down"}), (500, {}, {}), None])
def test_no_incident_is_created_twice(page, trouble):
    mine, server = page(trouble, (201, {}, {"id": "i1"}))
    with pytest.raises(StatusPageError):
        mine.create_incident("Slow", "investigating", "We are looking.")
    assert len(server.asked) == 1


def test_a_server_that_was_never_reached_may_be_asked_again(monkeypatch):
    waits = []
    monkeypatch.setattr(statuspage.time, "sleep", waits.append)
    with pytest.raises(Unreachable):
        StatusPage("k", "p", "http://127.0.0.1:9/v1").create_incident("Slow", "investigating", "We are looking.")
    assert len(waits) == 3


def test_a_server_that_does_not_answer_is_given_up_after_the_timeout(monkeypatch):
    """An incident may exist by then, so it is not tried again; a change is."""
    monkeypatch.setattr(statuspage.time, "sleep", lambda _: None)
    listener = socket.create_server(("127.0.0.1", 0))  # takes connections and says nothing
    mine = StatusPage("k", "p", f"http://127.0.0.1:{listener.getsockname()[1]}/v1", timeout=0.3)
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="no answer"):
        mine.create_incident("Slow", "investigating", "We are looking.")
    once = time.monotonic() - begun
    with pytest.raises(Unreachable):
        mine.update_incident("i1", "monitoring", "Better.")
    listener.setblocking(False)
    connections = []
    with contextlib.suppress(BlockingIOError):
        while True:
            connections.append(listener.accept()[0])
    assert len(connections) == 1 + 4
    assert once < 5
    for connection in connections:
        connection.close()
    listener.close()


@pytest.mark.parametrize("asked", ["-5", "nan", "soon", "Thu, 99 Foo 2026", ""])
def test_a_retry_after_that_is_nonsense_is_waited_for_shortly(page, asked):
    mine, server = page((429, {"Retry-After": asked}, {}), OK)
    mine.update_incident("i1", "monitoring", "Better.")
    assert 0 <= server.waits[0] <= 1.25


def test_every_status_that_the_page_knows_can_be_said():
    assert "under_maintenance" in typing.get_args(statuspage.ComponentStatus)
    assert {"scheduled", "completed", "postmortem"} <= set(typing.get_args(statuspage.IncidentStatus))
    assert "maintenance" in typing.get_args(statuspage.Impact)


def test_an_answer_of_204_is_none(page):
    mine, _ = page((204, {}, b""))
    assert mine.update_component_status("c1", "operational") == {}


@pytest.mark.parametrize("found", [b"", b"<html>", b"[]"])
def test_an_answer_without_a_body_is_fine_and_one_in_another_language_is_said(page, found):
    mine, _ = page((200, {}, found))
    if found == b"":
        assert mine.update_incident("i1", "resolved", "Fixed.") == {}
    else:
        with pytest.raises(StatusPageError, match="JSON"):
            mine.update_incident("i1", "resolved", "Fixed.")


def test_a_redirect_does_not_take_the_key_elsewhere(page):
    other = Answers(OK)
    mine, _ = page((302, {"Location": other.url}, {}))
    with pytest.raises(StatusPageError):
        mine.update_incident("i1", "resolved", "Fixed.")
    assert other.asked == []
    other.close()


@pytest.mark.parametrize("odd", ["", ".", ".."])
def test_an_id_that_is_none_is_refused(page, odd):
    mine, server = page(OK)
    with pytest.raises(ValueError, match="is no id"):
        mine.update_component_status(odd, "operational")
    assert server.asked == []


def test_an_id_stays_one_segment_of_the_path(page):
    mine, server = page(OK)
    mine.update_component_status("../../users?x=1#", "operational")
    assert server.asked[0]["path"] == "/v1/pages/p1/components/..%2F..%2Fusers%3Fx%3D1%23"


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.delenv("STATUSPAGE_API_KEY", raising=False)
    monkeypatch.setenv("STATUSPAGE_PAGE_ID", "p1")
    with pytest.raises(ValueError, match="STATUSPAGE_API_KEY"):
        StatusPage()
    monkeypatch.setenv("STATUSPAGE_API_KEY", "k")
    assert "p1" in repr(StatusPage())
