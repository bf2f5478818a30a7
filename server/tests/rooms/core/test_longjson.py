"""JSON that is written while it is read."""

import base64
import datetime as dt
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daytwo_server.core import blobs, longjson
from daytwo_server.core.longjson import Base64

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner),
    max_leaves=20,
)


def written(value):
    return json.loads(b"".join(longjson.chunks(value)))


@given(VALUES)
def test_it_says_what_it_was_given(value):
    assert written(value) == value


@given(VALUES)
def test_an_iterator_becomes_a_list(value):
    assert written({"a": iter([value, iter([])]), "b": iter([])}) == {"a": [value, []], "b": []}


def test_times_are_written_as_elsewhere():
    assert written([dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)]) == ["2026-05-04T12:00:00Z"]


@given(st.lists(st.binary(max_size=10)))
def test_bytes_are_whole_however_they_come(parts):
    assert base64.b64decode(written(Base64(lambda: parts))) == b"".join(parts)


@pytest.mark.parametrize("last", [b"", b"a", b"ab"])
def test_bytes_that_are_erased_while_they_are_read_end_there(last):
    def read() -> Iterator[bytes]:
        yield b"abc" + last
        raise blobs.BlobGone

    assert base64.b64decode(written({"file": Base64(read), "after": 1})["file"]) == b"abc" + last


def test_it_is_written_while_it_is_read():
    taken = []

    def items() -> Iterator[str]:
        for number in range(100):
            taken.append(number)
            yield "x" * longjson.CHUNK_BYTES

    chunks = longjson.chunks(items())
    next(chunks)
    assert taken == [0]
    assert len(list(chunks)) >= 99
