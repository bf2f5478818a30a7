"""Asking, reading, answering and rating at /help."""

import datetime as dt
import re

import make
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rooms.portal.visiting import REQUEST, Visitor, old_enough

from daytwo_server.accounts.models import Membership
from daytwo_server.core import clock
from daytwo_server.portal import spam
from daytwo_server.tickets import capability, machine, services
from daytwo_server.tickets.files import File
from daytwo_server.tickets.models import Attachment, Message, Status, Ticket

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

DANA = "dana@example.com"


@pytest.fixture
def nia(db):
    return make.member("Nia", role=Membership.Role.AGENT)


@pytest.fixture
def ticket(db):
    return make.ticket(make.dana(), files=[File("march.csv", "text/csv", b"a,b")])


@pytest.fixture
def dana(ticket):
    return Visitor(address=DANA)


def page_of(ticket):
    return f"/help/tickets/{ticket.uid}"


def held_by(ticket):
    """The page to which the link in the mail leads."""
    return f"/help/tickets/{capability.token(ticket)}"


# -- asking


def test_a_request_arrives_with_its_files(db):
    dana = Visitor(address=DANA)
    page = dana.ask(files=[SimpleUploadedFile("a.png", b"png"), SimpleUploadedFile("b.txt", b"text")])
    assert "Your request has arrived" in page.text
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.category, ticket.channel) == ("Exports are empty", "bug_report", "web")
    assert [file.name for file in Attachment.objects.order_by("pk")] == ["a.png", "b.txt"]
    assert ticket.customer.key == f"email:{DANA}"


def test_what_is_wrong_comes_back_as_it_was_typed_with_the_names_of_its_files(dana):
    page = dana.ask(subject="Hm", description="Too <b>short", files=[SimpleUploadedFile("a.png", b"png")])
    assert page.status_code == 422
    assert 'value="Hm"' in page.text
    assert "Too &lt;b&gt;short</textarea>" in page.text
    assert "choose your files again: a.png" in page.text
    assert page.text.count("This must have") == 2
    assert re.search(r'<option value="bug_report" selected>', page.text)
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize("odd", [{"website": "http://spam.example"}, {"begun": ""}, {"begun": "made up"}])
def test_a_program_is_asked_to_press_again_and_a_person_loses_nothing(dana, odd):
    page = dana.ask(**odd)
    assert page.status_code == 422
    assert "faster than people write" in page.text
    assert REQUEST["description"] in page.text
    assert Ticket.objects.count() == 1


def test_a_form_that_comes_back_at_once_was_not_written_by_a_person(dana):
    assert dana.ask(begun=spam.begun()).status_code == 422
    assert dana.ask(begun=old_enough()).status_code == 200


def test_six_in_a_minute_are_what_one_person_writes(dana):
    answers = [dana.ask(subject=f"Question {number}") for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]  # with the one of the fixture
    assert int(answers[-1]["Retry-After"]) > 0
    assert REQUEST["description"] in answers[-1].text


def test_what_looks_like_spam_arrives_with_a_tag(dana):
    dana.ask(subject="Cheap SEO for you", description="Backlinks! http://a.example http://b.example http://c.example")
    assert [tag.name for tag in Ticket.objects.latest("pk").tags.all()] == ["possible-spam"]
    dana.ask(description="It fails at https://app.example/a and at https://app.example/b, both since today.")
    assert not Ticket.objects.latest("pk").tags.exists()


# -- reading


def test_a_request_shows_what_was_said_in_public_and_nothing_else(dana, ticket, nia):
    services.reply(ticket, "Which month? See https://docs.example/x", actor=nia)
    services.note(ticket, "They pay a lot.", actor=nia)
    page = dana.get(page_of(ticket))
    assert "Which month?" in page.text
    assert 'href="https://docs.example/x" rel="nofollow"' in page.text
    assert "Waiting for you" in page.text
    for ours in ("They pay a lot", "Nia", "status changed", "Assigned"):
        assert ours not in page.text


def test_what_somebody_writes_is_shown_as_they_wrote_it(dana, ticket):
    evil = '<script>alert(1)</script>"><img src=x>'
    dana.post(page_of(ticket) + "/reply", {"content": evil})
    page = dana.get(page_of(ticket)).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_page_holds_twenty_and_leads_on(dana, ticket):
    for number in range(25):
        make.ticket(ticket.customer, f"Question {number:02}")
    first = dana.get()
    assert first.text.count("<li>") == 20
    older = re.search(r'href="(\?cursor=[^"]+)">Older', first.text)[1]
    assert dana.get(f"/help{older}").text.count("<li>") == 6
    assert dana.client.get("/help?cursor=odd").status_code == 302


def test_the_number_of_questions_to_the_store_does_not_grow(dana, ticket, nia, django_assert_max_num_queries):
    for number in range(10):
        services.reply(ticket, f"Word {number}", actor=nia, files=[File("a.txt", "text/plain", b"a")])
        make.ticket(ticket.customer)
    for path in ("/help", page_of(ticket), held_by(ticket)):
        with django_assert_max_num_queries(8):
            dana.get(path)


def test_another_ones_request_is_not_there_in_any_way(ticket):
    eve, uid = Visitor(address="eve@example.com"), Attachment.objects.get().uid
    for way in (page_of(ticket), f"/help/tickets/{ticket.pk}", f"/help/tickets/{ticket.code}"):
        assert eve.get(way).status_code == 404
        assert eve.post(f"{way}/reply", {"content": "Hello"}).status_code == 404
        assert eve.post(f"{way}/rating", {"rating": "1"}).status_code == 404
        assert eve.get(f"{way}/files/{uid}").status_code == 404
    nobody = Client()
    assert nobody.get(page_of(ticket)).status_code == 404
    assert nobody.get(page_of(ticket)).content == nobody.get(page_of(ticket)[:-1] + "0").content


# -- files


def test_files_are_saved_and_never_shown(dana, ticket, nia):
    services.note(ticket, "Look.", actor=nia, files=[File("ours.txt", "text/plain", b"ours")])
    theirs, ours = Attachment.objects.order_by("pk")
    for way in (page_of(ticket), held_by(ticket)):
        answer = dana.get(f"{way}/files/{theirs.uid}")
        assert b"".join(answer.streaming_content) == b"a,b"
        assert answer["Content-Disposition"].startswith("attachment")
        assert "sandbox" in answer["Content-Security-Policy"]
        assert "no-store" in answer["Cache-Control"]
        assert dana.get(f"{way}/files/{ours.uid}").status_code == 404


# -- answering


def test_an_answer_opens_again_what_was_solved(dana, ticket, nia):
    services.set_status(ticket, Status.RESOLVED, actor=nia)
    assert "Your answer opens it again" in dana.get(page_of(ticket)).text
    page = dana.post(
        page_of(ticket) + "/reply", {"content": "No, still empty.", "files": SimpleUploadedFile("c.png", b"x")}
    )
    assert "Your answer has arrived" in page.text
    assert Ticket.objects.get().status == "pending"
    said = Message.objects.filter(ticket=ticket, author_type="customer").latest("pk")
    assert (said.content, said.attachments.get().name) == ("No, still empty.", "c.png")


@pytest.mark.parametrize("way", [page_of, held_by])
def test_an_answer_to_a_closed_one_begins_another_and_leads_there(dana, ticket, nia, way):
    for status in (Status.RESOLVED, Status.CLOSED):
        services.set_status(ticket, status, actor=nia)
    assert "opens a new one that follows it" in dana.get(way(ticket)).text
    page = dana.post(way(ticket) + "/reply", {"content": "It is back."})
    follow_up = Ticket.objects.get(follow_up_of=ticket)
    assert page.redirect_chain[-1][0].startswith(way(follow_up))
    assert "It is back." in page.text


def test_an_empty_answer_and_one_too_many_are_refused_where_they_were_written(dana, ticket):
    assert dana.post(page_of(ticket) + "/reply", {"content": " "}).status_code == 422
    answers = [dana.post(page_of(ticket) + "/reply", {"content": f"Hello {n}"}) for n in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert "Hello 5</textarea>" in answers[-1].text


def test_a_merged_request_leads_to_where_it_goes_on(dana, ticket, nia):
    other = make.ticket(ticket.customer, "The same again")
    token = held_by(other)
    services.merge(other, ticket, actor=nia)
    assert f'href="{page_of(ticket)}"' in dana.get(page_of(other)).text
    assert "Exports are empty" in Client().get(token).text


# -- the link in the mail


def test_the_link_in_a_mail_opens_one_request_and_signs_nobody_in(ticket):
    another = make.ticket(ticket.customer, "Another question")
    holder = Visitor()
    page = holder.get(held_by(ticket))
    assert "Exports are empty" in page.text
    assert page["Referrer-Policy"] == "no-referrer"
    assert "daytwo_help" not in holder.client.cookies
    assert "Send me a link" in holder.get().text
    assert holder.get(page_of(ticket)).status_code == 404
    stolen = held_by(ticket).replace(f"/{ticket.pk}-", f"/{another.pk}-")
    assert holder.get(stolen).status_code == 404
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(held_by(ticket) + "/reply", {"content": "From my mailbox"}).status_code == 302
    assert Message.objects.filter(author_type="customer").latest("pk").content == "From my mailbox"


def test_the_link_ends_with_the_address_and_some_time_after_the_end(ticket, nia):
    link = held_by(ticket)
    for status in (Status.RESOLVED, Status.CLOSED):
        services.set_status(ticket, status, actor=nia)
    assert Client().get(link).status_code == 200
    Ticket.objects.update(closed_at=clock.now() - capability.ENDS_AFTER - dt.timedelta(minutes=1))
    assert Client().get(link).status_code == 404
    Ticket.objects.update(closed_at=clock.now())
    type(ticket.customer).objects.update(email="new@example.com")
    assert Client().get(link).status_code == 404


# -- rating


def test_a_link_of_five_says_nothing_before_a_button_is_pressed(ticket, nia):
    services.set_status(ticket, Status.RESOLVED, actor=nia)
    page = Client().get(held_by(ticket) + "/rating?rating=2")
    assert 'value="2" required checked' in page.text
    assert Ticket.objects.get().rating is None
    holder = Visitor()
    page = holder.post(held_by(ticket) + "/rating", {"rating": "2", "comment": "<i>Slow</i>"})
    assert "Thank you for telling us" in page.text
    assert (Ticket.objects.get().rating, Ticket.objects.get().rating_comment) == (2, "<i>Slow</i>")
    holder.post(held_by(ticket) + "/rating", {"rating": "5"})
    assert Ticket.objects.get().rating == 5


@pytest.mark.parametrize("rating", ["", "0", "6", "x", "\uff14"])
def test_a_rating_is_one_of_five(dana, ticket, nia, rating):
    services.set_status(ticket, Status.RESOLVED, actor=nia)
    page = dana.post(page_of(ticket) + "/rating", {"rating": rating, "comment": "Kept"})
    assert page.status_code == 422
    assert "Kept</textarea>" in page.text


def test_what_is_not_solved_cannot_be_rated_yet(dana, ticket):
    assert dana.client.get(page_of(ticket) + "/rating").status_code == 302
    dana.post(page_of(ticket) + "/rating", {"rating": "1"})
    assert Ticket.objects.get().rating is None


def test_agents_see_a_rating_as_text(dana, ticket, nia, signed_in):
    services.set_status(ticket, Status.RESOLVED, actor=nia)
    dana.post(page_of(ticket) + "/rating", {"rating": "1", "comment": "<b>Never</b> again"})
    page = signed_in(nia).get(f"/tickets/{ticket.pk}").text
    assert "1 of 5" in page
    assert "&lt;b&gt;Never&lt;/b&gt; again" in page


def test_the_window_in_which_it_opens_again_is_that_of_the_machine(dana, ticket, nia):
    services.set_status(ticket, Status.RESOLVED, actor=nia)
    Ticket.objects.update(resolved_at=clock.now() - machine.REOPEN_WINDOW - dt.timedelta(minutes=1))
    assert "opens a new one that follows it" in dana.get(page_of(ticket)).text


def test_whoever_has_the_ticket_open_sees_a_rating_come(dana, ticket, nia, signed_in):
    services.set_status(ticket, Status.RESOLVED, actor=nia)
    last = Message.objects.latest("pk").pk
    for _ in range(2):
        dana.post(page_of(ticket) + "/rating", {"rating": "4"})
    news = signed_in(nia).get(f"/tickets/{ticket.pk}/since?after={last}")
    assert news.text.count("The customer rated this 4 of 5") == 1
    assert "rated this" not in dana.get(page_of(ticket)).text.partition("<ol")[2]
