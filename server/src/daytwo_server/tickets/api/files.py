"""Files on their way out. What customers send is hostile: nobody's browser may run or even show it as a page."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from daytwo_server.core import blobs
from daytwo_server.tickets.files import UNKNOWN_TYPE
from daytwo_server.tickets.models import Attachment

# Types that say what a program on the reader's computer should open it with, and that no browser executes.
_HARMLESS = frozenset({
    "application/pdf", "application/zip", "application/gzip", "image/png", "image/jpeg", "image/gif", "image/webp",
    "text/plain", "text/csv", "application/json", "video/mp4", "video/webm", "audio/mpeg",
})  # fmt: skip


def download(attachment: Attachment) -> StreamingHttpResponse:
    """The bytes, to be saved and never shown in place. Raises `blobs.BlobGone`."""
    kind = attachment.content_type if attachment.content_type in _HARMLESS else UNKNOWN_TYPE
    answer = StreamingHttpResponse(blobs.read(attachment.blob_id), content_type=kind)
    answer.headers["Content-Disposition"] = str(content_disposition_header(True, attachment.name))
    answer.headers["Content-Length"] = str(attachment.size)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
