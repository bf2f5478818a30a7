"""What the pages of this room share."""

import urllib.parse
from typing import Any

from django.urls import reverse

from daytwo_server.accounts import permissions
from daytwo_server.accounts.models import Membership, User
from daytwo_server.core.pages import Page


def roles_to_give(who: User) -> list[str]:
    """The roles that this person may give to others."""
    owner = permissions.can(who, "owners.manage")
    return [role for role in Membership.Role if owner or role != Membership.Role.OWNER]


def pager_links(url_name: str, found: Page[Any], **query: str) -> dict[str, str]:
    """The addresses of the neighbouring pages of a list, for the tag `pager`; `query` are its filters."""
    return {
        name: f"{reverse(url_name)}?{urllib.parse.urlencode({**_given(query), 'cursor': cursor})}" if cursor else ""
        for name, cursor in (("older", found.next), ("newer", found.previous))
    }


def _given(query: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if value}
