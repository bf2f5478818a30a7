"""What several pages of this room need."""

from __future__ import annotations

import urllib.parse

from django.http import HttpRequest

from daytwo_server.accounts.models import User
from daytwo_server.core import conf


def viewer(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # `require` let nobody else in
    return request.user


def absolute(path: str) -> str:
    """The address of one of our pages for use outside the browser."""
    parts = urllib.parse.urlsplit(conf.current().public_url)
    return f"{parts.scheme}://{parts.netloc}{path}"
