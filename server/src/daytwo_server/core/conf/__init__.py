"""Every setting of the server, typed, read once from the environment.

A setting is a field of `settings.Conf`. Its metadata carries the variable's name, the section and the sentence of the
reference table in `docs/reference/settings.md`, which is generated from here (`daytwo settings --markdown`).
A wrong value never gets a silent default: `load` raises `ConfError` naming the variable, what was found and what is
allowed. Settings with a label for pages can be changed there too: code that uses one of those asks
`core.preferences.current()`, everything else `current()` here.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daytwo_server.core.conf.settings import LOG_LEVELS, Conf
from daytwo_server.core.conf.values import BadValue, Choice, Integer, Keep, Network, url

__all__ = [
    "LOG_LEVELS", "BadValue", "Choice", "Conf", "ConfError", "Integer", "Keep", "Listed", "Network", "as_text",
    "current", "default_of", "fields", "listing", "load", "markdown", "parse_url", "use",
]  # fmt: skip


class ConfError(Exception):
    """One or more settings are wrong. `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def parse_url(value: str) -> str:
    """A public address as `DAYTWO_URL` takes it, without a trailing slash. Raises `ConfError`."""
    try:
        return str(url("http", "https")(value))
    except BadValue as allowed:
        raise ConfError([f"The address is {value!r}; allowed is {allowed}."]) from None


def fields() -> dict[str, dataclasses.Field[Any]]:
    """Every setting by its name, in the order of the reference table."""
    return {field.name: field for field in dataclasses.fields(Conf) if field.metadata}


def default_of(name: str) -> Any:
    """The value of a setting that nobody gave."""
    field = fields()[name]
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def as_text(value: Any) -> str:
    """A value as the environment and pages write it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def load(environ: Mapping[str, str]) -> Conf:
    """Read every setting. An empty variable counts as unset. Raises `ConfError` with all problems at once."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in fields().values():
        raw = environ.get(field.metadata["env"], "").strip()
        if not raw:
            continue
        try:
            values[field.name] = field.metadata["parse"](raw)
        except BadValue as allowed:
            found = "a value that is not shown" if field.metadata["secret"] else repr(raw)
            problems.append(f"{field.metadata['env']} is {found}; allowed is {allowed}.")
    problems = problems or _incomplete(frozenset(values))
    if problems:
        raise ConfError(problems)
    return Conf(**values, given=frozenset(values))


# None of these is of use without the others.
_TOGETHER = (("github_client_id", "github_client_secret"), ("oidc_url", "oidc_client_id", "oidc_client_secret"))


def _incomplete(given: frozenset[str]) -> list[str]:
    """A sentence for each half-made group of settings."""
    env = {name: field.metadata["env"] for name, field in fields().items()}
    return [
        f"{' and '.join(env[n] for n in group if n not in given)} must be set too, "
        f"because {' and '.join(env[n] for n in group if n in given)} is."
        for group in _TOGETHER
        if 0 < len(given.intersection(group)) < len(group)
    ]


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
    on_page: bool


def listing() -> list[Listed]:
    """Every setting, in the order of the reference table."""
    return [
        Listed(
            env=field.metadata["env"],
            section=field.metadata["section"],
            help=field.metadata["help"],
            default=as_text(default_of(name)),
            on_page=bool(field.metadata["page"]),
        )
        for name, field in fields().items()
    ]


def markdown() -> str:
    """The tables of docs/reference/settings.md: a heading a section, a row a setting."""
    lines: list[str] = []
    section = ""
    for row in listing():
        if row.section != section:
            section = row.section
            lines += [
                "",
                f"## {section}",
                "",
                "| Variable | Default | On a page | Meaning |",
                "| --- | --- | --- | --- |",
            ]
        default = f"`{row.default}`" if row.default else "-"
        lines.append(f"| `{row.env}` | {default} | {'yes' if row.on_page else '-'} | {row.help} |")
    return "\n".join(lines).strip() + "\n"
