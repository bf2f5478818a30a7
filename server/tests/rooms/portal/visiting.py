"""A customer's browser at /help."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client

from daytwo_server.mail.models import Delivery

REQUEST = {
    "subject": "Exports are empty", "description": "The CSV export of March has no rows at all.", "category": "bug_report",
}  # fmt: skip
LINK = re.compile(r"http://testserver(/help/\S+)")


class Visitor:
    """What they do; each answer is the page that it ends on."""

    def __init__(self, client: Client | None = None, *, address: str = "") -> None:
        self.client = client or Client()
        if address:
            self.sign_in(address)

    def get(self, path: str = "/help", **options: Any) -> Any:
        return self.client.get(path, **options)

    def post(self, path: str, data: Any = None, **options: Any) -> Any:
        return self.client.post(path, data or {}, follow=True, **options)

    def sign_in(self, address: str) -> Any:
        """By the link that is mailed: ask, look into the mailbox, open, press."""
        answer = self.post("/help/link", {"email": address})
        assert answer.status_code == 200, answer.text
        page = self.get(links_to(address.strip().lower())[-1])
        assert page.status_code == 200
        return self.post("/help/in", {"token": field(page, "token")})

    def ask(self, **changes: Any) -> Any:
        return self.post("/help/new", REQUEST | {"begun": old_enough()} | changes)


def links_to(address: str) -> list[str]:
    """The links in all mails to an address, in their order."""
    texts = Delivery.objects.filter(to=address).order_by("pk").values_list("text", flat=True)
    return [link for text in texts for link in LINK.findall(text)]


def field(page: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, page.text
    return html.unescape(found[1])


def old_enough() -> str:
    """The mark of a form that was opened a minute ago."""
    import time
    from unittest import mock

    from daytwo_server.portal import spam

    now = time.time()
    with mock.patch("django.core.signing.time.time", return_value=now - 60):
        return spam.begun()
