"""What several pages of this room need."""

from __future__ import annotations

import urllib.parse

from daytwo_server.core import conf


def absolute(path: str) -> str:
    """The address of one of our pages for use outside the browser."""
    parts = urllib.parse.urlsplit(conf.current().public_url)
    return f"{parts.scheme}://{parts.netloc}{path}"
