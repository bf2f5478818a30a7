"""The invitation that somebody holds while they sign in elsewhere: kept in their session until it is used."""

from django.http import HttpRequest

_KEY = "invitation"


def keep(request: HttpRequest, link: str) -> None:
    """Remember the link of `/join/<link>/` for whoever comes back, as from the page of another service."""
    request.session[_KEY] = link


def link(request: HttpRequest) -> str:
    """The link that was kept, or ""; whether it is still good says `services.invitation_for`."""
    return str(request.session.get(_KEY, ""))


def forget(request: HttpRequest) -> None:
    """The link was used, or is no longer wanted."""
    request.session.pop(_KEY, None)
