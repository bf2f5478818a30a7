"""One URL answers with the page or with its part, and an answer can bring a toast."""

import json

from django.http import HttpResponse

from daytwo_server.ui import htmx, toasts


def test_a_browser_gets_the_page_and_htmx_the_part(rf):
    page = htmx.render(rf.get("/"), "ui/shell.html", "ui/components/pager.html", {"older": "?after=7"})
    part = htmx.render(
        rf.get("/", headers={"HX-Request-Type": "partial"}),
        "ui/shell.html",
        "ui/components/pager.html",
        {"older": "?after=7"},
    )
    whole = htmx.render(
        rf.get("/", headers={"HX-Request-Type": "full"}), "ui/shell.html", "ui/components/pager.html", {}
    )
    assert b"<!doctype html>" in page.content
    assert b"<!doctype html>" in whole.content
    assert part.content.startswith(b'<nav class="pager"')
    assert {page["Vary"], part["Vary"]} == {"HX-Request-Type"}


def test_a_toast_travels_in_a_header_beside_events_that_are_there_already():
    response = HttpResponse(headers={"HX-Trigger": "refresh, count"})
    toasts.attach(response, toasts.Toast("Résolu “now”", undo="/undo"))
    assert json.loads(response["HX-Trigger"]) == {
        "refresh": {},
        "count": {},
        "ui:toast": {"text": "Résolu “now”", "level": "success", "undo": "/undo"},
    }
    assert response["HX-Trigger"].isascii()
    toasts.attach(response, toasts.Toast("Later"))
    assert json.loads(response["HX-Trigger"])["ui:toast"]["text"] == "Later"
