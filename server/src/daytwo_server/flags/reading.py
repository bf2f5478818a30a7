"""From what somebody sent to fields that can be kept: kinds, lengths and names, but not yet whether they make sense
together, which the evaluator says (`services.checking`).
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from daytwo.flags.bucketing import identity
from daytwo.flags.conditions import canonical
from daytwo.flags.definition import KEY
from daytwo_server.flags import fields
from daytwo_server.flags.models import MAX_KEY, MAX_NAME, Kind, Type

MAX_VARIANTS = 50
MAX_VARIANT_NAME = 100
MAX_DESCRIPTION = 10_000
MAX_TAGS, MAX_TAG = 20, 50
MAX_BYTES = 256 * 1024  # of one field
GUARD_ACTIONS = ("hold", "step_back", "kill")
_RULE = {"name", "conditions", "variant", "split", "rolloutPercentage"}
_CONDITION = {"attribute", "operator", "values", "inverted", "caseInsensitive"}

Reader = Callable[[Any, str], Any]


class Wrong(ValueError):
    """What was sent for a field cannot be kept; `path` is where, as in `rules[0].conditions[1].operator`."""

    def __init__(self, path: str, words: str) -> None:
        super().__init__(words)
        self.path, self.words = path, words


def key(value: Any) -> str:
    """The key of a flag. Raises `Wrong`."""
    if not isinstance(value, str) or not KEY.fullmatch(value):
        raise Wrong("key", f"Letters, digits, dots, _ and - make a key, at most {MAX_KEY} of them.")
    if value == "import":
        raise Wrong("key", "This word is an address of the API; choose another.")
    return value


def read(body: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The fields of `names` that the body has, as they are kept. Raises `Wrong`."""
    found = {}
    for name in names:
        if name in body:
            _storable(body[name], name)
            value = body[name]
            found[name] = _READERS[name](fields.DEFAULTS[name] if value is None else value, name)
            _small(found[name], name)
    return found


def conditions(value: Any, path: str = "conditions") -> list[dict[str, Any]]:
    """Conditions, operators in our spelling. Raises `Wrong`."""
    found = []
    for number, one in enumerate(_objects(value, path, _CONDITION)):
        name = one.get("operator")
        kept = {**one, "operator": (canonical(name) or name) if isinstance(name, str) else name}
        if "values" in kept and isinstance(kept["values"], list) and not all(map(_is_plain, kept["values"])):
            raise Wrong(f"{path}[{number}].values", "texts, numbers, true and false are expected")
        found.append({name: value for name, value in kept.items() if value is not None})
    return found


def segment_conditions(value: Any) -> list[dict[str, Any]]:
    """Those of a segment. Raises `Wrong`."""
    _storable(value, "conditions")
    found = conditions(value)
    _small(found, "conditions")
    return found


# ---- One reader for each kind of field ----


def _small(value: Any, path: str) -> None:
    if len(json.dumps(value)) > MAX_BYTES:
        raise Wrong(path, f"That is more than {MAX_BYTES // 1024} kB; a segment or a rule says it shorter.")


def _text(longest: int) -> Reader:
    def text(value: Any, path: str) -> str:
        if not isinstance(value, str):
            raise Wrong(path, "A text is expected.")
        if len(value) > longest:
            raise Wrong(path, f"That has {len(value)} characters; at most {longest} fit.")
        return value.strip()

    return text


def _maybe(reader: Reader) -> Reader:
    return lambda value, path: None if value is None or value == "" else reader(value, path)


def _one_of(choices: Collection[str]) -> Reader:
    def choice(value: Any, path: str) -> str:
        if not isinstance(value, str) or value not in choices:
            raise Wrong(path, f"One of {', '.join(choices)} is expected.")
        return str(value)

    return choice


def _flag(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise Wrong(path, "True or false is expected.")
    return value


def _percent(value: Any, path: str) -> float | int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
        raise Wrong(path, "A number from 0 to 100 is expected; null is 100.")
    if abs(value * 1000 - round(value * 1000)) > 1e-6:
        raise Wrong(path, "A percentage has three decimals at most.")
    return fields.percentage(round(value * 1000))


def _date(value: Any, path: str) -> str:
    try:
        return dt.date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Wrong(path, "A day is expected, like 2026-11-23.") from None


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise Wrong(path, "A list is expected.")
    return value


def _texts(value: Any, path: str) -> list[str]:
    found = _list(value, path)
    if not all(isinstance(one, str) and one for one in found):
        raise Wrong(path, "A list of texts is expected.")
    return list(dict.fromkeys(found))


def _ids(value: Any, path: str) -> list[str]:
    found = [identity(one) for one in _list(value, path)]
    if not all(found):
        raise Wrong(path, "A list of user ids is expected.")
    return list(dict.fromkeys(str(one) for one in found))


def _tags(value: Any, path: str) -> list[str]:
    found = sorted({one.strip() for one in _texts(value, path)} - {""}, key=str.casefold)
    if len(found) > MAX_TAGS or any(len(one) > MAX_TAG for one in found):
        raise Wrong(path, f"At most {MAX_TAGS} tags of {MAX_TAG} characters each fit.")
    return found


def _objects(value: Any, path: str, known: Collection[str]) -> list[dict[str, Any]]:
    return [_object(one, f"{path}[{number}]", known) for number, one in enumerate(_list(value, path))]


def _object(value: Any, path: str, known: Collection[str]) -> dict[str, Any]:
    """One that has none but the known fields: a mistyped one would silently be left out."""
    if not isinstance(value, Mapping):
        raise Wrong(path, "An object is expected.")
    for name in value:
        if name not in known:
            raise Wrong(f"{path}.{name}", f"There is no such field; there are {', '.join(sorted(known))}.")
    return dict(value)


def _variants(value: Any, path: str) -> list[dict[str, Any]]:
    found = _objects(value, path, {"name", "value", "weight"})
    if len(found) > MAX_VARIANTS:
        raise Wrong(path, f"There are {len(found)} variants; at most {MAX_VARIANTS} fit.")
    kept = []
    for number, one in enumerate(found):
        name = _text(MAX_VARIANT_NAME)(one.get("name"), f"{path}[{number}].name")
        weight = {} if one.get("weight") is None else {"weight": one["weight"]}
        kept.append({"name": name, "value": one.get("value"), **weight})
    return kept


def _split(value: Any, path: str) -> list[dict[str, Any]]:
    return _objects(value, path, {"variant", "weight"})


def _rules(value: Any, path: str) -> list[dict[str, Any]]:
    kept = []
    for number, one in enumerate(_objects(value, path, _RULE)):
        at = f"{path}[{number}]"
        rule: dict[str, Any] = {"name": _text(MAX_NAME)(one.get("name") or "", f"{at}.name")}
        rule["conditions"] = conditions(one.get("conditions") or [], f"{at}.conditions")
        if one.get("variant"):
            rule["variant"] = _text(MAX_VARIANT_NAME)(one["variant"], f"{at}.variant")
        if one.get("split"):
            rule["split"] = _split(one["split"], f"{at}.split")
        rule["rolloutPercentage"] = _percent(one.get("rolloutPercentage"), f"{at}.rolloutPercentage")
        kept.append(rule)
    return kept


def _prerequisites(value: Any, path: str) -> list[dict[str, Any]]:
    return [
        {"flag": one.get("flag"), "variants": _texts(one.get("variants") or [], f"{path}[{number}].variants")}
        for number, one in enumerate(_objects(value, path, {"flag", "variants"}))
    ]


def _guard(value: Any, path: str) -> dict[str, Any] | None:
    if value is None:
        return None
    found = _object(value, path, {"enabled", "action"})
    kept: dict[str, Any] = {}
    if found.get("enabled") is not None:
        kept["enabled"] = _flag(found["enabled"], f"{path}.enabled")
    if found.get("action") is not None:
        kept["action"] = _one_of(GUARD_ACTIONS)(found["action"], f"{path}.action")
    return kept or None


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def _storable(value: Any, path: str) -> None:
    """Neither NUL nor half a character, which PostgreSQL cannot keep, nor a number that JSON does not have."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Wrong(path, "There is half a character in it, which cannot be kept.") from None
        if "\x00" in value:
            raise Wrong(path, "There is a NUL in it, which cannot be kept.")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Wrong(path, "That is no number.")
    elif isinstance(value, Mapping):
        for name, one in value.items():
            _storable(name, path)
            _storable(one, f"{path}.{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            _storable(one, f"{path}[{number}]")


_READERS: dict[str, Reader] = {
    "name": _text(MAX_NAME), "description": _text(MAX_DESCRIPTION), "type": _one_of(Type.values),
    "variants": _variants, "offVariant": _maybe(_text(MAX_VARIANT_NAME)),
    "defaultVariant": _maybe(_text(MAX_VARIANT_NAME)), "kind": _one_of(Kind.values), "clientExposed": _flag,
    "owner": _maybe(_text(254)), "tags": _tags, "removeBy": _maybe(_date), "enabled": _flag, "killed": _flag,
    "rolloutPercentage": _percent, "salt": _maybe(_text(MAX_KEY)), "allowedPlans": _texts, "allowedUsers": _ids,
    "split": _split, "bucketBy": _maybe(_text(MAX_NAME)), "rules": _rules, "prerequisites": _prerequisites,
    "guard": _guard,
}  # fmt: skip


def step(value: Any, path: str) -> dict[str, Any]:
    """A step of a ramp. Raises `Wrong`."""
    found = _object(value, path, {"percent", "holdSeconds", "guard"})
    percent, seconds = _percent(found.get("percent"), f"{path}.percent"), found.get("holdSeconds")
    if percent is None:
        raise Wrong(f"{path}.percent", "A number from 0 to 100 is expected.")
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds < 0):
        raise Wrong(f"{path}.holdSeconds", "A number of seconds is expected.")
    kept: dict[str, Any] = {"percent": percent, "holdSeconds": None if seconds is None else round(seconds)}
    if found.get("guard") is not None:
        kept["guard"] = _flag(found["guard"], f"{path}.guard")
    return kept
