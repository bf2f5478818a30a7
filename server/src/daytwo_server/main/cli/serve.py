import argparse
import asyncio
import dataclasses
import sys
from collections.abc import Callable

from daytwo_server.core import conf as configuration
from daytwo_server.main.cli.start import log, start_django


def run(parsed: argparse.Namespace) -> int:
    """`daytwo serve`: everything in one command."""
    from daytwo_server.main import reporting, server

    conf = configuration.current()
    try:
        bound = server.listen(conf.host, conf.port)
    except server.PortTaken as taken:
        print(taken, file=sys.stderr)
        return 1
    conf = dataclasses.replace(conf, port=bound.getsockname()[1])  # --port 0 asks for any free port
    configuration.use(conf)
    start_django()
    if problem := _ready_stores():
        print(problem, file=sys.stderr)
        return 1
    reporting.start(conf)
    from daytwo_server.ingest.spool import SpoolLocked
    from daytwo_server.main.parts import Parts

    try:
        invitation = _invitation(parsed, conf)
        parts = Parts(conf)  # outside the loop: it looks into the database
    except SpoolLocked as locked:
        print(locked, file=sys.stderr)
        return 1
    print(f"Daytwo serves {conf.public_url}", *invitation, sep="\n", flush=True)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(server.serve(parts, bound))
    log.info("stopped")
    return 0


def _ready_stores() -> str:
    """Migrate and collect static files where needed; the reason in words when the stores cannot be used."""
    from django.db import OperationalError

    from daytwo_server.main import static, stores

    try:
        applied = stores.migrate()
    except stores.NewerSchema as newer:
        return str(newer)
    except OperationalError as problem:
        return f"The database cannot be used: {problem}. `daytwo doctor` tells more."
    if applied:
        log.info("migrated", migrations=len(applied))
    static.collect_if_stale()
    return ""


def _invitation(parsed: argparse.Namespace, conf: configuration.Conf) -> list[str]:
    """How to sign in, as lines; none when the installation has an owner. Plants the demo first if that is asked for."""
    from daytwo_server.accounts import services as accounts

    if parsed.demo:
        from daytwo_server.main import demo

        email, password = demo.plant(conf)
        return [f"Sign in as {email} with the password {password}"]
    if link := accounts.owner_link():
        return [f"Nobody owns it yet. Open {conf.public_url}/welcome/{link}/ to become the owner (good once)."]
    return []


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
