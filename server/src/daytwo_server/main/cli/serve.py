import argparse
import asyncio
import dataclasses
import sys
from collections.abc import Callable

from daytwo_server.core import conf as configuration
from daytwo_server.main.cli.start import Unusable, log, migrate_stores, settle, start_django


def run(parsed: argparse.Namespace) -> int:
    """`daytwo serve`: everything in one command."""
    from daytwo_server.main import reporting, server

    conf = configuration.current()
    if conf.smtp_port and not conf.mail_inbound:
        print("--smtp-port takes mail for one address: name it by DAYTWO_MAIL_INBOUND=support@...", file=sys.stderr)
        return 2
    try:
        bound = server.listen(conf.host, conf.port)
        smtp = server.listen(conf.host, conf.smtp_port, option="--smtp-port") if conf.smtp_port else None
    except server.PortTaken as taken:
        print(taken, file=sys.stderr)
        return 1
    conf = dataclasses.replace(conf, port=bound.getsockname()[1])  # --port 0 asks for any free port
    configuration.use(conf)
    start_django()
    try:
        _ready_stores()
    except Unusable as problem:
        print(problem, file=sys.stderr)
        return 1
    reporting.start(conf)
    from django.urls import reverse

    from daytwo_server.ingest.spool import SpoolLocked
    from daytwo_server.mail import jobs as mail
    from daytwo_server.main.parts import Parts

    try:
        planted = _planted(conf) if parsed.demo else ""
        parts = Parts(conf, smtp=smtp)  # outside the loop: it looks into the database
    except SpoolLocked as locked:
        print(locked, file=sys.stderr)
        return 1
    if conf.job_threads:
        mail.begin()
    reverse("home")  # loads every page now rather than with the first request
    settle()
    print(f"Daytwo serves {conf.public_url}", *filter(None, [planted or _invitation(conf)]), sep="\n", flush=True)
    server.run(parts, bound, loop_factory=_loop_factory())
    return 0


def _ready_stores() -> None:
    """Migrate and collect static files where needed. Raises `Unusable`."""
    from daytwo_server.main import static

    if applied := migrate_stores():
        log.info("migrated", migrations=len(applied))
    static.collect_if_stale()


def _planted(conf: configuration.Conf) -> str:
    """Fill an empty installation with the demo, before the server takes the spool; how to sign in to it."""
    from daytwo_server.main import demo

    email, password = demo.plant(conf)
    return f"Sign in as {email} with the password {password}"


def _invitation(conf: configuration.Conf) -> str:
    """How to become the owner; empty when there is one.

    Earlier links stop working, so a server that is refused because another one runs must not get here.
    """
    from daytwo_server.accounts import services as accounts

    if link := accounts.owner_link():
        return f"Nobody owns it yet. Open {conf.public_url}/welcome/{link}/ to become the owner (good once)."
    return ""


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
