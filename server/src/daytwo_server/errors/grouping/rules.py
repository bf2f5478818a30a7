"""The rules, strongest first: fingerprint, in-app stack, whole stack, exception type and value, message."""

import hashlib
import re
from typing import Any

from daytwo_server.errors.grouping.evidence import NEXT, PART, Evidence, Thrown, combine, read_evidence
from daytwo_server.errors.grouping.frames import Frame
from daytwo_server.errors.grouping.parameters import comparable, parameterise
from daytwo_server.errors.grouping.result import DEFAULT, GroupHash, Grouping

_VARIABLE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def group(event: dict[str, Any]) -> Grouping:
    """Hash a normalised, scrubbed event.

    The rule of several hashes: look them up in order, the first that leads to an issue wins; only if none does,
    open an issue and attach them all to it; if a later one won, attach the first to the issue it led to.

    That is safe because an event carries only hashes that are at least as narrow as its first. With an in-app stack
    it also carries the whole stack: equal whole stacks are equal in-app stacks, so it can only find the same bug
    again after the SDK's idea of in-app changed. It never carries the wider ones: two stacks that fail with the
    same message are two bugs, and a hash of the message on either would join them. A message, or a type with its
    value, is hashed only where there is no stack; a client's fingerprint without `{{ default }}` stands alone.

    The same event always gets the same hashes, on every machine. A change of any rule is a new ALGORITHM.
    """
    evidence = read_evidence(event)
    hashes = _default_hashes(evidence)
    fingerprint = [part for part in event.get("fingerprint") or [] if isinstance(part, str)]
    if fingerprint and not all(DEFAULT.fullmatch(part.strip()) for part in fingerprint):
        hashes = _fingerprint_hashes(fingerprint, hashes, event, evidence)
    else:
        fingerprint = []
    return Grouping(hashes=hashes, evidence=evidence, fingerprint=fingerprint)


def _default_hashes(evidence: Evidence) -> list[GroupHash]:
    hashes = [
        GroupHash(kind, _digest(kind, _stack_text(evidence, app)))
        for kind, app in (("app-stack", True), ("system-stack", False))
        if evidence.has_stack(app)
    ]
    if hashes:
        return hashes
    if any(one.type or one.value for one in evidence.thrown):
        return [GroupHash("exception", _digest("exception", combine(evidence.thrown, _type_and_value)))]
    return [GroupHash("message", _digest("message", comparable(parameterise(evidence.template))))]


def _fingerprint_hashes(
    fingerprint: list[str], defaults: list[GroupHash], event: dict[str, Any], evidence: Evidence
) -> list[GroupHash]:
    """One hash, or one per default hash if the fingerprint mixes that in."""
    values = _variables(event, evidence)
    mixed = any(DEFAULT.search(part) for part in fingerprint)
    found = []
    for default in defaults if mixed else defaults[:1]:
        values["default"] = default.hash
        parts = [_VARIABLE.sub(lambda match: values.get(match[1].lower(), match.group()), part) for part in fingerprint]
        found.append(GroupHash("fingerprint", _digest("fingerprint", NEXT.join(parts))))
    return found


def _variables(event: dict[str, Any], evidence: Evidence) -> dict[str, str]:
    """What `{{ name }}` in a fingerprint stands for."""
    main = evidence.thrown[-1] if evidence.thrown else None
    values = {name: str(event.get(name) or "") for name in ("transaction", "level", "release", "logger", "environment")}
    values["type"] = values["error.type"] = main.type if main else ""
    values["value"] = values["error.value"] = comparable(parameterise(main.value)) if main else ""
    values["message"] = comparable(parameterise(evidence.template))
    return values


def _stack_text(evidence: Evidence, app: bool) -> str:  # noqa: FBT001
    """Types and frames of the whole chain, or of the bare stack.

    A value contributes only where the stack cannot say what went wrong.
    """

    def text(one: Thrown) -> str:
        parts = [] if one.synthetic else [one.type]
        parts += _distinct(one.stack.of(app))
        if one.why_value_counts(app):
            parts.append(one.comparable_value(app))
        return PART.join(parts)

    return f"{PART.join(_distinct(evidence.stack.of(app)))}{NEXT}{combine(evidence.thrown, text)}"


def _distinct(frames: list[Frame]) -> list[str]:
    """Each place once, in the order of first calls: so a recursion has one shape at every depth."""
    return list(dict.fromkeys(frame.token for frame in frames))


def _type_and_value(one: Thrown) -> str:
    value = comparable(parameterise(one.value))
    return value if one.synthetic and value else f"{one.type}{PART}{value}"


def _digest(kind: str, text: str) -> str:
    return hashlib.blake2b(f"{kind}\n{text}".encode("utf-8", "replace"), digest_size=16).hexdigest()
