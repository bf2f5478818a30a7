"""Who changed what, append-only. Ids and small plain values: never a person's words, name or address."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.db import models

from daytwo_server.core.masking import mask
from daytwo_server.core.models import AppendOnlyError, AuditEntry
from daytwo_server.core.pages import Page, page
from daytwo_server.core.ref import Ref

__all__ = ["AppendOnlyError", "entries", "record"]


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


def entries(
    *,
    action: str = "",
    actor_kind: str = "",
    actor_id: int | str = "",
    ref: Ref | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    cursor: str = "",
    limit: int = 50,
) -> Page[AuditEntry]:
    """One page of entries, newest first. `action` may be the beginning of one (`flags:`). Raises `BadCursor`."""
    given: dict[str, Any] = {
        "action__startswith": action,
        "actor_kind": actor_kind,
        "actor_id": str(actor_id),
        "ref_kind": ref.kind if ref else "",
        "ref_id": ref.id if ref else "",
        "at__gte": since,
        "at__lt": until,
    }
    found = AuditEntry.objects.filter(**{name: value for name, value in given.items() if value not in ("", None)})
    return page(found, by="at", cursor=cursor, limit=limit)
