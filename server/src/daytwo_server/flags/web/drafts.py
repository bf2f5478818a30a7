"""Conditions and rules as a form has them, and as a definition does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from daytwo_server.flags import words

MAX_CONDITIONS = 20
_CONDITION = re.compile(r"conditions\[(\d+)\]")
_SPLIT = "split"
_HUGE = 1e9


@dataclass
class ConditionDraft:
    """One row. `values` has a line for each; `problems` is what is wrong with it."""

    attribute: str = ""
    operator: str = "in"
    values: str = ""
    inverted: bool = False
    any_case: bool = False
    problems: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.attribute or self.values)

    def written(self) -> dict[str, Any]:
        """As a definition has it."""
        found: dict[str, Any] = {"operator": self.operator}
        if self.operator != "segment":
            found["attribute"] = self.attribute
        if self.operator not in words.WITHOUT_VALUES:
            found["values"] = [line.strip() for line in self.values.splitlines() if line.strip()]
        if self.inverted:
            found["inverted"] = True
        if self.any_case:
            found["caseInsensitive"] = True
        return found


def conditions_of(written: Sequence[Mapping[str, Any]]) -> list[ConditionDraft]:
    """Those of a definition."""
    return [
        ConditionDraft(
            attribute=str(one.get("attribute") or ""),
            operator=str(one.get("operator") or "in"),
            values="\n".join(map(str, one.get("values") or [])),
            inverted=bool(one.get("inverted")),
            any_case=bool(one.get("caseInsensitive")),
        )
        for one in written
    ]


def conditions_in(posted: QueryDict) -> list[ConditionDraft]:
    """Those that a form sent, empty rows left out."""
    rows = [
        ConditionDraft(
            attribute=posted.get(f"attribute-{row}", "").strip()[:200],
            operator=posted.get(f"operator-{row}", "in"),
            values=posted.get(f"values-{row}", ""),
            inverted=f"inverted-{row}" in posted,
            any_case=f"case-{row}" in posted,
        )
        for row in range(MAX_CONDITIONS)
        if f"operator-{row}" in posted
    ]
    return [row for row in rows if not row.is_empty]


def with_room(conditions: list[ConditionDraft], *, more: bool) -> list[ConditionDraft]:
    """The rows, and an empty one where there is none yet or one was asked for."""
    room = len(conditions) < MAX_CONDITIONS and (more or not conditions)
    return [*conditions, ConditionDraft()] if room else conditions


def blame(conditions: list[ConditionDraft], problems: Mapping[str, Sequence[str]]) -> list[str]:
    """Say what is wrong beside the condition that a field's path names; returns what is about none of them."""
    others: list[str] = []
    for path, texts in problems.items():
        named = _CONDITION.search(path)
        if named and int(named[1]) < len(conditions):
            conditions[int(named[1])].problems += [f"{_label(path)}: {text}" for text in texts]
        else:
            others += [f"{_label(path)}: {text}" if _label(path) else text for text in texts]
    return others


def _label(path: str) -> str:
    name = re.sub(r"\[\d+\]", "", path.rpartition(".")[2])
    return words.FIELDS.get(name, name).capitalize()


@dataclass
class RuleDraft:
    """A rule in a form. `serve` is a variant, "split", or empty for what the flag serves when it is on."""

    name: str = ""
    conditions: list[ConditionDraft] = field(default_factory=list)
    serve: str = ""
    weights: list[tuple[str, str]] = field(default_factory=list)  # variant, percent
    within: str = ""

    @classmethod
    def of(cls, rule: Mapping[str, Any], variants: Sequence[str]) -> RuleDraft:
        """One of a definition."""
        split = {one["variant"]: one["weight"] for one in rule.get("split") or []}
        within = rule.get("rolloutPercentage")
        return cls(
            name=rule.get("name") or "",
            conditions=conditions_of(rule.get("conditions") or []),
            serve=_SPLIT if split else rule.get("variant") or "",
            weights=[(one, f"{split[one]:g}" if one in split else "") for one in variants],
            within="" if within is None else f"{within:g}",
        )

    @classmethod
    def posted(cls, posted: QueryDict, variants: Sequence[str]) -> RuleDraft:
        """One that a form sent."""
        return cls(
            name=" ".join(posted.get("name", "").split())[:100],
            conditions=conditions_in(posted),
            serve=posted.get("serve", ""),
            weights=weights_in(posted, variants),
            within=posted.get("within", "").strip(),
        )

    def written(self) -> dict[str, Any]:
        """As a definition has it. A number that is none stays a text, for the evaluator to refuse."""
        found: dict[str, Any] = {"conditions": [one.written() for one in self.conditions]}
        if self.name:
            found["name"] = self.name
        if self.serve == _SPLIT:
            found["split"] = split_of(self.weights)
        elif self.serve:
            found["variant"] = self.serve
        if self.within:
            found["rolloutPercentage"] = number(self.within)
        return found


def weights_in(posted: QueryDict, variants: Sequence[str]) -> list[tuple[str, str]]:
    """The percent of each variant that a form sent."""
    return [(one, posted.get(f"weight-{place}", "").strip()) for place, one in enumerate(variants)]


def split_of(weights: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """A split of the variants that have a weight."""
    return [{"variant": variant, "weight": number(text)} for variant, text in weights if text not in ("", "0")]


def number(text: str) -> float | str:
    """A percentage, or how many hours, as it was typed; what is no number that anybody means stays what it is."""
    try:
        found = float(text.replace(",", ".").strip().removesuffix("%"))
    except ValueError:
        return text
    return found if abs(found) < _HUGE else text  # "inf" and "nan" are none either
