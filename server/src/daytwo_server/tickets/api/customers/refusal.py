"""Why a request of the customers' API cannot be done, other than by a wrong field."""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """The text is for whoever sent the request; `status` and `headers` are those of the answer."""

    status = 400

    def __init__(self, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.headers = headers or {}
