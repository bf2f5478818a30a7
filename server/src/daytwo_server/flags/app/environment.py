"""One environment as it is now: its flags compiled, and the bytes of what is asked often."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import math
import time
from collections.abc import Collection, Mapping
from typing import Any, Literal

from daytwo.flags import Evaluation, Ruleset
from daytwo.flags.compiler import Decide
from daytwo.flags.values import moment
from daytwo_server.flags.app import unleash

log = logging.getLogger(__name__)

_WORDS = {
    "FLAG_NOT_FOUND": "There is no flag {key!r} here.",
    "PARSE_ERROR": "The definition of {key!r} makes no sense; its page in Daytwo says what is wrong.",
    "TARGETING_KEY_MISSING": "The rollout of {key!r} needs a targetingKey (or an organizationId), and there is none.",
    "GENERAL": "{key!r} could not be evaluated.",
}


# Names that the team gave to things which a browser does not get: rules, and flags that are not exposed.
_INTERNAL = ("rule", "prerequisite")
Name = Literal["snapshot", "unleash"]


class Said:
    """One evaluation as OFREP says it. `status` is that of a single one; in bulk, the same stands among the others."""

    __slots__ = ("body", "evaluation", "status")

    def __init__(self, status: int, found: Mapping[str, Any], evaluation: Evaluation | None = None) -> None:
        self.status, self.body = status, json.dumps(found, separators=(",", ":"), allow_nan=False).encode()
        self.evaluation = evaluation


class Environment:
    """What an environment's document says. Made on a thread, replaced as a whole; an app sees one or the other.

    `previous` is the one before: what has not changed is taken from it.
    """

    def __init__(self, document: Mapping[str, Any], previous: Environment | None = None) -> None:
        self.document = document
        self.revision = int(document.get("revision") or 0)
        self.name = str(document.get("environment") or "")
        self.ruleset: Ruleset = Ruleset(document, previous=previous.ruleset if previous else None)
        exposed = {flag["key"] for flag in document["flags"] if flag.get("clientExposed")}
        decide = self.ruleset.decide
        self.all: dict[str, Decide] = decide
        self.exposed: dict[str, Decide] = {key: decide[key] for key in decide if key in exposed}
        self.broken = frozenset(self.ruleset.broken)
        self.broken_exposed = self.broken & exposed
        self._documents: dict[Name, Document] = {}
        self._said: dict[Evaluation, Said] = {}
        self._said_in_public: dict[Evaluation, Said] = {}

    def decides(self, *, is_server: bool) -> Mapping[str, Decide]:
        """The flags that a server key, or a client key, may ask for."""
        return self.all if is_server else self.exposed

    def breaks(self, *, is_server: bool) -> frozenset[str]:
        """Those that make no sense, among them."""
        return self.broken if is_server else self.broken_exposed

    def said(self, evaluation: Evaluation, *, is_server: bool) -> Said:
        """The answer, which is put together when it is given for the first time."""
        known = self._said if is_server else self._said_in_public
        found = known.get(evaluation)
        if found is None:
            hidden = () if is_server else _INTERNAL
            found = known[evaluation] = self._say(evaluation, hidden)
        return found

    def failure(self, key: str, code: str) -> Said:
        """What is said where there is no evaluation."""
        words = _WORDS[code].format(key=key)
        found = {"key": key, "errorCode": code, "errorDetails": words, "metadata": {"flagSetId": self.name}}
        return Said({"FLAG_NOT_FOUND": 404, "GENERAL": 500}.get(code, 400), found)

    def _say(self, evaluation: Evaluation, hidden: Collection[str]) -> Said:
        key = evaluation.flag
        metadata = {name: value for name, value in evaluation.metadata().items() if name not in hidden}
        metadata["flagSetId"] = self.name
        try:
            if evaluation.error:
                words = _WORDS[evaluation.error].format(key=key)
                found = {"key": key, "errorCode": evaluation.error, "errorDetails": words, "metadata": metadata}
                return Said(400, found, evaluation)
            # Clients want both a value and a variant, and a fraction where the flag's type is float.
            return Said(200, {
                "key": key, "value": evaluation.value, "variant": evaluation.variant, "reason": evaluation.reason,
                "metadata": metadata,
            }, evaluation)  # fmt: skip
        except ValueError as error:  # a number that JSON does not have
            log.error("What flag %s answers cannot be written as JSON: %s", key, error)
            return self.failure(key, "PARSE_ERROR")

    def ready(self, name: Name) -> Document | None:
        """A document that was made and still holds."""
        found = self._documents.get(name)
        return found if found is not None and time.time() < found.until else None

    def document_of(self, name: Name) -> Document:
        """The snapshot, or the same flags for Unleash's clients as far as they can be said in its words. Takes long."""
        if name == "snapshot":
            found = Document(self.document)
        else:
            # These cannot say when an override ends that switches off, so that they change without a new revision.
            until = self._next_end()
            found = Document(unleash.features(self.document, self.ruleset), until=until)
        self._documents[name] = found
        return found

    def _next_end(self) -> float:
        """When the next override ends, in unix seconds."""
        ends = (
            moment(one["expiresAt"]) for flag in self.document["flags"] for one in flag.get("overrides") or ()
            if one.get("expiresAt")
        )  # fmt: skip
        now = time.time()
        return min((end for end in ends if end is not None and end > now), default=math.inf)


class Document:
    """A JSON document as it is sent, until that moment in unix seconds. `etag` is the same as long as it is."""

    def __init__(self, found: Any, *, until: float = math.inf) -> None:
        self.plain = json.dumps(found, separators=(",", ":")).encode()
        self.packed = gzip.compress(self.plain, 5, mtime=0)
        self.etag = f'W/"{hashlib.blake2b(self.plain, digest_size=12).hexdigest()}"'
        self.until = until
