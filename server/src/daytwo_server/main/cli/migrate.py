import argparse
import sys

from daytwo_server.main.cli.start import Unusable, migrate_stores, start_django


def run(parsed: argparse.Namespace) -> int:
    """`daytwo migrate`: what `serve` does at start, by itself."""
    start_django(log_to=sys.stderr)
    try:
        applied = migrate_stores()
    except Unusable as problem:
        print(problem, file=sys.stderr)
        return 1
    print("\n".join(applied) or "Nothing to do: both stores are up to date.")
    return 0
