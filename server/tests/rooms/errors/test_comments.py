"""Comments on an error: plain text among its activity, with a draft until it is sent, taken back by its writer alone."""

import re

import make
import pytest
from rooms.errors import happen

from daytwo_server.accounts.models import Membership
from daytwo_server.core import audit
from daytwo_server.desk import selectors as desk
from daytwo_server.desk import services as drafts
from daytwo_server.errors import services
from daytwo_server.errors.jobs import prune_comments
from daytwo_server.errors.models import Activity

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def issue(db):
    return happen.issue(make.project("Shop"), "KeyError", "'vat_id'")


def page(client, issue):
    return client.get(f"/errors/{issue.pk}/activity").text


def write(client, issue, text):
    return client.post(f"/errors/{issue.pk}/comments", {"text": text})


def test_a_comment_is_text_among_the_activity(bob, signed_in, issue):
    client = signed_in(bob)
    assert (
        write(client, issue, "Only for <b>EU</b> customers.\r\nSee the logs.")["Location"]
        == f"/errors/{issue.pk}/activity"
    )
    shown = page(signed_in(make.member("Vera")), issue)
    assert "<strong>Bob</strong> commented" in shown
    assert "Only for &lt;b&gt;EU&lt;/b&gt; customers.\nSee the logs." in shown


def test_the_draft_is_gone_when_the_comment_is_sent(bob, signed_in, issue):
    client, key = signed_in(bob), services.draft_key(issue.pk)
    client.post("/drafts/", {"key": key, "text": "Half a tho", "version": "0"})
    shown = page(client, issue)
    assert "Half a tho</textarea>" in shown
    assert 'data-version="1"' in shown
    assert "Draft saved" in shown
    assert "Half a tho" not in page(signed_in(make.alice()), issue)
    write(client, issue, "Half a thought")
    assert desk.draft(bob, key).text == ""
    assert "Half a tho</textarea>" not in page(client, issue)


@pytest.mark.parametrize(("text", "said"), [(" \n", "Write something first."), ("x" * 10_001, "10,001 characters")])
def test_what_is_refused_stands_in_the_form_again(bob, signed_in, issue, text, said):
    client = signed_in(bob)
    write(client, issue, text)
    shown = page(client, issue)
    assert said in shown
    assert f"{text.strip()}</textarea>" in shown
    assert not Activity.objects.filter(kind="commented").exists()


def test_a_comment_of_ones_own_is_deleted_and_brought_back(bob, signed_in, issue, time_machine):
    time_machine.move_to("2026-11-23T09:00:00Z")
    client = signed_in(bob)
    write(client, issue, "Never mind")
    delete = re.search(r'action="(/errors/\d+/comments/\d+/delete)"', page(client, issue))[1]
    client.post(delete)
    shown = page(client, issue)
    assert "Never mind" not in shown
    assert "Comment deleted" in shown
    client.post(re.search(r'action="(/errors/\d+/comments/\d+/restore)"', shown)[1])
    assert "Never mind" in page(client, issue)
    client.post(delete)
    time_machine.move_to("2026-11-23T09:11:00Z")
    client.post(delete.replace("delete", "restore"))
    assert "too long ago" in page(client, issue)
    prune_comments()
    assert Activity.objects.filter(kind="commented").exists()
    time_machine.move_to("2026-11-24T09:01:00Z")
    prune_comments()
    assert not Activity.objects.filter(kind="commented").exists()


def test_nobody_else_takes_it_back(bob, signed_in, issue):
    write(signed_in(bob), issue, "Stays")
    comment = Activity.objects.get(kind="commented")
    owner = signed_in(make.alice())
    assert "/delete" not in page(owner, issue)
    owner.post(f"/errors/{issue.pk}/comments/{comment.pk}/delete")
    shown = page(owner, issue)
    assert "Only who wrote a comment" in shown
    assert "Stays" in shown


def test_other_lines_of_the_activity_are_no_comments(bob, signed_in, issue):
    (resolved,) = services.resolve([issue.pk], actor=bob)
    signed_in(bob).post(f"/errors/{issue.pk}/comments/{resolved.pk}/delete")
    assert Activity.objects.get(pk=resolved.pk).deleted_at is None
    write(signed_in(bob), issue, "A comment")
    assert services.undo([Activity.objects.get(kind="commented").pk], actor=bob) == 0


def test_viewers_read_and_do_not_write(signed_in, issue):
    viewer = signed_in(make.member("Vera"))
    assert "<textarea" not in page(viewer, issue)
    refused = write(viewer, issue, "Hello")
    assert refused.status_code == 403
    assert "This is for the role" in refused.text
    assert write(signed_in(make.member("Aggie", role=Membership.Role.AGENT)), issue, "Hello").status_code == 302


def test_the_audit_log_knows_that_and_not_what(bob, issue):
    written = services.comment(issue.pk, "Dana called about it", actor=bob)
    services.delete_comment(written, actor=bob)
    entries = audit.entries(action="errors:").rows
    assert [entry.action for entry in entries] == ["errors:comment:deleted", "errors:issue:commented"]
    assert "Dana" not in "".join(entry.before + entry.after for entry in entries)


def test_an_error_that_is_not_there_takes_no_comment(bob, signed_in, issue):
    assert signed_in(bob).post("/errors/999999/comments", {"text": "x"}).status_code == 404


def test_a_comment_and_its_draft_are_sent_or_kept_together(bob, issue, monkeypatch):
    drafts.save_draft(bob, services.draft_key(issue.pk), "words", version=0)
    monkeypatch.setattr("daytwo_server.core.live.bump", lambda *_topics: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        services.comment(issue.pk, "words", actor=bob)
    assert desk.draft(bob, services.draft_key(issue.pk)).text == "words"
    assert not Activity.objects.filter(kind="commented").exists()
