"""Who speaks: a customer by an identity token that the SaaS signed, or one of its servers by its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from django.http import HttpRequest

from daytwo_server.catalog.models import Project
from daytwo_server.catalog.services import authenticate_server_key, identity_secret, is_server_key
from daytwo_server.customers.services import Vouched, is_exact
from daytwo_server.tickets.api.customers.refusal import Refusal
from daytwo_server.tickets.checks import Invalid
from daytwo_server.tickets.selectors.customers import Reader

LEEWAY_S = 30  # between the clocks of two servers
MAX_TOKEN = 8192
_ALGORITHM = "HS256"  # the one there is: a token that names another, or none, is refused whatever it says
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
            email=_words(body.get("email")),
            name=_words(body.get("name")),
            plan=_words(body.get("plan")),
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
    if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN:
        raise Unauthorized(_HOW)
    if is_server_key(token):
        key = authenticate_server_key(token)
        if key is None:
            raise Unauthorized("This server key is unknown or was revoked.")
        return Caller(project=key.environment.project_id)
    return _by_identity_token(token)


def _by_identity_token(token: str) -> Caller:
    try:
        named = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        raise Unauthorized(_HOW) from None
    in_use = Project.objects.filter(archived_at=None)
    if named is not None:
        in_use = in_use.filter(slug=named) if isinstance(named, str) and "\x00" not in named else in_use.none()
    problem = "No project of this installation signed this token."
    for project in in_use.order_by("pk"):
        try:
            return Caller(project=project.pk, customer=_vouched(_claims(token, identity_secret(project))))
        except jwt.InvalidSignatureError:
            continue
        # OverflowError: an expiry of Infinity, which JSON does not have and Python reads.
        except (jwt.PyJWTError, OverflowError) as why:
            problem = f"This identity token is not valid: {why}."
            break
    raise Unauthorized(problem)


def _claims(token: str, secret: str) -> Mapping[str, Any]:
    # `aud` is the SaaS's business. `sub` is looked at by us: PyJWT takes no numbers.
    options = {"require": ["exp", "sub"], "verify_aud": False, "verify_sub": False}
    claims: Mapping[str, Any] = jwt.decode(
        token,
        secret,
        algorithms=[_ALGORITHM],
        leeway=LEEWAY_S,
        options=options,  # type: ignore[arg-type]
    )
    return claims


def _vouched(claims: Mapping[str, Any]) -> Vouched:
    try:
        user_id, organization = _id(claims, "sub"), _id(claims, "org")
    except Invalid as problem:
        raise Unauthorized(f"This identity token names nobody: {problem}") from None
    if not user_id:
        raise Unauthorized("This identity token names nobody: its sub is empty.")
    return Vouched(
        user_id=user_id,
        organization=organization or None,
        email=_words(claims.get("email")),
        email_verified=claims.get("email_verified", True) is True,
        name=_words(claims.get("name")),
        plan=_words(claims.get("plan")),
    )


def _id(values: Mapping[str, Any], name: str) -> str:
    """An id as text, empty when it is not there. Raises `Invalid`."""
    value = values.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or not is_exact(value):
        raise Invalid({name: ["An id has 1 to 200 characters on one line, without spaces around it."]})
    return value


def _words(value: Any) -> str | None:
    return value if isinstance(value, str) else None
