"""Flags in an app: fresh from a server over a socket, and still there when it is not."""

import json
import os
import stat
import threading
import time

import pytest
from flag_server import KEY, flag, snapshot, until

from daytwo import flags
from daytwo.flags import Client, State
from daytwo.flags.disk import cache_path


def test_a_flag_is_answered_from_what_the_server_says(server, client):
    server.snapshot = snapshot(flag(allowedPlans=["pro"]))
    assert client.configure(server.url, KEY, poll_seconds=0.1) is True
    assert client.wait_ready(5) is True
    assert client.state() == "READY"
    assert client.enabled("new-checkout", user="u1", plan="pro") is True
    assert client.enabled("new-checkout", user="u1", plan="free", default=True) is False
    assert client.enabled("nothing", default=True) is True


def test_url_and_key_come_from_the_environment(server, client, monkeypatch):
    server.snapshot = snapshot(flag())
    monkeypatch.setenv("DAYTWO_URL", server.url + "/")
    monkeypatch.setenv("DAYTWO_KEY", KEY)
    client.configure(poll_seconds=0.1)
    assert client.wait_ready(5)
    assert client.enabled("new-checkout")
    method, path, headers = server.asked[0]
    assert (method, path, headers["Authorization"]) == ("GET", "/flags/v1/snapshot", f"Bearer {KEY}")


def test_a_change_is_seen_and_what_has_not_changed_is_not_sent_again(server, client):
    server.snapshot = snapshot(flag())
    client.configure(server.url, KEY, poll_seconds=0.05)
    assert client.wait_ready(5)
    until(lambda: len(server.asked) > 3)
    assert [("If-None-Match" in headers) for _, _, headers in server.asked[:3]] == [False, True, True]
    server.snapshot = snapshot(flag(killed=True), revision=2)
    until(lambda: not client.enabled("new-checkout"))


@pytest.mark.parametrize(
    "trouble", [500, 503, 404, 401, 429, "garbage", "another document", "hangs up halfway", "silent"]
)
def test_the_last_definitions_hold_whatever_comes_after(server, client, trouble):
    server.snapshot = snapshot(flag())
    client.configure(server.url, KEY, poll_seconds=0.05)
    assert client.wait_ready(5)
    server.trouble = trouble
    asked = len(server.asked)
    until(lambda: len(server.asked) > asked)
    time.sleep(0.1)
    assert client.enabled("new-checkout") is True
    server.stopped.set()  # the silent one hangs up
    server.trouble, server.snapshot = None, snapshot(flag(enabled=False), revision=2)
    until(lambda: client.enabled("new-checkout") is False)


def test_definitions_grow_stale_when_the_server_is_gone(server, client, monkeypatch):
    server.snapshot = snapshot(flag())
    client.configure(server.url, KEY, poll_seconds=0.05)
    assert client.wait_ready(5)
    heard = []
    client.listen(lambda state, changed: heard.append(state))
    server.trouble = 503
    until(lambda: client.state() is State.STALE)
    assert client.enabled("new-checkout") is True
    until(lambda: heard == ["STALE"])
    server.trouble = None
    until(lambda: heard == ["STALE", "READY"])


def test_without_a_server_or_anything_else_the_code_decides(client, lines):
    client.configure("http://127.0.0.1:9", KEY, poll_seconds=0.1)
    assert client.wait_ready(0.3) is False
    assert client.state() == "NOT_READY"
    assert [client.enabled("a"), client.enabled("a", default=True)] == [False, True]
    assert client.variant("a", default="red") == "red"
    assert client.value("a", default=5) == 5
    found = client.evaluate("a", default="x")
    assert (found.value, found.error, found.reason) == ("x", "PROVIDER_NOT_READY", "ERROR")
    until(lines)
    time.sleep(0.3)
    assert len(lines()) == 1, "said once, not at each attempt"
    assert KEY not in json.dumps(lines())


def test_before_it_is_configured_the_code_decides(client, lines):
    assert client.enabled("a", default=True) is True
    assert client.wait_ready(5) is False
    assert client.configure() is False
    assert "DAYTWO_URL or DAYTWO_KEY" in lines()[0]["message"]


def test_a_refused_key_is_said_with_what_to_do(server, client, lines):
    client.configure(server.url, "wrong", poll_seconds=0.1)
    until(lines)
    assert "401" in lines()[0]["reason"]
    assert "DAYTWO_KEY" in lines()[0]["reason"]


def test_a_redirect_is_not_followed_with_the_key(server, client):
    server.trouble = 302
    client.configure(server.url, KEY, poll_seconds=0.1)
    until(lambda: server.asked)
    assert client.wait_ready(0.2) is False


def test_a_server_that_asks_for_patience_gets_it(server, client):
    answers = []

    def patient(request):
        answers.append(time.monotonic())
        request.send_response(429)
        request.send_header("Retry-After", "0.5")
        request.send_header("Content-Length", "0")
        request.end_headers()
        return True

    server.misbehaves = patient
    client.configure(server.url, KEY, poll_seconds=0.05)
    until(lambda: len(answers) > 2)
    assert answers[1] - answers[0] > 0.45


# ---- Types ----


def test_variants_have_names_and_values(server, client):
    given = flag(type="integer", variants=[{"name": "low", "value": 5}, {"name": "high", "value": 50}], offVariant="low",
                 defaultVariant="high", allowedPlans=["pro"])  # fmt: skip
    server.snapshot = snapshot(given)
    client.configure(server.url, KEY, poll_seconds=1)
    assert client.wait_ready(5)
    assert [client.variant("new-checkout", plan=plan) for plan in ("pro", "free")] == ["high", "low"]
    assert [client.value("new-checkout", plan=plan, default=1) for plan in ("pro", "free")] == [50, 5]
    assert [client.enabled("new-checkout", plan=plan) for plan in ("pro", "free")] == [True, False]
    found = client.evaluate("new-checkout", plan="pro")
    assert (found.variant, found.value, found.reason, found.type) == ("high", 50, "TARGETING_MATCH", "integer")
    assert found.metadata() == {"enabled": True, "version": 1, "source": "default"}


class Hostile:
    def __hash__(self):
        raise RuntimeError("no")

    __eq__ = __str__ = __bool__ = __repr__ = __hash__


ODD = {
    "hostile": Hostile(), "object": object(), "dict": {}, "list": [], "bytes": b"x", "nan": float("nan"), "half": "\ud800",
    "huge": 10**5000, "long": "x" * 10**6, "true": True, "class": type,
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_no_argument_is_too_odd(client, name):
    odd = ODD[name]
    rules = [{"conditions": [{"attribute": "it", "operator": operator, "values": ["1.0.0"]}]}
             for operator in ("in", "regex", "semver_eq", "str_contains")]  # fmt: skip
    rules += [{"conditions": [{"attribute": "it", "operator": "num_gt", "values": [1e300]}]}]
    every = flag(rules=rules, rolloutPercentage=50, overrides=[{"userId": "u1", "enabled": True}], allowedPlans=["pro"])
    client.configure(bootstrap=snapshot(every))
    for given in ({"user": odd}, {"organization": odd}, {"plan": odd}, {"user": "u1", "plan": "pro", "it": odd}):
        assert client.enabled("new-checkout", **given) in {True, False}
        assert client.variant("new-checkout", **given) in {"on", "off", None}
        assert client.evaluate("new-checkout", explain=True, **given).flag in {"new-checkout", ""}
    assert client.enabled("new-checkout", user=odd, plan=odd) is False
    assert client.enabled(odd, default=True) is True
    assert client.evaluate(odd).variant is None
    assert client.wait_ready(odd) in {True, False}
    assert client.configure(poll_seconds=odd, url=odd, bootstrap=odd) in {True, False}


def test_a_user_object_is_no_user(client, lines):
    class AnonymousUser:
        def __str__(self):
            return "AnonymousUser"

    client.configure(bootstrap=snapshot(flag(rolloutPercentage=99)))
    found = client.evaluate("new-checkout", user=AnonymousUser())
    assert (found.enabled, found.error) == (False, "TARGETING_KEY_MISSING")
    client.enabled("new-checkout", user=AnonymousUser())
    assert [(line["message"], line["kind"]) for line in lines()] == [
        ("a flag was asked for with what is no id: give user.id, not user", "AnonymousUser")
    ]


def test_numbers_are_ids(client):
    client.configure(bootstrap=snapshot(flag(rolloutPercentage=0, overrides=[{"userId": "7", "enabled": True}])))
    assert client.enabled("new-checkout", user=7) is True


# ---- Disk and bootstrap ----


def test_the_last_good_definitions_are_there_at_the_next_start(server, tmp_path):
    server.snapshot = snapshot(flag(), revision=5)
    first, second = Client(), Client()
    first.configure(server.url, KEY, poll_seconds=0.1, cache_dir=tmp_path / "new")
    assert first.wait_ready(5)
    (file,) = until(lambda: list((tmp_path / "new").iterdir()))
    first.close()
    assert json.loads(file.read_text()) == server.snapshot
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "it names users"
    server.trouble = 503
    second.configure(server.url, KEY, poll_seconds=0.1, cache_dir=tmp_path / "new")
    assert (second.state(), second.enabled("new-checkout")) == ("STALE", True)
    assert second.wait_ready(0.2) is False
    server.trouble = None
    until(lambda: second.state() == "READY")
    second.close()


@pytest.mark.parametrize(
    "found", [b"", b'{"format":1,"flags":[{"key":"new-che', b"\xff\xfe", b"[]", b'{"name":"package"}', b"[" * 100_000]
)
def test_a_half_written_or_foreign_file_is_survived_and_replaced_by_a_good_one(server, client, tmp_path, found):
    file = cache_path(tmp_path, server.url, KEY)
    file.write_bytes(found)
    (tmp_path / "notes.txt").write_text("mine")
    server.trouble, server.snapshot = 503, snapshot(flag())
    client.configure(server.url, KEY, poll_seconds=0.1, cache_dir=tmp_path)
    assert (client.state(), client.enabled("new-checkout", default=True)) == ("NOT_READY", True)
    server.trouble = None
    assert client.wait_ready(5)
    until(lambda: file.read_bytes() != found)
    assert json.loads(file.read_bytes()) == server.snapshot
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([file.name, "notes.txt"])
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_folder_in_the_place_of_the_file_is_let_be(server, client, tmp_path):
    cache_path(tmp_path, server.url, KEY).mkdir()
    server.snapshot = snapshot(flag())
    client.configure(server.url, KEY, poll_seconds=0.1, cache_dir=tmp_path)
    assert client.wait_ready(5)
    assert client.enabled("new-checkout")
    assert cache_path(tmp_path, server.url, KEY).is_dir()


def test_another_environment_reads_another_file(server, client, tmp_path):
    cache_path(tmp_path, server.url, "staging-key").write_text(json.dumps(snapshot(flag())))
    server.trouble = 503
    client.configure(server.url, KEY, poll_seconds=0.1, cache_dir=tmp_path)
    assert client.state() == "NOT_READY"


def test_what_comes_with_the_app_holds_until_there_is_something_newer(server, client, tmp_path):
    bootstrap = tmp_path / "flags.json"
    bootstrap.write_text(json.dumps(snapshot(flag(), revision=3)))
    server.snapshot, server.trouble = snapshot(flag(enabled=False), revision=4), 503
    client.configure(server.url, KEY, poll_seconds=0.1, bootstrap=bootstrap, cache_dir=tmp_path)
    assert (client.state(), client.enabled("new-checkout")) == ("STALE", True)
    server.trouble = None
    assert client.wait_ready(5)
    assert client.enabled("new-checkout") is False
    client.close()
    server.trouble = 503
    client.configure(server.url, KEY, poll_seconds=0.1, bootstrap=bootstrap, cache_dir=tmp_path)
    assert client.enabled("new-checkout") is False, "the file on disk is newer"


def test_with_a_bootstrap_alone_there_is_nothing_to_wait_for(client):
    assert client.configure(bootstrap=snapshot(flag())) is True
    assert (client.state(), client.wait_ready(5), client.enabled("new-checkout")) == ("READY", True, True)


@pytest.mark.parametrize("given", ["/nowhere/flags.json", {"format": 9}, 5])
def test_a_bootstrap_that_is_none_is_one_line(client, lines, given):
    assert client.configure(bootstrap=given) is False
    assert client.state() == "NOT_READY"
    assert "cannot be used" in lines()[0]["message"]


def test_a_broken_flag_is_told_and_the_others_work(server, client, lines):
    server.snapshot = snapshot(flag(offVariant="maybe"), flag("other"))
    client.configure(server.url, KEY, poll_seconds=0.05)
    assert client.wait_ready(5)
    assert [client.enabled("new-checkout", default=True), client.enabled("other")] == [True, True]
    assert client.evaluate("new-checkout").error == "PARSE_ERROR"
    until(lambda: len(server.asked) > 3)
    assert [line["flags"] for line in lines()] == [["flags[0].offVariant: there is no variant 'maybe'"]]


def test_a_slow_old_connection_brings_nothing_into_a_new_configuration(server, client):
    server.snapshot = snapshot(flag())
    client.configure(server.url, KEY, poll_seconds=0.1)
    assert client.wait_ready(5)
    take = client._session._take
    client.configure(bootstrap=snapshot(flag(enabled=False)))
    take(json.dumps(snapshot(flag())).encode())
    assert client.enabled("new-checkout") is False


# ---- Threads ----


def test_many_threads_ask_while_definitions_change_and_no_count_is_lost(server, client):
    server.snapshot = snapshot(*(flag(f"f{n}", rolloutPercentage=50) for n in range(50)))
    client.configure(server.url, KEY, poll_seconds=0.05)
    assert client.wait_ready(5)
    wrong, asked, stop = [], [], threading.Event()

    def ask(number):
        turns = 0
        while not stop.is_set():
            turns += 2
            if client.enabled("f7", user=f"u{number}") is not client.enabled("f7", user=f"u{number}"):
                wrong.append(turns)
        asked.append(turns)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for revision in range(2, 8):
        flags_now = [flag(f"f{n}", rolloutPercentage=50, revision=revision) for n in range(50)]
        server.snapshot = snapshot(*flags_now, revision=revision)
        until(lambda now=revision: client.evaluate("f1", explain=True).revision == now)
    stop.set()
    for thread in threads:
        thread.join()
    client.close()
    assert wrong == []
    assert sum(server.counts().values()) == sum(asked)
    assert len({one["revision"] for batch in server.batches for one in batch["exposures"]}) > 3


def test_the_names_of_the_module_are_those_of_one_client():
    assert flags.enabled.__self__ is flags.variant.__self__ is flags.close.__self__ is flags.default


def test_nothing_of_a_client_stays_behind_when_it_is_closed(server):
    before = threading.active_count()
    client = Client()
    client.configure(server.url, KEY, poll_seconds=0.05)
    assert client.wait_ready(5)
    client.close()
    client.close()
    until(lambda: threading.active_count() <= before + 1)  # the server's own for a connection
    assert os.getpid()
