"""What can be asked of the ticket list."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Q, TextChoices

from daytwo_server.accounts.models import Membership
from daytwo_server.core import query
from daytwo_server.core.query import BadFilter
from daytwo_server.customers.models import Customer
from daytwo_server.tickets.models import Category, Channel, HeldMail, Priority, Status, Tag
from daytwo_server.tickets.place import DONE

MAX_FOUND = 1000  # customers that a term leads to
UNRESOLVED = tuple(status for status in Status if status not in (Status.RESOLVED, Status.CLOSED))


def _choice(key: str, among: type[TextChoices]) -> query.Condition:
    return query.one_of(key, {value: Q(**{key: value}) for value in among.values})


def _assignee(value: str) -> Q:
    if value == "none":
        return Q(assignee__isnull=True)
    member = Membership.objects.filter(user__email=value.lower()).first()
    if member is None:
        raise BadFilter("assignee", f"{value!r} is no member; use me, none or a member's e-mail address.")
    return Q(assignee=member.user_id)


def _customer(value: str) -> Q:
    """By the SaaS's own id or by address."""
    who = Customer.objects.filter(Q(key=f"id:{value}") | Q(email=value.lower()))
    return Q(customer__in=list(who.values_list("pk", flat=True)[:MAX_FOUND]))


_STATES = {status.value: Q(status=status.value) for status in Status} | {
    # By the place in the inbox, which says the same: the page is then one stretch of its index.
    "unresolved": Q(place__lt=DONE),
    "assigned": Q(assignee__isnull=False),
    "unassigned": Q(assignee__isnull=True),
    "reopened": Q(reopened_count__gt=0),
    "rated": Q(rating__isnull=False),
    "merged": Q(merged_into__isnull=False),
    "held": Q(pk__in=HeldMail.objects.filter(settled_at=None).values("ticket")),
}
_STATES_OF_ROOMS: dict[str, Callable[[], Q]] = {}


def state(name: str, meaning: Callable[[], Q]) -> None:
    """Let `is:name` be asked of the list; `meaning` says what it is at that moment."""
    _STATES_OF_ROOMS[name] = meaning


def _state(value: str) -> Q:
    if value in _STATES_OF_ROOMS:
        return _STATES_OF_ROOMS[value]()
    return query.one_of("is", dict.fromkeys(_STATES_OF_ROOMS, Q()) | _STATES)(value)


TICKETS = query.language(
    "tickets",
    {
        "is": _state,
        "status": _choice("status", Status),
        "priority": _choice("priority", Priority),
        "category": _choice("category", Category),
        "channel": _choice("channel", Channel),
        "assignee": _assignee,
        "team": lambda value: Q(team__iexact=value),
        "tag": lambda value: Q(pk__in=Tag.objects.filter(name=value.lower()).values("ticket")),
        "customer": _customer,
        "organization": lambda value: Q(organization__external_id=value) | Q(organization__name__iexact=value),
        "plan": query.exactly("customer__plan"),
        "project": query.exactly("project__slug"),
        "since": query.since("created_at"),
        "until": query.until("created_at"),
    },
    words=query.indexed("ticket"),
    aliases={"assignedTo": "assignee", "assigned": "assignee", "owner": "assignee", "user": "customer"},
    people=["assignee"],
)
