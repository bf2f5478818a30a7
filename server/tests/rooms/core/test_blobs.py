"""Blobs: whatever was put is read again, a part at a time, until it is discarded."""

import hashlib
import os
import threading

import pytest
from django.db import transaction

from daytwo_server.core import blobs
from daytwo_server.core.models import Blob, BlobPart

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("size", [0, 1, blobs.PART_BYTES - 1, blobs.PART_BYTES, blobs.PART_BYTES + 1, 700_000])
def test_bytes_of_any_length_come_back_as_they_were(size):
    data = os.urandom(size)

    blob = blobs.put(data, content_type="image/png")

    assert b"".join(blobs.read(blob.pk)) == data
    kept = Blob.objects.get(pk=blob.pk)
    assert (kept.size, kept.sha256, kept.content_type) == (size, hashlib.sha256(data).hexdigest(), "image/png")


def test_a_stream_of_uneven_chunks_is_kept_in_parts_of_equal_size():
    chunks = [os.urandom(size) for size in (1, 600_000, 0, 70_000)]

    blob = blobs.put(iter(chunks))

    assert b"".join(blobs.read(blob.pk)) == b"".join(chunks)
    sizes = [len(bytes(part.data)) for part in blob.parts.order_by("number")]
    assert sizes == [262_144, 262_144, 670_001 - 2 * 262_144]


def test_reading_holds_one_part_at_a_time(django_assert_num_queries):
    blob = blobs.put(bytes(3 * blobs.PART_BYTES))

    with django_assert_num_queries(2):
        first = next(blobs.read(blob.pk))

    assert len(first) == blobs.PART_BYTES


def test_what_is_discarded_leaves_no_byte_and_others_stay():
    gone, kept = blobs.put(b"gone" * 100_000), blobs.put(b"kept")

    assert blobs.discard([gone.pk, 12345]) == 1

    assert list(BlobPart.objects.values_list("blob", flat=True)) == [kept.pk]
    with pytest.raises(blobs.BlobGone):
        blobs.read(gone.pk)


def test_a_reader_hears_when_the_blob_is_erased_meanwhile():
    blob = blobs.put(bytes(2 * blobs.PART_BYTES))
    reading = blobs.read(blob.pk)
    next(reading)

    blobs.discard([blob.pk])

    with pytest.raises(blobs.BlobGone):
        next(reading)


def test_a_content_type_is_one_line_of_printable_characters():
    assert (
        blobs.put(b"", content_type="text/html\r\nX-Evil: 1\x00" + "y" * 300).content_type
        == ("text/htmlX-Evil: 1" + "y" * 300)[:255]
    )


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_rolled_back_leaves_nothing():
    def half() -> None:
        with transaction.atomic():
            blobs.put(b"half")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        half()
    assert (Blob.objects.count(), BlobPart.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_nobody_sees_a_blob_before_it_is_whole():
    seen = []

    def look() -> None:
        from django.db import connection

        seen.append(Blob.objects.count())
        connection.close()

    with transaction.atomic():
        blobs.put(b"whole")
        other = threading.Thread(target=look)
        other.start()
        other.join()
    assert (seen, Blob.objects.count()) == ([0], 1)
