"""A flag's definition as one function. Each step of the order either decides or leaves it to the next.

The order: enabled and not killed, prerequisites, override of the user, of the organization, plans, users who have it
anyway, rules (the first that matches), rollout. What a flag does not use is not in its function.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from daytwo.flags import explain
from daytwo.flags.bucketing import POINTS, POSITIONS, SPLIT_SEED, encoded, hash32, prefix
from daytwo.flags.conditions import Attributes, Holds, all_of
from daytwo.flags.definition import Definition, Override, Rule, Split, read_definition
from daytwo.flags.evaluation import Evaluation, Reason, Source
from daytwo.flags.units import Unit, unit_of

Text = str | None
Decide = Callable[[Text, Text, Text, Attributes], Evaluation]  # user, organization, plan, the other attributes
MayDecide = Callable[[Text, Text, Text, Attributes], Evaluation | None]
_Gate = tuple[frozenset[str], Evaluation]  # the plans, and the answer to all others
_Quick = tuple[bytes, int, Evaluation, Evaluation, Evaluation]  # salt, percent, in, out, and without a unit
Within = Callable[[Text, Text, Text, Attributes], bool | None]


class Step(NamedTuple):
    """`decide` is None where the flag has nothing of the kind."""

    name: str
    decide: MayDecide | None
    rule: Rule | None = None


class Compiled:
    """`decide` is the whole; `answers` all that it can ever answer. `Invalid` for a definition that makes no sense."""

    __slots__ = ("_again", "answers", "decide")

    def __init__(
        self, written: Mapping[str, Any], segments: Mapping[str, Holds], parents: Mapping[str, Decide], *, at: str = ""
    ) -> None:
        self._again = (written, segments, parents)
        compiler = _Compiler(read_definition(written, segments, at=at), parents)
        self.decide = compiler.whole()
        self.answers = compiler.answers

    def answer_of(self, variant: str) -> Evaluation | None:
        """An answer with that variant, whatever the reason."""
        read = read_definition(self._again[0], self._again[1])
        return _Compiler(read, {}).answer(variant, "STATIC", "test") if variant in read.variants else None

    def explain(self, user: Text, organization: Text, plan: Text, attributes: Attributes) -> Evaluation:
        """The answer with every step: the same functions, asked one after the other."""
        # Made anew: who asks why is not in a hurry, and all others need not keep what only this is for.
        written, segments, parents = self._again
        read = read_definition(written, segments)
        return explain.walk(_Compiler(read, parents).steps(), read, parents, (user, organization, plan, attributes))


class _Compiler:
    def __init__(self, read: Definition, parents: Mapping[str, Decide]) -> None:
        self.read, self.parents = read, parents
        self.answers: list[Evaluation] = []
        self.unit: Unit = unit_of(read.bucket_by)
        self.salted = prefix(read.salt)
        self.on: str | Split = read.split or read.on
        targeted = read.prerequisites or read.by_user or read.by_organization or read.plans or read.users or read.rules
        self.gate: _Gate | None = None
        self.quick: _Quick | None = None
        self.fixed: Reason = "TARGETING_MATCH" if targeted else "STATIC"

    def steps(self) -> list[Step]:
        read = self.read
        return [
            Step("enabled", self.off_for_all()),
            Step("prerequisites", self.prerequisites()),
            Step("userOverride", self.overrides(read.by_user, "user_override")),
            Step("organizationOverride", self.overrides(read.by_organization, "org_override")),
            Step("allowedPlans", self.plan_gate()),
            Step("allowedUsers", self.grant()),
            *(Step("rule", self.rule(rule), rule) for rule in read.rules),
            Step("rollout", self.rollout()),
        ]

    def whole(self) -> Decide:
        """All steps as one function."""
        steps = [step for step in self.steps() if step.decide]
        if [step.name for step in steps[-2:]] == ["allowedPlans", "rollout"] and self.gate and self.quick:
            # What most flags are made of; two calls fewer are a quarter of the time.
            return _first_of([*(step.decide for step in steps[:-2]), _gated_rollout(self.gate, self.quick)])
        return _first_of([step.decide for step in steps])

    def answer(self, variant: str, reason: Reason, source: Source, **more: Any) -> Evaluation:
        read = self.read
        made = Evaluation(
            flag=read.key, revision=read.revision, type=read.type, variant=variant, value=read.variants[variant],
            enabled=read.is_on(variant), reason=reason, source=source, **more,
        )  # fmt: skip
        self.answers.append(made)
        return made

    def missing(self, source: Source, rule: str | None = None) -> Evaluation:
        return self.answer(self.read.off, "ERROR", source, rule=rule, error="TARGETING_KEY_MISSING")

    # ---- Steps ----

    def off_for_all(self) -> MayDecide | None:
        read = self.read
        if read.enabled and not read.killed:
            return None
        return _always(self.answer(read.off, "DISABLED", "killed" if read.killed else "disabled"))

    def prerequisites(self) -> MayDecide | None:
        if not self.read.prerequisites:
            return None
        # One that is missing, broken or on a circle is not among the parents, and never met.
        wanted = [
            (self.parents.get(key), variants, self.answer(self.read.off, "DISABLED", "prerequisite", prerequisite=key))
            for key, variants in self.read.prerequisites
        ]

        def decide(user: Text, organization: Text, plan: Text, attributes: Attributes) -> Evaluation | None:
            for parent, variants, unmet in wanted:
                if parent is None:
                    return unmet
                found = parent(user, organization, plan, attributes)
                if not (found.variant in variants if variants else found.enabled):
                    return unmet
            return None

        return decide

    def overrides(self, given: dict[str, Override], source: Source) -> MayDecide | None:
        if not given:
            return None
        serves: dict[str | bool, Decide] = {}
        table: dict[str | None, tuple[Decide, float | None]] = {}
        for one, override in given.items():
            if override.serve not in serves:
                served = self.on if override.serve is True else str(override.serve)
                serves[override.serve] = self.serve(served, "TARGETING_MATCH", source)
            table[one] = (serves[override.serve], override.until)
        of_user = source == "user_override"

        def decide(user: Text, organization: Text, plan: Text, attributes: Attributes) -> Evaluation | None:
            found = table.get(user if of_user else organization)
            if found is None or (found[1] is not None and found[1] <= time.time()):
                return None
            return found[0](user, organization, plan, attributes)

        return decide

    def plan_gate(self) -> MayDecide | None:
        plans = self.read.plans
        if not plans:
            return None
        off = self.answer(self.read.off, "TARGETING_MATCH", "gate:plan")
        self.gate = (plans, off)
        return lambda user, organization, plan, attributes: None if plan in plans else off

    def grant(self) -> MayDecide | None:
        users = self.read.users
        if not users:
            return None
        on = self.serve(self.on, "TARGETING_MATCH", "allowed_users")
        return lambda user, organization, plan, attributes: (
            on(user, organization, plan, attributes) if user in users else None
        )

    def rule(self, rule: Rule) -> MayDecide:
        matches = all_of(rule.conditions) if rule.conditions else None
        within = self.within(rule.below) if rule.below < POSITIONS else None
        serve = self.serve(rule.serve or self.on, "TARGETING_MATCH" if within is None else "SPLIT", "rule", rule.name)

        def decide(user: Text, organization: Text, plan: Text, attributes: Attributes) -> Evaluation | None:
            if matches is not None and not matches(user, organization, plan, attributes):
                return None
            if within is not None and not within(user, organization, plan, attributes):
                return None
            return serve(user, organization, plan, attributes)

        return decide

    def rollout(self) -> Decide:
        below, off = self.read.below, self.read.off
        if below == 0:
            return _always(self.answer(off, self.fixed, "rollout"))
        if below == POSITIONS:
            return self.serve(self.on, self.fixed, "default")
        inside, outside = self.serve(self.on, "SPLIT", "rollout"), self.answer(off, "SPLIT", "rollout")
        missing = self.missing("rollout")
        if isinstance(self.on, str) and self.read.bucket_by is None and below % 1000 == 0:
            on = inside(None, None, None, {})  # without a split it is always the same
            self.quick = (self.salted, below // 1000, on, outside, missing)
            return _quick_rollout(self.quick)
        within = self.within(below)

        def decide(user: Text, organization: Text, plan: Text, attributes: Attributes) -> Evaluation:
            found = within(user, organization, plan, attributes)
            if found is None:
                return missing
            return inside(user, organization, plan, attributes) if found else outside

        return decide

    # ---- Parts of steps ----

    def within(self, below: int) -> Within:
        """Whether the unit lies in a rollout up to there; None without a unit."""
        unit, salted = self.unit, self.salted
        if below in {0, POSITIONS}:
            return lambda user, organization, plan, attributes: below > 0

        def within(user: Text, organization: Text, plan: Text, attributes: Attributes) -> bool | None:
            found = unit(user, organization, plan, attributes)
            if not found:
                return None
            hashed = hash32(salted + encoded(found))
            return hashed % 100 * 1000 + hashed // 100 % 1000 < below

        return within

    def serve(self, what: str | Split, reason: Reason, source: Source, rule: str | None = None) -> Decide:
        if isinstance(what, str):
            return _always(self.answer(what, reason, source, rule=rule))
        if what[0][0] == POINTS:
            return _always(self.answer(what[0][1], reason, source, rule=rule))
        split: Reason = "SPLIT" if source in {"rule", "rollout", "default"} else reason
        ends = [end for end, _ in what]
        answers = [self.answer(variant, split, source, rule=rule) for _, variant in what]
        missing, unit, salted = self.missing(source, rule), self.unit, self.salted

        def decide(user: Text, organization: Text, plan: Text, attributes: Attributes) -> Evaluation:
            found = unit(user, organization, plan, attributes)
            if not found:
                return missing
            return answers[bisect_right(ends, hash32(salted + encoded(found), SPLIT_SEED) % POINTS)]

        return decide


def _always(answer: Evaluation) -> Decide:
    return lambda user, organization, plan, attributes: answer


def _quick_rollout(quick: _Quick) -> Decide:
    """Of whole percents, by user or else organization, which nearly all rollouts are."""
    salted, percent, on, off, missing = quick

    def decide(user: Text, organization: Text, plan: Text, attributes: Attributes) -> Evaluation:
        if unit := user or organization:
            try:
                return on if hash32(salted + unit.encode()) % 100 < percent else off
            except UnicodeEncodeError:
                return on if hash32(salted + encoded(unit)) % 100 < percent else off
        return missing

    return decide


def _gated_rollout(gate: _Gate, quick: _Quick) -> Decide:
    plans, closed = gate
    salted, percent, on, off, missing = quick

    def decide(user: Text, organization: Text, plan: Text, attributes: Attributes) -> Evaluation:
        if plan not in plans:
            return closed
        if unit := user or organization:
            try:
                return on if hash32(salted + unit.encode()) % 100 < percent else off
            except UnicodeEncodeError:
                return on if hash32(salted + encoded(unit)) % 100 < percent else off
        return missing

    return decide


def _first_of(steps: list[Any]) -> Decide:
    """The first answer; the last step always has one."""
    if len(steps) == 1:
        return cast("Decide", steps[0])
    if len(steps) == 2:
        one, last = steps
        return lambda user, organization, plan, attributes: (
            one(user, organization, plan, attributes) or last(user, organization, plan, attributes)
        )

    def decide(user: Text, organization: Text, plan: Text, attributes: Attributes) -> Evaluation:
        for step in steps:
            found = step(user, organization, plan, attributes)
            if found is not None:
                return found  # type: ignore[no-any-return]  # see above
        raise AssertionError("the last step always decides")

    return decide
