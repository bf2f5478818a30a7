"""What comes in: JSON, or a form with files."""

from __future__ import annotations

import base64
import binascii
import urllib.parse
from collections.abc import Mapping
from typing import Any

import msgspec
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from daytwo_server.tickets.api.customers.refusal import Refusal
from daytwo_server.tickets.checks import MAX_METADATA, Problems
from daytwo_server.tickets.files import MAX_FILES, File

MAX_BYTES = 25 * 1024 * 1024
_FORM = "multipart/form-data"


class TooLarge(Refusal):
    """The request is larger than 25 MB."""

    status = 413

    def __init__(self) -> None:
        super().__init__("This request is larger than 25 MB.")


class NoJson(Refusal):
    """The body is no JSON object."""


def body_of(request: HttpRequest) -> tuple[Mapping[str, Any], list[File], Problems]:
    """The fields, the files, and what is wrong with the files. Raises `TooLarge`, `NoJson`."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES:
        raise TooLarge
    problems = Problems()
    if request.content_type == _FORM:
        sent = [file for file in request.FILES.getlist("files") if isinstance(file, UploadedFile)]
        _count(len(sent), problems)
        files = [File(file.name or "", file.content_type or "", file.chunks()) for file in sent]
        return request.POST.dict(), files, problems
    try:
        # Not `request.body`: its limit is that of forms.
        body = msgspec.json.decode(request.read())
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise NoJson("The body is no JSON.") from None
    if not isinstance(body, dict):
        raise NoJson("The body is no JSON object.")
    return body, _files(body.get("attachments"), problems), problems


def _files(sent: Any, problems: Problems) -> list[File]:
    if sent is None:
        return []
    if not isinstance(sent, list):
        problems.add("attachments", "A list of {name, contentType, contentBase64}.")
        return []
    _count(len(sent), problems)
    return [file for one in sent[:MAX_FILES] if (file := _file(one, problems))]


def _file(sent: Any, problems: Problems) -> File | None:
    if not isinstance(sent, dict) or not isinstance(sent.get("contentBase64"), str):
        # An address would be fetched by whoever reads it, or by us: neither is for strangers to decide.
        problems.add("attachments", "Send the bytes of each file as contentBase64; addresses are not taken.")
        return None
    if "url" in sent:
        problems.add("attachments", "Addresses are not taken; send the bytes alone.")
        return None
    name, kind = sent.get("name"), sent.get("contentType", "")
    if not isinstance(name, str) or not name.strip() or not isinstance(kind, str):
        problems.add("attachments", "Each file has a name and a contentType, as text.")
        return None
    try:
        return File(name, kind, base64.b64decode(sent["contentBase64"], validate=True))
    except (binascii.Error, ValueError):
        problems.add("attachments", f"The contentBase64 of {name[:100]!r} is no base64.")
        return None


def _count(files: int, problems: Problems) -> None:
    if files > MAX_FILES:
        problems.add("attachments", f"At most {MAX_FILES} files at once.")


def where_from(request: HttpRequest) -> dict[str, str]:
    """The browser and the page that a customer wrote from. Of the address no query: tokens stand there."""
    agent = request.headers.get("User-Agent", "").replace("\x00", "")[:MAX_METADATA]
    found = {"userAgent": agent} if agent else {}
    try:
        parts = urllib.parse.urlsplit(request.headers.get("Referer", "").replace("\x00", ""))
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return found
    if parts.scheme in ("http", "https") and parts.hostname:
        found["url"] = f"{parts.scheme}://{parts.hostname}{port}{parts.path}"[:MAX_METADATA]
    return found
