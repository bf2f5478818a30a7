"""A customer's app, and a server of the SaaS, as they call `/api/support`."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import jwt
from django.test import Client

from daytwo_server.catalog.models import Project
from daytwo_server.catalog.services import identity_secret
from daytwo_server.core import clock

QUESTION = {
    "subject": "Exports are empty",
    "description": "The CSV export of March has no rows at all.",
    "category": "bug_report",
}


def identity(project: Project, sub: Any = "dana", *, key: str = "", kid: str | None = "", **claims: Any) -> str:
    """A token as the SaaS's server makes it."""
    said = {"sub": sub, "exp": clock.now() + dt.timedelta(hours=1)} | claims
    said = {name: value for name, value in said.items() if value is not None}
    headers = {} if kid is None else {"kid": kid or project.slug}
    return jwt.encode(said, key or identity_secret(project), algorithm="HS256", headers=headers)


class Desk:
    """The API with a token. `whose` is what a server adds to each request."""

    def __init__(self, token: str = "", **whose: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else {})
        self.whose = whose

    def open(self, expected: int = 201, *, headers: dict[str, str] | None = None, **changes: Any) -> Any:
        return self.post("", QUESTION | changes, expected, headers=headers)

    def post(self, path: str, body: Any, expected: int = 201, *, headers: dict[str, str] | None = None) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(self.whose | body)
        answer = self.client.post(f"/api/support/tickets{path}", raw, content_type="application/json", headers=headers)
        return _read(answer, expected)

    def get(self, path: str = "", expected: int = 200, **params: Any) -> Any:
        return _read(self.raw(path, **params), expected)

    def raw(self, path: str = "", **params: Any) -> Any:
        return self.client.get(f"/api/support/tickets{path}", self.whose | params)


def _read(answer: Any, expected: int) -> Any:
    assert answer.status_code == expected, answer.content
    return answer.json()
