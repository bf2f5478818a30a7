import enum
import io
import json
import uuid
from collections import UserDict, deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import daytwo
from daytwo import logs
from daytwo.logs.values import LIMIT, plain


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Liar:
    """Raises for as little as isinstance(), like a request proxy used outside of a request."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise RuntimeError("outside of a request")


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __len__(self) -> int:
        raise RuntimeError("no length")


class BrokenMapping(UserDict):  # type: ignore[type-arg]
    def items(self):
        raise RuntimeError("no items")


class Colour(enum.StrEnum):
    RED = "red"


def logged(lines, value):
    daytwo.get_logger("shop").info("said", value=value)
    return lines()[-1]["value"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (-(2**62), -(2**62)),
        (2**64, str(2**64)),
        (0.5, 0.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("plain", "plain"),
        ("\ud800 lone", "\\ud800 lone"),
        ("zwölf €", "zwölf €"),
        (b"bytes\xff", "bytes\\xff"),
        (bytearray(b"ab"), "ab"),
        (memoryview(b"ab"), "ab"),
        (Colour.RED, "red"),
        (Decimal("1.10"), "1.10"),
        (Path("/srv/app"), "/srv/app"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (datetime(2026, 3, 1, tzinfo=UTC), "2026-03-01T00:00:00+00:00"),
        (timedelta(seconds=90), "0:01:30"),
        ((1, [2, {"three": {4}}]), [1, [2, {"three": [4]}]]),
        (deque([1]), [1]),
        ({1: "a", None: "b", b"c": "d"}, {"1": "a", "None": "b", "c": "d"}),
        (UserDict({"a": 1}), {"a": 1}),
        (KeyError("k"), "KeyError: 'k'"),
    ],
)
def test_every_value_has_a_form_in_json(lines, value, written):
    assert logged(lines, value) == written


@pytest.mark.parametrize("broken", [Broken, Liar, BrokenMapping])
def test_a_value_that_cannot_be_printed_is_named_and_costs_no_more_than_itself(lines, broken):
    name = f"<unprintable {broken.__name__}>"
    assert logged(lines, broken()) == name
    assert logged(lines, [1, broken(), 3]) == [1, name, 3]


def test_text_of_ones_own_making_is_read_as_text(lines):
    assert logged(lines, Text("said")) == "said"


def test_a_huge_integer_is_named_instead_of_printed(lines):
    assert logged(lines, 10**10_000) == "<integer of 33220 bits>"


def test_cycles_end(lines):
    ring: list[object] = [1]
    ring.append(ring)
    loop: dict[str, object] = {}
    loop["self"] = loop
    assert json.dumps(logged(lines, ring)).count("1") < 10
    assert json.dumps(logged(lines, loop)).count("self") < 10


@pytest.mark.parametrize(
    "value",
    [
        "x" * 100_000,
        "€" * 100_000,
        b"x" * 100_000,
        ["x" * 100] * 100_000,
        dict.fromkeys(map(str, range(100_000)), "x"),
        [[[[[None] * 100] * 100] * 100] * 100] * 100,
    ],
    ids=["text", "wide text", "bytes", "list", "dict", "tree"],
)
def test_no_value_is_written_beyond_8_kilobytes(lines, stream, value):
    logged(lines, value)
    assert LIMIT / 4 < len(stream.getvalue().encode()) < LIMIT * 1.5


@pytest.mark.parametrize(
    "key",
    [
        *("password", "PASSWD", "user_password", "client_secret", "token", "accessToken", "Authorization"),
        *("cookie", "Set-Cookie", "api_key", "x-api-key", "apiKey", "dsn", "sentry_dsn", "SENTRY_DSN", "sentryDsn"),
    ],
)
def test_a_secret_is_redacted_by_its_key_at_any_depth(lines, key):
    log = daytwo.get_logger("shop").child(**{key: "hush-1"})
    with daytwo.scope.request(headers={key: "hush-2"}):
        log.info("said", pairs=[(key.encode(), b"hush-3")], deep={"list": [{key: ["hush-4"]}]})
    (line,) = lines()
    assert "hush" not in json.dumps(line)
    assert line[key] == "[redacted]"


@pytest.mark.parametrize("key", ["passenger", "records_name", "fieldsname", "author", "keyboard", "tok"])
def test_a_harmless_key_keeps_its_value(lines, key):
    daytwo.get_logger("shop").info("said", **{key: "seen"})
    assert lines()[0][key] == "seen"


def test_whether_there_is_a_secret_is_no_secret(lines):
    daytwo.get_logger("shop").info("said", has_token=True, password=None)
    assert (lines()[0]["has_token"], lines()[0]["password"]) == (True, None)


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "5500005555555559", "3782 822463 10005"],
)
def test_a_card_number_is_removed_from_values_and_messages(lines, number):
    daytwo.get_logger("shop").info(f"paid with {number}!", note=f"card {number}, 2 items", raw=number)
    (line,) = lines()
    assert line["message"] == "paid with [redacted]!"
    assert line["note"] == "card [redacted], 2 items"
    assert line["raw"] == "[redacted]"


def test_a_card_number_is_removed_as_an_integer_too(lines):
    assert logged(lines, 4111111111111111) == "[redacted]"


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # the check digit is wrong
        "0.4111111111111111",
        "sha 4111111111111111abc",
        "550e8400-e29b-41d4-a716-446655440000",
        "1772357400250123",  # a time in microseconds
    ],
)
def test_numbers_that_are_no_cards_stay(lines, text):
    assert logged(lines, text) == text


def test_a_password_in_a_url_is_removed(lines):
    assert logged(lines, "cannot reach postgres://app:hush@db:5432/shop") == (
        "cannot reach postgres://app:[redacted]@db:5432/shop"
    )
    assert logged(lines, "https://key@errors.example/1") == "https://key@errors.example/1"


def test_a_secret_across_the_size_limit_is_still_removed(lines):
    value = "x" * (LIMIT - 20) + " postgres://app:hush-hush-hush@db"
    assert "hush" not in logged(lines, value)


keys = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())  # lone surrogates among them
    | st.binary()
    | st.datetimes()
    | st.builds(Broken)
)
scalars = keys | st.decimals() | st.builds(Liar) | st.builds(Text) | st.builds(BrokenMapping)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
    max_leaves=20,
)


@given(message=values, fields=st.dictionaries(st.text(st.characters()), values), args=st.lists(values, max_size=3))
def test_nothing_a_caller_passes_can_raise_or_break_the_line(message, fields, args):
    stream = io.StringIO()
    logs.configure("debug", form="json", stream=stream)
    with daytwo.scope.request():
        log = daytwo.get_logger("shop")
        log.set(**fields)
        log.child(**fields).error(message, *args, **fields)
        log.error(message, ValueError(*args), **fields)
    *written, end = stream.getvalue().split("\n")
    assert end == ""
    assert [json.loads(line)["logger"] for line in written] == ["shop", "shop"]
    assert "could not be rendered" not in stream.getvalue()


@given(message=values, fields=st.dictionaries(st.text(st.characters()), values))
def test_at_a_terminal_nothing_can_raise_or_break_the_line_either(message, fields):
    stream = io.StringIO()
    logs.configure("debug", form="console", stream=stream)
    daytwo.get_logger("shop").info(message, **fields)
    assert stream.getvalue().count("\n") == 1


@given(values)
def test_plain_values_are_json_of_bounded_size(value):
    assert len(json.dumps(plain(value), ensure_ascii=False, allow_nan=False).encode()) < LIMIT * 2
