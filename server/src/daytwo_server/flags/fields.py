"""The fields of a flag in the words of the API, and in rows."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the command line reads the names alone, without Django
    from daytwo_server.flags.models import Flag, Override, State

# Which fields hold everywhere, and which in one environment.
SHARED = (
    "name", "description", "type", "variants", "offVariant", "defaultVariant", "kind", "clientExposed", "owner",
    "tags", "removeBy",
)  # fmt: skip
IN_DEFINITION = ("allowedPlans", "allowedUsers", "split", "bucketBy", "rules", "prerequisites")
EVALUATED = ("enabled", "killed", "rolloutPercentage", "salt", *IN_DEFINITION)
HERE = (*EVALUATED, "guard")
# What people say of a flag for people: a PUT that does not name it leaves it.
FOR_PEOPLE = ("description", "owner", "tags", "removeBy")
# What decides which answers there are.
ANSWERS = frozenset({"type", "variants", "offVariant", "defaultVariant"})
DEFAULTS: dict[str, Any] = {
    "name": "", "description": "", "type": "boolean", "variants": [], "offVariant": None, "defaultVariant": None,
    "kind": "release", "clientExposed": False, "owner": None, "tags": [], "removeBy": None,
    "enabled": False, "killed": False, "rolloutPercentage": None, "salt": None, "allowedPlans": [], "allowedUsers": [],
    "split": [], "bucketBy": None, "rules": [], "prerequisites": [], "guard": None,
}  # fmt: skip


def shared_of(flag: Flag) -> dict[str, Any]:
    """What a flag is everywhere. `owner` is an address."""
    return {
        "name": flag.name,
        "description": flag.description,
        "kind": flag.kind,
        **answers_of(flag),
        "owner": flag.owner.email if flag.owner_id and flag.owner else None,
        "tags": list(flag.tags),
        "removeBy": flag.remove_by.isoformat() if flag.remove_by else None,
    }


def answers_of(flag: Flag) -> dict[str, Any]:
    """Which answers there are, and who may ask for them."""
    return {
        "type": flag.type,
        "variants": variants_of(flag),
        "offVariant": flag.off_variant or "off",
        "defaultVariant": flag.default_variant or "on",
        "clientExposed": flag.client_exposed,
    }


def variants_of(flag: Flag) -> list[dict[str, Any]]:
    """Also those that a boolean flag has without saying so."""
    return [dict(one) for one in flag.variants] or (on_and_off() if flag.type == "boolean" else [])


def split_of(own: list[dict[str, Any]], variants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Among which variants those are divided who have a flag: its split in an environment, else the weights of its
    variants. Empty where all get the default variant.
    """
    if own or not any("weight" in one for one in variants):
        return own
    return [{"variant": one["name"], "weight": one.get("weight") or 0} for one in variants]


def on_and_off() -> list[dict[str, Any]]:
    """The variants of a boolean flag that names none."""
    return [{"name": "on", "value": True}, {"name": "off", "value": False}]


def here_of(state: State | None, key: str) -> dict[str, Any]:
    """What a flag is in one environment; off where nobody said anything."""
    written = state.definition if state else {}
    return {
        "enabled": state.enabled if state else False,
        "killed": state.killed if state else False,
        "rolloutPercentage": percentage(state.rollout if state else None),
        "salt": (state.salt if state else "") or key,
        **{name: written.get(name, DEFAULTS[name]) for name in IN_DEFINITION},
        "guard": (state.guard or None) if state else None,
    }


def percentage(rollout: int | None) -> float | int | None:
    """Of thousandths; a whole number where it is one."""
    if rollout is None:
        return None
    return rollout // 1000 if rollout % 1000 == 0 else rollout / 1000


def thousandths(percent: float | None) -> int | None:
    """Of a percentage that was checked."""
    return None if percent is None else round(percent * 1000)


def is_usual(variants: list[dict[str, Any]]) -> bool:
    """Whether they are what a boolean flag has without saying so."""
    values = {one["name"]: one["value"] for one in variants if one.keys() == {"name", "value"}}
    return len(variants) == 2 and values.get("on") is True and values.get("off") is False


def override_of(one: Override) -> dict[str, Any]:
    """An override."""
    whose = {"userId": one.user_id} if one.user_id else {"organizationId": one.organization_id}
    says = {"enabled": one.enabled} if one.enabled is not None else {"variant": one.variant}
    return {**whose, **says, "expiresAt": moment(one.expires_at)}


def moment(at: dt.datetime | None) -> str | None:
    """RFC 3339, in UTC."""
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if at else None
