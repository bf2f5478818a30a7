"""The quick way of writing a line and the thorough one say the same."""

import io
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import daytwo
from daytwo import _wire, logs, scope
from daytwo.logs import quick
from daytwo.logs.levels import INFO
from daytwo.logs.output import output

NAMES = st.one_of(
    st.sampled_from(["order_id", "plan", "password", "api_key", "level", "message", "logger", "component", "dsn"]),
    st.text(string.ascii_letters + "_é", min_size=1, max_size=12),
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.binary(max_size=10),
    st.sampled_from([
        "4111 1111 1111 1111", "postgres://me:secret@db/shop", "https://example.com/a", "x" * 9000, "\ud800", "\n\x00",
        4111111111111111, [1, {"token": "t"}], {"a": 1}, object,
    ]),
)  # fmt: skip


def written(write):
    stream = io.BytesIO()
    logs.configure("debug", form="json", stream=stream)
    output.emit("warm-up", INFO, "binds the stream", {})
    stream.seek(0)
    stream.truncate()
    write()
    line = json.loads(stream.getvalue())
    line.pop("timestamp")
    return line


@given(
    message=st.one_of(st.text(max_size=40), st.integers(), VALUES),
    fields=st.dictionaries(NAMES, VALUES, max_size=5),
    bound=st.dictionaries(NAMES, VALUES, max_size=2),
    request=st.dictionaries(NAMES, VALUES, max_size=2),
)
def test_both_ways_give_the_same_line(message, fields, bound, request):
    log = daytwo.get_logger("shop").child(**bound)
    with scope.request(**request):
        one = written(lambda: log.info(message, **fields))
        other = written(lambda: output.emit("shop", INFO, message, fields, log._bound))
    assert one == other


@pytest.mark.parametrize(
    "fields",
    [{}, {"order_id": 5, "plan": "pro", "paid": True, "amount": 12.5, "note": None, "where": "the second warehouse"}],
)
def test_a_common_line_goes_the_quick_way(fields):
    log = daytwo.get_logger("shop").child(component="billing")
    assert quick.line(INFO, "order placed", log._tail, log._bound, fields) is not None


def test_what_is_remembered_does_not_grow_without_end():
    log = daytwo.get_logger("shop")
    for number in range(3000):
        quick.line(INFO, f"order {number}", log._tail, log._bound, {f"field{number}": 1})
    assert len(quick._messages) <= quick._REMEMBERED
    assert len(quick._shapes) <= quick._REMEMBERED


def test_time_goes_on(lines):
    daytwo.get_logger("shop").info("one")
    _wire._second = (_wire._second[0] - 1, "2000-01-01T00:00:00")
    daytwo.get_logger("shop").info("two")
    one, two = lines()
    assert one["timestamp"] <= two["timestamp"]
