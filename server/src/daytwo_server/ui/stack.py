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
    """Frames that follow each other, shown as one line: those of libraries, or own ones far from where it crashed.

    `key` names it among the folds of a page that fetches its frames when it is opened.
    """

    frames: Sequence[Frame]
    key: str = ""

    @property
    def own(self) -> bool:
        return self.frames[0].in_app

    @property
    def names(self) -> str:
        """Up to three packages, in calling order: "django.views, django.core"."""
        seen = dict.fromkeys(".".join((frame.module or frame.file).split(".")[:2]) for frame in self.frames)
        return ", ".join(list(seen)[:3])


OWN = 10  # own frames of a stack that are shown one by one


def fold(frames: Iterable[Frame], keys: Iterable[str] = ()) -> Iterator[Frame | Fold]:
    """The frames in their order, with each run of library frames in one Fold, and own frames too after the first `OWN`.

    An open frame is never hidden. Each Fold takes the next of `keys` as long as there are some.
    """
    left, names = OWN, iter(keys)
    for own, run in groupby(frames, key=lambda frame: frame.in_app or frame.open):
        some = list(run)
        if own:
            shown = max(left, max((place for place, frame in enumerate(some, start=1) if frame.open), default=0))
            yield from some[:shown]
            left, some = max(left - len(some), 0), some[shown:]
        if some:
            yield Fold(tuple(some), next(names, ""))
