"""Coming in without a password: by a link that is mailed, or because the app says who it is."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import secrets

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Q, QuerySet

from daytwo_server.accounts import services as accounts
from daytwo_server.core import clock, preferences
from daytwo_server.core.secret import derive
from daytwo_server.customers import services as customers
from daytwo_server.customers.models import Customer
from daytwo_server.customers.tokens import Named
from daytwo_server.mail import services as mail
from daytwo_server.portal import addresses
from daytwo_server.portal.models import Session, SignInLink

LINK_LIFE = dt.timedelta(minutes=20)  # time to look into the mailbox, and for a grey list to let the mail through
SESSION_LIFE = dt.timedelta(days=30)
# Whoever signs out of the app, or loses their place in it, is to be out here soon as well.
VOUCHED_LIFE = dt.timedelta(hours=12)
WINDOW = dt.timedelta(minutes=15)
MOST_TO_ADDRESS = 3  # links in a window: nobody's mailbox is to be filled by others
MOST_OF_CLIENT = 10
KEPT = dt.timedelta(days=1)
_SALT = "portal.sign-in"


class TooOften(Exception):
    """Too many links were asked for from one place. `after` is how long to wait."""

    def __init__(self, after: dt.timedelta) -> None:
        super().__init__(f"Too many links were asked for; try again in {after}.")
        self.after = after


class LinkGone(Exception):
    """The link was used, is too old, or was never one of ours."""


def ask_for_link(address: str, *, client: str) -> None:
    """Mail a link for signing in to this address, known or not: what happens tells nobody who is a customer.

    An address that got three within 15 minutes gets no more for now, silently. Raises `TooOften` for a client that asks
    too often, whatever the addresses, and `mail.BadAddress`.
    """
    now = clock.now()
    who, where = _digest("who", address), _digest("client", _place(client))
    with transaction.atomic():
        recent = SignInLink.objects.filter(created_at__gt=now - WINDOW)
        asked = recent.filter(client=where).order_by("-created_at")[MOST_OF_CLIENT - 1 : MOST_OF_CLIENT].first()
        if asked is not None:
            raise TooOften(asked.created_at + WINDOW - now)
        sent = recent.filter(who=who).count()
        nonce = secrets.token_urlsafe(16)
        SignInLink.objects.create(
            digest=hashlib.sha256(nonce.encode()).hexdigest(), who=who, client=where, created_at=now,
            ends_at=now + LINK_LIFE,
        )  # fmt: skip
        if sent < MOST_TO_ADDRESS and preferences.current().mail_url:
            _mail(address, signing.dumps([address, nonce], salt=_SALT))


def address_in(link: str) -> str:
    """For whom a link is. Opening it changes nothing: programs that check mail open links too. Raises `LinkGone`."""
    address, nonce = _read(link)
    if not _unused(nonce).exists():
        raise LinkGone
    return address


def enter(link: str) -> str:
    """Use the link up: the address is its holder's. Returns the cookie of their session. Raises `LinkGone`."""
    address, nonce = _read(link)
    with transaction.atomic():
        # One conditional statement: of two requests with the same link, one opens a session.
        if not _unused(nonce).update(used_at=clock.now()):
            raise LinkGone
        customer = customers.prove(address)
        return _open(customer.pk, address=address, life=SESSION_LIFE)


def enter_vouched(named: Named) -> str:
    """Whom an identity token of their app names; returns the cookie of their session."""
    with transaction.atomic():
        customer = customers.vouch(named.customer)
        return _open(customer.pk, project=named.project, life=VOUCHED_LIFE)


@transaction.atomic
def writer(session: Session) -> Customer:
    """In whose name the session writes now: by a mailed link whoever has that address, which the user who had it when
    the link was opened may have given up since.
    """
    return customers.prove(session.address) if session.address else session.customer


def leave(cookie: str) -> None:
    """End the session of this cookie."""
    Session.objects.filter(digest=cookie_digest(cookie)).delete()


def cookie_digest(cookie: str) -> str:
    """As the session is kept: who reads the database cannot become its customers."""
    return hashlib.sha256(cookie.encode(errors="replace")).hexdigest()


def forget_customer(customer: int) -> None:
    """End their sessions, which hold their address. The mails that asked how it went go with their tickets."""
    Session.objects.filter(customer=customer).delete()


def sweep() -> None:
    """Remove what has ended."""
    now = clock.now()
    SignInLink.objects.filter(created_at__lt=now - KEPT).delete()
    Session.objects.filter(Q(ends_at__lt=now) | Q(customer__erased_at__isnull=False)).delete()


def _open(customer: int, *, life: dt.timedelta, address: str = "", project: int | None = None) -> str:
    cookie, now = secrets.token_urlsafe(32), clock.now()
    Session.objects.create(
        digest=cookie_digest(cookie), customer_id=customer, address=address, project=project, created_at=now,
        ends_at=now + life,
    )  # fmt: skip
    return cookie


def _read(link: str) -> tuple[str, str]:
    try:
        address, nonce = signing.loads(link, salt=_SALT, max_age=LINK_LIFE)
    except (signing.BadSignature, ValueError):
        raise LinkGone from None
    return address, nonce


def _unused(nonce: str) -> QuerySet[SignInLink]:
    digest = hashlib.sha256(nonce.encode()).hexdigest()
    return SignInLink.objects.filter(digest=digest, used_at=None, ends_at__gt=clock.now())


def _mail(address: str, token: str) -> None:
    name = accounts.workspace().name
    minutes = LINK_LIFE // dt.timedelta(minutes=1)
    text = (
        f"Hello,\n\nopen this page to see your requests to {name}, and to ask something new:\n\n"
        f"{addresses.of_sign_in(token)}\n\n"
        f"The link works once, within {minutes} minutes. "
        "If you did not ask for it, somebody typed your address by mistake: nothing happens unless you open it."
    )
    mail.queue(to=address, subject=f"Your link to {name}", text=text, from_name=name, automatic=True)


def _place(client: str) -> str:
    """Of IPv6 the network: one customer of a provider has 2^64 addresses."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    return client if address.version == 4 else str(ipaddress.IPv6Network((int(address), 64), strict=False))


def _digest(purpose: str, value: str) -> str:
    key = derive(settings.SECRET_KEY, "portal", purpose)
    return hashlib.blake2b(value.encode(errors="replace"), key=key, digest_size=16).hexdigest()
