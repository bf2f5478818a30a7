"""A Daytwo somewhere, by its API."""

from __future__ import annotations

import urllib.parse
from typing import Any, Self

import httpx

PATIENCE_S = 30.0


class Failed(Exception):
    """It cannot be reached, or does not do it; the text says why."""


class Refused(Failed):
    """It says what is wrong with what was sent."""


class Remote:
    """The flags of one project."""

    def __init__(self, url: str, token: str, project: str) -> None:
        self._client = httpx.Client(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S
        )
        self._project = {"project": project} if project else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def flags(self, environment: str) -> dict[str, dict[str, Any]]:
        """All that are in use, by key, as they are in an environment."""
        found: dict[str, dict[str, Any]] = {}
        cursor = ""
        while cursor is not None:
            page = self._ask("GET", "/flags", params={"environment": environment, "limit": 100, "cursor": cursor})
            found |= {one["key"]: one for one in page["results"]}
            cursor = page["next"]
        return found

    def flag(self, key: str, environment: str) -> dict[str, Any]:
        """One, as it is in an environment."""
        found: dict[str, Any] = self._ask("GET", _path(key), params={"environment": environment})
        return found

    def segments(self) -> dict[str, dict[str, Any]]:
        """By name."""
        return {one["name"]: one for one in self._ask("GET", "/segments")["results"]}

    def put_flag(self, key: str, environment: str, body: dict[str, Any], *, revision: int | None) -> None:
        """Have it be so, unless it is of another revision than the one that was looked at."""
        self._ask("PUT", _path(key), params={"environment": environment}, json=body, headers=_of(revision))

    def put_segment(self, name: str, body: dict[str, Any], *, revision: int | None) -> None:
        """Have it be so, unless it is of another revision than the one that was looked at."""
        self._ask("PUT", f"/segments/{urllib.parse.quote(name, safe='')}", json=body, headers=_of(revision))

    def import_file(self, text: str, *, format_: str, environment: str, dry_run: bool) -> dict[str, Any]:
        """What became of the file of another system."""
        params = {"format": format_, "environment": environment, "dryRun": "true" if dry_run else "false"}
        found: dict[str, Any] = self._ask("POST", "/flags/import", params=params, content=text.encode())
        return found

    def _ask(self, method: str, path: str, *, params: dict[str, Any] | None = None, **more: Any) -> Any:
        try:
            answer = self._client.request(method, path, params={**self._project, **(params or {})}, **more)
        except httpx.HTTPError as problem:
            raise Failed(f"{self._client.base_url} does not answer: {problem or type(problem).__name__}.") from None
        try:
            said = answer.json() if answer.content else None
        except ValueError:
            raise Failed(f"{self._client.base_url} answers {answer.status_code}, and not as Daytwo does.") from None
        if answer.is_success:
            return said
        fields = said.get("fields") or {} if isinstance(said, dict) else {}
        lines = [f"{name}: {one}" for name, words in fields.items() for one in words]
        detail = said.get("detail", "") if isinstance(said, dict) else ""
        raise (Refused if answer.status_code in {400, 409} else Failed)(
            "; ".join(lines) or f"{answer.status_code} {detail}"
        )


def _of(revision: int | None) -> dict[str, str]:
    return {} if revision is None else {"If-Match": str(revision)}


def _path(key: str) -> str:
    return f"/flags/{urllib.parse.quote(key, safe='')}"
