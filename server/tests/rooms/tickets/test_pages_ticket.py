"""The page of a ticket: reading it, answering, changing it, and what stands beside it."""

from __future__ import annotations

import datetime as dt
import html
import re

import make
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rooms.errors import happen

from daytwo_server.accounts.models import Membership
from daytwo_server.core import clock
from daytwo_server.desk import selectors as desk
from daytwo_server.desk import services as desk_services
from daytwo_server.errors.models import IssueUser
from daytwo_server.mail import services as mail
from daytwo_server.mail.models import Delivery
from daytwo_server.tickets import services
from daytwo_server.tickets.checks import METADATA
from daytwo_server.tickets.files import File
from daytwo_server.tickets.models import Message, Status, Ticket
from daytwo_server.tickets.services import Said

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def dana():
    return make.dana(organization=make.organization())


@pytest.fixture
def nia(db):
    return make.member("Nia", role=Membership.Role.AGENT)


@pytest.fixture
def agent(nia, signed_in):
    return signed_in(nia)


@pytest.fixture
def ticket(dana):
    return make.ticket(dana)


def seen_on(page):
    return re.search(r'name="seen" value="(\d+)"', page.text)[1]


def public(ticket):
    return list(ticket.messages.filter(kind="public").order_by("pk").values_list("content", flat=True))


def test_the_conversation_shows_what_was_said_and_what_happened(agent, nia, dana, ticket):
    services.note(ticket, "She pays a lot.", actor=nia)
    services.reply(ticket, "Which month?", actor=nia, files=[File("how to.pdf", "application/pdf", b"x" * 2048)])
    services.customer_reply(ticket, Said(content="March."), customer=dana)
    page = agent.get(f"/tickets/{ticket.pk}").text
    for text in (
        "The CSV export of March",
        "Internal note",
        "She pays a lot.",
        "Which month?",
        "how to.pdf",
        "2.0",
        "now waiting for customer",
        "March.",
        "now needs reply",
        "first reply in",
    ):
        assert text in page, text
    assert page.index("She pays") < page.index("Which month?") < page.index("now needs reply")


def test_what_customers_write_is_text(agent, dana):
    hostile = make.ticket(
        dana,
        subject="<script>alert(1)</script>",
        content='<img src=x onerror=alert(1)> javascript:alert(1) http://x.example/"onclick=alert(1)',
    )
    page = agent.get(f"/tickets/{hostile.pk}").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert 'href="javascript' not in page
    assert not re.search(r"<a [^>]*onclick", page)


def test_an_answer_is_sent_and_the_ticket_goes_where_the_button_says(agent, nia, ticket):
    page = agent.get(f"/tickets/{ticket.pk}")
    answer = agent.post(f"/tickets/{ticket.pk}/reply", {"reply": "Done.", "seen": seen_on(page), "status": "resolved"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/tickets/{ticket.pk}")
    assert public(ticket)[-1] == "Done."
    assert Ticket.objects.get().status == Status.RESOLVED


def test_the_last_choice_of_a_status_is_the_first_one_offered_next_time(agent, dana, ticket):
    other = make.ticket(dana)
    first = re.search(r"data-send>.*?</svg> ([^<]+)</button>", agent.get(f"/tickets/{other.pk}").text)[1]
    assert first == "Send, wait for customer"
    agent.post(f"/tickets/{ticket.pk}/reply", {"reply": "Done.", "seen": "9" * 9, "status": "resolved"})
    first = re.search(r"data-send>.*?</svg> ([^<]+)</button>", agent.get(f"/tickets/{other.pk}").text)[1]
    assert first == "Send and resolve"


def test_an_answer_is_stopped_when_somebody_answered_since_and_the_text_is_kept(agent, nia, dana, ticket):
    page = agent.get(f"/tickets/{ticket.pk}")
    services.customer_reply(ticket, Said(content="It works now!"), customer=dana)
    form = {"reply": "We are looking into it.", "seen": seen_on(page), "status": "waiting_customer"}
    stopped = agent.post(f"/tickets/{ticket.pk}/reply", form)
    assert stopped.status_code == 409
    assert "Somebody answered since you loaded this ticket" in stopped.text
    assert "It works now!" in stopped.text
    assert "We are looking into it.</textarea>" in stopped.text
    assert public(ticket)[-1] == "It works now!"
    assert desk.draft(nia, f"ticket.{ticket.pk}.reply").text == "We are looking into it."
    again = agent.post(f"/tickets/{ticket.pk}/reply", form | {"seen": seen_on(stopped)})
    assert again.status_code == 302
    assert public(ticket)[-1] == "We are looking into it."
    assert desk.draft(nia, f"ticket.{ticket.pk}.reply").text == ""


def test_another_agents_answer_stops_it_too_but_a_note_does_not(agent, nia, bob, ticket):
    seen = seen_on(agent.get(f"/tickets/{ticket.pk}"))
    services.note(ticket, "I look at it.", actor=bob)
    assert agent.post(f"/tickets/{ticket.pk}/reply", {"reply": "One", "seen": seen}).status_code == 302
    assert agent.post(f"/tickets/{ticket.pk}/reply", {"reply": "Two", "seen": seen}).status_code == 409


def test_a_stopped_answer_comes_back_as_words_beside_the_text_where_scripts_run(agent, ticket, dana):
    services.customer_reply(ticket, Said(content="And April."), customer=dana)
    stopped = agent.post(f"/tickets/{ticket.pk}/reply", {"reply": "March?", "seen": "1"}, headers=PART)
    assert stopped.status_code == 409
    assert "<html" not in stopped.text
    assert "data-stale" in stopped.text
    assert 'data-version="1"' in stopped.text


@pytest.mark.parametrize("text", ["", "   ", "x" * 20_001])
def test_an_answer_that_is_none_comes_back_with_its_fault(agent, ticket, text):
    for headers in ({}, PART):
        answer = agent.post(f"/tickets/{ticket.pk}/reply", {"reply": text, "seen": "9" * 9}, headers=headers)
        assert answer.status_code == 422
        assert "This must have 1 to 20,000 characters" in answer.text
    assert len(public(ticket)) == 1


def test_an_answer_without_what_was_seen_is_stopped(agent, ticket):
    assert agent.post(f"/tickets/{ticket.pk}/reply", {"reply": "Hello"}).status_code == 409


def test_a_note_is_internal_and_changes_no_status(agent, ticket):
    agent.post(f"/tickets/{ticket.pk}/note", {"note": "Odd."})
    last = Message.objects.latest("pk")
    assert (last.kind, last.content) == ("note", "Odd.")
    assert Ticket.objects.get().status == Status.OPEN


def test_a_note_that_was_begun_is_never_in_the_field_of_an_answer(agent, nia, ticket):
    desk_services.keep_draft(nia, f"ticket.{ticket.pk}.note", "They never pay.")
    page = agent.get(f"/tickets/{ticket.pk}").text
    assert 'value="note" checked' in page
    reply = page[page.index('name="reply"') : page.index('name="note"')]
    assert "They never pay." not in reply
    assert "They never pay.</textarea>" in page


def test_files_go_along_and_are_downloads(agent, ticket):
    sent = SimpleUploadedFile("../evil.html", b"<script>1</script>", "text/html")
    agent.post(f"/tickets/{ticket.pk}/reply", {"reply": "See the file.", "seen": "9" * 9, "files": sent})
    page = agent.get(f"/tickets/{ticket.pk}").text
    address = re.search(r'href="(/tickets/\d+/files/[^"]+)"', page)[1]
    answer = agent.get(address)
    assert b"".join(answer.streaming_content) == b"<script>1</script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="evil.html"'


def test_a_file_of_another_ticket_is_not_found(agent, dana, ticket):
    other = make.ticket(dana, files=[File("a.txt", "text/plain", b"a")])
    uid = other.messages.get().attachments.get().uid
    assert agent.get(f"/tickets/{other.pk}/files/{uid}").status_code == 200
    assert agent.get(f"/tickets/{ticket.pk}/files/{uid}").status_code == 404


def test_more_files_than_are_taken_are_refused_with_the_text_kept(agent, nia, ticket):
    many = [SimpleUploadedFile(f"{n}.txt", b"x") for n in range(21)]
    answer = agent.post(f"/tickets/{ticket.pk}/reply", {"reply": "See.", "seen": "9" * 9, "files": many})
    assert answer.status_code == 422
    assert "At most 20 files at once" in answer.text
    assert desk.draft(nia, f"ticket.{ticket.pk}.reply").text == "See."


def test_each_answer_says_how_its_mail_fares(agent, nia, ticket):
    said = services.reply(ticket, "Hello", actor=nia)
    Delivery.objects.all().delete()
    mail.queue(to="dana@example.com", subject="Hi", text="Hello", about=f"ticket_message:{said.pk}")
    for state, problem, words in (
        ("queued", "", "Mail to dana@example.com is on its way"),
        ("sent", "", "Mailed to dana@example.com"),
        ("sent", "No answer", "Mailed to dana@example.com, not confirmed"),
        ("bounced", "550 no such user", "Came back from dana@example.com: 550 no such user"),
        ("failed", "554 refused", "Not mailed to dana@example.com: 554 refused"),
    ):
        Delivery.objects.update(state=state, problem=problem)
        assert words in agent.get(f"/tickets/{ticket.pk}").text


def test_a_mail_shows_what_was_written_and_all_of_it_when_asked(agent, dana):
    quoted = "Yes, please.\n\n> Shall we?\n> Kind regards"
    ticket = make.ticket(dana, content="Yes, please.", body_text=quoted)
    page = agent.get(f"/tickets/{ticket.pk}").text
    assert "Yes, please." in page
    assert "Shall we?" not in page
    whole = re.search(r'hx-get="(/tickets/\d+/messages/\d+)"', page)[1]
    assert "&gt; Shall we?" in agent.get(whole, headers=PART).text
    assert "&gt; Shall we?" in agent.get(whole).text


def test_a_message_of_another_ticket_is_not_found(agent, dana, ticket):
    other = make.ticket(dana)
    assert agent.get(f"/tickets/{ticket.pk}/messages/{other.messages.get().pk}").status_code == 404


def test_properties_change_with_an_undo_and_without_a_script_too(agent, nia, ticket):
    for do, words in (
        ("priority=urgent", "priority urgent"),
        ("category=billing", "category billing"),
        ("assignee=me", "assigned to you"),
        ("team=?", "given to the team Money"),
        ("tag=?", "tagged vip"),
    ):
        form = {"do": do, "team": "Money", "tag": "vip"}
        page = agent.post(f"/tickets/{ticket.pk}?view=all", form, follow=True)
        assert f"{ticket.code} {words}" in page.text
        assert "/tickets/undo" in page.text
        assert page.redirect_chain == [(f"/tickets/{ticket.pk}?view=all", 302)]
    now = Ticket.objects.get()
    assert (now.priority, now.category, now.assignee, now.team, now.tags.get().name) == (
        "urgent",
        "billing",
        nia,
        "Money",
        "vip",
    )


def test_a_change_that_cannot_be_comes_back_as_a_part_with_422(agent, ticket):
    answer = agent.post(f"/tickets/{ticket.pk}", {"do": "status=closed"}, headers=PART)
    assert answer.status_code == 422
    assert "Only a resolved ticket can be closed" in answer.headers["HX-Trigger"]
    assert 'id="conversation"' in answer.text


def test_a_closed_ticket_takes_no_answer_and_offers_one_that_follows(agent, nia, ticket):
    services.set_status(ticket, Status.RESOLVED, actor=nia)
    services.set_status(ticket, Status.CLOSED, actor=nia)
    page = agent.get(f"/tickets/{ticket.pk}").text
    assert "a closed ticket does not change" in page
    assert 'name="reply"' not in page
    assert f"/tickets/new?customer=dana%40example.com&amp;follow={ticket.pk}" in page
    refused = agent.post(f"/tickets/{ticket.pk}/reply", {"reply": "Still there?", "seen": "9" * 9})
    assert refused.status_code == 409


def test_merging_leads_to_the_other_ticket_which_shows_both(agent, dana, ticket):
    other = make.ticket(dana, subject="Exports again", content="The same with April, it is empty as well.")
    answer = agent.post(f"/tickets/{other.pk}/merge", {"into": ticket.code}, follow=True)
    assert answer.redirect_chain == [(f"/tickets/{ticket.pk}", 302)]
    assert "The same with April" in answer.text
    assert f"{other.code} merged" in answer.text
    assert "Merged into" in agent.get(f"/tickets/{other.pk}").text


@pytest.mark.parametrize(
    ("into", "words"),
    [("T-999", "There is no such ticket"), ("", "There is no such ticket"), ("self", "cannot be merged into itself")],
)
def test_a_merge_that_cannot_be_says_why(agent, ticket, into, words):
    answer = agent.post(f"/tickets/{ticket.pk}/merge", {"into": ticket.code if into == "self" else into}, follow=True)
    assert words in answer.text
    assert Ticket.objects.get().status == Status.OPEN


def test_a_follow_up_and_what_it_follows_lead_to_each_other(agent, nia, dana, ticket):
    services.set_status(ticket, Status.RESOLVED, actor=nia)
    services.set_status(ticket, Status.CLOSED, actor=nia)
    after, _ = services.customer_reply(ticket, Said(content="It is back."), customer=dana)
    assert "Goes on in" in agent.get(f"/tickets/{ticket.pk}").text
    assert f'href="/tickets/{ticket.pk}">{ticket.code}' in agent.get(f"/tickets/{after.pk}").text


def test_the_rail_shows_what_the_customer_ran_into_in_the_day_before(agent, dana, ticket):
    shop = make.project("Shop")
    recent, old = happen.issue(shop, "KeyError", "'vat_id'"), happen.issue(shop, "OldError")
    IssueUser.objects.all().delete()
    now = clock.now()
    for issue, hours in ((recent, 2), (old, 30)):
        IssueUser.objects.create(
            issue=issue,
            user_key=str(issue.pk),
            customer_id=dana.pk,
            count=38,
            last_seen=now - dt.timedelta(hours=hours),
        )
    page = agent.get(f"/tickets/{ticket.pk}").text
    assert "What they ran into" in page
    assert "KeyError" in page
    assert "38\N{MULTIPLICATION SIGN}, 2 h ago" in re.sub("<[^>]+>", "", page)
    assert "OldError" not in page


def test_the_rail_shows_where_the_customer_was(agent, dana):
    there = {name: f"their-{name}" for name in METADATA}
    page = agent.get(f"/tickets/{make.ticket(dana, metadata=there).pk}").text
    assert [words for words in there.values() if words not in page] == []
    assert "<dt>Flags</dt>" in page


def test_the_rail_shows_who_asks_and_what_else_they_asked(agent, nia, dana, ticket):
    earlier = make.ticket(dana, subject="Where is my invoice?")
    services.set_status(earlier, Status.RESOLVED, actor=nia)
    stranger = make.ticket(make.customer(), subject="Of somebody else")
    page = agent.get(f"/tickets/{ticket.pk}?view=mine").text
    for text in ("dana@example.com", "Brightside Dental", "business", "Where is my invoice?", "1 open"):
        assert text in page, text
    assert stranger.subject not in page


def test_the_page_keeps_the_list_it_came_from(agent, dana, ticket):
    other = make.ticket(dana, subject="Second of the list")
    page = agent.get(f"/tickets/{ticket.pk}?view=all&query=list").text
    beside = html.unescape(re.search(r'hx-get="(/tickets/\d+/queue[^"]*)"', page)[1])
    assert beside == f"/tickets/{ticket.pk}/queue?view=all&query=list"
    queue = agent.get(beside).text
    assert f'href="/tickets/{other.pk}?view=all&amp;query=list"' in queue
    assert ticket.subject not in queue


def talk(ticket, nia, dana, turns):
    for number in range(turns):
        services.reply(ticket, f"Answer {number}. " + "We are looking into it, and will tell you. " * 6, actor=nia)
        services.customer_reply(
            ticket, Said(content=f"Word {number}. " + "Thank you, but it is still not there. " * 6), customer=dana
        )


def test_long_conversations_are_folded_and_unfold_a_window_at_a_time(agent, nia, dana, ticket):
    talk(ticket, nia, dana, 15)
    page = agent.get(f"/tickets/{ticket.pk}").text
    total, shown = ticket.messages.count(), len(re.findall(r'id="m-\d+"', page))
    assert "Answer 14." in page
    assert "Answer 0." not in page
    assert f"{total - 20} earlier messages" in page
    earlier = re.search(r'hx-get="(/tickets/\d+\?before=[^"]+)"', page)[1].replace("&amp;", "&")
    part = agent.get(earlier, headers=PART).text
    assert "<html" not in part
    assert "Answer 14." not in part
    whole = agent.get(earlier).text
    assert "To the latest messages" in whole
    read = set(re.findall(r'id="m-(\d+)"', page))
    while before := re.search(r'hx-get="(/tickets/\d+\?before=[^"]+)"', part):
        read |= set(re.findall(r'id="m-(\d+)"', part))
        part = agent.get(before[1].replace("&amp;", "&"), headers=PART).text
    read |= set(re.findall(r'id="m-(\d+)"', part))
    spoken = {str(pk) for pk in ticket.messages.exclude(kind="system").values_list("pk", flat=True)}
    assert spoken <= read
    assert shown <= 20


def test_a_conversation_of_two_hundred_messages_beside_fifty_tickets_is_a_light_page(agent, nia, dana, ticket):
    for number in range(50):
        make.ticket(
            make.customer(name=f"Dr. Annabel Featherstonehaugh-{number}", organization=dana.organization),
            subject="Payments from Germany fail with an error after the order was placed",
        )
    talk(ticket, nia, dana, 50)
    assert ticket.messages.count() >= 200
    assert len(agent.get(f"/tickets/{ticket.pk}").content) < 60_000
    assert len(agent.get("/tickets").content) < 60_000


def test_the_page_costs_the_same_however_much_was_said(agent, nia, dana, ticket, django_assert_max_num_queries):
    services.note(ticket, "One", actor=nia)
    services.reply(ticket, "Two", actor=nia, files=[File("a.txt", "text/plain", b"a")])
    talk(ticket, nia, dana, 10)
    make.ticket(dana)
    agent.get(f"/tickets/{ticket.pk}")
    with django_assert_max_num_queries(24) as few:
        agent.get(f"/tickets/{ticket.pk}")
    talk(ticket, nia, dana, 15)
    for number in range(20):
        services.note(make.ticket(dana, subject=f"Another one {number}"), "Note", actor=nia)
    with django_assert_max_num_queries(len(few)):
        agent.get(f"/tickets/{ticket.pk}")


def test_what_was_said_since_is_fetched_alone(agent, nia, dana, ticket):
    after = re.search(r'hx-get="(/tickets/\d+/since\?after=\d+)"', agent.get(f"/tickets/{ticket.pk}").text)[1]
    assert agent.get(f"/tickets/{ticket.pk}/since?after=x").status_code == 204
    assert re.findall("<article", agent.get(after).text) == []
    services.customer_reply(ticket, Said(content="And April."), customer=dana)
    part = agent.get(after)
    assert "And April." in part.text
    assert "The CSV export of March" not in part.text
    newer = re.search(r'hx-get="(/tickets/\d+/since\?after=\d+)"', part.text)[1]
    again = agent.get(newer).text
    assert re.findall("<article", again) == []
    assert f'hx-get="{newer}"' in again


@pytest.mark.parametrize("path", ["", "/since?after=0", "/messages/1"])
def test_a_ticket_that_is_not_there_is_not_found(agent, path):
    assert agent.get(f"/tickets/999{path}").status_code == 404


def test_a_viewer_reads_everything_and_is_offered_nothing(signed_in, ticket):
    page = signed_in(make.member("Vic")).get(f"/tickets/{ticket.pk}").text
    assert "The CSV export of March" in page
    assert 'name="reply"' not in page
    assert 'name="do"' not in page


def test_a_short_link_and_the_palette_lead_to_a_ticket(agent, ticket):
    assert agent.get(f"/x/{ticket.code}").headers["Location"] == f"/tickets/{ticket.pk}"
    assert f'href="/tickets/{ticket.pk}"' in agent.get(f"/palette?q=t-{ticket.pk}").text
    assert 'href="/tickets/new"' in agent.get("/palette?q=new+ticket").text
