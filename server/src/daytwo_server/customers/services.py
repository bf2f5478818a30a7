"""Every write about customers. Whoever calls has already asked `permissions.can`."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from daytwo_server.accounts.models import ApiToken, User
from daytwo_server.core import audit, clock, facts, search, sql
from daytwo_server.core.ref import Ref
from daytwo_server.core.stores import DEFAULT
from daytwo_server.customers.facts import CustomerErased
from daytwo_server.customers.identity import MAX_ID, email, fingerprint, key_of, text
from daytwo_server.customers.models import Customer, Organization

__all__ = ["Sighting", "Vouched", "erase", "fingerprint", "is_exact", "key_of", "see", "vouch"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Who a user is, as the SaaS itself says by a secret: an identity token or a server key. None: it does not say.

    `user_id` and `organization` are the SaaS's own ids, exactly; see `is_exact`. An address counts as verified unless
    the SaaS says that it is not.
    """

    user_id: str
    email: str | None = None
    email_verified: bool = True
    name: str | None = None
    plan: str | None = None
    organization: str | None = None


def is_exact(value: str) -> bool:
    """Whether an id is kept as it is. One that would have to be cut or trimmed could become somebody else's."""
    return 0 < len(value) <= MAX_ID and text(value, MAX_ID) == value


def vouch(who: Vouched) -> Customer:
    """The customer with this id, created or brought up to date, with organization. Needs a transaction.

    One query when nothing changed. Raises ValueError for an id that is not exact.
    """
    if not is_exact(who.user_id) or (who.organization is not None and not is_exact(who.organization)):
        raise ValueError("An id has 1 to 200 characters on one line, without spaces around it.")
    now = clock.now()
    known = Customer.objects.select_related("organization").filter(key=f"id:{who.user_id}").first()
    if known is None:
        known, _ = Customer.objects.get_or_create(
            key=f"id:{who.user_id}", defaults={"first_seen": now, "last_seen": now, "verified": True}
        )
        search.refresh("customer", [known.pk])
    _bring_up_to_date(known, _said(known, who), now)
    return known


def _said(known: Customer, who: Vouched) -> dict[str, object]:
    """The fields of which the SaaS says something else than is known."""
    said: dict[str, object] = {"verified": True}
    if who.email is not None:
        address = email(who.email)
        said |= {"email": address, "email_verified": bool(address) and who.email_verified}
    if who.name is not None:
        said["name"] = text(who.name)
    if who.plan is not None:
        said["plan"] = text(who.plan, 64)
    if who.organization is not None and (
        known.organization is None or known.organization.external_id != who.organization
    ):
        said["organization"] = Organization.objects.get_or_create(external_id=who.organization)[0]
    return {field: value for field, value in said.items() if getattr(known, field) != value}


def _bring_up_to_date(known: Customer, changed: dict[str, object], now: dt.datetime) -> None:
    seen = {"last_seen": now} if changed or now - known.last_seen >= LAST_SEEN_STEP else {}
    for field, value in (changed | seen).items():
        setattr(known, field, value)
    if changed or seen:
        Customer.objects.filter(pk=known.pk).update(**changed, **seen)
    if changed:
        search.refresh("customer", [known.pk])


def erase(customer: Customer, *, actor: User | ApiToken) -> None:
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
