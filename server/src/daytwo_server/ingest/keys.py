"""The DSN keys, as intake knows them."""

from dataclasses import dataclass

from daytwo_server.core import keytable


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A DSN key. `rate_per_s` and `burst` of None mean the installation's default.

    From the unix second `ends_at` on it lets nothing in; None: it has no end. `archived`: its project is.
    """

    public_key: str
    project: int
    active: bool = True
    allowed_origins: tuple[str, ...] = ()
    rate_per_s: float | None = None
    burst: int | None = None
    ends_at: float | None = None
    archived: bool = False


KeyTable = keytable.KeyTable[Key]
