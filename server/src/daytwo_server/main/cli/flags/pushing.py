"""From a file to a Daytwo: what differs is said, then sent."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from daytwo_server.flags import fields
from daytwo_server.main.cli.flags import file
from daytwo_server.main.cli.flags.remote import Refused, Remote


def push(wanted: Mapping[str, Any], remote: Remote, *, reason: str, dry_run: bool) -> int:
    """Have the flags of the file be as it says, where it says something; others are named and left alone.

    A pulled kill switch stays pulled unless the file says `killed: false`. 1 when something was refused; the rest is
    done nevertheless.
    """
    refused = _push_segments(wanted["segments"], remote, reason=reason, dry_run=dry_run)
    environments = sorted({name for flag in wanted["flags"].values() for name in flag.get("environments", {})})
    known = {name: _flags(remote, name) for name in environments}
    changed = 0
    for key in _in_order(wanted["flags"]):
        entry = wanted["flags"][key]
        if not entry.get("environments"):
            print(f"{key}: it is in no environment, so there is nothing to send", file=sys.stderr)
            refused += 1
        is_moved = False
        for environment, local in (entry.get("environments") or {}).items():
            # What is shared moved everywhere with the environment before, and with it the revision.
            there = _flag(remote, key, environment) if is_moved else known[environment].get(key)
            body = {name: value for name, value in entry.items() if name != "environments"} | (local or {})
            if lines := _difference(body, there):
                changed += 1
                print(f"{key} in {environment}{'' if there else ' (new)'}", *lines, sep="\n  ")
                failed = 0 if dry_run else _send(remote, key, environment, body, there, reason)
                refused += failed
                is_moved = is_moved or not (dry_run or failed)
    others = sorted({key for there in known.values() for key in there} - wanted["flags"].keys())
    if others:
        print(f"not in the file, and left as they are: {', '.join(others)}")
    print(f"{changed} {'would change' if dry_run else 'changed'}, {refused} refused")
    return 1 if refused else 0


def _flags(remote: Remote, environment: str) -> dict[str, dict[str, Any]]:
    """Those of an environment; none of one that is not there yet, which a flag makes."""
    return _where_it_is(lambda: remote.flags(environment)) or {}


def _flag(remote: Remote, key: str, environment: str) -> dict[str, Any] | None:
    """One that is there; None in an environment that is not."""
    return _where_it_is(lambda: remote.flag(key, environment))


def _where_it_is(ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return ask()
    except Refused as problem:
        if not str(problem).startswith("environment"):
            raise
        return None


def _push_segments(wanted: Mapping[str, Any], remote: Remote, *, reason: str, dry_run: bool) -> int:
    refused, known = 0, remote.segments() if wanted else {}
    for name, segment in wanted.items():
        now = file.sparse(known.get(name, {}), {"description": ""})
        new = file.sparse(segment, {"description": ""})
        if lines := list(_lines(now, new, sorted({*new, *now} - {"name", "revision"}))):
            print(f"segment {name}{'' if name in known else ' (new)'}", *lines, sep="\n  ")
            if not dry_run:
                sent, revision = {**segment, "reason": reason}, known.get(name, {}).get("revision", 0)
                refused += _tried(name, lambda: remote.put_segment(name, sent, revision=revision))  # noqa: B023 - called at once
    return refused


def _send(
    remote: Remote, key: str, environment: str, body: Mapping[str, Any], there: Mapping[str, Any] | None, reason: str
) -> int:
    kept = {"killed": there["killed"]} if there else {}
    sent = {**kept, **body, "reason": reason}
    revision = there["revision"] if there else None
    return _tried(key, lambda: remote.put_flag(key, environment, sent, revision=revision))


def _tried(name: str, send: Any) -> int:
    """1 when it was refused."""
    try:
        send()
    except Refused as problem:
        print(f"{name} is refused: {problem}", file=sys.stderr)
        return 1
    return 0


def _difference(body: Mapping[str, Any], there: Mapping[str, Any] | None) -> list[str]:
    """What a PUT of the body changes, a line each. What is only for people stays where it is not named."""
    now = {**file.shared(there), **file.here(there), "killed": there["killed"]} if there else {}
    usual = {**fields.DEFAULTS, "name": there["key"] if there else "", "offVariant": "off", "defaultVariant": "on"}
    kept = {*fields.FOR_PEOPLE, "name", "killed", "salt"}
    new = file.sparse(body, usual)
    names = [name for name in (*fields.SHARED, *fields.HERE) if name in new or name in body or name not in kept]
    names += sorted(body.keys() - set(names))
    if there is None:
        return list(_lines({}, new, [name for name in names if name in new])) or ["as by default"]
    return list(_lines(file.sparse(now, usual), new, names))


def _lines(now: Mapping[str, Any], new: Mapping[str, Any], names: list[str]) -> Iterator[str]:
    for name in names:
        if now.get(name) == new.get(name):
            continue
        if name in now:
            yield f"- {name}: {json.dumps(now[name], ensure_ascii=False)}"
        if name in new:
            yield f"+ {name}: {json.dumps(new[name], ensure_ascii=False)}"


def _in_order(flags: Mapping[str, Any]) -> list[str]:
    """Each after those it hangs on, as far as they are in the file; a circle is for the server to refuse."""
    order: list[str] = []
    ahead = [(key, False) for key in sorted(flags, reverse=True)]
    seen: set[str] = set()
    while ahead:
        key, is_ready = ahead.pop()
        if is_ready:
            order.append(key)
        elif key not in seen:
            seen.add(key)
            ahead.append((key, True))
            ahead += [(parent, False) for parent in sorted(_parents(flags[key]), reverse=True) if parent in flags]
    return order


def _parents(flag: Mapping[str, Any]) -> set[str]:
    return {
        one["flag"]
        for local in (flag.get("environments") or {}).values()
        for one in (local or {}).get("prerequisites") or []
        if isinstance(one, dict) and isinstance(one.get("flag"), str)
    }
