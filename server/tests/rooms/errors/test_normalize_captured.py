"""What real SDKs sent keeps what people look for, in one shape."""

from __future__ import annotations

import captured
import pytest

from daytwo_server.errors.normalize import facets, handled, main_exception, normalize, title_of


def kept(name, **how):
    return normalize(captured.event(name), received=captured.RECEIVED, **how)


@pytest.mark.parametrize("name", captured.names())
def test_every_captured_event_has_an_id_a_time_a_level_and_a_title(name):
    event = kept(name)
    assert event["event_id"] == captured.event(name)["event_id"]
    assert abs(event["timestamp"] - captured.RECEIVED) < 3600
    assert event["level"] in {"fatal", "error", "warning", "info", "debug"}
    assert title_of(event).title not in ("", "(no message)")
    assert set(facets(event)) >= {"environment", "release", "level", "sdk"}


TRIMMED = {"py-recursion", "browser-debugid-minified-3"}  # the latter was recorded ten minutes later


@pytest.mark.parametrize("name", captured.names())
def test_no_captured_event_of_ordinary_size_is_trimmed(name):
    assert ("_meta_trimmed" in kept(name)) == (name in TRIMMED)


def test_the_title_names_type_value_and_the_innermost_frame_of_our_own_code():
    assert title_of(kept("py-django-2")) == (
        "PaymentError",
        "Card declined for order 12",
        "PaymentError: Card declined for order 12",
        "scen.py in charge",
    )
    assert title_of(kept("browser-debugid-minified-3")).culprit == "assets/checkout.min.js"


def test_the_main_exception_of_a_chain_is_the_last_and_of_a_group_its_root():
    assert main_exception(kept("py-exception-chained"))["type"] == "RuntimeError"
    assert main_exception(kept("py-exception-group"))["value"] == "batch failed"
    assert main_exception(kept("node-aggregate"))["type"] == "AggregateError"


def test_a_group_whose_root_is_not_last_is_still_named_by_its_root():
    raw = captured.event("py-exception-group")
    raw["exception"]["values"].reverse()
    assert title_of(normalize(raw, received=captured.RECEIVED)).value == "batch failed"


def test_handled_is_yes_no_or_unknown():
    assert handled(kept("py-exception")) is True
    assert handled(kept("node-uncaught-2")) is False
    assert handled(kept("py-message")) is None


def test_a_log_record_keeps_the_text_for_people_and_the_template_for_grouping():
    event = kept("py-logging-error")
    assert event["message"] == "job job-9 failed after 3 tries"
    assert event["logentry"] == {"message": "job %s failed after %d tries", "params": ["job-9", 3]}


def test_a_recursion_keeps_both_ends_and_says_how_many_frames_are_missing():
    stack = kept("py-recursion")["exception"]["values"][0]["stacktrace"]
    assert len(stack["frames"]) == 250
    assert stack["frames_omitted"] == [50, 799]
    assert stack["frames"][0]["function"] == "recursion"
    assert kept("py-recursion")["_meta_trimmed"] == [
        "exception.values.0.stacktrace.frames: 749 of 999 frames left out of the middle"
    ]


def test_javascript_breadcrumbs_come_as_a_bare_list_and_are_kept_like_the_others():
    crumbs = kept("browser-rejection")["breadcrumbs"]["values"]
    assert [crumb["category"] for crumb in crumbs] == ["ui.click", "sentry.event", "ui.click"]
    assert kept("py-breadcrumb-user-tags-ctx")["breadcrumbs"]["values"][0]["data"] == {"method": "password"}


def test_headers_and_cookies_are_lists_of_pairs():
    request = kept("py-django-2")["request"]
    assert ["Host", "shop.example.com"] in request["headers"]
    assert ["theme", "dark"] in request["cookies"]


def test_facets_name_tags_flags_user_browser_and_path():
    tagged = facets(kept("py-breadcrumb-user-tags-ctx"))
    assert (tagged["plan"], tagged["region"], tagged["user"]) == ("pro", "eu-central", "id:u-77")
    flagged = facets(kept("py-feature-flags"))
    assert (flagged["flag.new-checkout"], flagged["flag.dark-mode"]) == ("on", "off")
    browser = facets(kept("browser-error-2"))
    assert (browser["browser"], browser["os"], browser["url"]) == ("Chrome 156", "Linux", "/index.html")
    assert "replayId" not in browser
    assert facets(kept("node-uncaught-2"))["runtime"] == "node v20.20.2"


def test_the_address_is_filled_in_only_where_the_sdk_asked_and_the_caller_allows():
    assert "user" not in kept("browser-error-2")
    assert kept("browser-error-2", client_ip="203.0.113.5")["user"] == {"ip_address": "203.0.113.5"}
    assert "user" not in kept("py-exception", client_ip="203.0.113.5")
