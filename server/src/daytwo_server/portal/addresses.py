"""Where the pages of customers are, for the mail that leads there."""

from __future__ import annotations

from django.urls import reverse

from daytwo_server.accounts.http import absolute
from daytwo_server.core import preferences


def is_open() -> bool:
    """Whether there are pages for customers: the setting DAYTWO_PORTAL."""
    return preferences.current().portal == "on"


def of_token(token: str) -> str:
    """The page of a ticket by the token of `tickets.capability`; "" while the portal is switched off."""
    return absolute(reverse("portal:ticket", args=[token])) if is_open() else ""


def of_rating(token: str, rating: int) -> str:
    """The page on which this rating is already chosen."""
    return f"{absolute(reverse('portal:rating', args=[token]))}?rating={rating}"


def of_sign_in(token: str) -> str:
    """The page behind a link for signing in."""
    return absolute(reverse("portal:enter", args=[token]))
