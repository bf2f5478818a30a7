"""What the frame around every page needs to know."""

from functools import cache
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse

from daytwo_server.accounts import permissions
from daytwo_server.accounts.models import Membership, User
from daytwo_server.ui import nav, people

THEME_COOKIE = "daytwo_theme"


def shell(request: HttpRequest) -> dict[str, Any]:
    """Theme, navigation and viewer for `ui/base.html` and `ui/shell.html`.

    Costs no query but `nav.waiting`: users are loaded with their membership and workspace. Works on error pages, where
    a failure early in a request may have left it without a user.
    """
    user = _user(request)
    membership = permissions.membership_of(user)
    sections = _sections(request, user) if membership else []
    section = next((item for group in sections for item in group["items"] if item["current"]), None)
    links = _links(request, user, in_settings=section is not None) if membership else []
    return {
        "theme": theme_of(request, user),
        "density": user.density if isinstance(user, User) else User.Density.COMFORTABLE.value,
        "absolute_times": isinstance(user, User) and user.absolute_times,
        "keys_off": isinstance(user, User) and not user.single_key_shortcuts,
        "home_url": _url("home"),
        "theme_url": _url("theme"),
        "nav": _grouped(links),
        "sections": sections,
        "section": section,
        "tabbar": _tabbar(links),
        "workspace_name": membership.workspace.name if membership else "Daytwo",
        "viewer": _viewer(user, membership),
    }


def _user(request: HttpRequest) -> User | AnonymousUser:
    user: User | AnonymousUser = getattr(request, "user", None) or AnonymousUser()
    try:
        _ = user.is_authenticated  # loads the session and the person, the only queries behind this module
    except DatabaseError:
        return AnonymousUser()  # the page that says the database is down must come up without it
    return user


def theme_of(request: HttpRequest, user: User | AnonymousUser) -> str:
    """What the person chose; for a visitor what their browser remembers."""
    if isinstance(user, User):
        return user.theme
    remembered = request.COOKIES.get(THEME_COOKIE, "")
    return remembered if remembered in User.Theme.values else User.Theme.AUTO.value


def _links(request: HttpRequest, user: User | AnonymousUser, *, in_settings: bool) -> list[tuple[nav.Entry, nav.Link]]:
    shown = [(entry, _url(entry.url_name)) for entry in nav.entries() if permissions.can(user, entry.action)]
    here = [url for _, url in shown if request.path == url or _is_below(request.path, url)]
    current = max(here, key=len) if here else _url("settings") if in_settings else ""
    return [
        (
            entry,
            nav.Link(
                label=entry.label,
                url=url,
                icon=entry.icon,
                key=entry.key,
                current=url == current,
                **_waiting(entry.url_name),
            ),
        )
        for entry, url in shown
    ]


def _sections(request: HttpRequest, user: User | AnonymousUser) -> list[dict[str, Any]]:
    """The settings by group, with the one marked that the viewer is in."""
    items: list[dict[str, Any]] = [
        {
            "group": one.group,
            "label": one.label,
            "url": _url(one.url_name),
            "icon": one.icon,
            "text": one.text,
            **_waiting(one.url_name),
        }
        for one in nav.sections()
        if permissions.can(user, one.action)
    ]
    here = max((item["url"] for item in items if _is_at(request.path, item["url"])), key=len, default="")
    for item in items:
        item["current"] = item["url"] == here
    groups = [{"label": label, "items": [i for i in items if i["group"] == label]} for label in nav.SECTION_GROUPS]
    return [group for group in groups if group["items"]]


def _url(name: str) -> str:
    """Forty of them stand around every page."""
    return _reversed(name, get_script_prefix())


@cache
def _reversed(name: str, _prefix: str) -> str:
    return reverse(name)


def _waiting(url_name: str) -> dict[str, Any]:
    found = nav.waiting().get(url_name)
    return {"count": found.count, "counted": found.what} if found else {}


def _is_at(path: str, url: str) -> bool:
    return path == url or path.startswith(f"{url.rstrip('/')}/")


def _is_below(path: str, url: str) -> bool:
    # The home page is above every page, so being below it says nothing.
    return path.startswith(url) and url != _url("home")


def _grouped(links: list[tuple[nav.Entry, nav.Link]]) -> list[nav.Group]:
    groups = (nav.Group(name, tuple(link for entry, link in links if entry.group == name)) for name in nav.GROUPS)
    return [group for group in groups if group.links]


def _tabbar(links: list[tuple[nav.Entry, nav.Link]]) -> list[nav.Link]:
    tabs = sorted((entry.tab, n) for n, (entry, _) in enumerate(links) if entry.tab is not None)
    return [links[n][1] for _, n in tabs]


def _viewer(user: User | AnonymousUser, membership: Membership | None) -> dict[str, Any] | None:
    """None for visitors."""
    if not isinstance(user, User):
        return None
    return {
        "name": user.name or user.email,
        "email": user.email,
        "initials": people.initials(user.name or user.email),
        "hue": people.hue(user.email),
        "url": _url("profile") if membership else "",
    }
