"""The table of the reference: rows of flags (name, enabled, rolloutPercentage, allowedPlans, allowedUsers) and of
overrides (flagName, userId or organizationId, enabled), in camelCase or in snake_case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daytwo.flags.bucketing import identity
from daytwo.flags.definition import KEY
from daytwo_server.flags.importing.parsed import Imported, Parsed, Unreadable, Unsupported, naming, objects

_FLAGS = ("featureFlags", "feature_flags", "flags")
_OVERRIDES = ("featureFlagOverrides", "feature_flag_overrides", "flagOverrides", "overrides")
_KNOWN = {"name", "enabled", "rolloutPercentage", "allowedPlans", "allowedUsers", "description", "overrides"}
_ROW = {"id", "createdAt", "updatedAt"}  # of the table, and not of the flag
_MOVED = (
    "the same share of users has it, but not the same users: there, every flag counted them alike, so that those who "
    "got one got all"
)


def read(data: Any, environment: str) -> Parsed:
    """Rows, or an object with `featureFlags` and `featureFlagOverrides`. Raises `Unreadable`."""
    rows, overrides = _tables(data)
    found = Parsed()
    flags: dict[str, Imported] = {}
    for number, row in enumerate(rows):
        given = _camel(row)
        key = given.get("name")
        key = key if isinstance(key, str) else f"row {number + 1}"
        with naming(found, key):
            flags[key] = _flag(key, given, found)
    for row in overrides:
        given = _camel(row)
        key = str(given.get("flagName") or given.get("flag") or "")
        if key not in flags:
            found.unsupported.setdefault(key or "override", "it has an override but no flag")
            continue
        with naming(found, key):
            flags[key].overrides.append(_override(given))
    found.flags = [one for key, one in flags.items() if key not in found.unsupported]
    return found


def _tables(data: Any) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    flags, overrides = data, None
    if isinstance(data, Mapping):
        flags = next((data[name] for name in _FLAGS if name in data), "")
        overrides = next((data[name] for name in _OVERRIDES if name in data), None)
    try:
        return objects(flags, "featureFlags"), objects(overrides, "featureFlagOverrides")
    except Unsupported as problem:
        raise Unreadable(
            f"This is no table of flags, but a list of rows or an object with featureFlags is expected: {problem}."
        ) from None


def _flag(key: str, given: Mapping[str, Any], found: Parsed) -> Imported:
    if not KEY.fullmatch(key):
        raise Unsupported("its name is no key: letters, digits, dots, _ and - are, at most 200")
    if unknown := sorted(given.keys() - _KNOWN - _ROW):
        raise Unsupported(f"nothing here is like its {', '.join(unknown)}")
    percentage = given.get("rolloutPercentage")
    if isinstance(percentage, (int, float)) and 0 < percentage < 100:
        found.note(key, _MOVED)
    body = {
        "name": key,
        "enabled": given.get("enabled", False),
        "rolloutPercentage": percentage,
        "allowedPlans": given.get("allowedPlans") or [],
        "allowedUsers": given.get("allowedUsers") or [],
    }
    if given.get("description"):
        body["description"] = given["description"]
    made = Imported(key, body)
    made.overrides = [_override(_camel(one)) for one in objects(given.get("overrides"), "overrides")]
    return made


def _override(given: Mapping[str, Any]) -> dict[str, Any]:
    user, organization = identity(given.get("userId")), identity(given.get("organizationId"))
    if bool(user) is bool(organization) or not isinstance(given.get("enabled"), bool):
        raise Unsupported("an override is for either a userId or an organizationId, and says whether it is enabled")
    return {"user_id": user or "", "organization_id": organization or "", "enabled": given["enabled"]}


def _camel(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in row.items():
        first, *others = str(name).split("_")
        found[first + "".join(one.title() for one in others)] = value
    return found
