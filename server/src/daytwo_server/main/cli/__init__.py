"""The command line. `daytwo --help` lists the verbs; each lives in a module of its own here."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from daytwo_server.core import conf
from daytwo_server.core.conf.providers import lacking_extra
from daytwo_server.main.cli import flags

VERBS = {
    "serve": "Run Daytwo: intake, pages, jobs.",
    "setup": "Create owner, project and keys, and print them. The same call always prints the same.",
    "reset-second-factor": "Let somebody who lost their device in with the password alone.",
    "doctor": "Say what is wrong with configuration, storage, mail, clock and disk.",
    "worker": "Run only jobs and reactions, beside a `serve` with DAYTWO_JOB_THREADS=0.",
    "digest": "Run only the digest of a spool, beside a `serve` with DAYTWO_DIGEST=off.",
    "backup": "Write everything into one file, while Daytwo runs or not.",
    "restore": "Make an installation from such a file.",
    "mail-pipe": "Take one mail from stdin, as a mail server gives it to a program. Exits 75 when it cannot be stored.",
    "migrate": "Bring the databases to this version's schema.",
    "flags": "Feature flags in a YAML file (pull, push), or from another system (import), over the API.",
    "settings": "Print every setting: its value, where that comes from, what it means.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb. Returns the exit code; 2 for a wrong configuration."""
    parsed = parser().parse_args(arguments)
    try:
        configured = conf.load(os.environ)
    except conf.ConfError as wrong:
        print("Daytwo does not start: the configuration is wrong.", *wrong.problems, sep="\n  ", file=sys.stderr)
        # Of a mail that cannot be taken now, the mail server must keep its copy.
        return {"doctor": 1, "mail-pipe": 75}.get(parsed.verb, 2)
    if parsed.verb in ("serve", "worker") and (extra := lacking_extra(configured.mail_url)):
        needs = f"which needs an extra: pip install 'daytwo-server[{extra}]'"
        print(f"Daytwo does not start: DAYTWO_MAIL_URL names a mail provider, {needs}.", file=sys.stderr)
        return 2
    conf.use(_overridden(configured, parsed))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "daytwo_server.main.settings")
    from importlib import import_module

    try:
        return int(import_module(f"daytwo_server.main.cli.{parsed.verb.replace('-', '_')}").run(parsed))
    except Exception as problem:
        if reason := _of_the_surroundings(problem):
            print(reason, file=sys.stderr)
            return 1
        raise


def _of_the_surroundings(problem: Exception) -> str:
    """What the operator has to put right, in words; empty when the fault is ours and a traceback the best answer."""
    folder = conf.current().data_dir
    if isinstance(problem, OSError):
        inside = problem.filename and Path(os.fsdecode(problem.filename)).absolute().is_relative_to(folder.absolute())
        return f"The data directory {folder} cannot be used: {problem}." if inside else ""
    from daytwo_server.core.trouble import is_trouble, words

    return f"The database cannot be used: {words(problem)}. `daytwo doctor` tells more." if is_trouble(problem) else ""


def parser() -> argparse.ArgumentParser:
    """The whole command line, also the source of docs/reference/cli.md."""
    whole = argparse.ArgumentParser(prog="daytwo", description="Everything a SaaS team runs after launch.")
    whole.add_argument("--version", action="version", version=f"daytwo {version('daytwo-server')}")
    verbs = whole.add_subparsers(dest="verb", required=True, metavar="VERB")
    made = {name: verbs.add_parser(name, help=text, description=text) for name, text in VERBS.items()}
    for name in (
        "serve",
        "setup",
        "reset-second-factor",
        "doctor",
        "worker",
        "digest",
        "mail-pipe",
        "migrate",
        "backup",
        "restore",
        "settings",
    ):
        made[name].add_argument("--data-dir", type=Path, help="where everything is kept (DAYTWO_DATA_DIR)")
    made["serve"].add_argument("--host", help="address to listen on (DAYTWO_HOST, 127.0.0.1)")
    made["serve"].add_argument("--port", type=int, help="port to listen on (DAYTWO_PORT, 8000)")
    made["serve"].add_argument("--smtp-port", type=int, help="port that takes mail by SMTP (DAYTWO_SMTP_PORT, none)")
    made["serve"].add_argument("--demo", action="store_true", help="fill an empty installation with a demo project")
    made["digest"].add_argument("--child", type=int, help=argparse.SUPPRESS)
    made["backup"].add_argument("file", type=Path, metavar="FILE", help="the file to write, or to verify")
    made["backup"].add_argument("--force", action="store_true", help="replace a file that is there")
    made["backup"].add_argument(
        "--verify", action="store_true", help="make none: prove that FILE can be restored, by restoring it aside"
    )
    made["restore"].add_argument("file", type=Path, metavar="FILE", help="the backup")
    made["restore"].add_argument(
        "--force", action="store_true", help="move what is in the data directory or the database aside"
    )
    setup = made["setup"]
    setup.add_argument("--url", required=True, help="public address that DSNs and links are made from")
    setup.add_argument("--email", required=True, help="the owner's e-mail address")
    setup.add_argument("--password", required=True, help="the owner's password")
    setup.add_argument("--project", required=True, help="name of the project to create or show")
    setup.add_argument("--json", action="store_true", help="print one JSON object")
    made["reset-second-factor"].add_argument("email", help="the person's e-mail address")
    flags.add_options(made["flags"])
    made["settings"].add_argument("--markdown", action="store_true", help="as the reference table of the docs")
    return whole


def _overridden(configured: conf.Conf, parsed: argparse.Namespace) -> conf.Conf:
    """The command line has the last word over the environment."""
    given = {name: getattr(parsed, name, None) for name in ("data_dir", "host", "port", "url", "smtp_port")}
    changes = {name: value for name, value in given.items() if value is not None}
    return dataclasses.replace(configured, **changes)
