"""Every setting of the server, typed, read once from the environment.

A setting is a field of `Conf`. Its metadata carries the variable's name, the section and the sentence of the
reference table in `docs/reference/settings.md`, which is generated from here (`daytwo settings --markdown`).
A wrong value never gets a silent default: `load` raises `ConfError` naming the variable, what was found and what is
allowed.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ConfError(Exception):
    """One or more settings are wrong. `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _BadValue(ValueError):
    """What is allowed, in words. `load` adds the variable's name and what was found."""


def _text(value: str) -> str:
    return value


def _boolean(value: str) -> bool:
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off"}:
        return False
    raise _BadValue("1, true, yes, on, 0, false, no or off")


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise _BadValue(f"a whole number from {low} to {high}")
        return number

    return parse


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in allowed:
            raise _BadValue(f"one of {', '.join(allowed)}")
        return value.lower()

    return parse


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        try:
            parts = urllib.parse.urlsplit(value)
            usable = parts.scheme in schemes and (bool(parts.hostname) or parts.scheme == "sqlite")
            _ = parts.port
        except ValueError:
            usable = False
        if not usable:
            raise _BadValue(" or ".join(f"{scheme}://..." for scheme in schemes))
        return value.rstrip("/")

    return parse


def _email(value: str) -> str:
    address = value.rsplit("<", 1)[-1].rstrip(">").strip()
    name, _, host = address.partition("@")
    if not name or ("." not in host.strip(".") and host != "localhost") or any(c.isspace() for c in address):
        raise _BadValue("an e-mail address such as alerts@example.com or Daytwo <alerts@example.com>")
    return value


def _networks(value: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part, strict=False) for part in _words(value))
    except ValueError:
        raise _BadValue("addresses or networks separated by commas, such as 10.0.0.0/8,192.168.1.4") from None


def _words(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _setting(
    env: str,
    section: str,
    text: str,
    default: Any,
    parse: Callable[[str], Any] = _text,
    *,
    secret: bool = False,
) -> Any:
    metadata = {"env": env, "section": section, "help": text, "parse": parse, "secret": secret}
    if isinstance(default, list | dict | Path):
        return dataclasses.field(default_factory=lambda: default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Conf:
    """The settings, in the order of the reference table."""

    data_dir: Path = _setting(
        "DAYTWO_DATA_DIR",
        "Server",
        "Where the embedded databases, the spool and the secret key live.",
        Path("daytwo-data"),
        lambda value: Path(value).expanduser(),
    )
    host: str = _setting("DAYTWO_HOST", "Server", "Address to listen on.", "127.0.0.1")
    port: int = _setting("DAYTWO_PORT", "Server", "Port to listen on.", 8000, _integer(0, 65535))
    url: str = _setting(
        "DAYTWO_URL",
        "Server",
        "Public address of this installation, used in links and DSNs. Default: http://HOST:PORT.",
        "",
        _url("http", "https"),
    )
    allowed_hosts: tuple[str, ...] = _setting(
        "DAYTWO_ALLOWED_HOSTS",
        "Server",
        "Further host names that pages answer to, separated by commas. The host of DAYTWO_URL and loopback always do.",
        (),
        _words,
    )
    secret_key: str = _setting(
        "DAYTWO_SECRET_KEY",
        "Server",
        "Signs sessions and derives keys. Default: the file secret-key in the data directory, made at first start.",
        "",
        _text,
        secret=True,
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        "DAYTWO_TRUSTED_PROXIES",
        "Server",
        "Networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
        (),
        _networks,
    )
    web_threads: int = _setting("DAYTWO_WEB_THREADS", "Server", "Threads that render pages.", 4, _integer(1, 64))
    job_threads: int = _setting(
        "DAYTWO_JOB_THREADS",
        "Server",
        "Threads that run jobs and reactions. 0 leaves them to `daytwo worker`.",
        2,
        _integer(0, 16),
    )
    database_url: str = _setting(
        "DATABASE_URL",
        "Stores",
        "What people write. Default: the embedded SQLite file daytwo.db.",
        "",
        _url("postgres", "postgresql", "sqlite"),
        secret=True,
    )
    telemetry_url: str = _setting(
        "DAYTWO_TELEMETRY_URL",
        "Stores",
        "What machines send. Default: telemetry.db, or the schema `telemetry` of DATABASE_URL on PostgreSQL.",
        "",
        _url("postgres", "postgresql", "sqlite"),
        secret=True,
    )
    mail_url: str = _setting(
        "DAYTWO_MAIL_URL",
        "Mail",
        "Mail server: smtp://host:25, smtp://user:password@host:587 (then with STARTTLS) or smtps://host:465.",
        "",
        _url("smtp", "smtps"),
        secret=True,
    )
    mail_from: str = _setting(
        "DAYTWO_MAIL_FROM",
        "Mail",
        "Sender of all mail.",
        "Daytwo <daytwo@localhost>",
        _email,
    )
    support_email: str = _setting(
        "SUPPORT_EMAIL",
        "Mail",
        "Where people who need help are sent; shown on sign-in and error pages.",
        "",
        _email,
    )
    ingest_rate: int = _setting(
        "DAYTWO_INGEST_RATE",
        "Intake",
        "Requests a second that each DSN key may sustain.",
        2000,
        _integer(1, 1_000_000),
    )
    ingest_burst: int = _setting(
        "DAYTWO_INGEST_BURST",
        "Intake",
        "Requests that each DSN key may send at once above the rate.",
        60_000,
        _integer(1, 10_000_000),
    )
    spool_max_mb: int = _setting(
        "DAYTWO_SPOOL_MAX_MB",
        "Intake",
        "Size of the spool past which intake answers 429.",
        2048,
        _integer(1, 10_000_000),
    )
    min_free_disk_mb: int = _setting(
        "DAYTWO_MIN_FREE_DISK_MB",
        "Intake",
        "Free disk below which intake answers 429.",
        500,
        _integer(0, 10_000_000),
    )
    digest: str = _setting(
        "DAYTWO_DIGEST",
        "Intake",
        "Where accepted events are digested: a child process, a thread, or off (elsewhere).",
        "process",
        _choice("process", "thread", "off"),
    )
    scrub: bool = _setting(
        "DAYTWO_SCRUB",
        "Privacy",
        "Remove secrets and card numbers from events before they are stored.",
        True,
        _boolean,
    )
    scrub_keys: tuple[str, ...] = _setting(
        "DAYTWO_SCRUB_KEYS",
        "Privacy",
        "Further names whose values are removed from events, separated by commas.",
        (),
        _words,
    )
    allow_private_addresses: bool = _setting(
        "DAYTWO_ALLOW_PRIVATE_ADDRESSES",
        "Privacy",
        "Let targets that users name (webhooks, checks) be private or loopback addresses.",
        False,
        _boolean,
    )
    allowed_addresses: tuple[Network, ...] = _setting(
        "DAYTWO_ALLOWED_ADDRESSES",
        "Privacy",
        "Private networks that such targets may use, when the setting above is off.",
        (),
        _networks,
    )
    health_token: str = _setting(
        "DAYTWO_HEALTH_TOKEN",
        "Own health",
        "Bearer token that shows details at /api/health and opens /metrics to addresses that are not private.",
        "",
        _text,
        secret=True,
    )
    log_level: str = _setting("LOG_LEVEL", "Own health", "Least level that is logged.", "info", _choice(*LOG_LEVELS))
    sentry_dsn: str = _setting(
        "SENTRY_DSN",
        "Own health",
        "Where Daytwo reports errors of its own pages and jobs.",
        "",
        _url("http", "https"),
        secret=True,
    )
    sentry_environment: str = _setting(
        "SENTRY_ENVIRONMENT",
        "Own health",
        "Environment named in those reports.",
        "production",
    )
    app_version: str = _setting(
        "APP_VERSION",
        "Own health",
        "Version shown by health answers and reports. Default: the package's version.",
        "",
    )

    @property
    def public_url(self) -> str:
        """`url`, or the listening address when none is set. No trailing slash."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not bound
        return self.url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def parse_url(value: str) -> str:
    """A public address as `DAYTWO_URL` takes it, without a trailing slash. Raises `ConfError`."""
    try:
        return str(_url("http", "https")(value))
    except _BadValue as allowed:
        raise ConfError([f"The address is {value!r}; allowed is {allowed}."]) from None


def load(environ: Mapping[str, str]) -> Conf:
    """Read every setting. An empty variable counts as unset. Raises `ConfError` with all problems at once."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in dataclasses.fields(Conf):
        raw = environ.get(field.metadata["env"], "").strip()
        if not raw:
            continue
        try:
            values[field.name] = field.metadata["parse"](raw)
        except _BadValue as allowed:
            found = "a value that is not shown" if field.metadata["secret"] else repr(raw)
            problems.append(f"{field.metadata['env']} is {found}; allowed is {allowed}.")
    if problems:
        raise ConfError(problems)
    return Conf(**values)


_current: Conf | None = None


def current() -> Conf:
    """The process's settings, read from the environment at first use."""
    global _current  # noqa: PLW0603 - the one place that remembers
    if _current is None:
        _current = load(os.environ)
    return _current


def use(conf: Conf) -> None:
    """Make `conf` the process's settings: the command line has the last word over the environment."""
    global _current  # noqa: PLW0603 - see `current`
    _current = conf


@dataclass(frozen=True)
class Listed:
    """A row of the settings table; `default` is empty when there is none."""

    env: str
    section: str
    help: str
    default: str


def listing() -> list[Listed]:
    """Every setting, in the order of the reference table."""
    rows = []
    for field in dataclasses.fields(Conf):
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        shown = "" if default in ("", ()) else str(default)
        shown = shown.lower() if isinstance(default, bool) else shown
        rows.append(Listed(field.metadata["env"], field.metadata["section"], field.metadata["help"], shown))
    return rows


def markdown() -> str:
    """The tables of docs/reference/settings.md: a heading a section, a row a setting."""
    lines: list[str] = []
    section = ""
    for row in listing():
        if row.section != section:
            section = row.section
            lines += ["", f"## {section}", "", "| Variable | Default | Meaning |", "| --- | --- | --- |"]
        lines.append(f"| `{row.env}` | {f'`{row.default}`' if row.default else '-'} | {row.help} |")
    return "\n".join(lines).strip() + "\n"
