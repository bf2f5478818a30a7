"""What an event offers for grouping: its exceptions as a tree, a stack without exception, and its message."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from daytwo_server.errors.grouping.frames import Frame, read_frame
from daytwo_server.errors.grouping.parameters import comparable, parameterise

# The SDK turned a thrown plain object into this sentence; its keys are the nearest thing to a type.
_OBJECT_KEYS = re.compile(r"captured as (?:exception|promise rejection) with keys: ")
# Here the stack is the interpreter's own; which template or source file is at fault stands in the value only.
_PLACE_IN_VALUE = frozenset(
    {"TemplateSyntaxError", "TemplateDoesNotExist", "TemplateNotFound", "TemplateAssertionError", "SyntaxError"}
)
_NUMBERS = re.compile(r"\d+")
# Between the parts of one exception and between exceptions: characters that no file, function or message holds.
PART, NEXT = "\x1e", "\x1d"


@dataclass(slots=True)
class Stack:
    """The frames of one stack trace, outermost first."""

    frames: list[Frame]
    ours: list[Frame] = field(default_factory=list)
    only_entry: bool = False

    def __post_init__(self) -> None:
        ours = [frame for frame in self.frames if frame.in_app and frame.counts]
        # All that is ours is the script that starts everything, and the crash is further down in a library (or in
        # the project's own code installed as one): every bug would look alike.
        self.only_entry = bool(ours) and all(frame.entry for frame in ours) and ours[-1] is not self.frames[-1]
        self.ours = [] if self.only_entry else ours

    def of(self, app: bool) -> list[Frame]:  # noqa: FBT001 - the two variants of a stack
        """The frames that count in the in-app variant, or in the variant with everything."""
        return self.ours if app else [frame for frame in self.frames if frame.counts]


@dataclass(slots=True)
class Thrown:
    """One exception of the chain."""

    type: str
    value: str
    synthetic: bool
    stack: Stack
    id: int | None
    parent: int | None
    is_group: bool

    def why_value_counts(self, app: bool) -> str:  # noqa: FBT001
        """The reason for the value to contribute beside a stack; empty when it is ignored."""
        if self.synthetic and _OBJECT_KEYS.search(self.value):
            return "the keys of a thrown object are its only type"
        if self.type in _PLACE_IN_VALUE:
            return "the place at fault stands in the value, not in the stack"
        frames = self.stack.of(app)
        if frames and not any(frame.tells for frame in frames):
            return "the stack says little: it has no names or source lines"
        return ""

    def comparable_value(self, app: bool) -> str:  # noqa: FBT001
        """The value as it is hashed beside a stack: names in it stay, because the stack already bounds the place."""
        if self.type in _PLACE_IN_VALUE:
            return _NUMBERS.sub("#", self.value.split("\n")[0])
        return comparable(parameterise(self.value, keep_names=bool(self.stack.of(app))))


@dataclass(slots=True)
class Evidence:
    """Everything grouping reads from an event. Exceptions are in the SDK's order: oldest cause first."""

    thrown: list[Thrown]
    stack: Stack
    template: str
    formatted: str

    def stacks(self) -> Iterable[Stack]:
        yield from (thrown.stack for thrown in self.thrown)
        yield self.stack

    def has_stack(self, app: bool) -> bool:  # noqa: FBT001
        return any(stack.of(app) for stack in self.stacks())


def read_evidence(event: dict[str, Any]) -> Evidence:
    """Collect the evidence of a normalised event; never raises on what normalising returns."""
    platform = str(event.get("platform") or "")
    thrown = [_thrown(one, platform) for one in _values(event.get("exception"))]
    stack = Stack([])
    if not any(one.stack.frames for one in thrown):
        stack = _stack(_bare_stacktrace(event), platform)
    template = (event.get("logentry") or {}).get("message")
    formatted = str(event.get("message") or "")
    return Evidence(thrown, stack, str(template or formatted), formatted)


def combine(thrown: list[Thrown], text: Callable[[Thrown], str]) -> str:
    """The texts of all exceptions as one, the same for every order of an exception group's children.

    A chain is taken in order. What repeats counts once: a retry loop chains as many equal exceptions as it made
    attempts, and a batch fails with as many as it had bad rows.
    """
    children = _children(thrown)
    if children is None:
        return NEXT.join(dict.fromkeys(text(one) for one in thrown))

    def nested(one: Thrown) -> str:
        inner = sorted({nested(child) for child in children.get(one.id, ())})
        return f"{text(one)}[{NEXT.join(inner)}{NEXT}]" if inner else text(one)

    return NEXT.join(nested(root) for root in children.get(None, ()))


def _children(thrown: list[Thrown]) -> dict[int | None, list[Thrown]] | None:
    """Exceptions by the id of their parent; None if this is a plain chain or the ids make no tree."""
    ids = {one.id for one in thrown}
    if not any(one.is_group for one in thrown) or None in ids or len(ids) != len(thrown):
        return None
    children: dict[int | None, list[Thrown]] = {}
    for one in thrown:
        children.setdefault(one.parent if one.parent in ids else None, []).append(one)
    reached, todo = 0, list(children.get(None, ()))
    while todo:  # a circle of parents is never reached from a root
        one = todo.pop()
        reached += 1
        todo += children.get(one.id, ())
    return children if reached == len(thrown) else None


def _thrown(raw: dict[str, Any], platform: str) -> Thrown:
    mechanism = raw.get("mechanism")
    known = mechanism if isinstance(mechanism, dict) else {}
    return Thrown(
        type=str(raw.get("type") or ""),
        value=str(raw.get("value") or ""),
        synthetic=known.get("synthetic") is True,
        stack=_stack(raw.get("stacktrace"), platform),
        id=_number(known.get("exception_id")),
        parent=_number(known.get("parent_id")),
        is_group=known.get("is_exception_group") is True,
    )


def _bare_stacktrace(event: dict[str, Any]) -> Any:
    """The stack of an event whose exceptions have none: its own, or that of the thread to blame."""
    if event.get("stacktrace"):
        return event["stacktrace"]
    threads = _values(event.get("threads"))
    for wanted in ("crashed", "current"):
        for thread in threads:
            if thread.get(wanted) and thread.get("stacktrace"):
                return thread["stacktrace"]
    return threads[0].get("stacktrace") if len(threads) == 1 else None


def _stack(raw: Any, platform: str) -> Stack:
    frames = raw.get("frames") if isinstance(raw, dict) else None
    if not isinstance(frames, list):
        return Stack([])
    return Stack([read_frame(frame, platform) for frame in frames if isinstance(frame, dict)])


def _values(section: Any) -> list[dict[str, Any]]:
    values = section.get("values") if isinstance(section, dict) else None
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _number(value: Any) -> int | None:
    return value if type(value) is int else None
