"""Identity tokens: by such a JWT an app says which of its users is there. Its project's identity secret signs it.

The library that reads them comes with one for cryptography. Both are loaded with the first token: 9 MB, which a process
that sees none need not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daytwo_server.catalog.models import Project
from daytwo_server.catalog.services import identity_secrets
from daytwo_server.customers.services import Vouched, is_exact

LEEWAY_S = 30  # between the clocks of two servers
MAX_TOKEN = 8192
_ALGORITHM = "HS256"  # the one there is: a token that names another, or none, is refused whatever it says


class NoToken(ValueError):
    """This is no token at all, or longer than any."""


class BadToken(ValueError):
    """The token says nothing that can be believed; the text is for whoever sent it."""


class BadId(ValueError):
    """An id that cannot be kept exactly as it is."""

    def __init__(self) -> None:
        super().__init__("An id has 1 to 200 characters on one line, without spaces around it.")


@dataclass(frozen=True)
class Named:
    """Whom a token names, and the project that signed it."""

    project: int
    customer: Vouched


def named_by(token: str) -> Named:
    """Raises `NoToken`, `BadToken`."""
    import jwt

    if len(token) > MAX_TOKEN:
        raise NoToken
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        raise NoToken from None
    in_use = Project.objects.filter(archived_at=None)
    if kid is not None:
        in_use = in_use.filter(slug=kid) if isinstance(kid, str) and is_exact(kid) else in_use.none()
    for project, secret in ((one, secret) for one in in_use.order_by("pk") for secret in identity_secrets(one)):
        try:
            return Named(project.pk, _vouched(_claims(token, secret)))
        except jwt.InvalidSignatureError:
            continue
        # OverflowError: an expiry of Infinity, which JSON does not have and Python reads.
        except (jwt.PyJWTError, OverflowError) as why:
            raise BadToken(f"This identity token is not valid: {why}.") from None
    raise BadToken("No project of this installation signed this token.")


def exact_id(values: Mapping[str, Any], name: str) -> str:
    """An id as text, empty when it is not there. Raises `BadId`."""
    value = values.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or not is_exact(value):
        raise BadId
    return value


def words(value: Any) -> str | None:
    """A claim that is text; None for everything else."""
    return value if isinstance(value, str) else None


def _claims(token: str, secret: str) -> Mapping[str, Any]:
    import jwt

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
        user_id, organization = exact_id(claims, "sub"), exact_id(claims, "org")
    except BadId as problem:
        raise BadToken(f"This identity token names nobody: {problem}") from None
    if not user_id:
        raise BadToken("This identity token names nobody: its sub is empty.")
    return Vouched(
        user_id=user_id,
        organization=organization or None,
        email=words(claims.get("email")),
        email_verified=claims.get("email_verified", True) is True,
        name=words(claims.get("name")),
        plan=words(claims.get("plan")),
    )
