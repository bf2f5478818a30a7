"""Numbers of rows, as addresses and forms bring them. The converter `id` is for addresses:
`path("members/<id:member>/", ...)`.
"""

import re
from collections.abc import Sequence

AT_ONCE = 200  # rows that a form may name


class Id:
    """The number of a row. Django's own `int` lets numbers through that no database can look for."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int | str) -> str:
        return str(int(value))


def numbers(values: Sequence[str]) -> list[int]:
    """The numbers among what a form sent, at most `AT_ONCE`; what is none is passed over."""
    return [int(value) for value in values[:AT_ONCE] if re.fullmatch(Id.regex, value)]
