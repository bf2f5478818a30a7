"""What several pages of this room need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import can
from daytwo_server.catalog.models import Environment
from daytwo_server.core import preferences
from daytwo_server.flags.actors import Actor, of_user
from daytwo_server.flags.models import MAX_REASON, Change, Flag, State
from daytwo_server.flags.selectors import detail, listing
from daytwo_server.flags.services import saving
from daytwo_server.ui.listing import address
from daytwo_server.ui.toasts import Toast

UNDONE = "Undone"  # why something is taken back from its toast
_PAGES = ("edit", "targeting", "overrides", "ramp", "new-rule", "changes", "archive", "restore")
SHOWN = 6  # environments that stand side by side; of more, one is chosen from a list


@dataclass(frozen=True)
class Place:
    """A flag in the environment that is looked at. `state` is None where nobody said anything yet, and `environment`
    while the project has none.
    """

    flag: Flag
    everywhere: Sequence[listing.Somewhere]
    environment: Environment | None
    state: State | None

    @property
    def revision(self) -> int:
        """Of what is shown, so that nobody writes over what they have not seen."""
        return self.state.revision if self.state else 0

    @property
    def definition(self) -> dict[str, Any]:
        return self.state.definition if self.state else {}

    def url(self, name: str = "flag", *args: object, **params: object) -> str:
        """A page of this flag in this environment."""
        here = self.environment.name if self.environment else None
        return address(reverse(f"flags:{name}", args=[self.flag.pk, *args]), environment=here, **params)


def place(request: HttpRequest, number: int) -> Place:
    """The flag of an address in the environment that it names, else the first one. 404 for what is not there."""
    flag = detail.flag(number)
    if flag is None:
        raise Http404
    somewhere = listing.everywhere([flag])[flag.pk]
    name = request.GET.get("environment", "")
    if not name:
        here = somewhere[0] if somewhere else None
    else:
        here = next((one for one in somewhere if one.environment.name == name), None)
        if here is None:
            raise Http404
    return Place(flag, somewhere, here.environment if here else None, here.state if here else None)


def needed(found: Place) -> Environment:
    """The environment that something is to be changed in. 404 while there is none."""
    if found.environment is None:
        raise Http404
    return found.environment


def frame(request: HttpRequest, found: Place, *, page: str = "flag") -> dict[str, Any]:
    """What every page of a flag shows: which flag and environment, the other environments, what the viewer may do."""
    return {
        "flag": found.flag,
        "environment": found.environment,
        "state": found.state,
        "place": found,
        "revision": found.revision,
        "places": [
            {
                "label": one.environment.name,
                "url": address(reverse(f"flags:{page}", args=[found.flag.pk]), environment=one.environment.name),
                "current": one.environment == found.environment,
            }
            for one in found.everywhere
        ],
        "few": len(found.everywhere) <= SHOWN,
        "may_change": can(request.user, "flags.change") and found.flag.archived_at is None,
        "may_restore": can(request.user, "flags.change"),
        "may_override": can(request.user, "flags.override") and found.flag.archived_at is None,
        "why_needed": preferences.current().flags_require_comment,
        "longest_reason": MAX_REASON,
        "flag_url": found.url(),
        **{f"{name.replace('-', '_')}_url": found.url(name) for name in _PAGES},
    }


def actor(request: HttpRequest) -> Actor:
    """The viewer, as changes name them."""
    return of_user(viewer(request))


def reason(request: HttpRequest) -> str:
    """Why somebody changes something, in their words."""
    return " ".join(request.POST.get("reason", "").split())


def expected(request: HttpRequest) -> int | None:
    """The revision that the form was made of; None when it says none."""
    text = request.POST.get("revision", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def told(text: str, change: Change | None) -> Toast:
    """What was done, with the way back; that nothing was, when nothing changed."""
    if change is None:
        return Toast("Nothing changed: it was so already")
    return Toast(text, undo=reverse("flags:revert", args=[change.pk]))


def sentence(fields: dict[str, list[str]]) -> str:
    """What is wrong, on one line, for where there is no form to say it in."""
    return " ".join(word if word.endswith(".") else f"{word}." for words in fields.values() for word in words)


def variants_of(flag: Flag) -> list[str]:
    """The names of its variants."""
    return [one["name"] for one in flag.variants] or ["on", "off"]


def state_in(flag: Flag, environment: Environment, *, by: Actor) -> State:
    """What a flag is in an environment; made, off as it was, where nobody said anything yet."""
    state = saving.patch(flag, environment, {}, by=by).state
    assert state is not None  # an environment was named
    return state
