"""Builds what a sentence does not mention. Everything has a sensible default; name only what the test is about.

The cast: Alice owns the workspace, Bob is an engineer, Charlie is signed in but no member and must see nothing,
Dana is a customer.
"""

from __future__ import annotations

import datetime as dt
import itertools
import time
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.test import Client

from daytwo_server.accounts import permissions, services, tokens
from daytwo_server.accounts.models import ApiToken, Membership, User
from daytwo_server.calendars import services as calendars
from daytwo_server.calendars.models import Calendar
from daytwo_server.catalog import services as catalog
from daytwo_server.catalog.models import Component, Deploy, DsnKey, Environment, Project, Release
from daytwo_server.core import clock, search
from daytwo_server.customers.models import Customer, Organization
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import Segment
from daytwo_server.flags.services import saving, segments
from daytwo_server.flags.services.saving import Saved
from daytwo_server.sla import services as sla
from daytwo_server.sla.models import Policy
from daytwo_server.tickets import services as tickets
from daytwo_server.tickets.models import Ticket
from daytwo_server.webhooks import services as webhooks
from daytwo_server.webhooks.models import Endpoint

Role = Membership.Role
_numbers = itertools.count(1)


def moment(text: str = "2026-11-23T09:00:00") -> dt.datetime:
    """An aware time in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def user(name: str = "", *, password: str | None = None, **fields: Any) -> User:
    """A person outside the workspace; nobody can sign in with a password unless one is given."""
    name = name or f"Person {next(_numbers)}"
    email = fields.pop("email", f"{name.lower().replace(' ', '.')}@example.com")
    return User.objects.create_user(email, password, name=name, **fields)


def member(name: str = "", *, role: str = Role.VIEWER, **fields: Any) -> User:
    """Somebody with a role, as a request would load them."""
    person = user(name, **fields)
    Membership.objects.create(user=person, role=role, workspace=services.workspace())
    return User.objects.get(pk=person.pk)


def alice(**fields: Any) -> User:
    return member("Alice", role=Role.OWNER, **fields)


def bob(**fields: Any) -> User:
    return member("Bob", role=Role.ENGINEER, **fields)


def charlie(**fields: Any) -> User:
    return user("Charlie", **fields)


def proven(client: Client, who: User) -> Client:
    """The same browser, in which this person has just shown who they are."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "socialaccount", "at": time.time()}]
    session["account_authentication_methods_user"] = str(who.pk)
    session.save()
    return client


def totp(secret: str, shift_s: int = 0) -> str:
    """What an authenticator app with this secret shows, now or `shift_s` later."""
    from allauth.mfa.totp.internal import auth

    return auth.format_hotp_value(auth.hotp_value(secret, (int(time.time()) + shift_s) // 30))


def token(
    by: AbstractBaseUser | None = None, *, scopes: tuple[str, ...] = (permissions.ALL_SCOPES,), **fields: Any
) -> str:
    """The text of an API token that `by` created, or that setup derived when there is nobody."""
    raw = tokens.text(next(_numbers).to_bytes(4, "big") + b"\x07" * 32)
    ApiToken.objects.create(
        prefix=tokens.prefix(raw),
        digest=tokens.digest(raw),
        label="Script",
        scopes=list(scopes),
        created_by=by,
        **fields,
    )
    return raw


def project(name: str = "", **fields: Any) -> Project:
    """A project without keys; see `key`."""
    number = next(_numbers)
    name = name or f"Project {number}"
    slug = fields.pop("slug", name.lower().replace(" ", "-"))
    return Project.objects.create(name=name, slug=slug, **fields)


def key(of: Project | None = None, **fields: Any) -> DsnKey:
    public_key = fields.pop("public_key", f"{next(_numbers):032x}")
    return DsnKey.objects.create(
        project=of or project(), public_key=public_key, label=fields.pop("label", "Default"), **fields
    )


def environment(of: Project, name: str = "production", **fields: Any) -> Environment:
    return Environment.objects.create(project=of, name=name, **{"first_seen": clock.now()} | fields)


def release(of: Project, version: str = "1.0.0", **fields: Any) -> Release:
    now = clock.now()
    seen = {"first_seen": now, "last_seen": now} | fields
    return Release.objects.create(project=of, version=version, **seen)


def component(name: str = "", **fields: Any) -> Component:
    name = name or f"Component {next(_numbers)}"
    return Component.objects.create(name=name, slug=fields.pop("slug", name.lower().replace(" ", "-")), **fields)


def deploy(
    of: Project | None = None, version: str = "1.0.0", *, environment: str = "production", **fields: Any
) -> Deploy:
    """A deploy that took three minutes; environment and release are added when they are missing."""
    of, started = of or project(), fields.pop("started_at", clock.now() - dt.timedelta(hours=1))
    seen = {"first_seen": started, "last_seen": started, "events": 0}
    finished = {"status": Deploy.Status.SUCCEEDED, "finished_at": started + dt.timedelta(minutes=3)}
    return Deploy.objects.create(
        project=of,
        environment=Environment.objects.get_or_create(project=of, name=environment, defaults={"first_seen": started})[
            0
        ],
        release=Release.objects.get_or_create(project=of, version=version, defaults=seen)[0],
        started_at=started,
        **finished | fields,
    )


def organization(name: str = "Brightside Dental", **fields: Any) -> Organization:
    external_id = fields.pop("external_id", f"org-{next(_numbers)}")
    return Organization.objects.create(name=name, external_id=external_id, **fields)


def customer(key: str = "", **fields: Any) -> Customer:
    now = clock.now()
    seen = {"first_seen": now, "last_seen": now} | fields
    made = Customer.objects.create(key=key or f"id:{next(_numbers)}", **seen)
    search.refresh("customer", [made.pk])
    return made


def dana(**fields: Any) -> Customer:
    """The customer everybody knows."""
    known = {"email": "dana@example.com", "name": "Dana", "verified": True, "email_verified": True, "plan": "business"}
    return customer("id:dana", **known | fields)


def ticket(of: Customer | None = None, subject: str = "Exports are empty", **fields: Any) -> Ticket:
    """A question that a customer has just asked."""
    words = {"content": "The CSV export of March has no rows at all."} | fields
    return tickets.open_ticket(tickets.NewTicket(subject=subject, **words), customer=of or customer())[0]


def calendar(name: str = "Office", **fields: Any) -> Calendar:
    """Monday to Friday, nine to twelve and one to five, in UTC."""
    week = {weekday: [(540, 720), (780, 1020)] for weekday in range(5)}
    words = {"name": name, "time_zone": "UTC", "week": week} | fields
    return calendars.create_calendar(calendars.CalendarWords(**words), actor=None)


def webhook(name: str = "Dashboard", **fields: Any) -> Endpoint:
    """One that is told everything, at an address where nobody listens."""
    words = {"name": name, "url": "https://hooks.example.com/daytwo"} | fields
    return webhooks.create_endpoint(webhooks.EndpointWords(**words), actor=None)


def policy(name: str = "Everybody", **fields: Any) -> Policy:
    """A first reply within an hour, every later one within two, resolved within eight."""
    words = {"first_response_s": 3600, "next_response_s": 7200, "resolution_s": 8 * 3600} | fields
    return sla.create_policy(sla.PolicyWords(name=name, **words), actor=None)


def flag(
    of: Project | None = None, key: str = "new-checkout", *, environment: str = "production", **body: Any
) -> Saved:
    """A flag that says in this environment what `body` does, in the words of the API."""
    return saving.put(of or project(), environment, key, body, by=Actor("Alice"))


def segment(of: Project, name: str = "beta") -> Segment:
    """Whoever is in Sweden."""
    conditions = [{"attribute": "country", "operator": "in", "values": ["SE"]}]
    return segments.put(of, name, conditions, by=Actor("Alice"))


def server_key(of: Project, environment: str = "production") -> str:
    """The text of the server key of a project's environment."""
    return catalog.ensure_derived_server_key(of, environment)
