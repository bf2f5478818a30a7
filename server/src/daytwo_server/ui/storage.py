"""Where `collectstatic` puts files: hashed names, compressed copies, sheets and scripts without their comments."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import rjsmin
from django.core.files.base import ContentFile, File
from whitenoise.storage import CompressedManifestStaticFilesStorage

_GAP = r"(?:\s|/\*.*?\*/)"
_CSS = re.compile(
    # A string stays as it is; around {};, no gap is needed; everywhere else (`a b`, `1px + 2px`) one space is enough.
    rf"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|{_GAP}*([{{}};,]){_GAP}*|{_GAP}+""",
    re.DOTALL,
)


def shrink_css(text: str) -> str:
    """The same style sheet without comments and spare white space. Safe to run twice.

    Not rcssmin: inside @layer it takes `:is(a) :is(b)` for a declaration and joins the two.
    """
    small = _CSS.sub(lambda match: match[1] or match[2] or " ", text)
    return small.replace(";}", "}").strip()


def shrink_js(text: str) -> str:
    """The same script without comments and spare white space. A template literal must not hold another one: the white
    space of the inner one would be lost (test_static.py finds such a script).
    """
    return str(rjsmin.jsmin(text))


_SHRINKERS: dict[str, Callable[[str], str]] = {"css": shrink_css, "js": shrink_js}


def shrinker(name: str) -> Callable[[str], str] | None:
    """What makes the file of this name smaller; None for other kinds, and for scripts that come small already."""
    return None if ".min." in name else _SHRINKERS.get(name.rpartition(".")[2])


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Style sheets and scripts are written to be read; this is the one build step between them and the browser."""

    # A page without its style sheet, the 500 page above all, is better than none.
    manifest_strict = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._urls: dict[str, str] = {}

    def url(self, name: str, force: bool = False) -> str:  # noqa: FBT001, FBT002 - as Django has it
        """The address of a file, worked out once for each: a page links a dozen."""
        if force or name not in self.hashed_files:
            return str(super().url(name, force))
        found = self._urls.get(name)
        if found is None:
            found = self._urls[name] = str(super().url(name, force))
        return found

    def _save(self, name: str, content: File[Any]) -> str:
        if shrink := shrinker(name):
            # chunks() rewinds first: collectstatic has read the file once already, for its hash.
            content = ContentFile(shrink(b"".join(content.chunks()).decode()).encode())
        return str(super()._save(name, content))
