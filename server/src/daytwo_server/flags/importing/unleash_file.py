"""The two shapes of a file of Unleash: an export, where features, their environments and strategies stand apart, and
what the client API gives, where each feature has its strategies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daytwo_server.flags.importing.parsed import Unreadable, Unsupported, objects


@dataclass
class File:
    """Features as the client API has them, and segments by the text of their id."""

    features: list[Mapping[str, Any]]
    segments: dict[str, Mapping[str, Any]]


def read(data: Any, environment: str) -> File:
    """The features of one environment. Raises `Unreadable`."""
    if not isinstance(data, Mapping) or not isinstance(data.get("features"), list):
        raise Unreadable("This is no export of Unleash: an object with features is expected.")
    try:
        features = objects(data["features"], "features")
        segments = {str(one.get("id")): one for one in objects(data.get("segments"), "segments")}
        if "featureStrategies" in data or "featureEnvironments" in data:
            features = _joined(data, features, environment)
    except Unsupported as problem:
        raise Unreadable(f"This is no export of Unleash: {problem}.") from None
    return File(features, segments)


def _joined(data: Mapping[str, Any], features: list[Mapping[str, Any]], environment: str) -> list[Mapping[str, Any]]:
    states = objects(data.get("featureEnvironments"), "featureEnvironments")
    strategies = objects(data.get("featureStrategies"), "featureStrategies")
    chosen = _environment(states, strategies, environment)
    parents = {
        str(one.get("feature")): one.get("dependencies") for one in objects(data.get("dependencies"), "dependencies")
    }
    found: list[Mapping[str, Any]] = []
    for feature in features:
        name = feature.get("name")
        state = next((one for one in states if _of(one, name) and one.get("environment") == chosen), {})
        mine = [one for one in strategies if _of(one, name) and one.get("environment") == chosen]
        found.append({
            **feature,
            "enabled": bool(state.get("enabled", False)),
            "variants": state.get("variants") or feature.get("variants") or [],
            "strategies": sorted(mine, key=lambda one: one.get("sortOrder") or 0),
            "dependencies": parents.get(str(name)) or feature.get("dependencies") or [],
        })  # fmt: skip
    return found


def _of(row: Mapping[str, Any], feature: Any) -> bool:
    return feature in (row.get("featureName"), row.get("feature"))


def _environment(states: list[Mapping[str, Any]], strategies: list[Mapping[str, Any]], wanted: str) -> str:
    """The one that is called as ours, else the only one."""
    names = {str(one.get("environment")) for one in [*states, *strategies]}
    if wanted in names or not names:
        return wanted
    if len(names) == 1:
        return names.pop()
    raise Unreadable(
        f"The file has the environments {', '.join(sorted(names))} and none called {wanted}; name one of them."
    )
