"""Which issues a filter means."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Exists, OuterRef, Q, QuerySet

from daytwo_server.accounts.models import Membership, User
from daytwo_server.catalog.models import Project
from daytwo_server.core import search
from daytwo_server.core.query import BadFilter, Query, Term, narrow
from daytwo_server.customers.models import Customer
from daytwo_server.customers.selectors import user_key
from daytwo_server.errors.models import Facet, Issue, IssueUser
from daytwo_server.errors.query import LEVELS, STATES, STATUSES

ALL = "all"
# A tag value that fewer issues have is looked up first; a common one is checked issue by issue, in the list's order.
# Either way a page of the list reads a bounded part of the tables.
RARE = 2000
MAX_FOUND = 1000  # issues that a free text leads to, the latest first

Condition = Callable[[Term, User | None], Q]


def matching(query: Query, *, status: str = ALL, viewer: User | None = None) -> QuerySet[Issue]:
    """The issues that meet every term. `viewer` is who "me" is. Raises `BadFilter` for a value that does not exist."""
    if status != ALL and status not in STATUSES:
        raise BadFilter("status", f"There is no status {status!r}; use {', '.join(STATUSES)} or {ALL}.")
    found = Issue.objects.all() if status == ALL else Issue.objects.filter(status=status)
    found = narrow(found, query.terms, lambda term: _CONDITIONS.get(term.key, _has_tag)(term, viewer))
    if query.text:
        found = found.filter(pk__among=search.ids("issue", query.text, MAX_FOUND))
    return found


def _is(term: Term, _viewer: User | None) -> Q:
    states = {
        "regressed": Q(regressed_at__isnull=False, status=Issue.Status.UNRESOLVED),
        "unhandled": Q(handled=False),
        "handled": Q(handled=True),
        "assigned": Q(assignee__isnull=False),
        "unassigned": Q(assignee__isnull=True),
    }
    if term.value not in STATES:
        raise BadFilter("is", f"There is no is:{term.value}; use is: with {', '.join(STATES)}.")
    return states.get(term.value) or Q(status=term.value)


def _level(term: Term, _viewer: User | None) -> Q:
    if term.value not in LEVELS:
        raise BadFilter("level", f"There is no level {term.value!r}; use {', '.join(LEVELS)}.")
    return Q(level=term.value)


def _project(term: Term, _viewer: User | None) -> Q:
    project = Project.objects.filter(slug=term.value).first()
    if project is None:
        raise BadFilter("project", f"There is no project {term.value!r}.")
    return Q(project=project)


def _assigned(term: Term, viewer: User | None) -> Q:
    if term.value == "none":
        return Q(assignee__isnull=True)
    if term.value == "me" and viewer:
        return Q(assignee=viewer)
    member = Membership.objects.filter(user__email=term.value.lower()).first()
    if member is None:
        raise BadFilter("assigned", f"{term.value!r} is no member; use me, none or a member's e-mail address.")
    return Q(assignee=member.user_id)


def _has_tag(term: Term, _viewer: User | None) -> Q:
    with_tag = Facet.objects.filter(key=term.key[:64], value=term.value[:200])
    rare = list(with_tag.values_list("issue_id", flat=True)[: RARE + 1])
    return Q(pk__in=rare) if len(rare) <= RARE else Q(Exists(with_tag.filter(issue=OuterRef("pk"))))


def _user(field: str) -> Condition:
    """Users are told apart by the first of id, e-mail, user name and address; customers are known by e-mail as well."""

    def condition(term: Term, _viewer: User | None) -> Q:
        users = Q(user_key=user_key({field: term.value}))
        if field == "email":
            customers = Customer.objects.filter(email=term.value.lower()).values_list("pk", flat=True)[:RARE]
            users |= Q(customer_id__in=list(customers))
        return Q(pk__in=list(IssueUser.objects.filter(users).values_list("issue_id", flat=True)[:RARE]))

    return condition


_CONDITIONS: dict[str, Condition] = {
    "is": _is,
    "level": _level,
    "project": _project,
    "assigned": _assigned,
    "user.email": _user("email"),
    "user.id": _user("id"),
    "user.username": _user("username"),
    "user.ip": _user("ip_address"),
}
