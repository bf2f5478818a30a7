"""How a setting is said: a field of `settings.Conf` with its variable, its section and its sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from daytwo_server.core.conf import values


def setting(
    env: str,
    section: str,
    text: str,
    default: Any,
    parse: Callable[[str], Any] = values.text,
    *,
    secret: bool = False,
    page: str = "",
) -> Any:
    """A field of `Conf`. `page` is its label on the page where it may be changed, empty when it may not.

    Only a setting that running processes follow may have one: see `core.preferences`.
    """
    if secret and page:
        raise ValueError(f"{env} is a secret: on a page it would end in the database, readable to all who back it up.")
    metadata = {"env": env, "section": section, "help": text, "parse": parse, "secret": secret, "page": page}
    if isinstance(default, list | dict | Path):
        return dataclasses.field(default_factory=lambda: default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)
