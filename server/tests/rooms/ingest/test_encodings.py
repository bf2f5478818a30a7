"""Compressed bodies: all that SDKs send, and what is not what it claims to be."""

from __future__ import annotations

import gzip
import random
import time
import zlib

import brotli
import pytest
import zstandard
from intake import EVENT, KEY, Intake, envelope

from daytwo_server.ingest.decode import PIECE, Decoder
from daytwo_server.ingest.limits import MIB, Limits
from daytwo_server.ingest.refused import Refused

AUTH = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"}
BODY = envelope(("event", EVENT), ("attachment", random.Random(4).randbytes(40_000)))


def raw_deflate(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw deflate": raw_deflate,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstandard.compress,
}


def encoding(name: str) -> str:
    return name.removeprefix("raw ")


def decode(name: str, data: bytes, *, chunk: int = 0, limits: Limits | None = None) -> bytes:
    decoder = Decoder(name, limits or Limits())
    chunk = chunk or len(data) or 1
    pieces = [piece for start in range(0, len(data), chunk) for piece in decoder.feed(data[start : start + chunk])]
    decoder.finish()
    assert all(0 < len(piece) <= PIECE for piece in pieces)
    return b"".join(pieces)


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoded_event_is_stored_decoded(intake: Intake, name: str):
    answer = intake.post(ENCODERS[name](BODY), headers=AUTH | {"Content-Encoding": encoding(name).upper()})
    assert answer.status_code == 200
    assert intake.envelopes()[0].items == [("event", EVENT)]


@pytest.mark.parametrize("name", ["identity", "", "gzip, br", "identity, gzip", "x-gzip"])
def test_encodings_on_top_of_each_other_are_undone_last_first(intake: Intake, name: str):
    body = BODY
    for layer in name.split(", "):
        body = ENCODERS.get(layer.removeprefix("x-"), bytes)(body)
    assert intake.post(body, headers=AUTH | {"Content-Encoding": name}).status_code == 200
    assert intake.envelopes()[0].items == [("event", EVENT)]


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_the_way_a_body_is_cut_makes_no_difference(name: str, chunk: int):
    data = (b"%d " * 30_000) % tuple(range(30_000))
    assert decode(encoding(name), ENCODERS[name](data), chunk=chunk) == data


@pytest.mark.parametrize("name", ENCODERS)
def test_much_from_little_comes_in_pieces_and_whole(name: str):
    data = bytes(3 * MIB + 17)
    assert decode(encoding(name), ENCODERS[name](data)) == data


@pytest.mark.parametrize("name", ENCODERS)
def test_a_truncated_stream_is_refused_with_400(intake: Intake, name: str):
    body = ENCODERS[name](BODY)
    for cut in (0, 1, 2, 10, len(body) // 2, len(body) - 1):
        answer = intake.post(body[:cut], headers=AUTH | {"Content-Encoding": encoding(name)})
        assert answer.status_code == 400, cut
    assert intake.envelopes() == []


@pytest.mark.parametrize("name", ENCODERS)
def test_garbage_after_the_end_is_refused_with_400(intake: Intake, name: str):
    body = ENCODERS[name](BODY)
    assert intake.post(body + b"garbage", headers=AUTH | {"Content-Encoding": encoding(name)}).status_code == 400
    assert (
        intake.post((part for part in (body, b"g")), headers=AUTH | {"Content-Encoding": encoding(name)}).status_code
        == 400
    )


@pytest.mark.parametrize("name", ENCODERS)
def test_a_body_that_is_not_what_it_claims_is_refused_with_400(intake: Intake, name: str):
    answer = intake.post(BODY, headers=AUTH | {"Content-Encoding": encoding(name)})
    assert answer.status_code == 400


def test_an_unknown_encoding_is_refused_with_415_and_the_known_ones(intake: Intake):
    answer = intake.post(BODY, headers=AUTH | {"Content-Encoding": "compress"})
    assert answer.status_code == 415
    assert "zstd" in answer.json()["causes"][0]


def test_more_than_three_layers_are_refused(intake: Intake):
    assert intake.post(BODY, headers=AUTH | {"Content-Encoding": "gzip,gzip,gzip,gzip"}).status_code == 400


@pytest.mark.parametrize("name", ENCODERS)
def test_a_decoder_stops_at_the_cap_long_before_the_end(name: str):
    body = ENCODERS[name](bytes(50 * MIB))
    decoder = Decoder(encoding(name), Limits(decoded_bytes=MIB))
    with pytest.raises(Refused) as refusal:
        sum(map(len, decoder.feed(body)))
    assert refusal.value.status == 413
    assert decoder.decoded <= MIB + PIECE


def test_the_layer_in_between_is_held_to_the_cap_too():
    bomb = gzip.compress(gzip.compress(bytes(100 * MIB)))
    with pytest.raises(Refused) as refusal:
        decode("gzip, gzip", bomb, limits=Limits(decoded_bytes=50_000))
    assert refusal.value.status == 413


def test_a_zstd_window_larger_than_every_decoder_must_have_is_refused():
    parameters = zstandard.ZstdCompressionParameters.from_level(19, window_log=27)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(Refused) as refusal:
        decode("zstd", writer.compress(random.Random(1).randbytes(MIB)) + writer.flush())
    assert refusal.value.status == 400


@pytest.mark.parametrize("name", ["identity", *ENCODERS])
def test_a_large_honest_body_is_not_held_up(intake: Intake, name: str):
    words = random.Random(7)
    log = b"\n".join(
        b"%d request %d took %d ms" % (n, words.getrandbits(30), words.getrandbits(10)) for n in range(200_000)
    )
    body = envelope(("attachment", log), ("event", EVENT))
    started = time.monotonic()
    assert (
        intake.post(ENCODERS.get(name, bytes)(body), headers=AUTH | {"Content-Encoding": encoding(name)}).status_code
        == 200
    )
    assert time.monotonic() - started < 10
    assert intake.envelopes()[0].items == [("event", EVENT)]
