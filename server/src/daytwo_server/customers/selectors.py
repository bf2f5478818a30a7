"""What pages read about customers."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import Q

from daytwo_server.core import query, secret
from daytwo_server.core.pages import Page, page
from daytwo_server.core.query import Query
from daytwo_server.customers.identity import fingerprint
from daytwo_server.customers.models import Customer

CUSTOMERS = query.language(
    "customers",
    {
        "id": lambda value: Q(key=f"id:{value}"),
        "email": lambda value: Q(email=value.lower()),
        "plan": query.exactly("plan"),
        "organization": lambda value: Q(organization__name__iexact=value) | Q(organization__external_id=value),
        "is": query.one_of("is", {"verified": Q(verified=True), "unverified": Q(verified=False)}),
    },
    words=query.indexed("customer"),
)


def customers(asked: Query | None = None, *, cursor: str = "", limit: int = 50) -> Page[Customer]:
    """One page, last seen first. Words are sought in e-mail, name, id and organization.

    Raises `BadCursor` and `BadFilter`.
    """
    found = Customer.objects.filter(erased_at=None).select_related("organization")
    return page(CUSTOMERS.narrow(found, asked or Query()), by="last_seen", cursor=cursor, limit=limit)


def customer_called(code: str) -> Customer | None:
    """Who is meant by the SaaS's own id, or else by ours. Not one who was erased."""
    known = Customer.objects.filter(erased_at=None).select_related("organization")
    if "\x00" in code:
        return None
    return known.filter(key=f"id:{code}").first() or known.filter(pk=_number(code)).first()


def erased_customer(code: str) -> Customer | None:
    """Who had this id of ours and was erased."""
    return Customer.objects.filter(pk=_number(code), erased_at__isnull=False).first()


def own_address(customer: Customer) -> str:
    """The address whose mail is theirs alone; empty when it is somebody else's as well, or was only told of them:
    whoever can name an address must not come to its mail by that, nor have it removed.
    """
    others = Customer.objects.filter(email=customer.email, email_verified=True).exclude(pk=customer.pk)
    return customer.address if customer.address and not others.exists() else ""


def _number(code: str) -> int:
    return int(code) if code.isascii() and code.isdecimal() and len(code) < 19 else 0  # which nobody has


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
