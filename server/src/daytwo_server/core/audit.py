"""Who changed what, append-only. Ids and small plain values: never a person's words, name or address."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models

from daytwo_server.core import clock, sql
from daytwo_server.core.db import delete_some
from daytwo_server.core.masking import mask
from daytwo_server.core.models import AppendOnlyError, AuditEntry
from daytwo_server.core.pages import Page, page
from daytwo_server.core.ref import Ref
from daytwo_server.core.stores import DEFAULT

__all__ = [
    "AppendOnlyError", "Wanted", "actions", "actors", "batches", "entries", "forget", "record", "sentence", "wording"
]  # fmt: skip

KEPT_AT_LEAST = dt.timedelta(days=30)
_wordings: dict[str, str] = {}


def record(
    action: str,
    *,
    actor: models.Model | None,
    ref: Ref | None = None,
    before: Any = None,
    after: Any = None,
    ip: str = "",
) -> None:
    """Add an entry to the current transaction. `action` is room:subject:verb, as in `flags:rule:changed`.

    `actor` is the row of the person or token who acts, None for the system itself; its kind is the attribute
    `actor_kind` of its class, else the name of its model. Values under secret names are masked, long texts cut.
    """
    kind, actor_id = "system", ""
    if actor is not None:
        kind = str(getattr(actor, "actor_kind", actor._meta.model_name))
        actor_id = str(actor.pk)
    AuditEntry.objects.create(
        actor_kind=kind,
        actor_id=actor_id,
        action=action,
        ref_kind=ref.kind if ref else "",
        ref_id=ref.id if ref else "",
        before=_small(before),
        after=_small(after),
        ip=ip,
    )


def _small(value: Any) -> str:
    return "" if value is None else json.dumps(mask(value), separators=(",", ":"), allow_nan=False)


def forget(before: dt.datetime, *, limit: int) -> int:
    """Remove at most `limit` entries that are older than `before`; returns how many. For `core.retention` alone.

    The one way in which entries go. Raises `AppendOnlyError` for those of the last 30 days: whoever can shorten the
    log must not be able to hide behind that.
    """
    if before > clock.now() - KEPT_AT_LEAST:
        raise AppendOnlyError(f"Audit entries are kept for {KEPT_AT_LEAST.days} days at least.")
    return delete_some(AuditEntry, "at < %s", [before], limit=limit)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which entries: those for which everything that is given holds.

    `action` may be the beginning of one, with its colon (`flags:`); `since` is included, `until` is not.
    """

    action: str = ""
    actor_kind: str = ""
    actor_id: int | str = ""
    ref: Ref | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def found(self) -> models.QuerySet[AuditEntry]:
        """All of them, in no order."""
        given: dict[str, Any] = {
            "action__startswith" if self.action.endswith(":") else "action": self.action,
            "actor_kind": self.actor_kind,
            "actor_id": str(self.actor_id),
            "ref_kind": self.ref.kind if self.ref else "",
            "ref_id": self.ref.id if self.ref else "",
            "at__gte": self.since,
            "at__lt": self.until,
        }
        return AuditEntry.objects.filter(**{name: value for name, value in given.items() if value not in ("", None)})


def entries(*, cursor: str = "", limit: int = 50, **wanted: Any) -> Page[AuditEntry]:
    """One page of the entries that are `Wanted`, newest first. Raises `BadCursor`."""
    return page(Wanted(**wanted).found(), by="at", cursor=cursor, limit=limit)


def batches(wanted: Wanted, *, size: int = 1000) -> Iterator[list[AuditEntry]]:
    """All entries that are wanted, newest first, with few of them in memory at a time."""
    cursor: str | None = ""
    while cursor is not None:
        found = page(wanted.found(), by="at", cursor=cursor, limit=size)
        yield found.rows
        cursor = found.next


def actions() -> list[str]:
    """Every action that was ever recorded."""
    return sql.distinct(DEFAULT, "core_auditentry", "action")


def actors() -> list[Ref]:
    """Everybody who ever acted, the system left out. Titles are for `resolve_many`. A query for each kind of actor."""
    kinds = sql.distinct(DEFAULT, "core_auditentry", "actor_kind")
    return [
        Ref(kind, actor_id)
        for kind in kinds
        for actor_id in sql.distinct(DEFAULT, "core_auditentry", "actor_id", actor_kind=kind)
        if actor_id
    ]


def wording(action: str, text: str) -> None:
    """Say an action in these words instead of `sentence`'s own; `{}` stands for the object's title."""
    _wordings[action] = text


def sentence(action: str, ref_kind: str = "") -> tuple[str, str]:
    """What was done in words, before and after the object's title: "errors:issue:resolved" gives "resolved issue", "".

    Made from the verb and the subject; with a colon when the object is not the subject itself ("changed profile:").
    """
    if action in _wordings:
        before, _, after = _wordings[action].partition("{}")
        return before.strip(), after.strip()
    _, _, rest = action.replace("_", " ").partition(":")
    subject, _, verb = rest.rpartition(":")
    same = ref_kind.replace("_", " ") in ("", subject)
    return f"{verb} {subject}".strip() + ("" if same else ":"), ""
