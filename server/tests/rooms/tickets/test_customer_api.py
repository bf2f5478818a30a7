"""What a SaaS's pages and servers do for its customers."""

import base64
import datetime as dt
import json

import make
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rooms.tickets.asking import QUESTION, Desk, identity

from daytwo_server.core import clock, preferences
from daytwo_server.core.models import Blob, Fact
from daytwo_server.customers.models import Customer
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Attachment, Message, Status, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db):
    return make.project("Shop")


@pytest.fixture
def dana(shop):
    """Dana's browser, with a token that the shop's server signed for her."""
    return Desk(identity(shop, "dana", email="dana@example.com", name="Dana", org="acme", plan="business"))


@pytest.fixture
def backend(shop):
    """The shop's server, which speaks for Dana."""
    return Desk(make.server_key(shop), userId="dana")


def test_a_question_is_a_ticket(dana, shop):
    with time_machine.travel(make.moment("2026-12-01T09:00:00"), tick=False):
        dana = Desk(identity(shop, "dana", org="acme"))
        opened = dana.open(priority="high")
    ticket = Ticket.objects.get()
    assert opened == {
        "id": str(ticket.uid),
        "number": f"T-{ticket.pk}",
        "userId": "dana",
        "organizationId": "acme",
        **QUESTION,
        "priority": "high",
        "status": "open",
        "createdAt": "2026-12-01T09:00:00Z",
        "updatedAt": "2026-12-01T09:00:00Z",
        "resolvedAt": None,
        "firstResponseAt": None,
        "followUpOf": None,
        "mergedInto": None,
        "rating": None,
    }
    assert (ticket.project, ticket.channel) == (shop, "api")


def test_what_a_signed_token_says_of_a_customer_is_kept(dana):
    dana.open()
    known = Customer.objects.select_related("organization").get()
    assert (known.key, known.email, known.email_verified, known.name, known.plan, known.verified) == (
        "id:dana", "dana@example.com", True, "Dana", "business", True,
    )  # fmt: skip
    assert known.organization.external_id == "acme"


def test_a_later_token_brings_the_customer_up_to_date_and_one_that_says_less_takes_nothing_away(dana, shop):
    dana.open()
    Desk(identity(shop, "dana", email="d@example.org", email_verified=False, org="umbrella")).open()
    Desk(identity(shop, "dana")).open()
    known = Customer.objects.select_related("organization").get()
    assert (known.email, known.email_verified, known.name) == ("d@example.org", False, "Dana")
    assert known.organization.external_id == "umbrella"


def test_own_tickets_are_listed_newest_first_and_nobody_elses(dana, backend, shop):
    first, second = dana.open(), dana.open(subject="Second question")
    Desk(identity(shop, "eve")).open()
    assert [one["id"] for one in dana.get()] == [second["id"], first["id"]]
    assert dana.get() == backend.get()
    assert [one["description"] for one in dana.get()] == [QUESTION["description"]] * 2
    assert Desk(identity(shop, "frank")).get() == []


def test_the_list_is_a_bare_array_that_goes_on_by_its_link(dana, backend):
    opened = [dana.open(subject=f"Question {number}")["id"] for number in range(5)]
    for desk in (dana, backend):
        seen, url = [], "/api/support/tickets?limit=2" + ("&userId=dana" if desk is backend else "")
        while url:
            answer = desk.client.get(url)
            seen += [one["id"] for one in answer.json()]
            links = dict(reversed(link.split("; rel=")) for link in answer.get("Link", "").split(", ") if link)
            url = links.get('"next"', "").strip("<>").removeprefix("http://testserver")
        assert seen == list(reversed(opened))


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"cursor": "nonsense"}, {"cursor": "W10"}]
)
def test_a_list_that_cannot_be_is_refused_by_field(dana, query):
    assert list(dana.get("", 400, **query)["fields"]) == list(query)


def test_a_ticket_is_shown_with_what_was_said_in_public(dana, bob):
    opened = dana.open()
    ticket = Ticket.objects.get()
    services.note(ticket, "Old plan.", actor=bob)
    services.reply(ticket, "Which month?", actor=bob)
    found = dana.get(f"/{opened['id']}")
    assert [(m["authorType"], m["authorId"], m["content"], m["isInternal"]) for m in found["messages"]] == [
        ("customer", "dana", QUESTION["description"], False), ("agent", None, "Which month?", False),
    ]  # fmt: skip
    assert found["status"] == "waiting_customer"
    assert found["firstResponseAt"] is not None
    assert dana.get(f"/{opened['number']}") == found


def test_a_reply_is_said_and_makes_it_our_turn(dana, backend, bob):
    opened = dana.open()
    services.reply(Ticket.objects.get(), "Which month?", actor=bob)
    said = dana.post(f"/{opened['id']}/replies", {"content": " March. "})
    assert (said["ticketId"], said["content"], said["authorType"], said["isInternal"]) == (
        opened["id"], "March.", "customer", False,
    )  # fmt: skip
    backend.post(f"/{opened['id']}/replies", {"content": "And April."})
    found = dana.get(f"/{opened['id']}")
    assert [message["content"] for message in found["messages"]][2:] == ["March.", "And April."]
    assert found["status"] == "pending"


def test_a_reply_to_a_closed_ticket_says_which_ticket_it_opened(dana, bob):
    opened = dana.open()
    services.set_status(Ticket.objects.get(), Status.RESOLVED, actor=bob)
    services.set_status(Ticket.objects.get(), Status.CLOSED, actor=bob)
    said = dana.post(f"/{opened['id']}/replies", {"content": "Empty again."})
    assert said["ticketId"] != opened["id"]
    assert dana.get(f"/{said['ticketId']}")["followUpOf"] == opened["id"]
    assert dana.get(f"/{opened['id']}")["status"] == "closed"


@pytest.mark.parametrize("method", ["get", "replies", "rating", "attachment"])
def test_anothers_ticket_is_not_there(dana, shop, method):
    opened = dana.open()
    path = f"/{opened['id']}"
    for eve in (Desk(identity(shop, "eve")), Desk(make.server_key(shop), userId="eve")):
        if method == "get":
            eve.get(path, 404)
        elif method == "attachment":
            eve.get(f"{path}/attachments/x", 404)
        else:
            eve.post(f"{path}/{method}", {"content": "Mine!", "rating": 1}, 404)
    assert Message.objects.count() == 1


@pytest.mark.parametrize("code", ["T-999", "999999999999999999999", "nonsense", "0190-", "%00", "a" * 300])
def test_what_is_no_ticket_is_not_there(dana, code):
    assert dana.get(f"/{code}", 404) == {"detail": "There is no such ticket.", "fields": {}} or code == "%00"


FIELDS = {
    "subject": [
        None,
        5,
        "",
        "1234",
        "    1234    ",
        "x" * 201,
        "Hello\r\nBcc: a@b.c",
        "Hello\nthere",
        "Bell\x07 rings",
        "Turned \u202e around",
        "Null \x00 byte",
    ],
    "description": [None, ["x"], "x" * 19, " " * 30, "x" * 5001],
    "category": [None, "none", 3, ""],
    "priority": ["URGENT", "", 1],
    "metadata": ["x", {"unknown": "x"}, {"url": 5}, {"url": "x" * 501}],
    "attachments": [
        "x",
        [1],
        [{"name": "a.png", "url": "https://example.com/a.png"}],
        [{"name": "a", "contentBase64": "!"}],
        [{"contentBase64": ""}],
        [{"name": "a", "contentBase64": ""}] * 21,
    ],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in FIELDS.items() for value in values])
def test_a_wrong_field_is_named_and_nothing_is_stored(dana, field, value):
    refused = dana.open(400, **{field: value})
    assert list(refused["fields"]) == [field]
    assert refused["detail"] == "The request is not valid."
    assert not Ticket.objects.exists()


def test_everything_that_is_wrong_is_said_at_once(dana):
    assert set(dana.post("", {}, 400)["fields"]) == {"subject", "description", "category"}


@pytest.mark.parametrize("subject", ["12345", "x" * 200, "  12345  ", "👨‍👩‍👧 family plan", "Größe: é"])
def test_length_is_counted_after_trimming_and_composing(dana, subject):
    assert dana.open(subject=subject)["subject"] == subject.strip()


def test_composed_and_decomposed_letters_are_the_same_text(dana):
    assert dana.open(subject="Gro\u0308\u00dfe")["subject"] == "Größe"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(dana, body):
    assert dana.post("", body, 400)["fields"] == {}


def test_what_only_we_may_say_is_not_taken_from_customers(dana):
    opened = dana.open(status="closed", userId="eve", isInternal=True, assignedTo="bob@example.com", tags=["vip"])
    dana.post(
        f"/{opened['id']}/replies", {"content": "Hello.", "isInternal": True, "authorType": "agent", "userId": "eve"}
    )
    assert (opened["status"], opened["userId"]) == ("open", "dana")
    said = Message.objects.exclude(kind="system").values_list("kind", "author_type", "customer__key")
    assert set(said) == {("public", "customer", "id:dana")}
    assert Customer.objects.count() == 1


def test_where_a_customer_wrote_from_is_kept_without_what_addresses_carry(shop):
    headers = {"User-Agent": "Firefox", "Referer": "https://me:pw@shop.example:8443/cart?token=secret#x"}
    Desk(identity(shop)).open(headers=headers, metadata={"release": "1.2"})
    assert Ticket.objects.get().metadata == {
        "userAgent": "Firefox", "url": "https://shop.example:8443/cart", "release": "1.2",
    }  # fmt: skip


def test_an_app_says_which_flags_a_customer_had(dana):
    dana.open(metadata={"flags": "new-export=on, beta=off"})
    assert Ticket.objects.get().metadata == {"flags": "new-export=on, beta=off"}


@pytest.mark.parametrize("referer", ["javascript:alert(1)", "https://[", "https://x:99999999/", "//x"])
def test_an_address_that_is_none_is_left_out(shop, referer):
    Desk(identity(shop)).open(headers={"Referer": referer})
    assert Ticket.objects.get().metadata == {}


def test_a_server_says_for_whom_it_speaks(backend, shop):
    key = make.server_key(shop)
    assert list(Desk(key).open(400)["fields"]) == ["userId"]
    assert list(Desk(key).get("", 400)["fields"]) == ["userId"]
    opened = backend.open(userId="dana", organizationId="acme", email="dana@example.com", name="Dana")
    assert (opened["userId"], opened["organizationId"]) == ("dana", "acme")
    assert [one["id"] for one in Desk(key, organizationId="acme").get()] == [opened["id"]]
    assert Desk(key, organizationId="umbrella").get() == []
    assert Desk(key, organizationId="acme").get(f"/{opened['id']}")["id"] == opened["id"]
    Desk(key, organizationId="umbrella").get(f"/{opened['id']}", 404)
    assert Customer.objects.get().email == "dana@example.com"
    assert Ticket.objects.get().metadata == {}


@pytest.mark.parametrize("user_id", [" x", "a\nb", "x" * 201, True, ["x"], {"a": 1}])
def test_an_id_that_would_have_to_be_changed_is_refused(shop, user_id):
    refused = Desk(make.server_key(shop)).post("", QUESTION | {"userId": user_id}, 400)
    assert list(refused["fields"]) == ["userId"]
    assert not Customer.objects.exists()


def test_a_number_is_an_id_too(shop):
    Desk(make.server_key(shop)).post("", QUESTION | {"userId": 42})
    assert [one["userId"] for one in Desk(identity(shop, 42)).get()] == ["42"]


def test_the_same_idempotency_key_opens_one_ticket(dana, shop):
    once = {"Idempotency-Key": "abc"}
    first = dana.open(headers=once)
    assert dana.open(headers=once) == first
    assert list(dana.open(400, headers=once, subject="Another one")["fields"]) == ["Idempotency-Key"]
    assert Desk(identity(shop, "eve")).open(headers=once)["id"] != first["id"]
    replies = [dana.post(f"/{first['id']}/replies", {"content": "Still."}, headers=once) for _ in range(2)]
    assert replies[0] == replies[1]
    assert list(dana.open(400, headers={"Idempotency-Key": "x" * 129})["fields"]) == ["Idempotency-Key"]
    assert Fact.objects.filter(name="TicketOpened").count() == 2


def test_a_customer_who_rates_too_often_is_told_when_to_come_back(dana, backend, shop):
    preferences.change({"ticket_rate": "3"}, versions={}, actor=None)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        first, second = dana.open()["id"], dana.open()["id"]
        for number, where in ((1, first), (2, second), (3, first)):
            dana.post(f"/{where}/rating", {"rating": number})
        path, fourth = f"/api/support/tickets/{first}/rating", json.dumps({"rating": 4})
        answer = dana.client.post(path, fourth, content_type="application/json")
        assert (answer.status_code, answer["Retry-After"]) == (429, "20")
        assert dana.get(f"/{first}")["rating"] == 3
        backend.post(f"/{first}/rating", {"rating": 5, "userId": "dana"})
        eve = Desk(identity(shop, "eve"))
        eve.post(f"/{eve.open()['id']}/rating", {"rating": 1})
        traveller.shift(dt.timedelta(seconds=20))
        dana.post(f"/{first}/rating", {"rating": 4})
        dana.post(f"/{first}/rating", {"rating": 4}, 429)


def test_a_customer_who_sends_too_much_is_told_when_to_come_back(dana, backend, shop):
    preferences.change({"ticket_rate": "3"}, versions={}, actor=None)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for _ in range(3):
            dana.open()
            traveller.shift(dt.timedelta(seconds=10))
        answer = dana.client.post("/api/support/tickets", json.dumps(QUESTION), content_type="application/json")
        assert (answer.status_code, answer["Retry-After"]) == (429, "30")
        for _ in range(4):
            backend.open(userId="frank")
        Desk(identity(shop, "eve")).open()
        traveller.shift(dt.timedelta(seconds=31))
        dana.open()


def test_a_rating_is_from_one_to_five(dana):
    opened = dana.open()
    for bad in (0, 6, "5", 4.5, True, None):
        assert list(dana.post(f"/{opened['id']}/rating", {"rating": bad}, 400)["fields"]) == ["rating"]
    assert dana.post(f"/{opened['id']}/rating", {"rating": 4, "comment": "Quick."}) == {
        "rating": 4,
        "comment": "Quick.",
    }
    assert dana.get(f"/{opened['id']}")["rating"] == 4
    assert list(dana.post(f"/{opened['id']}/rating", {"rating": 4, "comment": "x" * 2001}, 400)["fields"]) == [
        "comment"
    ]


def b64(data):
    return base64.b64encode(data).decode()


def bytes_of(answer):
    return b"".join(answer.streaming_content)


def test_a_file_in_json_comes_back_as_it_was_sent_to_be_saved(dana, shop):
    files = [{"name": "../../Größe.html", "contentType": "text/html", "contentBase64": b64(b"<script>")}]
    opened = dana.open(
        attachments=[{"name": "log.txt", "contentType": "text/plain; charset=x", "contentBase64": b64(b"x" * 600_000)}]
    )
    said = dana.post(f"/{opened['id']}/replies", {"content": "See.", "attachments": files})
    shown = said["attachments"][0]
    row = Attachment.objects.get(name="Größe.html")
    assert shown == {
        "id": str(row.uid), "name": "Größe.html", "contentType": "text/html", "size": 8,
        "url": f"http://testserver/api/support/tickets/{opened['id']}/attachments/{row.uid}",
    }  # fmt: skip
    answer = dana.client.get(shown["url"].removeprefix("http://testserver"))
    assert bytes_of(answer) == b"<script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.html"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    first = dana.get(f"/{opened['id']}")["messages"][0]["attachments"][0]
    assert (first["name"], first["contentType"], first["size"]) == ("log.txt", "text/plain", 600_000)
    assert Desk(identity(shop, "eve")).client.get(shown["url"]).status_code == 404
    assert Desk().client.get(shown["url"]).status_code == 401


def test_files_come_in_forms_too(dana, backend):
    opened = dana.open()
    files = [SimpleUploadedFile("a.png", b"\x89PNG", "image/png"), SimpleUploadedFile("b.bin", b"x" * 3_000_000, "")]
    answer = dana.client.post(f"/api/support/tickets/{opened['id']}/replies", {"content": "See.", "files": files})
    assert answer.status_code == 201, answer.content
    assert [(f["name"], f["contentType"], f["size"]) for f in answer.json()["attachments"]] == [
        ("a.png", "image/png", 4), ("b.bin", "application/octet-stream", 3_000_000),
    ]  # fmt: skip
    form = QUESTION | {"userId": "dana", "files": SimpleUploadedFile("c.txt", b"c", "text/plain")}
    assert backend.client.post("/api/support/tickets", form).status_code == 201


def test_files_of_internal_notes_are_not_there_for_customers(dana, bob):
    opened = dana.open()
    services.note(Ticket.objects.get(), "See.", actor=bob, files=[services.File("secret.txt", "text/plain", b"s")])
    uid = Attachment.objects.get().uid
    refused = dana.get(f"/{opened['id']}/attachments/{uid}", 404)
    assert "secret" not in str(refused)


def test_a_large_json_body_within_the_limit_is_taken(dana):
    big = b64(b"x" * (4 * 1024 * 1024))
    opened = dana.open(attachments=[{"name": "big.bin", "contentType": "", "contentBase64": big}])
    assert Attachment.objects.get().size == 4 * 1024 * 1024
    assert opened["status"] == "open"


def test_a_request_of_more_than_25_mb_is_too_large(dana):
    answer = dana.client.generic(
        "POST", "/api/support/tickets", b"{}", content_type="application/json", CONTENT_LENGTH=str(25 * 1024 * 1024 + 1)
    )
    assert (answer.status_code, answer.json()["detail"]) == (413, "This request is larger than 25 MB.")


def test_a_refused_request_keeps_no_bytes(dana):
    dana.open(400, subject="x", attachments=[{"name": "a", "contentType": "", "contentBase64": b64(b"x")}])
    assert not Blob.objects.exists()


def test_only_the_methods_there_are_answer(dana):
    assert dana.client.delete("/api/support/tickets").status_code == 405
    assert dana.client.get("/api/support/tickets/1/replies").status_code == 405
    assert dana.client.head("/api/support/tickets").status_code == 200


def test_the_list_costs_two_queries_however_long_it_is(dana):
    dana.open()
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            dana.get()
        counts.append(len(queries))
        for number in range(12):
            dana.open(subject=f"Question {number}")
    assert counts == [2, 2]


def test_a_submission_costs_few_statements_in_one_transaction(dana, backend):
    dana.open(), backend.open()
    for desk in (dana, backend):
        with CaptureQueriesContext(connection) as queries:
            desk.open()
        assert len(queries) <= 12, [query["sql"] for query in queries]
