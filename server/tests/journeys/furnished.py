"""A workspace with one of everything, for what looks at every page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import make
from django.test import Client
from django.urls import reverse
from journeys.routes import LINK, PAGES, ROUTES, Role
from rooms.errors import happen
from rooms.tickets import mailing

from daytwo_server.accounts import services
from daytwo_server.accounts.models import ApiToken
from daytwo_server.catalog.models import ClientKey, Project, ServerKey
from daytwo_server.core import clock
from daytwo_server.core.models import Job
from daytwo_server.core.ref import Ref
from daytwo_server.desk import services as desk
from daytwo_server.errors.services import comment
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import Change
from daytwo_server.flags.services import overrides, ramps
from daytwo_server.flags.services.saving import Saved
from daytwo_server.links import services as links
from daytwo_server.mail import intake
from daytwo_server.mail import services as mail
from daytwo_server.mail.letter import Envelope
from daytwo_server.tickets import services as tickets
from daytwo_server.tickets.files import File
from daytwo_server.tickets.models import Attachment, Participant


def furnish() -> dict[str, Any]:
    """One of everything, by the names that `args` use."""
    owner = make.alice()
    shop = make.project("Shop")
    key = make.key(shop)
    issue = happen.issue(shop, user={"id": "someone"})
    deploy = make.deploy(shop)
    make.token(owner)
    files = [File("a.txt", "text/plain", b"a")]
    ticket = make.ticket(make.dana(), files=files, body_html="<p>Hi</p>")
    held = mailing.held(ticket)
    flag = make.flag(shop, rules=[{"conditions": [{"attribute": "plan", "operator": "is_set"}]}] * 2)
    other = _ramped(shop)
    return {
        "flag_key": other.flag.key,
        "change_of_flag": other.change.pk,
        "segment_name": "beta",
        "flag": flag.flag.pk,
        "override_change": Change.objects.get(action="override_set").pk,
        "rule": 1,
        "segment": make.segment(shop).pk,
        "slug": shop.slug,
        "dsn_key": key.pk,
        "client_key": ClientKey.objects.create(environment=make.environment(shop, "phones"), public_key="dtc_1").pk,
        "server_key": ServerKey.objects.get(prefix=make.server_key(shop)[4:12]).pk,
        "release": deploy.release_id,
        "deploy": deploy.pk,
        "component": make.component("Checkout API").slug,
        "issue": issue.pk,
        "event": happen.event_of(issue).event_id,
        "fold": "e0.1",
        "customer": ticket.customer_id,
        "erased": make.customer("erased:1", erased_at=make.moment()).pk,
        "ticket": ticket.pk,
        "calendar": make.calendar().pk,
        "webhook": (hook := make.webhook()).pk,
        "spare_webhook": make.webhook("Another").pk,
        "webhook_call": hook.calls.create(
            uid="msg_1",
            event="ticket.opened",
            state="failed",
            due_at=clock.now(),
            created_at=clock.now(),
            ended_at=clock.now(),
            problem="It answered 500.",
            attempts=8,
        ).pk,
        "policy": make.policy().pk,
        "spare_ticket": make.ticket(ticket.customer).pk,
        "ticket_message": ticket.messages.get().pk,
        "ticket_mail": ticket.messages.get().pk,
        "ticket_delivery": mail.queue(
            to="d@example.com", subject="s", text="t", about=f"ticket_message:{ticket.messages.get().pk}"
        ).pk,
        "todo": tickets.add_todos(ticket, ["Ask for the number", "Tell Billing"], actor=owner)[0].pk,
        "held": held.pk,
        "participant": Participant.objects.create(ticket=ticket, address="a@b.test", added_at=clock.now()).pk,
        "ticket_file": str(Attachment.objects.get().uid),
        "token": ApiToken.objects.get(created_by=owner).pk,
        "job": Job.objects.create(kind="core.prune", state=Job.State.DEAD, max_attempts=1).pk,
        "mail": intake.store([(b"Subject: Hi\r\n\r\nHello", Envelope(route="smtp"))])[0],
        "export": "csv",
        "code": f"ERR-{issue.pk}",
        "shared_view": desk.save_view(owner, "errors", "Fatal", "level=fatal", shared=True).pk,
        "saved_reply": tickets.save_reply(
            tickets.ReplyWords(name="Refund", text="Hello {{customer.name|there}}.", shared=True), actor=owner
        ).pk,
        "tie": links.link(Ref("issue", issue.pk), Ref("deploy", deploy.pk), actor=owner).pk,
        "comment": comment(issue.pk, "Seen", actor=owner).pk,
        "link": LINK,
        "person": make.member("Paula").pk,
        "team": services.save_team(services.TeamWords(name="Billing"), actor=owner).pk,
        "invitation": services.invite(role=Role.VIEWER, actor=owner)[0].pk,
        "session": 1,
        "provider": "github",
        "passkey": 1,
        "identity": 1,
        "uid": "1",
        "key": "a-b",
    }


def _ramped(shop: Project) -> Saved:
    """A flag with an override and a ramp that was stopped."""
    saved, by = make.flag(shop, "exports", rules=[{"name": "All"}]), Actor("Alice")
    overrides.put(saved.state, user_id="excepted", enabled=True, by=by)
    ramps.stop(ramps.start(saved.state, [{"percent": 5, "holdSeconds": 60}, {"percent": 9}], by=by), by=by)
    return saved


def address(name: str, workspace: dict[str, Any]) -> str:
    expected = ROUTES[name]
    return reverse(name, args=[workspace[arg] for arg in expected.args]) + getattr(expected, "query", "")


def browser(user: Any = None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


def whole_pages(
    client: Client, workspace: dict[str, Any], *, names: Iterable[str] = PAGES
) -> Iterator[tuple[str, str, Any]]:
    """Name, address and answer of what is a page by itself: no file to download, no part of a page."""
    for name in names:
        if PAGES[name].read is None:
            continue
        path = address(name, workspace)
        answer = client.get(path)
        if not answer.streaming and answer.get("Content-Type", "").startswith("text/html") and "<html" in answer.text:
            yield name, path, answer
