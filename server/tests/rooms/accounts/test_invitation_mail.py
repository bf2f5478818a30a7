"""The same link by mail, where there is a mail server."""

import re

import make
import pytest
import smtp_sink
from django.test import Client

from daytwo_server.accounts import services
from daytwo_server.accounts.models import Invitation, Membership
from daytwo_server.core import conf, preferences
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import Job

pytestmark = pytest.mark.django_db
Role = Membership.Role


@pytest.fixture
def mail_server(settings):
    """A mail server on this machine, and Daytwo told to use it."""
    before = conf.current()
    with smtp_sink.running() as sink:
        url = f"smtp://127.0.0.1:{sink.port}"
        conf.use(conf.load({"DAYTWO_MAIL_URL": url, "DAYTWO_URL": "http://testserver", "DAYTWO_MAIL_FROM": "a@b.cd"}))
        preferences.reset()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        yield sink
    conf.use(before)
    preferences.reset()


def bodies(sink) -> list[str]:
    run_due_jobs(tick=False)
    return [message.get_payload(decode=True).decode() for message in sink.messages]


def test_an_invitation_is_mailed_and_its_link_lets_in(alice, mail_server):
    _, shown = services.invite(role=Role.VIEWER, actor=alice, email="eve@example.com")
    job = Job.objects.get(kind="accounts.mail_invitation")
    assert shown not in str(job.args)
    assert "eve" not in str(job.args)
    [body] = bodies(mail_server)
    [message] = mail_server.messages
    assert (message["To"], message["From"]) == ("eve@example.com", "a@b.cd")
    assert message["Subject"] == "Alice invites you to Daytwo"
    [path] = re.findall(r"http://testserver(/join/\S+)", body)
    assert path == f"/join/{shown}/"
    form = {"name": "Eve", "password": "correct horse battery"}
    assert Client().post(path, form).status_code == 302


def test_nothing_is_mailed_without_an_address(alice, mail_server):
    services.invite(role=Role.VIEWER, actor=alice)
    assert bodies(mail_server) == []


def test_a_new_link_is_mailed_and_the_old_mail_not_sent_late(alice, mail_server):
    """As when the mail server was away while somebody made a new link."""
    invitation, old = services.invite(role=Role.VIEWER, actor=alice, email="eve@example.com")
    new = services.renew_invitation(invitation, actor=alice)
    sent = "".join(bodies(mail_server))
    assert old not in sent
    assert new in sent


@pytest.mark.parametrize(
    "end",
    [
        lambda invitation, _alice: services.revoke_invitation(invitation, actor=invitation.invited_by),
        lambda invitation, alice: services.remove_member(invitation.invited_by, actor=alice),
        lambda invitation, _alice: Invitation.objects.update(expires_at=invitation.created_at),
    ],
    ids=["revoked", "inviter removed", "expired"],
)
def test_what_no_longer_lets_in_is_not_mailed(alice, mail_server, end):
    admin = make.member("Adam", role=Role.ADMIN)
    invitation, _ = services.invite(role=Role.VIEWER, actor=admin, email="eve@example.com")
    end(invitation, alice)
    assert bodies(mail_server) == []
    assert not Job.objects.exists()


def test_a_name_with_line_breaks_makes_no_header(alice, mail_server):
    alice.name = "Alice\r\nBcc: everybody@example.com"
    alice.save()
    services.invite(role=Role.VIEWER, actor=alice, email="eve@example.com")
    bodies(mail_server)
    [message] = mail_server.messages
    assert message["Bcc"] is None
    assert message["Subject"] == "Alice Bcc: everybody@example.com invites you to Daytwo"
