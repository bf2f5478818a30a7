"""`daytwo flags`: feature flags in git, and from other systems, over the API of a running Daytwo."""

import argparse
from pathlib import Path


def add_options(verb: argparse.ArgumentParser) -> None:
    """What the verb understands."""
    verb.add_argument("do", choices=("pull", "push", "import"), help="what to do with the file")
    verb.add_argument("file", type=Path, metavar="FILE", help="the YAML file, or the one to import (- is stdin)")
    verb.add_argument(
        "--url", help="address of the Daytwo to speak to (DAYTWO_URL); the token is read from DAYTWO_TOKEN"
    )
    verb.add_argument("--project", default="", help="slug of the project; not needed where there is only one")
    verb.add_argument(
        "--environment", action="append", help="an environment, production if none is named; more than one for pull"
    )
    verb.add_argument("--format", choices=("unleash", "flagd", "reference"), help="of the file to import")
    verb.add_argument("--reason", default="", help="why, for the history of each flag")
    verb.add_argument("--dry-run", action="store_true", help="say what would change and change nothing")


def run(parsed: argparse.Namespace) -> int:
    """Loads what it needs only now: every other verb passes by here."""
    from daytwo_server.main.cli.flags import command

    return command.run(parsed)
