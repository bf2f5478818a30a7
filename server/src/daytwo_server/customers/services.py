"""Every write about customers. Whoever calls has already asked `permissions.can`."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from daytwo_server.accounts.models import ApiToken, User
from daytwo_server.core import audit, clock, facts, search, sql
from daytwo_server.core.prepared import Prepared
from daytwo_server.core.ref import Ref
from daytwo_server.core.stores import DEFAULT
from daytwo_server.customers import erasing, jobs
from daytwo_server.customers.facts import CustomerErased, CustomerPlanChanged
from daytwo_server.customers.identity import MAX_EMAIL, MAX_ID, email, fingerprint, key_of, text
from daytwo_server.customers.models import Customer, Organization
from daytwo_server.customers.selectors import own_address
from daytwo_server.mail import services as mail

__all__ = ["Sighting", "Vouched", "erase", "fingerprint", "is_exact", "key_of", "prove", "see", "vouch", "wrote"]

# A customer who is busy would otherwise be written with every batch of events.
LAST_SEEN_STEP = dt.timedelta(minutes=1)
_KNOWN = Prepared[Customer](lambda pk: Customer.objects.select_related("organization").filter(pk=pk))
_SEEN = Prepared[tuple[int, str, dt.datetime, dt.datetime]](
    lambda keys: Customer.objects.filter(key__in=keys).values_list("pk", "key", "first_seen", "last_seen")
)
# Two at most: of two users with one address, nothing says which it is.
_VOUCHED = Prepared[Customer](
    lambda address: (
        Customer.objects.filter(email=address, email_verified=True, key__startswith="id:", erased_at=None)
        .select_related("organization")
        .order_by("pk")[:2]
    )
)
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
    with transaction.atomic(savepoint=False):
        known = {key: (pk, first, last) for pk, key, first, last in _SEEN(list(seen))}
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

    One query when nothing changed, two of one in an organization. Raises ValueError for an id that is not exact.
    """
    if not is_exact(who.user_id) or (who.organization is not None and not is_exact(who.organization)):
        raise ValueError("An id has 1 to 200 characters on one line, without spaces around it.")
    now = clock.now()
    # Raw, because this is asked with every request of a customer: the ORM takes five times as long to write it down.
    known = next(iter(Customer.objects.raw(f"SELECT * FROM {_TABLE} WHERE key = %s", [f"id:{who.user_id}"])), None)
    if known is None:
        known, _ = Customer.objects.get_or_create(
            key=f"id:{who.user_id}", defaults={"first_seen": now, "last_seen": now, "verified": True}
        )
        search.refresh("customer", [known.pk])
    _bring_up_to_date(known, _said(known, who), now)
    return known


def prove(address: str) -> Customer:
    """The customer whom somebody is who has just shown that they read the mail to this address. Needs a transaction.

    That is the one user for whom the SaaS vouches with this address, where there is one, and else the customer who is
    known by the address alone, created when there is none: of two users with one address, nothing says which it is. An
    address that was only told, as by a public key, stays unverified for that user: reading the mail to it does not
    make somebody that user. Raises ValueError for what is no address.
    """
    known = email(address)
    if not known:
        raise ValueError("This is no e-mail address.")
    if len(users := _VOUCHED(known)) == 1:
        return users[0]
    now = clock.now()
    customer, created = Customer.objects.select_related("organization").get_or_create(
        key=f"email:{known}",
        defaults={"email": known, "email_verified": True, "first_seen": now, "last_seen": now},
    )
    if created:
        search.refresh("customer", [customer.pk])
    else:
        _bring_up_to_date(customer, {} if customer.email_verified else {"email_verified": True}, now)
    return customer


def wrote(address: str, *, name: str, genuine: bool | None) -> Customer:
    """The customer whom a mail is from, as far as its sender can be believed. Needs a transaction.

    `genuine` is whether our mail server found the sender to be who they say: then it is whom the address proves
    (`prove`). None, when nobody looked: the same, and nothing is proven by it; what we answer goes to the user's own
    address, whoever it was that asked. False: nobody's mail but of that address, whose tickets no user sees. The name
    counts for somebody new only.
    """
    known = email(address) if len(address) <= MAX_EMAIL else ""
    if known and genuine:
        prove(known)
    if known and genuine is not False and len(users := _VOUCHED(known)) == 1:
        return users[0]
    key = f"email:{known}" if known else "name:unknown sender"
    made = see([Sighting(key=key, project=0, at=clock.now(), email=known, name=name or ("" if known else "Unknown"))])
    [customer] = _KNOWN(made[key])
    if name and not customer.name and known:
        _bring_up_to_date(customer, {"name": text(name)}, clock.now())
    return customer


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
    if {"plan", "organization"} & changed.keys():
        facts.record(CustomerPlanChanged(customer=known.pk))


def erase(customer: Customer, *, actor: User | ApiToken) -> None:
    """Forget who this is. The empty row keeps its id for counts; what rooms keep goes by a job (`customers.jobs`).

    The same key seen later makes a new customer. There is no undo. Erasing twice only has the job run again.
    """
    with transaction.atomic():
        known = Customer.objects.select_for_update().get(pk=customer.pk)
        if known.erased_at is None:
            _forget_mail(known)
            for keeper in erasing.keepers():
                if keeper.at_once is not None:
                    keeper.at_once(known)
            Customer.objects.filter(pk=known.pk).update(
                key=f"erased:{known.pk}", email="", email_verified=False, name="", plan="", organization=None,
                verified=False, erased_at=clock.now(),
            )  # fmt: skip
            search.remove("customer", [known.pk])
            audit.record("customers:customer:erased", actor=actor, ref=Ref("customer", known.pk))
            facts.record(CustomerErased(customer=known.pk))
        jobs.forget_later(known.pk)


def _forget_mail(customer: Customer) -> None:
    """Everything from and to their address, while it is known."""
    if address := own_address(customer):
        mail.forget(addresses=[address])


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
