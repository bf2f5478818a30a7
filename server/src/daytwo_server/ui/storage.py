"""Where `collectstatic` puts files: hashed names, compressed copies, and style sheets without their comments."""

from __future__ import annotations

import re
from typing import Any

from django.core.files.base import ContentFile, File
from whitenoise.storage import CompressedManifestStaticFilesStorage

_GAP = r"(?:\s|/\*.*?\*/)"
_CSS = re.compile(
    # A string stays as it is; around {};, no gap is needed; everywhere else (`a b`, `1px + 2px`) one space is enough.
    rf"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|{_GAP}*([{{}};,]){_GAP}*|{_GAP}+""",
    re.DOTALL,
)


def shrink_css(text: str) -> str:
    """The same style sheet without comments and spare white space. Safe to run twice."""
    small = _CSS.sub(lambda match: match[1] or match[2] or " ", text)
    return small.replace(";}", "}").strip()


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Style sheets are written to be read; this is the one build step between them and the browser."""

    # A page without its style sheet, the 500 page above all, is better than none.
    manifest_strict = False

    def _save(self, name: str, content: File[Any]) -> str:
        if name.endswith(".css"):
            # chunks() rewinds first: collectstatic has read the file once already, for its hash.
            content = ContentFile(shrink_css(b"".join(content.chunks()).decode()).encode())
        return str(super()._save(name, content))
