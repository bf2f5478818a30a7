"""What the page for people who come from sentry-sdk or structlog says is so."""

import re
from pathlib import Path

import pytest

import daytwo
from daytwo import logs, scope, testing

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "move-to-daytwo.md"
CODE = re.compile(r"`((?:daytwo|log)\.[^`]+\))`")


def snippets():
    """The calls in the right column of its tables."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "---" not in line]
    return [code for row in rows for code in CODE.findall(row.split(" | ")[-1])]


def test_the_page_has_code_for_both():
    assert len(snippets()) >= 10


@pytest.mark.parametrize("code", snippets())
def test_a_call_in_the_right_column_works(code, monkeypatch, lines):
    monkeypatch.delenv("SENTRY_DSN", raising=False)

    class MyTimeout(Exception):
        pass

    known = {
        "daytwo": daytwo,
        "log": daytwo.get_logger("shop"),
        "error": ValueError("no stock"),
        "MyTimeout": MyTimeout,
    }
    with scope.request():
        eval(code, known | {"e": known["error"]})
    assert [line for line in lines() if line["logger"] == "daytwo"] == [], "the library complained of it"


def test_both_libraries_end_in_the_same_place():
    import sentry_sdk

    with testing.captured_events() as events:
        sentry_sdk.capture_exception(ValueError("by the one"))
        daytwo.capture_exception(ValueError("by the other"))
    assert [event["exception"]["values"][0]["value"] for event in events] == ["by the one", "by the other"]


def test_further_options_are_the_sdks_own_and_win():
    import sentry_sdk

    seen = []
    with testing.captured_events(
        max_breadcrumbs=50, max_value_length=100, before_send=lambda e, _: seen.append(1) or e
    ):
        assert sentry_sdk.get_client().options["max_breadcrumbs"] == 50
        assert sentry_sdk.get_client().options["max_value_length"] == 100
        daytwo.capture_message("hello")
    assert seen == [1]


def test_fields_have_the_names_it_says(lines):
    logs.install()
    daytwo.get_logger("shop").info("order placed", timestamp="mine")
    (line,) = lines()
    assert (line["message"], line["field_timestamp"]) == ("order placed", "mine")
    assert line["timestamp"].endswith("Z")
    assert "event" not in line
