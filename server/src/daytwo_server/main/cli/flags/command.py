"""What `daytwo flags` does."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from daytwo_server.core import conf
from daytwo_server.main.cli.flags import file, pushing
from daytwo_server.main.cli.flags.remote import Failed, Remote

TOKEN = "DAYTWO_TOKEN"  # noqa: S105 - the name of a variable


def run(parsed: argparse.Namespace) -> int:
    """1 when something was refused or could not be reached; what was done until then is said."""
    token = os.environ.get(TOKEN, "")
    if not token:
        print(f"Set {TOKEN} to an API token; Settings > API tokens makes one.", file=sys.stderr)
        return 1
    environments = parsed.environment or ["production"]
    try:
        with Remote(conf.current().public_url, token, parsed.project) as remote:
            return {"pull": _pull, "push": _push, "import": _import}[parsed.do](parsed, remote, environments)
    except (Failed, file.Unreadable) as problem:
        print(problem, file=sys.stderr)
    except OSError as problem:
        print(f"{parsed.file} cannot be used: {problem.strerror}.", file=sys.stderr)
    return 1


def _pull(parsed: argparse.Namespace, remote: Remote, environments: list[str]) -> int:
    found = file.of_remote(remote.segments(), {name: remote.flags(name) for name in environments})
    written = file.dump(found)
    if str(parsed.file) == "-":
        sys.stdout.write(written)
    elif parsed.dry_run:
        print(f"{parsed.file} would hold {len(found['flags'])} flags")
    else:
        parsed.file.write_text(written)
        print(f"{parsed.file} holds {len(found['flags'])} flags")
    return 0


def _push(parsed: argparse.Namespace, remote: Remote, _environments: list[str]) -> int:
    wanted = file.load(_text(parsed.file))
    return pushing.push(wanted, remote, reason=parsed.reason, dry_run=parsed.dry_run)


def _import(parsed: argparse.Namespace, remote: Remote, environments: list[str]) -> int:
    if not parsed.format:
        print("Say which --format the file has: unleash, flagd or reference.", file=sys.stderr)
        return 1
    result: dict[str, Any] = remote.import_file(
        _text(parsed.file), format_=parsed.format, environment=environments[0], dry_run=parsed.dry_run
    )
    for key in result["imported"]:
        print(f"{'would import' if parsed.dry_run else 'imported'} {key}")
    for one in result["notes"]:
        print(f"note of {one['key']}: {one['reason']}")
    for one in result["unsupported"]:
        print(f"left out {one['key']}: {one['reason']}", file=sys.stderr)
    return 1 if result["unsupported"] else 0


def _text(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text()
    except UnicodeDecodeError:
        raise file.Unreadable(f"{path} is no text.") from None
