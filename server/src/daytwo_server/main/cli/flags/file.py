"""The YAML file: segments and flags, each flag with what it is in its environments. What is as by default is left out.

Whether the kill switch is pulled is not written down: it is pulled in a hurry, and a file must not undo that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from daytwo_server.flags import fields

_HEAD = "# Feature flags, as `daytwo flags pull` writes them and `daytwo flags push` reads them.\n"
_USUAL_VARIANTS = [{"name": "on", "value": True}, {"name": "off", "value": False}]
_HERE = tuple(name for name in fields.HERE if name != "killed")


class Unreadable(ValueError):
    """It is no such file; the text says where and why."""


def of_remote(segments: Mapping[str, Any], flags: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the file holds, of what a Daytwo says: flags by environment and key."""
    found: dict[str, Any] = {"segments": {}, "flags": {}}
    for name, segment in segments.items():
        found["segments"][name] = sparse(
            {"description": segment["description"], "conditions": segment["conditions"]}, {"description": ""}
        )
    for environment, there in flags.items():
        for key, flag in there.items():
            entry = found["flags"].setdefault(key, {**shared(flag), "environments": {}})
            entry["environments"][environment] = here(flag)
    return found


def shared(flag: Mapping[str, Any]) -> dict[str, Any]:
    """What a flag is everywhere, less what is so by default."""
    usual = {**fields.DEFAULTS, "offVariant": "off", "defaultVariant": "on", "name": flag["key"]}
    if flag["type"] == "boolean":
        usual["variants"] = _USUAL_VARIANTS
    return sparse({name: flag.get(name) for name in fields.SHARED}, usual)


def here(flag: Mapping[str, Any]) -> dict[str, Any]:
    """What it is in the environment, less what is so by default."""
    return sparse({name: flag.get(name) for name in _HERE}, {**fields.DEFAULTS, "salt": flag["key"]})


def sparse(said: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is usual, and without nulls and empty things within."""
    return {name: bare(value) for name, value in said.items() if value is not None and value != usual.get(name)}


def bare(value: Any) -> Any:
    """Without nulls and empty texts and lists within objects, which say nothing; the value of a variant is as it is."""
    if isinstance(value, Mapping):
        return {
            name: one if name == "value" else bare(one)
            for name, one in value.items()
            if name == "value" or (one is not None and one not in ("", []))
        }
    return [bare(one) for one in value] if isinstance(value, list) else value


def dump(found: Mapping[str, Any]) -> str:
    """As YAML, in an order that stays."""
    whole = {name: dict(sorted(found[name].items())) for name in ("segments", "flags") if found[name]}
    body = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=120) if whole else "flags: {}\n"
    return _HEAD + str(body)


def load(text: str) -> dict[str, Any]:
    """What a file holds. Raises `Unreadable`."""
    try:
        found = yaml.load(text, _Loader)  # noqa: S506 - a safe loader, see below
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise Unreadable(f"The file is no YAML: {problem}") from None
    if not isinstance(found, dict) or not found.keys() <= {"segments", "flags"}:
        raise Unreadable("The file has `segments` and `flags` at its top, and nothing else.")
    whole = {"segments": found.get("segments") or {}, "flags": found.get("flags") or {}}
    for name, there in whole.items():
        if not isinstance(there, dict) or not all(isinstance(one, dict) for one in there.values()):
            raise Unreadable(f"`{name}` is an object of objects by name.")
    for key, flag in whole["flags"].items():
        environments = flag.get("environments", {})
        if not isinstance(environments, dict) or not all(isinstance(one, dict | None) for one in environments.values()):
            raise Unreadable(f"`flags.{key}.environments` is an object of objects by name.")
    return whole


class _Loader(yaml.SafeLoader):
    """`on`, `off`, `yes` and `no` are the texts that they look like: variants are called so. Days stay texts, too."""

    yaml_implicit_resolvers = {
        first: [
            (tag, pattern)
            for tag, pattern in resolvers
            if tag not in {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
