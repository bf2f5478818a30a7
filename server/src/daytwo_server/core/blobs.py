"""Bytes that are too large for a row: attachments, raw mail.

They live in the store `default` as rows of 256 kB, so that they are in the same transactions and the same backup as
what speaks of them, and no reader holds more than one part. Equal bytes are kept twice: erasing one must not have to
ask who else means them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from django.db import transaction

from daytwo_server.core.models import Blob, BlobPart

PART_BYTES = 256 * 1024


class BlobGone(LookupError):
    """There is no such blob, or no longer: it was erased."""

    permanent = True


@transaction.atomic
def put(data: bytes | Iterable[bytes], *, content_type: str = "") -> Blob:
    """Keep the bytes, in the caller's transaction. They are read once, a part at a time.

    `content_type` is what their sender called them: nothing here believes it. Its control characters are left out.
    """
    blob = Blob.objects.create(content_type=_plain(content_type)[:255])
    size, digest = 0, hashlib.sha256()
    for number, part in enumerate(_parts([data] if isinstance(data, bytes) else data)):
        BlobPart.objects.create(blob=blob, number=number, data=part)
        digest.update(part)
        size += len(part)
    blob.size, blob.sha256 = size, digest.hexdigest()
    blob.save(update_fields=["size", "sha256"])
    return blob


def read(blob_id: int) -> Iterator[bytes]:
    """The bytes, a part at a time. Raises `BlobGone`, also between parts when it is erased meanwhile."""
    size = Blob.objects.filter(pk=blob_id).values_list("size", flat=True).first()
    if size is None:
        raise BlobGone(f"Blob {blob_id} is not kept any more.")
    return _stored(blob_id, -(-size // PART_BYTES))


def discard(ids: Iterable[int]) -> int:
    """Remove these blobs with their bytes; returns how many there were."""
    wanted = set(ids)
    BlobPart.objects.filter(blob__in=wanted).delete()
    return Blob.objects.filter(pk__in=wanted).delete()[0]


def _stored(blob_id: int, count: int) -> Iterator[bytes]:
    for number in range(count):
        part = BlobPart.objects.filter(blob=blob_id, number=number).values_list("data", flat=True).first()
        if part is None:
            raise BlobGone(f"Blob {blob_id} was removed while it was read.")
        yield bytes(part)


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of equal size, but for the last one."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        start = 0
        while len(waiting) - start >= PART_BYTES:
            yield bytes(waiting[start : start + PART_BYTES])
            start += PART_BYTES
        del waiting[:start]
    if waiting:
        yield bytes(waiting)


def _plain(words: str) -> str:
    return "".join(char for char in words if char.isprintable())
