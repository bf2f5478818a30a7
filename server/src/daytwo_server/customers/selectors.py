"""What pages read about customers."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import Q

from daytwo_server.core import secret
from daytwo_server.core.pages import Page, page
from daytwo_server.customers.identity import fingerprint
from daytwo_server.customers.models import Customer


def customers(*, search: str = "", cursor: str = "", limit: int = 50) -> Page[Customer]:
    """One page, last seen first. `search` is a part of e-mail, name, id or organization. Raises `BadCursor`."""
    found = Customer.objects.filter(erased_at=None).select_related("organization")
    if search:
        found = found.filter(
            Q(email__icontains=search)
            | Q(name__icontains=search)
            | Q(key__icontains=search)
            | Q(organization__name__icontains=search)
        )
    return page(found, by="last_seen", cursor=cursor, limit=limit)


def customers_by_id(ids: Iterable[int]) -> dict[int, Customer]:
    """The customers with these ids, for rooms that know only those ("affected customers"). Gone ones are left out."""
    found = Customer.objects.filter(pk__in=set(ids)).select_related("organization")
    return {customer.pk: customer for customer in found}


def user_key(user: Mapping[str, Any], client_ip: str = "") -> str:
    """By what this installation tells the `user` of an event apart; see `identity.fingerprint`."""
    return fingerprint(user, client_ip, _salt())


@lru_cache(maxsize=1)
def _salt() -> bytes:
    return secret.derive(settings.SECRET_KEY, "user-key")
