"""Whom a rollout counts: the user, the organization, or whatever an attribute says."""

from __future__ import annotations

from collections.abc import Callable

from daytwo.flags import values
from daytwo.flags.conditions import Attributes, reading

Unit = Callable[[str | None, str | None, str | None, Attributes], str | None]


Text = str | None


def _user_or_organization(user: Text, organization: Text, plan: Text, attributes: Attributes) -> Text:
    return user or organization


def _user(user: Text, organization: Text, plan: Text, attributes: Attributes) -> Text:
    return user


def _organization(user: Text, organization: Text, plan: Text, attributes: Attributes) -> Text:
    return organization


_KNOWN: dict[str | None, Unit] = {
    None: _user_or_organization, "userId": _user, "targetingKey": _user, "organizationId": _organization,
}  # fmt: skip


def unit_of(bucket_by: str | None) -> Unit:
    """The unit of what is asked for, None or empty without one. By nothing: the user, else the organization."""
    return _KNOWN.get(bucket_by) or reading(str(bucket_by), values.text)
