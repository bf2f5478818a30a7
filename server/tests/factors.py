"""People with a second factor, and browsers that are past the first."""

from __future__ import annotations

from typing import Any

import make
from django.test import Client

from daytwo_server.accounts import services
from daytwo_server.accounts.models import User

PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = "/login/second-factor/"


def with_app(person: User) -> User:
    """The same person, whose app has shown a code half a minute ago."""
    services.switch_on_app(person, SECRET, make.totp(SECRET, -30))
    return person


def past_password(client: Client, person: User, **more: Any) -> Any:
    form = {"login": person.email, "password": PASSWORD} | more.pop("form", {})
    return client.post("/login/", form, **more)


def signed_in(person: User) -> Client:
    """By the password, and so able to change how they sign in."""
    client = Client()
    assert past_password(client, person)["Location"] == "/"
    return client


def send(client: Client, code: str, **more: Any) -> Any:
    return client.post(STEP, {"code": code}, **more)


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200
