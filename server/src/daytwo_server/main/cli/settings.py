import argparse
import sys

from daytwo_server.core import conf


def run(parsed: argparse.Namespace) -> int:
    """`daytwo settings`: every setting in force, where its value comes from and what it means. Changes nothing."""
    if parsed.markdown:
        print(conf.markdown(), end="")
        return 0
    values, on_pages = _in_force(conf.current())
    for name, field in conf.fields().items():
        value = conf.as_text(getattr(values, name))
        shown = ("(set)" if value else "") if field.metadata["secret"] else value
        print(f"{field.metadata['env']}={shown}  # {_origin(name, on_pages)}\n    {field.metadata['help']}")
    return 0


def _in_force(base: conf.Conf) -> tuple[conf.Conf, frozenset[str]]:
    """The settings, and the names of those that a page has changed: none where there is no store yet."""
    made = base.data_dir / "daytwo.db"
    secret = base.data_dir / "secret-key"
    if not ((base.database_url or made.exists()) and (base.secret_key or secret.exists())):
        return base, frozenset()  # looking would create them
    import django
    from django.db import DatabaseError

    django.setup()
    from daytwo_server.core import preferences
    from daytwo_server.core.trouble import words

    try:
        found = preferences.sources()
    except DatabaseError as problem:
        print(f"What was changed on pages is not known: {words(problem)}.", file=sys.stderr)
        return base, frozenset()
    on_pages = {name for name, source in found.items() if source.origin is preferences.Origin.PAGE}
    return preferences.current(), frozenset(on_pages)


def _origin(name: str, on_pages: frozenset[str]) -> str:
    if name in conf.current().given:
        return "the environment"
    if name in on_pages:
        return "changed on a page"
    changed = getattr(conf.current(), name) != conf.default_of(name)
    return "the command line" if changed else "the default"
