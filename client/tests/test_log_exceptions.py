import pytest

import daytwo


def failing(depth: int) -> None:
    if depth:
        failing(depth - 1)
    raise ValueError("out of stock")


def test_an_exception_is_fields_with_its_innermost_frame_last(lines):
    try:
        failing(1)
    except ValueError as error:
        daytwo.get_logger("shop").error("order failed", error, order_id=5)
    (line,) = lines()
    found = line["exception"]
    assert (found["type"], found["message"]) == ("ValueError", "out of stock")
    assert [frame["function"] for frame in found["stacktrace"]] == [
        "test_an_exception_is_fields_with_its_innermost_frame_last",
        "failing",
        "failing",
    ]
    last = found["stacktrace"][-1]
    assert last == {"file": __file__, "line": failing.__code__.co_firstlineno + 3, "function": "failing"}
    assert line["order_id"] == 5
    assert "cause" not in found


def test_exception_takes_the_one_being_handled(lines):
    try:
        failing(0)
    except ValueError:
        daytwo.get_logger("shop").exception("order failed")
    daytwo.get_logger("shop").exception("nothing is being handled")
    handled, nothing = lines()
    assert (handled["level"], handled["exception"]["message"]) == ("error", "out of stock")
    assert "exception" not in nothing


@pytest.mark.parametrize("how", ["from", "during"])
def test_causes_are_nested(lines, how):
    try:
        try:
            failing(0)
        except ValueError as error:
            if how == "from":
                raise LookupError("no order") from error
            raise LookupError("no order")  # noqa: B904 - the implicit chain is what is tested
    except LookupError as error:
        daytwo.get_logger("shop").error("failed", exc=error)
    assert lines()[0]["exception"]["cause"]["message"] == "out of stock"


def test_a_suppressed_context_stays_out(lines):
    try:
        try:
            failing(0)
        except ValueError:
            raise LookupError("no order") from None
    except LookupError as error:
        daytwo.get_logger("shop").error("failed", error)
    assert "cause" not in lines()[0]["exception"]


def test_long_and_circular_chains_end(lines):
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    daytwo.get_logger("shop").error("failed", first)
    found, depth = lines()[0]["exception"], 1
    while "cause" in found:
        found, depth = found["cause"], depth + 1
    assert depth == 5


def test_a_deep_stack_keeps_where_it_broke(lines):
    try:
        failing(200)
    except ValueError as error:
        daytwo.get_logger("shop").error("failed", error)
    stacktrace = lines()[0]["exception"]["stacktrace"]
    assert len(stacktrace) == 30
    assert stacktrace[-1]["line"] == failing.__code__.co_firstlineno + 3


def test_a_group_names_its_members(lines):
    group = ExceptionGroup("two tasks failed", [ValueError("one"), KeyError("two")])
    daytwo.get_logger("shop").error("failed", group)
    assert [member["type"] for member in lines()[0]["exception"]["members"]] == ["ValueError", "KeyError"]


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __bool__(self) -> bool:
        raise RuntimeError("neither true nor false")


def test_an_exception_that_cannot_be_printed_is_written_all_the_same(lines):
    daytwo.get_logger("shop").error("failed", UnprintableError(), order_id=5)
    daytwo.get_logger("shop").error("failed", exc=UnprintableError())
    for line in lines():
        assert line["message"] == "failed"
        assert line["exception"]["message"] == "<unprintable>"


def test_what_is_no_exception_is_kept_as_a_field(lines):
    daytwo.get_logger("shop").error("failed", exc="timeout")  # type: ignore[arg-type]
    assert lines()[0]["exc"] == "timeout"
    assert "exception" not in lines()[0]


def test_an_exceptions_message_is_scrubbed(lines):
    daytwo.get_logger("shop").error("failed", ConnectionError("no route to amqp://app:hush@queue"))
    assert lines()[0]["exception"]["message"] == "no route to amqp://app:[redacted]@queue"
