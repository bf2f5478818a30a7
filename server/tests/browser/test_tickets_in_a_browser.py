"""Tickets as agents use them: with a mouse, with the keyboard, on a phone, without a script."""

import datetime as dt
import re

import looks
import make
import pytest
from playwright.sync_api import expect
from rooms.tickets import mailing

from daytwo_server.accounts.models import Membership
from daytwo_server.core import clock
from daytwo_server.core.ref import Ref
from daytwo_server.desk import selectors as desk
from daytwo_server.desk import services as presence
from daytwo_server.mail.models import Delivery
from daytwo_server.tickets import services
from daytwo_server.tickets.files import File
from daytwo_server.tickets.models import Message, Priority, Ticket
from daytwo_server.tickets.services import Change, Said
from daytwo_server.tickets.services.outgoing import about

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]


@pytest.fixture
def nia(transactional_db):
    return make.member("Nia", role=Membership.Role.AGENT)


@pytest.fixture
def dana(transactional_db):
    return make.dana(organization=make.organization())


@pytest.fixture
def three(dana):
    """Three tickets in the order of the inbox."""
    tickets = [make.ticket(dana, subject=f"Exports are empty, {name}") for name in ("first", "second", "third")]
    for number, ticket in enumerate(tickets):
        waits = clock.now() - dt.timedelta(hours=9 - number)
        Ticket.objects.filter(pk=ticket.pk).update(created_at=waits, updated_at=waits, waiting_since=waits)
    return tickets


def states():
    return list(Ticket.objects.order_by("pk").values_list("status", flat=True))


def said(ticket):
    return list(Message.objects.filter(ticket=ticket, kind="public").order_by("pk").values_list("content", flat=True))


def changed(page):
    """Tell the page what its stream would tell: this server has none."""
    page.evaluate("htmx.trigger('#live', 'changed', {data: 'tickets'})")


def test_the_inbox_is_worked_through_with_the_keyboard(visit, nia, three):
    page = visit("/tickets", nia)
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator(".toast")).to_contain_text(f"{three[0].code} resolved")
    expect(page.locator("[data-rows] .row")).to_have_count(2)
    assert states() == ["resolved", "open", "open"]
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.locator(".toast").last).to_contain_text("assigned to you")
    assert Ticket.objects.get(pk=three[1].pk).assignee == nia
    page.keyboard.press("z")
    page.wait_for_load_state()
    expect(page.locator(".toast").last).to_contain_text("Undone")
    assert states() == ["resolved", "open", "open"]


def test_r_opens_the_answer_of_a_row_and_escape_leads_back(visit, nia, three):
    page = visit("/tickets?view=all", nia)
    page.keyboard.press("j")
    page.keyboard.press("r")
    page.wait_for_url(f"**/tickets/{three[0].pk}?view=all#draft-reply")
    expect(page.locator("#draft-reply")).to_be_focused()
    page.keyboard.type("Hello")
    expect(page.locator("#draft-reply")).to_have_value("Hello")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    page.wait_for_url("**/tickets?view=all")


def test_ticked_rows_are_tagged_by_l_and_assigned_from_a_menu(visit, nia, three):
    page = visit("/tickets", nia)
    page.get_by_label(f"Select {three[0].code}").check()
    page.get_by_label(f"Select {three[2].code}").check()
    expect(page.locator(".bulk")).to_contain_text("2 selected")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("l")
    page.get_by_label("Tags, with commas between").fill("vip, refund")
    page.locator(".bulk").get_by_role("button", name="Add").click()
    expect(page.locator(".toast")).to_contain_text("2 tickets tagged vip, refund")
    assert sorted(Ticket.objects.get(pk=three[2].pk).tags.values_list("name", flat=True)) == ["refund", "vip"]
    page.get_by_label(f"Select {three[1].code}").check()
    page.locator(".bulk summary", has_text="Priority").click()
    page.locator(".bulk").get_by_role("button", name="Urgent").click()
    expect(page.locator("[data-rows] .row").first).to_contain_text("Urgent")
    assert Ticket.objects.get(pk=three[1].pk).priority == Priority.URGENT


def test_news_wait_above_the_list_and_no_row_moves(visit, nia, dana, three):
    page = visit("/tickets", nia)
    rows = page.locator("[data-rows] .row")
    before = rows.first.bounding_box()
    make.ticket(dana, subject="A new one", priority=Priority.URGENT)
    changed(page)
    expect(page.locator(".news a")).to_have_text(re.compile("1 new. Show"))
    assert rows.first.bounding_box() == before
    page.locator(".news a").click()
    expect(rows.first).to_contain_text("A new one")


def test_an_answer_is_written_and_sent_with_the_keyboard_alone(visit, nia, three):
    page = visit(f"/tickets/{three[0].pk}", nia)
    page.keyboard.press("r")
    page.keyboard.type("Which month?")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("Sent to Dana")
    expect(page.locator(".message").last).to_contain_text("Which month?")
    expect(page.locator("#draft-reply")).to_have_value("")
    assert states()[0] == "waiting_customer"


def test_the_arrow_beside_send_chooses_what_happens_and_is_remembered(visit, nia, three):
    page = visit(f"/tickets/{three[0].pk}", nia)
    page.locator("#draft-reply").fill("Fixed.")
    page.locator("#reply .button-group summary").click()
    page.locator("#reply").get_by_role("button", name="Send and resolve").click()
    expect(page.locator(".toast")).to_contain_text("Sent to Dana")
    assert states()[0] == "resolved"
    page.goto(page.url.replace(f"/{three[0].pk}", f"/{three[1].pk}"))
    expect(page.locator("#reply [data-send]")).to_have_text(re.compile("Send and resolve"))


def test_the_second_of_two_agents_sees_the_first_ones_answer_and_keeps_the_text(visit, nia, bob, three):
    mine, theirs = visit(f"/tickets/{three[0].pk}", nia), visit(f"/tickets/{three[0].pk}", bob)
    mine.locator("#draft-reply").fill("We look into it.")
    theirs.locator("#draft-reply").fill("It is fixed.")
    theirs.locator("#reply [data-send]").click()
    expect(theirs.locator(".toast")).to_contain_text("Sent to Dana")
    mine.locator("#reply [data-send]").click()
    expect(mine.locator("[data-refused]").first).to_contain_text("Somebody answered since you loaded this ticket")
    expect(mine.locator(".message").last).to_contain_text("It is fixed.")
    expect(mine.locator("#draft-reply")).to_have_value("We look into it.")
    assert said(three[0])[1:] == ["It is fixed."]
    looks.check_in_both_themes(mine)
    expect(mine.locator("[data-seen]")).to_have_value(str(Message.objects.filter(kind="public").latest("pk").pk))
    mine.locator("#draft-reply").fill("And it stays so.")
    mine.locator("#reply [data-send]").click()
    expect(mine.locator(".toast")).to_contain_text("Sent to Dana")
    assert said(three[0])[1:] == ["It is fixed.", "And it stays so."]


def test_what_becomes_of_mail_meanwhile_appears_where_it_belongs_and_the_text_stays(visit, nia, three):
    ticket = three[0]
    answer = services.reply(ticket, "Which month?", actor=nia)
    delivery = Delivery.objects.create(
        to="dana@example.com", subject="s", text="t", about=about(answer.pk), message_id="<d@x>", lane="d", state="sent"
    )
    page = visit(f"/tickets/{ticket.pk}", nia)
    shown = page.locator(f"#m-{answer.pk}")
    expect(shown).to_contain_text("Mailed to dana@example.com")
    page.locator("#draft-reply").fill("Half an answer")
    Delivery.objects.filter(pk=delivery.pk).update(delivered_at=clock.now())
    mailing.held(ticket)
    changed(page)
    expect(shown).to_contain_text("Delivered to dana@example.com")
    expect(page.locator("#held")).to_contain_text("Let me in.")
    Delivery.objects.filter(pk=delivery.pk).update(complained_at=clock.now())
    changed(page)
    expect(shown).to_contain_text("dana@example.com called it spam")
    expect(page.locator("#draft-reply")).to_have_value("Half an answer")
    looks.check_in_both_themes(page)
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#held")).not_to_contain_text("Let me in.")


def test_what_is_said_meanwhile_appears_below_and_counts_once_it_was_seen(visit, nia, dana, three):
    page = visit(f"/tickets/{three[0].pk}", nia)
    page.locator("#draft-reply").fill("Half an answer")
    services.customer_reply(three[0], Said(content="It works now!"), customer=dana)
    changed(page)
    expect(page.locator(".message").last).to_contain_text("It works now!")
    expect(page.locator(".toast")).to_contain_text("Dana wrote an answer")
    expect(page.locator("#draft-reply")).to_have_value("Half an answer")
    latest = Message.objects.latest("pk")
    expect(page.locator("[data-seen]")).to_have_value(re.compile(f"{latest.pk}|{latest.pk - 1}"))
    page.locator("#reply [data-send]").click()
    expect(page.locator(".toast")).to_contain_text("Sent to Dana")


def test_a_note_is_yellow_and_its_text_never_becomes_an_answer(visit, nia, three):
    page = visit(f"/tickets/{three[0].pk}", nia)
    page.locator("#draft-reply").fill("For Dana")
    page.evaluate("document.activeElement.blur()")
    plain = page.locator(".composer").evaluate("(el) => getComputedStyle(el).backgroundColor")
    page.keyboard.press("n")
    expect(page.locator("#draft-note")).to_be_focused()
    expect(page.locator("#draft-note")).to_have_value("")
    expect(page.locator("#draft-reply")).to_be_hidden()
    assert page.locator(".composer").evaluate("(el) => getComputedStyle(el).backgroundColor") != plain
    looks.check_in_both_themes(page)
    page.keyboard.type("She pays a lot.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message--note")).to_contain_text("She pays a lot.")
    assert Message.objects.filter(kind="note").get().content == "She pays a lot."
    assert len(said(three[0])) == 1


def test_a_draft_survives_reloading(visit, nia, three):
    page = visit(f"/tickets/{three[0].pk}", nia)
    page.locator("#draft-reply").fill("Half an answer")
    expect(page.locator("#reply [data-draft-said]")).to_contain_text("Draft saved")
    page.reload()
    expect(page.locator("#draft-reply")).to_have_value("Half an answer")
    assert desk.draft(nia, f"ticket.{three[0].pk}.reply").text == "Half an answer"


def test_a_change_beside_the_conversation_keeps_what_is_being_written(visit, nia, three):
    page = visit(f"/tickets/{three[0].pk}", nia)
    page.locator("#draft-reply").fill("Half an answer")
    page.evaluate("document.activeElement.blur()")
    page.locator(".properties summary", has_text="Medium").click()
    page.locator(".properties").get_by_role("button", name="Urgent").click()
    expect(page.locator(".toast")).to_contain_text(f"{three[0].code} priority urgent")
    expect(page.locator(".properties summary", has_text="Urgent")).to_be_visible()
    expect(page.locator("#draft-reply")).to_have_value("Half an answer")
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    expect(page.locator("#draft-reply")).to_have_value("Half an answer")
    assert states()[0] == "resolved"
    services.customer_reply(three[0], Said(content="One more thing."), customer=three[0].customer)
    changed(page)
    expect(page.get_by_text("One more thing.")).to_have_count(1)
    page.wait_for_timeout(1500)
    changed(page)
    page.wait_for_timeout(500)
    assert page.get_by_text("One more thing.").count() == 1


def test_people_see_who_else_looks_and_who_writes(visit, nia, bob, three):
    mine = visit(f"/tickets/{three[0].pk}", nia)
    theirs = visit(f"/tickets/{three[0].pk}", bob)
    expect(theirs.locator("[data-presence]")).to_contain_text("Nia is viewing")
    mine.evaluate("htmx.trigger('#live', 'changed', {data: 'desk.presence.ticket.1'})")
    expect(mine.locator("[data-presence]")).to_contain_text("Bob is viewing")
    theirs.locator("#draft-reply").press_sequentially("H")
    theirs.wait_for_timeout(300)
    mine.evaluate("htmx.trigger('#live', 'changed', {data: 'desk.presence.ticket.1'})")
    expect(mine.locator("[data-presence]")).to_contain_text("Bob is writing")
    looks.check_in_both_themes(mine)
    theirs.goto("about:blank")
    mine.wait_for_timeout(300)
    mine.evaluate("htmx.trigger('#live', 'changed', {data: 'desk.presence.ticket.1'})")
    expect(mine.locator("[data-presence]")).to_have_text("")


def test_earlier_messages_unfold_in_place(visit, nia, dana, three):
    for number in range(15):
        services.reply(three[0], f"Answer {number}.", actor=nia)
        services.customer_reply(three[0], Said(content=f"Word {number}."), customer=dana)
    page = visit(f"/tickets/{three[0].pk}", nia)
    expect(page.get_by_text("Word 14.")).to_be_in_viewport()
    page.locator("#earlier a").click()
    expect(page.get_by_text("Answer 5.")).to_have_count(1)
    page.locator("#earlier a").click()
    expect(page.get_by_text("Answer 0.")).to_have_count(1)
    expect(page.get_by_text("Word 14.")).to_have_count(1)


def test_a_mail_unfolds_what_it_quotes(visit, nia, dana):
    ticket = make.ticket(dana, content="Yes, please.", body_text="Yes, please.\n> Shall we?")
    page = visit(f"/tickets/{ticket.pk}", nia)
    page.get_by_text("Show the whole mail").click()
    expect(page.get_by_text("> Shall we?")).to_be_visible()


def test_the_queue_stays_beside_the_conversation_and_j_goes_through_it(visit, nia, three):
    page = visit("/tickets?query=exports", nia)
    page.get_by_role("link", name="Exports are empty, first").click()
    expect(page.locator("[aria-current=true]")).to_contain_text("Exports are empty, first")
    page.keyboard.press("j")
    page.wait_for_url(f"**/tickets/{three[1].pk}?query=exports")
    expect(page.get_by_role("heading", level=1)).to_have_text("Exports are empty, second")
    page.locator(".queue").get_by_role("link", name="Exports are empty, third").click()
    page.wait_for_url(f"**/tickets/{three[2].pk}?query=exports")


def test_a_ticket_is_opened_for_somebody_who_calls(visit, nia, dana):
    page = visit("/tickets", nia)
    page.keyboard.press("c")
    page.get_by_label("Customer").press_sequentially("dan")
    expect(page.locator("#customers-suggested option")).to_have_count(1)
    page.get_by_label("Customer").fill("dana@example.com")
    page.get_by_label("Subject").fill("Hm")
    page.get_by_label("What they said").fill("Nothing comes out of the printer.")
    page.get_by_role("button", name="Open the ticket").click()
    expect(page.get_by_text("This must have 5 to 200 characters")).to_be_visible()
    expect(page.get_by_label("Subject")).to_be_focused()
    looks.check_everywhere(page)
    page.get_by_label("Subject").fill("She cannot print")
    page.get_by_role("button", name="Open the ticket").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("She cannot print")


def test_everything_works_without_a_script(visit, nia, three):
    page = visit("/tickets", nia, java_script_enabled=False)
    page.get_by_label(f"Select {three[1].code}").check()
    page.locator(".bulk").get_by_role("button", name="Resolve").click()
    expect(page.locator(".toast")).to_contain_text(f"{three[1].code} resolved")
    page.get_by_role("link", name="Exports are empty, first").click()
    page.locator(".segmented").get_by_text("Internal note").click()
    page.locator("#draft-note").fill("She pays a lot.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".message--note")).to_contain_text("She pays a lot.")
    page.locator(".segmented").get_by_text("Reply").click()
    page.locator("#draft-reply").fill("Which month?")
    page.locator("#reply [data-send]").click()
    expect(page.locator(".message").last).to_contain_text("Which month?")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    assert states() == ["resolved", "resolved", "open"]


@pytest.fixture
def full(nia, bob, dana, three):
    """A ticket with one of everything on its page, and words as long as they come."""
    long = "https://shop.example/" + "path/" * 60
    ticket = make.ticket(
        dana, subject="W" * 180, content=f"See {long} and {'x' * 300}", body_text="More\n> quoted",
        files=[File("a very long name of a file " * 8 + ".pdf", "application/pdf", b"x")],
        metadata={"url": long, "userAgent": "Mozilla/5.0 " * 10},
    )  # fmt: skip
    services.note(ticket, "A note.", actor=bob)
    services.reply(ticket, "An answer.", actor=nia)
    services.customer_reply(ticket, Said(content="Thank you."), customer=dana)
    services.change(
        ticket,
        Change(priority=Priority.URGENT, add_tags=["vip", "t" * 50], assignee=nia.email, team="Money"),
        actor=nia,
    )
    presence.present(bob, Ref("ticket", ticket.pk))
    return ticket


def test_the_pages_are_for_everybody_on_every_screen(visit, nia, full):
    for path in ("/tickets?view=all", f"/tickets/{full.pk}?view=all"):
        page = visit(path, nia)
        page.wait_for_load_state("networkidle")
        looks.check_everywhere(page, path)
        assert (path, looks.wrong_anywhere(page, widths=(320, 640))) == (path, [])


def test_open_menus_are_for_everybody_too(visit, nia, full):
    page = visit(f"/tickets/{full.pk}", nia)
    page.wait_for_load_state("networkidle")
    menus = page.locator("main details.menu > summary:visible")
    assert menus.count() >= 7
    for number in range(menus.count()):
        menus.nth(number).click()
        looks.check(page, menus.nth(number).inner_text())
        page.keyboard.press("Escape")


def test_a_thank_you_that_arrives_while_somebody_looks_is_settled_by_one_press(visit, nia, dana):
    ticket = make.ticket(dana)
    services.reply(ticket, "Fixed.", actor=nia, status="resolved")
    page = visit(f"/tickets/{ticket.pk}", nia)
    services.customer_reply(ticket, Said(content="Thank you, Nia!"), customer=dana)
    changed(page)
    page.get_by_role("button", name="Keep it resolved", exact=True).click()
    expect(page.locator(".toast").last).to_contain_text(f"{ticket.code} resolved")
    expect(page.get_by_text("This only says thank you")).to_have_count(0)
    now_there = Ticket.objects.get(pk=ticket.pk)
    assert (now_there.status, now_there.reopened_count) == ("resolved", 0)
