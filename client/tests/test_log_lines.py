import io
import re
import time
from datetime import UTC, datetime

import pytest

import daytwo
from daytwo import logs


def test_a_line_is_flat_json_with_time_level_message_and_logger_first(lines):
    before = time.time()
    daytwo.get_logger("shop").info("order placed", order_id=5, plan="pro")
    (line,) = lines()
    assert list(line) == ["timestamp", "level", "message", "logger", "order_id", "plan"]
    assert line["level"] == "info"
    assert line["message"] == "order placed"
    assert line["logger"] == "shop"
    assert (line["order_id"], line["plan"]) == (5, "pro")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])
    written = datetime.fromisoformat(line["timestamp"])
    assert written.tzinfo == UTC
    assert abs(written.timestamp() - before) < 5


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("debug", ["debug", "info", "warning", "error", "critical"]),
        ("info", ["info", "warning", "error", "critical"]),
        ("Warning", ["warning", "error", "critical"]),
        ("warn", ["warning", "error", "critical"]),
        ("error", ["error", "critical"]),
        ("critical", ["critical"]),
    ],
)
def test_each_level_hides_all_below_it(lines, stream, level, written):
    logs.configure(level, form="json", stream=stream)
    log = daytwo.get_logger("shop")
    for method in (log.debug, log.info, log.warning, log.error, log.critical):
        method("said")
    assert [line["level"] for line in lines()] == written


def test_the_environment_sets_the_level(lines, stream, monkeypatch):
    monkeypatch.setenv("LOG_LEVEL", "error")
    logs.configure(form="json", stream=stream)
    daytwo.get_logger("shop").warning("hidden")
    assert lines() == []


def test_an_unknown_level_counts_as_info_and_is_said_once(lines, stream):
    logs.configure("loud", form="json", stream=stream)
    daytwo.get_logger("shop").debug("hidden")
    daytwo.get_logger("shop").info("shown")
    warning, shown = lines()
    assert warning["level"] == "warning"
    assert warning["given"] == "loud"
    assert shown["message"] == "shown"


def test_a_wrong_level_is_said_once_however_often_it_is_asked_for(lines, stream, monkeypatch):
    monkeypatch.setenv("LOG_LEVEL", "laut")
    for _ in range(3):
        logs.configure(form="json", stream=stream)
    assert [line["given"] for line in lines()] == ["laut"]


def test_an_unknown_form_is_refused_with_what_it_can_be(stream):
    with pytest.raises(ValueError, match="auto, json or console"):
        logs.configure(form="xml", stream=stream)  # type: ignore[arg-type]


def test_a_child_adds_fields_and_leaves_its_parent_alone(lines):
    parent = daytwo.get_logger("shop").child(component="billing")
    parent.child(region="eu").info("from the child")
    parent.info("from the parent")
    child_line, parent_line = lines()
    assert (child_line["component"], child_line["region"]) == ("billing", "eu")
    assert parent_line["component"] == "billing"
    assert "region" not in parent_line


def test_a_call_wins_over_its_logger_and_that_over_the_request(lines):
    log = daytwo.get_logger("shop").child(who="logger", where="logger")
    with daytwo.scope.request(who="request", where="request", when="request"):
        log.info("said", who="call")
    (line,) = lines()
    assert (line["who"], line["where"], line["when"]) == ("call", "logger", "request")


def test_no_caller_can_overwrite_what_the_line_itself_says(lines):
    taken = dict.fromkeys(("timestamp", "level", "message", "logger", "exception"), "mine")
    with daytwo.scope.request(**taken):
        daytwo.get_logger("shop").child(**taken).error("said", KeyError("x"), **taken)
    (line,) = lines()
    assert (line["level"], line["message"], line["logger"]) == ("error", "said", "shop")
    assert line["exception"]["type"] == "KeyError"
    assert {name: line["field_" + name] for name in taken} == taken


def test_arguments_in_the_manner_of_stdlib_logging_are_formatted_in(lines):
    log = daytwo.get_logger("shop")
    log.info("%s of %d", "one", 2)
    log.warning("100% wrong", "surplus")
    log.error("payment failed: %s", ValueError("declined"))
    log.info("asked with %s", {"password": "hush", "plan": "pro"})
    formatted, surplus, failed, secretive = lines()
    assert formatted["message"] == "one of 2"
    assert (surplus["message"], surplus["args"]) == ("100% wrong", ["surplus"])
    assert failed["message"] == "payment failed: declined"
    assert failed["exception"]["type"] == "ValueError"
    assert secretive["message"] == "asked with {'password': '[redacted]', 'plan': 'pro'}"


def test_a_request_logger_carries_the_request_and_the_user_if_there_is_one(lines):
    daytwo.request_logger("r-1", "dana").info("said")
    daytwo.request_logger("r-2").info("said")
    known, anonymous = lines()
    assert (known["request_id"], known["user_id"]) == ("r-1", "dana")
    assert anonymous["request_id"] == "r-2"
    assert "user_id" not in anonymous


def fail(message: str) -> None:
    raise ValueError(message)


def test_at_a_terminal_lines_are_readable_and_cannot_be_forged(stream):
    logs.configure(form="console", stream=stream)
    try:
        fail("bad\ninput")
    except ValueError:
        daytwo.get_logger("shop").exception("failed\n2026 INFO forged \x1b[31m\u202e", order_id=5, note="two words")
    shown = stream.getvalue()
    first, _, frame, error, end = shown.split("\n")
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3}Z ERROR    shop: failed\\u000a2026 INFO forged \\u001b\[31m\\u202e", first)
    assert first.endswith('order_id=5 note="two words"')
    assert frame.endswith(" in fail")
    assert error == r"  ValueError: bad\u000ainput"
    assert end == ""


def test_at_a_terminal_what_is_bound_and_the_request_are_shown_too(stream):
    logs.configure(form="console", stream=stream)
    with daytwo.scope.request(request_id="r-1"):
        daytwo.get_logger("shop").child(component="billing").info("said", order_id=5)
    assert stream.getvalue().endswith("shop: said request_id=r-1 component=billing order_id=5\n")


def test_an_exception_given_by_name_is_no_field_and_none_is_nothing(lines):
    log = daytwo.get_logger("shop")
    log.info("failed", exc=ValueError("no stock"))
    log.info("fine", exc=None)
    log.info("odd", exc="timeout")
    failed, fine, odd = lines()
    assert (failed["exception"]["message"], "exc" in failed) == ("no stock", False)
    assert set(fine) == {"timestamp", "level", "message", "logger"}
    assert (odd["exc"], "exception" in odd) == ("timeout", False)


def test_at_a_terminal_a_cause_stands_below_its_effect(stream):
    logs.configure(form="console", stream=stream)
    cause, effect = KeyError("sku"), ExceptionGroup("both failed", [ValueError("one"), OSError("two")])
    effect.__cause__ = cause
    daytwo.get_logger("shop").error("failed", effect)
    assert stream.getvalue().split("\n")[1:-1] == [
        "  ExceptionGroup: both failed (2 sub-exceptions)",
        "  | ValueError: one",
        "  | OSError: two",
        "  caused by",
        "  KeyError: 'sku'",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "is_json", "has_colour"),
    [
        ({}, False, True),
        ({"NO_COLOR": "1"}, False, False),
        ({"SENTRY_ENVIRONMENT": "production"}, True, False),
        ({"SENTRY_ENVIRONMENT": "staging"}, False, True),
    ],
)
def test_a_terminal_gets_json_in_production_only(monkeypatch, environment, is_json, has_colour):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    logs.configure(stream=terminal)
    daytwo.get_logger("shop").info("said")
    assert terminal.getvalue().startswith("{") == is_json
    assert ("\x1b[" in terminal.getvalue()) == has_colour


def test_without_configuration_lines_follow_stdout_wherever_it_points(capsys):
    logs.configure()
    daytwo.get_logger("shop").info("said")
    assert '"message":"said"' in capsys.readouterr().out
