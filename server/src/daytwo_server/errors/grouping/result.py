"""What grouping answers: the hashes, and why, as people read it on the issue page."""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from daytwo_server.errors.grouping.evidence import Evidence, Stack, Thrown
from daytwo_server.errors.grouping.frames import Frame
from daytwo_server.errors.grouping.parameters import parameterise

ALGORITHM = 1
DEFAULT = re.compile(r"\{\{\s*default\s*\}\}", re.IGNORECASE)  # in a client's fingerprint: what we would have hashed
_SHOWN_FRAMES = 60
_LABELS = {
    "fingerprint": "the fingerprint the client set",
    "app-stack": "the in-app stack",
    "system-stack": "the whole stack",
    "exception": "the type and value of the exception",
    "message": "the message without its parameters",
}


class GroupHash(NamedTuple):
    """`kind` is fingerprint, app-stack, system-stack, exception or message; `hash` 32 hex digits."""

    kind: str
    hash: str


@dataclass(slots=True)
class Grouping:
    """The hashes of one event in the order to look them up (one or two; see `rules.group`) and their explanation."""

    hashes: list[GroupHash]
    evidence: Evidence = field(repr=False)
    fingerprint: list[str]
    algorithm: int = ALGORITHM

    def explain(self) -> dict[str, Any]:
        """The reasons as JSON, to be kept with the issue.

        `summary` is a sentence. `components` are the rules in order, each with `contributes` and a `hint`; the
        stacks list their exceptions and frames, each again with `contributes` and `hint`. `flags` name what would
        make grouping better ("no source map"). Built from the same evidence as the hashes, so it cannot disagree.
        """
        decisive = self.hashes[0].kind
        base = self._base_kind()
        components = [self._fingerprint_component()]
        components += [self._stack_component(kind, app) for kind, app in (("app-stack", True), ("system-stack", False))]
        components += [self._exception_component(base), self._message_component(base)]
        return {
            "algorithm": self.algorithm,
            "method": decisive,
            "summary": self._summary(base),
            "flags": self._flags(),
            "hashes": [{"kind": one.kind, "hash": one.hash} for one in self.hashes],
            "components": components,
        }

    def _base_kind(self) -> str:
        """The rule that decides apart from a fingerprint."""
        if self.evidence.has_stack(app=True):
            return "app-stack"
        if self.evidence.has_stack(app=False):
            return "system-stack"
        return "exception" if any(one.type or one.value for one in self.evidence.thrown) else "message"

    def _flags(self) -> list[str]:
        flags = []
        if any(frame.minified for stack in self.evidence.stacks() for frame in stack.of(app=True)):
            flags.append("no source map")
        if any(stack.only_entry for stack in self.evidence.stacks()):
            flags.append("no in-app frames")
        return flags

    def _mixes_default(self) -> bool:
        return any(DEFAULT.search(part) for part in self.fingerprint)

    def _summary(self, base: str) -> str:
        if self.fingerprint:
            mixed = f", with {_LABELS[base]} as its default" if self._mixes_default() else ""
            return f"Grouped by {_LABELS['fingerprint']}: {', '.join(self.fingerprint)}{mixed}"
        if base == "message":
            text = parameterise(self.evidence.template)
            return f"Grouped by {_LABELS[base]}: {text}" if text else "Grouped with all events that say nothing"
        if base == "exception":
            return f"Grouped by {_LABELS[base]}, because there is no stack"
        return "; ".join([f"Grouped by {_LABELS[base]}: {self._counted(base)}", *self._left_out(base)])

    def _counted(self, base: str) -> str:
        frames = {frame.token for stack in self.evidence.stacks() for frame in stack.of(base == "app-stack")}
        exceptions = len(self.evidence.thrown)
        chain = f" of {exceptions} chained exceptions" if exceptions > 1 else ""
        return f"{_plural(len(frames), 'frame')}{chain}"

    def _left_out(self, base: str) -> list[str]:
        app = base == "app-stack"
        reasons = [why for one in self.evidence.thrown if (why := one.why_value_counts(app))]
        notes = []
        if reasons:
            notes.append(f"value used because {reasons[0]}")
        elif self.evidence.thrown:
            notes.append("value ignored because a stack contributes")
        elif self.evidence.template:
            notes.append("message ignored because a stack contributes")
        everything = [frame for stack in self.evidence.stacks() for frame in stack.frames]
        counted = [frame for stack in self.evidence.stacks() for frame in stack.of(app)]
        if app and (framework := len({id(f) for f in everything if f.counts} - {id(f) for f in counted})):
            notes.append(f"{_plural(framework, 'framework frame')} left out")
        if repeated := len(counted) - len({frame.token for frame in counted}):
            notes.append(f"{_plural(repeated, 'repeated frame')} counted once")
        return notes

    def _fingerprint_component(self) -> dict[str, Any]:
        hint = "set by the client" if self.fingerprint else "the client set none"
        return {"name": "fingerprint", "contributes": bool(self.fingerprint), "hint": hint, "value": self.fingerprint}

    def _stack_component(self, kind: str, app: bool) -> dict[str, Any]:  # noqa: FBT001
        base = self._base_kind()
        present = self.evidence.has_stack(app)
        contributes = present and kind == base and (not self.fingerprint or self._mixes_default())
        component: dict[str, Any] = {
            "name": kind,
            "contributes": contributes,
            "hint": self._stack_hint(kind, base, present=present, contributes=contributes),
        }
        if present and kind == base:
            component["exceptions"] = [_explain_thrown(one, app) for one in self.evidence.thrown]
            if self.evidence.stack.frames:
                component["frames"] = _explain_frames(self.evidence.stack, app)
        return component

    def _stack_hint(self, kind: str, base: str, *, present: bool, contributes: bool) -> str:
        if contributes:
            return "decides" if not self.fingerprint else "mixed into the fingerprint"
        if not present:
            if any(stack.only_entry for stack in self.evidence.stacks()):
                return "the only in-app frame is where the program starts; mark your packages as in-app in the SDK"
            return "no frame of your own code" if kind == "app-stack" else "no stack"
        if kind == base:
            return "the fingerprint decides"
        return "kept beside it: finds the issue again if the SDK calls other frames in-app"

    def _exception_component(self, base: str) -> dict[str, Any]:
        value = [f"{one.type}: {parameterise(one.value)}".strip(": ") for one in self.evidence.thrown]
        hint = "decides" if base == "exception" else "a stack decides" if self.evidence.thrown else "no exception"
        return self._plain_component("exception", base, hint, value)

    def _message_component(self, base: str) -> dict[str, Any]:
        text = parameterise(self.evidence.template)
        if base == "message":
            hint = "decides" if self.evidence.template == self.evidence.formatted else "decides, by its template"
        else:
            hint = "something stronger decides" if text else "no message"
        return self._plain_component("message", base, hint, text)

    def _plain_component(self, name: str, base: str, hint: str, value: Any) -> dict[str, Any]:
        contributes = name == base and (not self.fingerprint or self._mixes_default())
        if name == base and not contributes:
            hint = "the fingerprint decides"
        return {"name": name, "contributes": contributes, "hint": hint, "value": value}


def _explain_thrown(one: Thrown, app: bool) -> dict[str, Any]:  # noqa: FBT001
    why = one.why_value_counts(app)
    return {
        "type": {
            "value": one.type,
            "contributes": bool(one.type) and not one.synthetic,
            "hint": "made up by the SDK" if one.synthetic else "",
        },
        "value": {
            "value": parameterise(one.value, keep_names=True),
            "contributes": bool(why),
            "hint": why or "ignored because a stack contributes",
        },
        "frames": _explain_frames(one.stack, app),
    }


def _explain_frames(stack: Stack, app: bool) -> list[dict[str, Any]]:  # noqa: FBT001
    """Every frame once, outermost first, with why it counts or not; the ends only of a very long stack."""
    counted = {id(frame) for frame in stack.of(app)}
    seen: set[str] = set()
    shown = []
    for frame in stack.frames:
        if frame.token in seen:
            continue
        seen.add(frame.token)
        contributes = id(frame) in counted
        shown.append({
            "frame": frame.shown(),
            "line": frame.line,
            "contributes": contributes,
            "hint": _frame_hint(frame, stack, contributes=contributes),
        })  # fmt: skip
    return shown if len(shown) <= _SHOWN_FRAMES else [*shown[:20], *shown[20 - _SHOWN_FRAMES :]]


def _frame_hint(frame: Frame, stack: Stack, *, contributes: bool) -> str:
    if contributes:
        return frame.hint
    if frame.skipped:
        return f"left out: {frame.hint}"
    if not frame.counts:
        return "left out: it names nothing"
    if frame.in_app and stack.only_entry:
        return "left out: it only starts the program"
    return "left out: framework code"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
