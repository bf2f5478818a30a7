"""Who speaks: a customer by an identity token that the SaaS signed, or one of its servers by its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from daytwo_server.catalog.services import authenticate_server_key, is_server_key
from daytwo_server.customers import tokens
from daytwo_server.customers.services import Vouched
from daytwo_server.customers.tokens import words
from daytwo_server.tickets.api.customers.refusal import Refusal
from daytwo_server.tickets.checks import Invalid
from daytwo_server.tickets.selectors.customers import Reader

_HOW = "Send an identity token or a server key as Authorization: Bearer ...; docs/how-to/support.md tells how."


class Unauthorized(Refusal):
    """Nobody who may speak; the text says what is wrong with the token."""

    status = 401

    def __init__(self, detail: str) -> None:
        super().__init__(detail, {"WWW-Authenticate": "Bearer"})


@dataclass(frozen=True, kw_only=True)
class Caller:
    """`customer` is who an identity token names; None for a server, which says for whom with each request."""

    project: int
    customer: Vouched | None = None

    @property
    def is_server(self) -> bool:
        return self.customer is None

    def writer(self, body: Mapping[str, Any]) -> Vouched:
        """For whom is written. Raises `Invalid` when a server does not say it, or says no id."""
        if self.customer is not None:
            return self.customer
        user_id = _id(body, "userId")
        if not user_id:
            raise Invalid({"userId": ["With a server key, say whose this is."]})
        return Vouched(
            user_id=user_id,
            organization=_id(body, "organizationId") or None,
            email=words(body.get("email")),
            name=words(body.get("name")),
            plan=words(body.get("plan")),
        )

    def reader(self, query: Mapping[str, Any]) -> Reader:
        """For whom is read. Raises `Invalid` as `writer`, where neither user nor organization is named."""
        if self.customer is not None:
            return Reader(user_id=self.customer.user_id)
        reader = Reader(user_id=_id(query, "userId"), organization_id=_id(query, "organizationId"))
        if not (reader.user_id or reader.organization_id):
            raise Invalid({"userId": ["With a server key, say whose tickets: ?userId= or ?organizationId=."]})
        return reader


def caller_of(request: HttpRequest) -> Caller:
    """Raises `Unauthorized`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized(_HOW)
    if is_server_key(token):
        key = authenticate_server_key(token)
        if key is None:
            raise Unauthorized("This server key is unknown or was revoked.")
        return Caller(project=key.project)
    return _by_identity_token(token)


def _by_identity_token(token: str) -> Caller:
    try:
        named = tokens.named_by(token)
    except tokens.NoToken:
        raise Unauthorized(_HOW) from None
    except tokens.BadToken as problem:
        raise Unauthorized(str(problem)) from None
    return Caller(project=named.project, customer=named.customer)


def _id(values: Mapping[str, Any], name: str) -> str:
    """An id as text, empty when it is not there. Raises `Invalid`."""
    try:
        return tokens.exact_id(values, name)
    except tokens.BadId as problem:
        raise Invalid({name: [str(problem)]}) from None
