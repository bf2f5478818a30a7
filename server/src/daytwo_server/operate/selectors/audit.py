"""The part of the audit log that somebody asks for."""

from __future__ import annotations

import functools
from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from daytwo_server.accounts.models import User
from daytwo_server.accounts.selectors import person_id
from daytwo_server.core import audit, query, search
from daytwo_server.core.models import AuditEntry
from daytwo_server.core.query import BadFilter, Query

MOST = 100  # objects of a kind that one word leads to


def _by(who: str) -> Q:
    kind, _, number = who.partition(":")
    if who == "system":
        return Q(actor_kind="system")
    if kind and number:
        return Q(actor_kind=kind, actor_id=number)
    if "@" in who:
        return Q(actor_kind="user", actor_id=str(person_id("actor", who)))
    raise BadFilter("actor", f"{who} is nobody here; write me, system, an e-mail address, or like token:7.")


def _done(action: str) -> Q:
    return query.exactly("action")(f"{action}*" if action.endswith(":") else action)


def _to(thing: str) -> Q:
    kind, _, number = thing.partition(":")
    if not (kind and number):
        raise BadFilter("object", f"{thing} names nothing; write it like issue:7.")
    return Q(ref_kind=kind, ref_id=number)


def _words(text: str) -> Q:
    """Each word in who did it, in what was done, or in what it was done to."""
    actions = {action: f"{action} {audit.sentence(action)[0]}".casefold() for action in audit.actions()}
    return query.all_words(text, lambda word: _one_word(word, actions))


def _one_word(word: str, actions: dict[str, str]) -> Q:
    people = User.objects.filter(query.parts_of("name", "email")(word)).values_list("pk", flat=True)[: query.MAX_FOUND]
    return query.any_of([
        Q(action__in=[action for action, said in actions.items() if word.casefold() in said]),
        Q(actor_kind="user", actor_id__in=[str(pk) for pk in people]),
        *_objects(word),
    ])  # fmt: skip


def _objects(word: str) -> list[Q]:
    found: dict[str, list[str]] = defaultdict(list)
    for hit in search.find(list(search.sources()), word, MOST):
        found[hit.kind].append(str(hit.object_id))
    return [Q(ref_kind=kind, ref_id__in=ids) for kind, ids in found.items()]


AUDIT = query.language(
    "audit",
    {
        "actor": _by,
        "action": _done,
        "object": _to,
        "since": query.since("at"),
        "until": query.until("at"),
    },
    words=_words,
    aliases={"by": "actor"},
    people={"actor"},
)


@dataclass(frozen=True, kw_only=True)
class Searched(audit.Wanted):
    """The entries that a search means; `me` is who asks. `found` raises `BadFilter`."""

    asked: Query = field(default_factory=Query)
    me: str = ""

    def found(self) -> QuerySet[AuditEntry]:
        return self._found.all()

    @functools.cached_property
    def _found(self) -> QuerySet[AuditEntry]:
        # Once: an export asks for every batch, and words are looked up in several tables.
        return AUDIT.narrow(super().found(), self.asked, me=self.me)
