"""What `daytwo.init` and its neighbours send, to a real socket and from real processes."""

import json
import subprocess
import sys
import textwrap
import time

import pytest
from receiver import Receiver

import daytwo

ENV = {"PATH": "/usr/bin:/bin", "APP_VERSION": "1.4.2"}


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def run(script, *, dsn="", env=None, timeout=30):
    """Run a script in a process of its own; returns seconds, the JSON lines it wrote, and its errors."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-u", "-c", "import daytwo\n" + textwrap.dedent(script)],
        env={**ENV, "SENTRY_DSN": dsn, **(env or {})}, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return time.monotonic() - begun, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_without_a_dsn_everything_is_a_quiet_no_op():
    _, lines, errors = run(
        """
        assert daytwo.init() is False
        assert daytwo.capture_exception(ValueError("x"), order=5) is None
        assert daytwo.capture_message("hello") is None
        daytwo.set_user("u1", email="a@example.com", plan="pro")
        daytwo.flush()
        import sys; assert "sentry_sdk" not in sys.modules
        """
    )
    assert (lines, errors) == ([], "")


def test_an_exception_arrives_with_release_version_environment_user_and_context(receiver):
    run(
        """
        assert daytwo.init() is True
        with daytwo.scope.request(request_id="r-1"):
            daytwo.set_user(7, email="jane@example.com", plan="pro")
            try:
                1 / 0
            except ZeroDivisionError as error:
                daytwo.capture_exception(error, order_id=5, password="hunter2")
        daytwo.capture_message("after", "warning", job="nightly")
        """,
        dsn=receiver.dsn,
    )
    error, after = receiver.wait(count=2)
    assert error["exception"]["values"][0]["type"] == "ZeroDivisionError"
    assert (error["release"], error["environment"]) == ("1.4.2", "production")
    assert error["user"] == {"id": "7", "email": "jane@example.com"}
    assert error["tags"] == {"app_version": "1.4.2", "plan": "pro", "request_id": "r-1"}
    assert error["contexts"]["additional"] == {"order_id": 5, "password": "[redacted]"}
    assert error["contexts"]["request_scope"] == {"request_id": "r-1", "user_id": "7", "plan": "pro"}
    # The user was the request's.
    assert "user" not in after
    assert after["tags"] == {"app_version": "1.4.2"}
    assert (after["level"], after["contexts"]["details"]) == ("warning", {"job": "nightly"})


def test_arguments_can_be_given_by_their_names(receiver):
    run(
        """
        daytwo.init()
        with daytwo.scope.request():
            daytwo.set_user(id="u1", email=None, plan="pro")
            daytwo.capture_exception(exc=ValueError("no stock"))
            daytwo.capture_message("late", level="warning", job="nightly")
            daytwo.capture_message("odd", level="shouting")
            daytwo.set_user("u2")
            daytwo.capture_message("another")
        """,
        dsn=receiver.dsn,
    )
    error, late, odd, another = receiver.wait(count=4)
    assert error["exception"]["values"][0]["value"] == "no stock"
    assert (late["level"], late["contexts"]["details"]) == ("warning", {"job": "nightly"})
    assert odd["level"] == "info"
    assert (late["tags"]["plan"], late["user"]) == ("pro", {"id": "u1"})
    assert "plan" not in another["tags"], "the plan was the other user's"


@pytest.mark.parametrize(
    ("environment", "arguments", "sent"),
    [("development", "", 0), ("test", "", 0), ("development", "send_in_development=True", 1), ("staging", "", 1)],
)
def test_nothing_leaves_development_unless_asked(receiver, environment, arguments, sent):
    script = f"daytwo.init({arguments})\ndaytwo.capture_message('hello')"
    run(script, dsn=receiver.dsn, env={"SENTRY_ENVIRONMENT": environment})
    assert len(receiver.events) == sent


@pytest.mark.parametrize(
    ("environment", "given", "rate"), [("", "", 0.1), ("production", "", 0.1), ("staging", "", 1.0), ("", "0.5", 0.5)]
)
def test_a_tenth_of_the_traces_in_production_and_all_elsewhere(receiver, environment, given, rate):
    script = "daytwo.init()\nimport sentry_sdk; print(sentry_sdk.get_client().options['traces_sample_rate'])"
    env = {"SENTRY_ENVIRONMENT": environment, "SENTRY_TRACES_SAMPLE_RATE": given}
    assert run(script, dsn=receiver.dsn, env=env)[1] == [rate]


@pytest.mark.parametrize(
    "made",
    [
        "builtins.KeyboardInterrupt()",
        "asyncio.CancelledError()",
        "concurrent.futures.CancelledError()",
        "starlette.requests.ClientDisconnect()",
        "starlette.websockets.WebSocketDisconnect(1001)",
        "uvicorn.protocols.utils.ClientDisconnected()",
        "django.http.UnreadablePostError()",
        "django.core.exceptions.RequestAborted()",
        "werkzeug.exceptions.ClientDisconnected()",
    ],
)
def test_who_left_or_cancelled_is_no_error_whatever_the_framework_calls_it(made):
    from daytwo import testing

    module = made.rpartition(".")[0]
    error = eval(made, {module.partition(".")[0]: __import__(module)})
    with testing.captured_events() as events:
        daytwo.capture_exception(error)
        daytwo.get_logger("shop").error("failed", error)
        assert events == []
        daytwo.capture_exception(BrokenPipeError("between servers"))
    assert len(events) == 1


def test_what_was_cancelled_is_nobodys_fault_and_more_can_be_said_to_be(receiver):
    run(
        """
        import asyncio, concurrent.futures
        class Mine(Exception): pass
        class Own(Mine): pass
        daytwo.init(ignore=[*daytwo.CANCELLED, Mine])
        for error in (asyncio.CancelledError(), concurrent.futures.CancelledError(), Own(), BrokenPipeError("between servers")):
            daytwo.capture_exception(error)
        """,
        dsn=receiver.dsn,
    )
    assert [event["exception"]["values"][0]["type"] for event in receiver.wait()] == ["BrokenPipeError"]


@pytest.mark.parametrize("dsn", ["nonsense", "http://127.0.0.1/1", "http://k@:99999/1", "ftp://k@host/1"])
def test_a_wrong_dsn_is_one_line_that_does_not_show_it(dsn):
    _, lines, errors = run("assert daytwo.init() is False\ndaytwo.capture_message('hello')", dsn=dsn)
    assert [line["level"] for line in lines] == ["error"]
    assert dsn not in json.dumps(lines) + errors


def test_errors_in_logs_become_events_and_other_lines_lead_up_to_them(receiver):
    run(
        """
        daytwo.init()
        log = daytwo.get_logger("shop")
        log.info("order placed", order_id=5)
        try:
            raise ValueError("no stock")
        except ValueError as error:
            log.error("order failed", error, order_id=5)
            daytwo.capture_exception(error)  # once more: known already
        log.critical("all is lost")
        """,
        dsn=receiver.dsn,
    )
    failed, lost = receiver.wait(count=2)
    assert failed["exception"]["values"][0]["value"] == "no stock"
    assert failed["contexts"]["log"] == {"logger": "shop", "message": "order failed", "order_id": 5}
    assert failed["breadcrumbs"]["values"][0]["message"] == "order placed"
    assert (lost["message"], lost["level"]) == ("all is lost", "fatal")
    assert len(receiver.events) == 2


def test_a_line_that_also_goes_to_stdlib_logging_is_reported_once(receiver):
    run(
        """
        import logging
        daytwo.init()
        logging.getLogger().addHandler(logging.NullHandler())
        daytwo.logs.install(forward=True)
        daytwo.get_logger("shop").error("order failed")
        logging.getLogger("library").error("theirs")
        """,
        dsn=receiver.dsn,
    )
    receiver.wait(count=2)
    messages = [event.get("message") or event["logentry"]["message"] for event in receiver.events]
    assert sorted(messages) == ["order failed", "theirs"]


def test_lines_leave_as_log_items_when_asked(receiver):
    run("daytwo.init()\ndaytwo.get_logger('shop').info('order {placed}', order_id=5)", dsn=receiver.dsn)
    assert receiver.of("log") == []
    script = "daytwo.init(logs=True)\ndaytwo.get_logger('shop').info('order {placed}', order_id=5)"
    run(script, dsn=receiver.dsn)
    (found,) = receiver.wait("log")[0]["items"]
    assert (found["body"], found["level"]) == ("order {placed}", "info")
    assert found["attributes"]["order_id"]["value"] == 5
    assert found["attributes"]["logger.name"]["value"] == "shop"


def test_a_hostile_context_neither_raises_nor_is_sent_whole(receiver):
    run(
        """
        daytwo.init()
        class Bad:
            def __str__(self): raise RuntimeError
            __repr__ = __str__
        class Unprintable(Exception):
            def __str__(self): raise RuntimeError
        circle = []; circle.append(circle)
        assert daytwo.capture_exception(Unprintable(), big="x" * 10_000_000, circle=circle, bad=Bad(), **{"a b": {Bad(): 1}})
        daytwo.capture_message(Bad())
        daytwo.capture_exception("no exception at all")
        daytwo.set_user(Bad())
        """,
        dsn=receiver.dsn,
    )
    event = receiver.wait()[0]
    assert len(json.dumps(event)) < 100_000


def test_an_unreachable_server_costs_neither_time_nor_an_exception_and_is_told_once():
    seconds, lines, errors = run(
        """
        import time
        daytwo.init()
        took = []
        for number in range(50):
            begun = time.perf_counter()
            daytwo.capture_message(f"hello {number}")
            took.append(time.perf_counter() - begun)
        print('{"took": %f, "slowest": %f}' % (sum(took), max(took)))
        """,
        dsn="http://public@127.0.0.1:9/1",
    )
    assert lines[0]["took"] / 50 < 0.05
    assert lines[0]["slowest"] < 0.5
    assert [line["message"] for line in lines[1:]] == ["some reports were not delivered"]
    assert lines[1]["lost"] == {"network_error": 50}
    assert errors == ""
    assert seconds < 10


FULL = """
import atexit, time, daytwo
atexit.register(lambda: print('{"ended": %f}' % time.time(), flush=True))  # the first registered runs last
daytwo.init(logs=True)
log = daytwo.get_logger("shop")
for number in range(300):
    daytwo.capture_message(f"hello {number}")
for number in range(50):
    log.info("said", number=number)
print('{"ending": %f}' % time.time(), flush=True)
"""


@pytest.mark.parametrize("how", ["by itself", "sys.exit", "an exception", "ctrl-c"])
def test_a_process_ends_within_two_seconds_though_the_queue_is_full_and_the_server_never_answers(how):
    ends = {
        "by itself": "", "sys.exit": "import sys; sys.exit(0)", "an exception": "raise ValueError('no stock')",
        # A shell that starts something in the background has it ignore this signal.
        "ctrl-c": "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); signal.raise_signal(2); time.sleep(20)",
    }  # fmt: skip
    receiver = Receiver(stalls=True)
    done = subprocess.run(
        [sys.executable, "-u", "-c", FULL + ends[how]], env={**ENV, "SENTRY_DSN": receiver.dsn}, capture_output=True,
        text=True, timeout=30,
    )  # fmt: skip
    receiver.close()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    times = {name: line[name] for line in lines for name in ("ending", "ended") if name in line}
    assert times["ended"] - times["ending"] < 2
    (lost,) = (line["lost"] for line in lines if "lost" in line)
    # A hundred wait, the rest had no room; an exception nobody caught is one event more.
    assert sum(lost.values()) == 350 + (how == "an exception")
    assert lost["process_ended"] >= 99


def test_the_wait_for_the_last_reports_is_a_second():
    receiver = Receiver(stalls=True)
    _, lines, _ = run(
        """
        import time
        daytwo.init()
        daytwo.capture_message("hello")
        import sentry_sdk
        begun = time.monotonic()
        sentry_sdk.get_client().close()
        print('{"took": %f}' % (time.monotonic() - begun))
        """,
        dsn=receiver.dsn,
    )
    receiver.close()
    assert 0.9 < lines[0]["took"] < 2


def test_log_lines_travel_together_and_are_counted_one_by_one():
    _, lines, _ = run(
        """
        daytwo.init(logs=True)
        for number in range(30):
            daytwo.get_logger("shop").info("said", number=number)
        """,
        dsn="http://public@127.0.0.1:9/1",
    )
    assert lines[-1]["lost"] == {"network_error": 30}


def test_what_the_server_refuses_for_its_rate_limit_is_counted_too():
    receiver = Receiver(status=429)
    _, lines, _ = run(
        """
        daytwo.init()
        for number in range(3):
            daytwo.capture_message("hello")
            daytwo.flush(5)
        """,
        dsn=receiver.dsn,
    )
    receiver.close()
    assert lines[-1]["lost"] == {"rate_limited": 1, "ratelimit_backoff": 2}


def test_what_was_told_is_not_told_again():
    _, lines, _ = run(
        """
        from daytwo import reporting
        daytwo.init()
        daytwo.capture_message("one")
        reporting.end()
        reporting.end()
        daytwo.capture_message("two")
        """,
        dsn="http://public@127.0.0.1:9/1",
    )
    assert [line["lost"] for line in lines] == [{"network_error": 1}, {"network_error": 1}]


def test_a_sample_left_out_is_no_loss(receiver):
    _, lines, _ = run(
        """
        import sentry_sdk
        daytwo.init(sample_rate=0.0, traces_sample_rate=0.0)
        for number in range(5):
            daytwo.capture_message("hello")
            with sentry_sdk.start_transaction(name="page"): pass
        """,
        dsn=receiver.dsn,
    )
    assert lines == []


def test_a_thread_started_by_the_app_keeps_the_request_when_wrapped(receiver):
    run(
        """
        import threading
        daytwo.init()
        def work():
            daytwo.capture_message("from a thread")
        with daytwo.scope.request(request_id="r-9"):
            thread = threading.Thread(target=daytwo.wrap(work)); thread.start(); thread.join()
        """,
        dsn=receiver.dsn,
    )
    assert receiver.wait()[0]["tags"]["request_id"] == "r-9"


def test_importing_daytwo_starts_nothing_and_imports_no_framework():
    _, lines, _ = run(
        """
        import sys, threading
        assert threading.active_count() == 1
        found = {"sentry_sdk", "django", "flask", "starlette", "celery", "sqlalchemy", "urllib3"} & set(sys.modules)
        print(sorted(found).__repr__().replace("'", '"'))
        """
    )
    assert lines == [[]]


@pytest.mark.parametrize(
    ("env", "url"),
    [
        ({}, ""),
        ({"SENTRY_DSN": "https://public@errors.example/1"}, "https://errors.example"),
        ({"SENTRY_DSN": "http://public:old@errors.example:8000/daytwo/1/"}, "http://errors.example:8000/daytwo"),
        ({"SENTRY_DSN": "http://public@[::1]:8000/1"}, "http://[::1]:8000"),
        (
            {"SENTRY_DSN": "https://public@errors.example/1", "DAYTWO_URL": "https://ops.example/"},
            "https://ops.example",
        ),
        *(
            ({"SENTRY_DSN": wrong}, "")
            for wrong in ("nonsense", "https://errors.example/1", "https://k@h:x/1", "k@h/1")
        ),
    ],
)
def test_where_daytwo_is_comes_from_its_own_variable_or_from_the_dsn(monkeypatch, env, url):
    for name in ("SENTRY_DSN", "DAYTWO_URL", "DAYTWO_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert daytwo.server() == (url, "")


def test_the_server_key_comes_from_the_environment_alone_and_is_not_shown(monkeypatch):
    monkeypatch.delenv("DAYTWO_URL", raising=False)
    monkeypatch.setenv("DAYTWO_KEY", "hush")
    found = daytwo.server("https://public@errors.example/1")
    assert (found.url, found.key) == ("https://errors.example", "hush")
    assert "hush" not in repr(found) + str(found)
