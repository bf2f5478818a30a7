"""Bytes that are too large for a row: attachments, raw mail.

They live in the store `default` as rows of 256 kB, so that they are in the same transactions and the same backup as
what speaks of them, and no reader holds more than one part. Equal bytes are kept twice: erasing one must not have to
ask who else means them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from django.db import transaction

from daytwo_server.core.models import Blob, BlobPart
from daytwo_server.core.prepared import Prepared

PART_BYTES = 256 * 1024
_SIZE = Prepared[int](lambda blob: Blob.objects.filter(pk=blob).values_list("size", flat=True))
_DATA = Prepared[bytes | memoryview](
    lambda blob, number: BlobPart.objects.filter(blob=blob, number=number).values_list("data", flat=True)
)


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


@transaction.atomic
def put_many(several: Sequence[bytes], *, content_type: str = "") -> list[Blob]:
    """Keep each of these, in the caller's transaction, with three statements however many they are."""
    kind = _plain(content_type)[:255]
    kept = Blob.objects.bulk_create(
        Blob(content_type=kind, size=len(data), sha256=hashlib.sha256(data).hexdigest()) for data in several
    )
    BlobPart.objects.bulk_create(
        (
            BlobPart(blob=blob, number=number, data=part)
            for blob, data in zip(kept, several, strict=True)
            for number, part in enumerate(_parts([data]))
        ),
        batch_size=20,  # 5 MB a statement at most
    )
    return kept


def read(blob_id: int) -> Iterator[bytes]:
    """The bytes, a part at a time. Raises `BlobGone`, also between parts when it is erased meanwhile."""
    size = next(iter(_SIZE(blob_id)), None)
    if size is None:
        raise BlobGone(f"Blob {blob_id} is not kept any more.")
    return _stored(blob_id, -(-size // PART_BYTES))


def read_many(ids: Iterable[int]) -> dict[int, bytes]:
    """All bytes of each of these that is still kept whole, with one statement. For those that are known to be small."""
    parts: dict[int, list[bytes]] = defaultdict(list)
    sizes: dict[int, int] = {}
    rows = BlobPart.objects.filter(blob__in=set(ids)).order_by("blob", "number")
    for blob, size, data in rows.values_list("blob", "blob__size", "data"):
        sizes[blob] = size
        parts[blob].append(bytes(data))
    found = {blob: b"".join(pieces) for blob, pieces in parts.items()}
    return {blob: data for blob, data in found.items() if len(data) == sizes[blob]}


def discard(ids: Iterable[int]) -> int:
    """Remove these blobs with their bytes; returns how many there were."""
    wanted = set(ids)
    BlobPart.objects.filter(blob__in=wanted).delete()
    return Blob.objects.filter(pk__in=wanted).delete()[0]


def _stored(blob_id: int, count: int) -> Iterator[bytes]:
    for number in range(count):
        part = next(iter(_DATA(blob_id, number)), None)
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
