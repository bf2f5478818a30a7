"""What pages read about customers."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import Q

from daytwo_server.core import query, search, secret
from daytwo_server.core.pages import Page, page
from daytwo_server.customers.identity import fingerprint
from daytwo_server.customers.models import Customer

MAX_FOUND = 1000  # customers that a free text leads to, the latest known first


def customers(*, asked: str = "", cursor: str = "", limit: int = 50) -> Page[Customer]:
    """One page, last seen first. `asked` is a search as in `core.query`; its words are sought in e-mail, name, id and
    organization. Raises `BadCursor` and `BadFilter`.
    """
    wanted = query.parse(asked)
    found = query.narrow(
        Customer.objects.filter(erased_at=None).select_related("organization"), wanted.terms, query.known(_CONDITIONS)
    )
    if wanted.text:
        found = found.filter(pk__in=search.ids("customer", wanted.text, MAX_FOUND))
    return page(found, by="last_seen", cursor=cursor, limit=limit)


def _is(state: str) -> Q:
    if state not in {"verified", "unverified"}:
        raise query.BadFilter("is", f"There is no is:{state}; use is:verified or is:unverified.")
    return Q(verified=state == "verified")


_CONDITIONS = {
    "id": lambda value: Q(key=f"id:{value}"),
    "email": lambda value: Q(email=value.lower()),
    "plan": lambda value: Q(plan=value),
    "organization": lambda value: Q(organization__name__iexact=value) | Q(organization__external_id=value),
    "is": _is,
}


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
