"""What asking for a flag gave."""

from __future__ import annotations

import copy
from typing import Any, Literal

Reason = Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT", "ERROR"]
# As OpenFeature has them. DEFAULT and ERROR: the code's own default was given.
ErrorCode = Literal["FLAG_NOT_FOUND", "PARSE_ERROR", "PROVIDER_NOT_READY", "TARGETING_KEY_MISSING", "GENERAL"]
Source = Literal[
    "disabled", "killed", "prerequisite", "user_override", "org_override", "gate:plan", "allowed_users", "rule",
    "rollout", "default", "test", "code",
]  # fmt: skip


class Evaluation:
    """One answer, which may be shared by many callers: not to be changed.

    `variant` is its name and `value` what it stands for; `enabled` whether that counts as on: true for a boolean flag,
    any variant but `offVariant` for others. `source` is the step that decided, `rule` the name of the rule and
    `prerequisite` the flag it hung on. `error` is set when the answer is not what the definition asks for.
    """

    __slots__ = (
        "_value", "count", "enabled", "error", "flag", "prerequisite", "reason", "revision", "rule", "sent", "source",
        "steps", "type", "variant",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - a record, built by keyword
        self,
        *,
        flag: str,
        revision: int = 0,
        type: str = "boolean",  # noqa: A002 - the field's name
        variant: str | None,
        value: Any,
        enabled: bool,
        reason: Reason,
        source: Source,
        rule: str | None = None,
        prerequisite: str | None = None,
        error: ErrorCode | None = None,
    ) -> None:
        self.flag, self.revision, self.type, self.variant = flag, revision, type, variant
        self._value, self.enabled, self.reason, self.source = value, enabled, reason, source
        self.rule, self.prerequisite, self.error = rule, prerequisite, error
        self.steps: list[dict[str, Any]] | None = None
        # Of `exposures`. Adding one is no single step for Python, but nothing else runs in between under the GIL;
        # without one, a few of very many may be lost.
        self.count = self.sent = 0

    @property
    def value(self) -> Any:
        """A copy where it could be changed."""
        return copy.deepcopy(self._value) if self._value.__class__ in {dict, list} else self._value

    @property
    def result(self) -> bool | str | None:
        """What error events say of it: on or off for a boolean flag, else the variant's name."""
        return self.enabled if self.type == "boolean" else self.variant

    def metadata(self) -> dict[str, bool | int | str]:
        """What OFREP and OpenFeature carry beside the value."""
        found: dict[str, Any] = {
            "enabled": self.enabled, "version": self.revision, "source": self.source, "rule": self.rule,
            "prerequisite": self.prerequisite,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value is not None}

    def explained(self, steps: list[dict[str, Any]]) -> Evaluation:
        """The same answer with how it came about; not shared."""
        found = copy.copy(self)
        found.steps, found.count, found.sent = steps, 0, 0
        return found

    def __repr__(self) -> str:
        return f"Evaluation({self.flag!r}, variant={self.variant!r}, reason={self.reason!r}, source={self.source!r})"
