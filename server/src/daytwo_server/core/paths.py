"""The converter `id` for addresses: `path("members/<id:member>/", ...)`."""


class Id:
    """The number of a row. Django's own `int` lets numbers through that no database can look for."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int | str) -> str:
        return str(int(value))
