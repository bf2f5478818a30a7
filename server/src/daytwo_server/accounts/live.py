"""Who may hold a live stream open: members. Topics are mere names, and pages ask for what changed by themselves."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest, parse_cookie

from daytwo_server.accounts.permissions import membership_of, second_factor_is_due
from daytwo_server.accounts.sessions import SessionStore

# One thread, and so one database connection, for a question that each page asks once in ten minutes.
_thread = ThreadPoolExecutor(1, thread_name_prefix="live-sign-in")


async def authorize(scope: dict[str, Any], _topics: tuple[str, ...]) -> bool:
    """Whether the request carries the session of a member. For `core.live.Hub`."""
    header = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
    key = parse_cookie(header).get(settings.SESSION_COOKIE_NAME, "")
    return bool(key) and await asyncio.get_running_loop().run_in_executor(_thread, _is_member, key)


def _is_member(session_key: str) -> bool:
    close_old_connections()
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = get_user(request)  # nobody for a session from before the password was changed
    return membership_of(user) is not None and not second_factor_is_due(user)
