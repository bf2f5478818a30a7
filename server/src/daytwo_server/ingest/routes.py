"""Which paths are intake's, and what each one is."""

import re
from typing import NamedTuple

from daytwo_server.ingest.auth import project_id

ENVELOPE = "envelope"
STORE = "store"
# Endpoints whose content is not stored yet: path pattern below /api/{id}/ and the item type it counts as.
_OTHERS = (
    (r"security|csp-report", "security"),
    (r"nel", "nel"),
    (r"minidump", "minidump"),
    (r"unreal/(?P<unreal_key>[^/]+)", "unreal"),
    (r"events/[^/]+/attachments", "attachment"),
    (r"cron/[^/]+(?:/(?P<cron_key>[^/]+))?", "check_in"),
)
# The first segment is anything for the two main endpoints, so that a wrong project id is answered by intake and in
# its own words; the others, whose last words are less telling, are only claimed below a number.
_PATH = re.compile(
    r"/api/(?:(?P<project>[^/]+)/(?P<main>envelope|store)|(?P<legacy>store)|(?P<id>\d+)/(?:"
    + "|".join(f"(?P<kind{index}>{pattern})" for index, (pattern, _) in enumerate(_OTHERS))
    + r"))/?",
)


class Route(NamedTuple):
    """`project` is None when the path names none, 0 when what it names is no project id. `item`: see `_OTHERS`."""

    endpoint: str
    project: int | None
    path_key: str = ""
    item: str = ""


def matches(path: str) -> bool:
    """Whether `path` (without any prefix of the installation) belongs to intake."""
    return path.startswith("/api/") and _PATH.fullmatch(path) is not None


def route(path: str) -> Route | None:
    """What `path` is, or None when it is not intake's."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    if match["legacy"]:
        return Route(STORE, None)
    if match["main"]:
        return Route(match["main"], project_id(match["project"]) or 0)
    item = next(item for index, (_, item) in enumerate(_OTHERS) if match[f"kind{index}"])
    return Route("other", project_id(match["id"]) or 0, match["unreal_key"] or match["cron_key"] or "", item)
