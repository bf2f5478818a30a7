"""What is linked with an object."""

from __future__ import annotations

from dataclasses import dataclass

from daytwo_server.accounts.models import User
from daytwo_server.accounts.permissions import can
from daytwo_server.core.prepared import Prepared
from daytwo_server.core.ref import Ref, resolve_many
from daytwo_server.desk import palette
from daytwo_server.links.models import Link
from daytwo_server.links.services import MAX_LINKS, touching

_TOUCHING = Prepared[Link](
    lambda kind, id_: Link.objects.filter(touching(Ref(kind, id_)), removed_at=None).order_by("-at", "-pk")[:MAX_LINKS]
)


@dataclass(frozen=True)
class Linked:
    """The other side of a link, as a row shows it."""

    link: Link
    ref: Ref
    icon: str
    code: str


def linked(user: User, ref: Ref) -> list[Linked]:
    """What is linked with this object and the viewer may see, latest first. One query, and one for each kind found."""
    kinds = {kind.name: kind for kind in palette.kinds() if can(user, kind.action)}
    rows = _TOUCHING(ref.kind, ref.id)
    sides = [_other(row, ref) for row in rows]
    shown = resolve_many(sides)
    return [
        Linked(row, side, kinds[side.kind].icon, kinds[side.kind].code(side.id))
        for row, side in zip(rows, shown, strict=True)
        if side.kind in kinds and side.url  # what is gone, or not for this viewer, is left out
    ]


def _other(row: Link, ref: Ref) -> Ref:
    is_from = (row.from_kind, row.from_id) == (ref.kind, ref.id)
    return Ref(row.to_kind, row.to_id) if is_from else Ref(row.from_kind, row.from_id)
