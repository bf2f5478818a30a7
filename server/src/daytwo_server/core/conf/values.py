"""What a setting's value may be, and reading it from text: the environment's, or what somebody typed on a page."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadValue(ValueError):
    """What is allowed, in words. `load` adds the variable's name and what was found."""


def text(value: str) -> str:
    return value


def boolean(value: str) -> bool:
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off"}:
        return False
    raise BadValue("1, true, yes, on, 0, false, no or off")


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`. A page makes a number field of it."""

    low: int
    high: int

    def __call__(self, value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = self.low - 1
        if not self.low <= number <= self.high:
            raise BadValue(f"a whole number from {self.low} to {self.high}")
        return number


@dataclass(frozen=True)
class Choice:
    """One of a few words. A page makes a list of it."""

    allowed: tuple[str, ...]

    def __call__(self, value: str) -> str:
        if value.lower() not in self.allowed:
            raise BadValue(f"one of {', '.join(self.allowed)}")
        return value.lower()


def url(*schemes: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        try:
            parts = urllib.parse.urlsplit(value)
            usable = parts.scheme in schemes and (bool(parts.hostname) or parts.scheme == "sqlite")
            _ = parts.port
        except ValueError:
            usable = False
        if not usable:
            raise BadValue(" or ".join(f"{scheme}://..." for scheme in schemes))
        return value.rstrip("/")

    return parse


def user_and_password(value: str) -> str:
    """What HTTP basic authentication carries."""
    user, _, password = value.partition(":")
    if not user or len(password) < SHORTEST_PASSWORD or not value.isascii() or any(c.isspace() for c in value):
        raise BadValue(f"user:password without spaces, the password {SHORTEST_PASSWORD} characters or longer")
    return value


SHORTEST_PASSWORD = 16  # it is tried from the whole internet


def keys(value: str) -> tuple[tuple[str, str], ...]:
    """Names with their values, NAME=value,NAME=value."""
    found = []
    for pair in words(value):
        name, _, key = pair.partition("=")
        if not re.fullmatch(r"[A-Z][A-Z0-9_]+", name) or not key:
            raise BadValue("NAME=value with commas between, such as RESEND_INBOUND_SECRET=whsec_...")
        found.append((name, key))
    return tuple(found)


# A token of up to 39 characters comes behind it, and 64 is what mail servers take.
LONGEST_INBOUND = 24


def inbound(value: str) -> str:
    """A bare address that mail with a plus token reaches as well."""
    address = email(value).lower()
    local = address.partition("@")[0]
    if not re.fullmatch(r"[a-z0-9._-]+@[a-z0-9.-]+", address) or len(local) > LONGEST_INBOUND:
        raise BadValue(
            f"a bare address such as support@example.com, with at most {LONGEST_INBOUND} characters before the @"
        )
    return address


def email(value: str) -> str:
    address = value.rsplit("<", 1)[-1].rstrip(">").strip()
    name, _, host = address.partition("@")
    if not name or ("." not in host.strip(".") and host != "localhost") or any(c.isspace() for c in address):
        raise BadValue("an e-mail address such as alerts@example.com or Daytwo <alerts@example.com>")
    return value


def networks(value: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part, strict=False) for part in words(value))
    except ValueError:
        raise BadValue("addresses or networks separated by commas, such as 10.0.0.0/8,192.168.1.4") from None


def words(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def cron(value: str) -> str:
    """When something recurs. A page makes a text field of it."""
    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(value, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
    except (CronSimError, StopIteration):
        raise BadValue("a cron expression in UTC, such as 17 3 * * * for every night") from None
    return value


@dataclass(frozen=True)
class Keep:
    """How many days, weeks and months of something are kept."""

    days: int
    weeks: int
    months: int

    def __str__(self) -> str:
        return f"{self.days}d {self.weeks}w {self.months}m"


def keep(value: str) -> Keep:
    found = re.fullmatch(r"(\d{1,4})d[ ,]+(\d{1,4})w[ ,]+(\d{1,4})m", value.strip().lower())
    if not found or not any(map(int, found.groups())):
        raise BadValue("days, weeks and months, such as 7d 4w 6m, and at least one of something")
    return Keep(*map(int, found.groups()))
