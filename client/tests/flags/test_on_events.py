"""Errors say what flags answered before them."""

import threading

import sentry_sdk
from flag_server import flag, snapshot

import daytwo
from daytwo import flags, scope, testing

COLOURS = {"type": "string", "variants": [{"name": "red", "value": "#f00"}, {"name": "none", "value": ""}],
           "offVariant": "none", "defaultVariant": "red"}  # fmt: skip


def told(event):
    return {one["flag"]: one["result"] for one in event["contexts"]["flags"]["values"]}


def test_an_error_says_what_flags_answered_in_its_request(client):
    client.configure(bootstrap=snapshot(flag(), flag("old", enabled=False), flag("colour", **COLOURS), flag("unasked")))
    with testing.captured_events() as events:
        with scope.request():
            client.enabled("new-checkout", user="u1")
            client.enabled("old", user="u1")
            client.variant("colour")
            client.enabled("nothing")
            daytwo.capture_exception(ValueError("no stock"))
        with scope.request():
            daytwo.capture_exception(ValueError("another request"))
    assert told(events[0]) == {"new-checkout": True, "old": False, "colour": "red"}
    assert "flags" not in events[1]["contexts"]


def test_a_thread_with_a_copy_of_the_request_adds_to_it(client):
    client.configure(bootstrap=snapshot(flag()))
    with testing.captured_events() as events, scope.request():
        thread = threading.Thread(target=scope.wrap(lambda: client.enabled("new-checkout")))
        thread.start()
        thread.join()
        daytwo.capture_message("after")
    assert told(events[0]) == {"new-checkout": True}


def test_what_was_asked_within_an_inner_scope_is_not_seen_outside(client):
    client.configure(bootstrap=snapshot(flag(), flag("inner")))
    with testing.captured_events() as events, scope.request():
        client.enabled("new-checkout")
        with scope.request():
            client.enabled("inner")
            daytwo.capture_message("inner")
        daytwo.capture_message("outer")
    assert [told(event) for event in events] == [{"new-checkout": True, "inner": True}, {"new-checkout": True}]


def test_outside_of_requests_a_thread_knows_what_it_asked(client):
    client.configure(bootstrap=snapshot(flag()))
    with testing.captured_events() as events:
        client.enabled("new-checkout")
        daytwo.capture_message("a script")
        with scope.request():
            daytwo.capture_message("a request knows nothing of it")
    assert told(events[0]) == {"new-checkout": True}
    assert "flags" not in events[1]["contexts"]


def test_flags_that_the_sdk_was_told_of_are_kept(client):
    client.configure(bootstrap=snapshot(flag()))
    with testing.captured_events() as events, scope.request():
        sentry_sdk.feature_flags.add_feature_flag("elsewhere", True)
        sentry_sdk.feature_flags.add_feature_flag("new-checkout", False)
        client.enabled("new-checkout")
        daytwo.capture_message("both")
    assert told(events[0]) == {"elsewhere": True, "new-checkout": True}
    assert len(events[0]["contexts"]["flags"]["values"]) == 2


def test_no_event_grows_without_end(client):
    client.configure(bootstrap=snapshot(*(flag(f"f{number}") for number in range(300))))
    with testing.captured_events() as events, scope.request():
        for number in range(300):
            client.enabled(f"f{number}")
        daytwo.capture_message("many")
    assert list(told(events[0])) == [f"f{number}" for number in range(200, 300)]


def test_flags_are_no_fields_of_log_lines(client, lines):
    client.configure(bootstrap=snapshot(flag()))
    with scope.request(request_id="r-1"):
        client.enabled("new-checkout")
        daytwo.get_logger("shop").info("hello")
    assert lines()[-1].keys() == {"timestamp", "level", "message", "logger", "request_id"}


def test_an_override_of_a_test_is_on_events_too():
    with testing.captured_events() as events, scope.request(), testing.override(new_checkout=True):
        flags.enabled("new-checkout")
        daytwo.capture_message("x")
    assert told(events[0]) == {"new-checkout": True}
