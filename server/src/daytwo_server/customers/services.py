"""Every write about customers. Whoever calls has already asked `permissions.can`."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.core import audit, clock, facts, search, sql
from daytwo_server.core.ref import Ref
from daytwo_server.core.stores import DEFAULT
from daytwo_server.customers.facts import CustomerErased
from daytwo_server.customers.identity import email, fingerprint, key_of, text
from daytwo_server.customers.models import Customer

__all__ = ["Sighting", "erase", "fingerprint", "key_of", "see"]

# A customer who is busy would otherwise be written with every batch of events.
LAST_SEEN_STEP = dt.timedelta(minutes=1)
_TABLE = Customer._meta.db_table
_COLUMNS = (
    "key", "email", "email_verified", "name", "plan", "verified", "first_seen", "last_seen"
)  # fmt: skip
_MOVE = (
    "(key) DO UPDATE SET "
    f"first_seen = CASE WHEN excluded.first_seen < {_TABLE}.first_seen "
    f"THEN excluded.first_seen ELSE {_TABLE}.first_seen END, "
    f"last_seen = CASE WHEN excluded.last_seen > {_TABLE}.last_seen "
    f"THEN excluded.last_seen ELSE {_TABLE}.last_seen END"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A customer as one event names them: by a key of `key_of`, when (aware), and what else it says, as it came."""

    key: str
    project: int
    at: dt.datetime
    email: object = ""
    name: object = ""


def see(batch: Iterable[Sighting]) -> dict[str, int]:
    """The customer id of every key, creating who is unknown. Two queries, whatever the size of the batch, and two more
    when somebody is new.

    For what arrives with a public key: a new customer is unverified, and of a known one only first and last seen move
    (the last in steps of a minute), never e-mail, name, plan or organization. The same batch again changes nothing.
    """
    seen = _merged(batch)
    if not seen:
        return {}
    with transaction.atomic():
        known = {
            key: (pk, first, last)
            for pk, key, first, last in Customer.objects.filter(key__in=seen).values_list(
                "pk", "key", "first_seen", "last_seen"
            )
        }
        rows = [_row(who) for key, who in seen.items() if key not in known or _moves(who, known[key][1:])]
        written = sql.insert(DEFAULT, _TABLE, _COLUMNS, rows, on_conflict=_MOVE, returning="key, id") if rows else []
        search.refresh("customer", [pk for key, pk in written if key not in known])
    return {key: pk for key, (pk, _, _) in known.items()} | dict(written)


def erase(customer: Customer, *, actor: User) -> None:
    """Forget who this is. The empty row keeps its id for counts; other rooms follow by the fact `CustomerErased`.

    The same key seen later makes a new customer. There is no undo. Erasing twice changes nothing.
    """
    with transaction.atomic():
        erased = Customer.objects.filter(pk=customer.pk, erased_at=None).update(
            key=f"erased:{customer.pk}", email="", email_verified=False, name="", plan="", organization=None,
            verified=False, erased_at=clock.now(),
        )  # fmt: skip
        if erased:
            search.remove("customer", [customer.pk])
            audit.record("customers:customer:erased", actor=actor, ref=Ref("customer", customer.pk))
            facts.record(CustomerErased(customer=customer.pk))


@dataclass(slots=True)
class _Seen:
    """All sightings of one key in a batch."""

    key: str
    first: dt.datetime
    last: dt.datetime
    email: str = ""
    name: str = ""


def _merged(batch: Iterable[Sighting]) -> dict[str, _Seen]:
    """In the order of the keys: two writers that lock rows in one order cannot deadlock."""
    seen: dict[str, _Seen] = {}
    for sighting in batch:
        who = seen.setdefault(sighting.key, _Seen(sighting.key, sighting.at, sighting.at))
        who.email, who.name = who.email or email(sighting.email), who.name or text(sighting.name)
        who.first, who.last = min(who.first, sighting.at), max(who.last, sighting.at)
    return dict(sorted(seen.items()))


def _moves(who: _Seen, known: tuple[dt.datetime, dt.datetime]) -> bool:
    first, last = known
    return who.first < first or who.last - last >= LAST_SEEN_STEP


def _row(who: _Seen) -> tuple[object, ...]:
    return (who.key, who.email, False, who.name, "", False, who.first, who.last)
