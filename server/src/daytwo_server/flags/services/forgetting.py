"""Taking an erased customer out of flags: who was excepted, who was granted, whom a rule named."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import F, QuerySet

from daytwo_server.core import clock
from daytwo_server.customers.models import Customer
from daytwo_server.flags.models import MAX_REASON, Change, Edition, Override, Ramp, Segment, State
from daytwo_server.flags.selectors.export import BY_ID, naming
from daytwo_server.flags.services.common import announce, take

_USER = frozenset({"userId", "targetingKey"})


def forget_customer(customer: Customer) -> None:
    """Have nothing name this customer any more, in the transaction that erases them and while their id is known.

    A rule goes on with an id that nobody has, so that it holds of as many others as before.
    """
    if not customer.key.startswith(BY_ID):
        return  # flags know people by the id of the app alone
    user, nobody = customer.user_id, f"erased:{customer.pk}"
    states, segments = naming(State.objects, user, "definition"), naming(Segment.objects, user, "conditions")
    excepted = Override.objects.filter(user_id=user)
    killed, ramps = State.objects.filter(kill_reason__contains=user), Ramp.objects.filter(note__contains=user)
    projects = {
        *states.values_list("flag__project", flat=True), *segments.values_list("project", flat=True),
        *excepted.values_list("state__flag__project", flat=True), *killed.values_list("flag__project", flat=True),
        *ramps.values_list("state__flag__project", flat=True),
    }  # fmt: skip
    for project in sorted(projects):
        _forget_in(project, states, segments, excepted, user=user, nobody=nobody)
    _forget_changes(user, nobody)


def _forget_in(
    project: int, states: QuerySet[State], segments: QuerySet[Segment], excepted: QuerySet[Override], *, user: str,
    nobody: str,
) -> None:  # fmt: skip
    """One project, of which all environments may answer otherwise then."""
    turn = take(project)
    changed: set[int] = set(excepted.filter(state__flag__project=project).values_list("state", flat=True))
    excepted.filter(state__flag__project=project).delete()
    for state in states.filter(flag__project=project):
        after = _without(state.definition, user, nobody)
        if after != state.definition:
            State.objects.filter(pk=state.pk).update(definition=after)
            changed.add(state.pk)
    for segment in segments.filter(project=project):
        Segment.objects.filter(pk=segment.pk).update(
            conditions=_without(segment.conditions, user, nobody), revision=F("revision") + 1
        )
    _forget_words(project, user, nobody)
    State.objects.filter(pk__in=changed).update(revision=turn.revision)
    Edition.objects.filter(environment__in=turn.environments).update(revision=turn.revision, changed_at=clock.now())
    announce([], turn.environments)


def _without(value: Any, user: str, nobody: str) -> Any:
    """Definitions and conditions without that user: gone from grants, nobody in conditions on users."""
    if isinstance(value, list):
        return [_without(one, user, nobody) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _without(one, user, nobody) for name, one in value.items()}
    if "allowedUsers" in found:
        found["allowedUsers"] = [one for one in found["allowedUsers"] if one != user]
    if found.get("attribute") in _USER and isinstance(found.get("values"), list):
        found["values"] = [nobody if str(one) == user else one for one in found["values"]]
    return found


def _forget_words(project: int, user: str, nobody: str) -> None:
    """What is kept of reasons beside the history: why a kill switch was pulled, a ramp held."""
    word = _word(user)
    for state in State.objects.filter(flag__project=project, kill_reason__contains=user):
        State.objects.filter(pk=state.pk).update(kill_reason=word.sub(nobody, state.kill_reason)[:MAX_REASON])
    for ramp in Ramp.objects.filter(state__flag__project=project, note__contains=user):
        Ramp.objects.filter(pk=ramp.pk).update(note=word.sub(nobody, ramp.note)[:MAX_REASON])


def _word(user: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(user)}(?!\w)")


def _forget_changes(user: str, nobody: str) -> None:
    """The history stays, of nobody."""
    word = _word(user)
    named = set(naming(Change.objects, user, "before", "after").values_list("pk", flat=True))
    named |= set(Change.objects.filter(reason__contains=user).values_list("pk", flat=True))
    for one in Change.objects.filter(pk__among=sorted(named)):
        Change.objects.filter(pk=one.pk).update(
            before=_renamed(one.before, user, nobody), after=_renamed(one.after, user, nobody),
            reason=word.sub(nobody, one.reason)[:MAX_REASON],
        )  # fmt: skip


def _renamed(value: Any, user: str, nobody: str) -> Any:
    """Of a change every text that is the id: it is not known any more which of them were meant. A number is a user's
    only in a condition on users.
    """
    if isinstance(value, dict):
        found = {name: _renamed(one, user, nobody) for name, one in value.items()}
        if found.get("attribute") in _USER and isinstance(found.get("values"), list):
            found["values"] = [nobody if str(one) == user else one for one in found["values"]]
        return found
    if isinstance(value, list):
        return [_renamed(one, user, nobody) for one in value]
    return nobody if value == user else value
