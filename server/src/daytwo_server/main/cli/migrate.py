import argparse
import sys

from daytwo_server.main.cli.start import start_django


def run(parsed: argparse.Namespace) -> int:
    """`daytwo migrate`: what `serve` does at start, by itself."""
    start_django()
    from daytwo_server.main import stores

    try:
        applied = stores.migrate()
    except stores.NewerSchema as newer:
        print(newer, file=sys.stderr)
        return 1
    print("\n".join(applied) or "Nothing to do: both stores are up to date.")
    return 0
