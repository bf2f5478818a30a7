"""The settings in force: what the environment gave, else what a page gave, else the default.

Every process follows changes of pages within two seconds; none of them asks the store each time. Code that uses a
setting with a label for pages (`core.conf`) asks `current()` whenever it needs the value and keeps no copy.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import Error, close_old_connections, connections, models, transaction

from daytwo_server.core import audit, clock, conf, live, sql
from daytwo_server.core.conf import Conf
from daytwo_server.core.models import Setting
from daytwo_server.core.ref import Ref
from daytwo_server.core.stores import DEFAULT
from daytwo_server.core.trouble import words

log = logging.getLogger(__name__)

TOPIC = "settings"  # of `core.live`
MAX_AGE_S = 1.0


class Origin(StrEnum):
    """Where the value in force comes from."""

    ENVIRONMENT = "environment"
    PAGE = "page"
    DEFAULT = "default"


@dataclass(frozen=True)
class Source:
    """A setting and where its value comes from. `by` is the id of the person who changed it last on a page, and
    `version` counts those changes; a page value that the environment overrules is kept and takes effect without it.
    """

    name: str
    value: Any
    origin: Origin
    version: int = 0
    at: dt.datetime | None = None
    by: int | None = None


class Refused(Exception):
    """The values cannot be taken. `problems` says why for each setting: what is allowed, or who decides instead."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = dict(problems)


class Conflict(Exception):
    """Somebody changed these settings since the form was loaded; nothing was written. `now` says how they are."""

    def __init__(self, now: Mapping[str, Source]) -> None:
        super().__init__(f"Changed meanwhile: {', '.join(now)}.")
        self.now = dict(now)


class _Cache:
    """What this process knows of the table."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.texts: dict[str, str] = {}
        self.next_look = 0.0  # time.monotonic()
        self.failing = False
        self.base: Conf | None = None
        self.merged: Conf | None = None


_cache = _Cache()


def current() -> Conf:
    """The settings in force. Looks at the store at most once a second; the same object while nothing changes.

    While the store is away it goes on with what it last said, at first with the environment and the defaults.
    """
    if time.monotonic() >= _cache.next_look and _cache.lock.acquire(blocking=False):
        try:
            _look()
        finally:
            _cache.lock.release()
    return _merged()


def reset() -> None:
    """Forget what the store said: the next `current` asks it. For tests, which take back what they wrote."""
    _cache.forget()


def sources() -> dict[str, Source]:
    """Every setting in the order of the reference table, as the store has it now."""
    return _sources({row.name: row for row in Setting.objects.all()})


def change(values: Mapping[str, str], *, versions: Mapping[str, int], actor: models.Model | None) -> dict[str, Source]:
    """Give settings new values, as the environment would write them; "" goes back to the default. All or nothing.

    `versions` are those the editor saw (`Source.version`). Returns what really changed. Raises `Refused` and
    `Conflict`; a value that somebody else has set already to the same is no conflict.
    """
    checked = _checked(values)
    with transaction.atomic(using=DEFAULT):
        before = sources()
        texts = dict(Setting.objects.filter(name__in=checked).values_list("name", "value"))
        wanted = {name: text for name, text in checked.items() if texts.get(name, "") != text}
        if not wanted:
            return {}
        stale = [name for name, text in wanted.items() if not _write(name, text, versions.get(name, 0), actor)]
        now = sources()
        if stale:
            raise Conflict({name: now[name] for name in stale})
        _tell(before, {name: now[name] for name in wanted}, actor)
    return {name: now[name] for name in wanted}


def _checked(values: Mapping[str, str]) -> dict[str, str]:
    """The values as they are written, in the one order in which rows are taken. Raises `Refused`."""
    base, problems, texts = conf.current(), {}, {}
    for name, text in sorted(values.items()):
        metadata = conf.fields()[name].metadata
        if not metadata["page"]:
            problems[name] = f"This is set by {metadata['env']} in the environment only."
        elif name in base.given:
            problems[name] = f"This is set by {metadata['env']} in the environment, which overrules the page."
        elif not text.isprintable():  # PostgreSQL takes no NUL
            problems[name] = "Give one line of printable characters."
        else:
            try:
                texts[name] = conf.as_text(metadata["parse"](text.strip())) if text.strip() else ""
            except conf.BadValue as allowed:
                problems[name] = f"Give {allowed}."
    if problems:
        raise Refused(problems)
    return texts


def _write(name: str, text: str, version: int, actor: models.Model | None) -> bool:
    """One conditional statement: of two editors who saw the same version, one changes the row."""
    now, by = clock.now(), actor.pk if actor is not None else None
    if version:
        seen = Setting.objects.filter(name=name, version=version)
        return bool(seen.update(value=text, version=version + 1, changed_at=now, changed_by=by))
    columns, row = ("name", "value", "version", "changed_at", "changed_by"), (name, text, 1, now, by)
    return bool(sql.insert(DEFAULT, "core_setting", columns, [row], on_conflict="DO NOTHING", returning="version"))


def _tell(before: Mapping[str, Source], after: Mapping[str, Source], actor: models.Model | None) -> None:
    """The audit entries, and a word to whoever follows."""
    for name, source in after.items():
        was, new = {name: conf.as_text(before[name].value)}, {name: conf.as_text(source.value)}
        audit.record("core:setting:changed", actor=actor, ref=Ref("setting", name), before=was, after=new)
    live.bump(TOPIC)
    _look_again()
    transaction.on_commit(_look_again, using=DEFAULT)


def _look_again() -> None:
    _cache.next_look = 0.0


def _sources(rows: Mapping[str, Setting]) -> dict[str, Source]:
    base = conf.current()
    found = {}
    for name, field in conf.fields().items():
        row = rows.get(name) if field.metadata["page"] else None
        parsed = _parsed(name, row.value) if row else None
        origin = Origin.DEFAULT if parsed is None else Origin.PAGE
        origin = Origin.ENVIRONMENT if name in base.given else origin
        source = Source(name, parsed if origin is Origin.PAGE else getattr(base, name), origin)
        if row:
            source = dataclasses.replace(source, version=row.version, at=row.changed_at, by=row.changed_by)
        found[name] = source
    return found


def _parsed(name: str, text: str) -> Any:
    """None where the default holds: for nothing, and for a value that this version does not take."""
    try:
        return conf.fields()[name].metadata["parse"](text) if text else None
    except conf.BadValue as allowed:
        log.warning("The setting %s was changed on a page to what this version does not take; give %s.", name, allowed)
        return None


def _look() -> None:
    _cache.next_look = time.monotonic() + MAX_AGE_S
    try:
        texts = dict(Setting.objects.exclude(value="").values_list("name", "value"))
    except Error as error:
        if not _cache.failing:
            log.warning("The settings of pages cannot be read (%s); those last known hold.", words(error))
        _cache.failing = True
        if not connections[DEFAULT].in_atomic_block:
            close_old_connections()
        return
    _cache.failing = False
    if texts != _cache.texts:
        _cache.texts, _cache.merged = texts, None


def _merged() -> Conf:
    base = conf.current()
    merged = _cache.merged
    if merged is None or _cache.base is not base:
        known = conf.fields()
        open_ = {name for name in _cache.texts if name in known and known[name].metadata["page"]} - base.given
        parsed = {name: _parsed(name, _cache.texts[name]) for name in open_}
        overlay = {name: value for name, value in parsed.items() if value is not None}
        merged = dataclasses.replace(base, **overlay) if overlay else base
        _cache.base, _cache.merged = base, merged
    return merged
