"""Stack traces: what a frame is to the page, and folding the frames nobody wrote."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils.safestring import SafeString

from daytwo_server.ui.highlight import highlight_lines, language_of


@dataclass(frozen=True, slots=True)
class Frame:
    """One call. `source` is (line number, text) around `line`; `language` is a guess from `file` unless given."""

    file: str
    function: str = ""
    line: int | None = None
    in_app: bool = True
    open: bool = False  # shown unfolded: the frame that crashed
    source: Sequence[tuple[int, str]] = ()
    variables: Sequence[tuple[str, str]] = ()
    module: str = ""
    language: str = ""

    @property
    def lines(self) -> list[tuple[int, SafeString]]:
        coloured = highlight_lines([text for _, text in self.source], self.language or language_of(self.file))
        return [(number, text) for (number, _), text in zip(self.source, coloured, strict=True)]


@dataclass(frozen=True, slots=True)
class Fold:
    """Frames of libraries that follow each other, shown as one line."""

    frames: Sequence[Frame]

    @property
    def names(self) -> str:
        """Up to three packages, in calling order: "django.views, django.core"."""
        seen = dict.fromkeys(".".join((frame.module or frame.file).split(".")[:2]) for frame in self.frames)
        return ", ".join(list(seen)[:3])


def fold(frames: Iterable[Frame]) -> Iterator[Frame | Fold]:
    """The frames in their order, with each run of library frames in one Fold. An open frame is never hidden."""
    for visible, run in groupby(frames, key=lambda frame: frame.in_app or frame.open):
        if visible:
            yield from run
        else:
            yield Fold(tuple(run))
