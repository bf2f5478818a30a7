"""Feature flags for the user of a Django request: in views, as a decorator, and in templates.

Who asks is the signed-in user; what else rules look at (organization, plan, anything) comes from the function that the
setting DAYTWO_FLAGS_CONTEXT names: it is given the request and returns a mapping, whose `user` wins.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import Http404, HttpRequest
from django.utils.module_loading import import_string

from daytwo import flags

View = TypeVar("View", bound=Callable[..., Any])
_KEPT = "_daytwo_flags_context"


def context_of(request: HttpRequest) -> dict[str, Any]:
    """What is known about who asks, as arguments of `daytwo.flags.enabled`; looked up once for each request."""
    kept: dict[str, Any] | None = getattr(request, _KEPT, None)
    if kept is None:
        user = getattr(request, "user", None)
        kept = {"user": user.pk if user is not None and user.is_authenticated else None}
        named = getattr(settings, "DAYTWO_FLAGS_CONTEXT", None)
        if named:
            more: Mapping[str, Any] = (import_string(named) if isinstance(named, str) else named)(request)
            kept |= more
        setattr(request, _KEPT, kept)
    return kept


def enabled(request: HttpRequest, key: str, *, default: bool = False, **attributes: Any) -> bool:
    """Whether a flag is on for who asks."""
    return flags.enabled(key, default=default, **(context_of(request) | attributes))


def variant(request: HttpRequest, key: str, *, default: str | None = None, **attributes: Any) -> str | None:
    """The name of the variant that who asks is served."""
    return flags.variant(key, default=default, **(context_of(request) | attributes))


def flag_required(
    key: str, *, default: bool = False, otherwise: Callable[..., Any] | None = None
) -> Callable[[View], View]:
    """Decorate a view, sync or async: where the flag is off, 404, or what the view `otherwise` answers.

    An async view's user is looked at in a thread if need be; an `otherwise` is of the same kind as the view.
    """

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):

            @functools.wraps(view)
            async def answer_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                if not hasattr(request, _KEPT) and hasattr(request, "auser"):
                    request.user = await request.auser()  # the lazy one would ask the database here
                chosen = _chosen(request, view)
                return await chosen(request, *args, **kwargs)

            return answer_async  # type: ignore[return-value]  # of the same shape

        @functools.wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return _chosen(request, view)(request, *args, **kwargs)

        return answer  # type: ignore[return-value]  # of the same shape

    def _chosen(request: HttpRequest, view: Callable[..., Any]) -> Callable[..., Any]:
        if enabled(request, key, default=default):
            return view
        if otherwise is None:
            raise Http404(f"{key} is off")
        return otherwise

    return decorate
