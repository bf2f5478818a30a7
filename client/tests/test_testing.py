"""What an app's own tests lean on."""

import sys

import pytest

import daytwo
from daytwo import health, logs, scope, testing


def test_lines_are_caught_and_afterwards_go_where_they_went(lines):
    log = daytwo.get_logger("shop")
    with testing.captured_logs() as caught:
        log.debug("order placed", order_id=5)
    log.info("after")
    assert [(line["message"], line["order_id"]) for line in caught] == [("order placed", 5)]
    assert [line["message"] for line in lines()] == ["after"]


def test_what_was_lost_elsewhere_is_no_line_of_the_test(lines, stream):
    class Full:
        def write(self, _text):
            raise OSError(28, "No space left on device")

    log = daytwo.get_logger("shop")
    logs.configure("debug", form="json", stream=Full())
    log.info("lost")
    with testing.captured_logs() as caught:
        log.info("order placed")
    assert [line["message"] for line in caught] == ["order placed"]
    logs.configure("debug", form="json", stream=stream)
    log.info("after")
    assert [(line.get("lost"), line["message"]) for line in lines()][1] == (None, "after")
    assert lines()[0]["lost"] == 1


def test_events_are_caught_and_nothing_is_sent():
    with testing.captured_events() as events, scope.request(request_id="r-1"):
        daytwo.set_user("u1", plan="pro")
        daytwo.capture_exception(ValueError("no stock"), order_id=5)
        daytwo.get_logger("shop").error("order failed")
    assert daytwo.capture_message("after") is None
    first, second = events
    assert first["exception"]["values"][0]["value"] == "no stock"
    assert (first["user"]["id"], first["tags"]["plan"], first["tags"]["request_id"]) == ("u1", "pro", "r-1")
    assert second["message"] == "order failed"
    assert len(events) == 2
    assert "sentry_sdk" in sys.modules


def test_health_says_what_a_test_wants_it_to():
    registry = health.Registry()
    registry.check("database")(lambda: None)
    with testing.forced_health("database", fail="no route to host", registry=registry):
        assert registry.run().status == "unhealthy"
        assert registry.run().checks[0].message == "RuntimeError: no route to host"
    assert registry.run().status == "healthy"
    with testing.forced_health("database", skip="not set up", registry=registry):
        assert registry.run().checks[0].status == "skipped"
    with pytest.raises(KeyError), testing.forced_health("nothing", registry=registry):
        pass
