"""`make bench`: the numbers of docs/reference/performance.md, measured on this machine.

    python bench/run.py [--only NAME ...] [--peers] [--rounds 100] [--tickets 1000000] [--json FILE]

Machines differ and are noisy: ratios within one run travel, absolutes do not. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import backup  # noqa: E402 - found through the line above
import crash  # noqa: E402
import flags  # noqa: E402
import guards  # noqa: E402
import mail  # noqa: E402
import pages  # noqa: E402
import peer_helpdesk  # noqa: E402
import peers  # noqa: E402
import support  # noqa: E402
import throughput  # noqa: E402

import client  # noqa: E402

Rows = Iterator[dict[str, Any]]
PARTS: dict[str, Callable[[Path, argparse.Namespace], Rows]] = {
    "intake": throughput.measure,
    "digest-host": throughput.compare_hosts,
    "pages": pages.measure,
    "support": support.measure,
    "crash": crash.measure,
    "backup": backup.measure,
    "mail": mail.measure,
    "client": client.measure,
    "guards": guards.measure,
    "flags": flags.measure,
}
PEERS: dict[str, Callable[[Path, argparse.Namespace], Rows]] = {
    "peers": peers.measure,
    "helpdesk": peer_helpdesk.measure,
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--only", nargs="*", choices=[*PARTS, *PEERS], default=list(PARTS))
    asked.add_argument("--peers", action="store_true", help="also the same loads on others")
    asked.add_argument("--rounds", type=int, default=100)
    asked.add_argument("--tickets", type=int, nargs="*", help="how many in `support`: 10,000 and 100,000 unless told")
    asked.add_argument("--json", type=Path)
    options = asked.parse_args()
    asked_for = [*options.only, *PEERS] if options.peers else options.only
    parts = {name: (PARTS | PEERS)[name] for name in asked_for}
    print(machine())
    results = []
    for name, measure in parts.items():
        folder = Path(tempfile.mkdtemp(prefix=f"daytwo-bench-{name}-"))
        try:
            for row in measure(folder, options):
                results.append({"part": name, **row})
                print(f"{name:12} " + "  ".join(f"{key} {_shown(value)}" for key, value in row.items()), flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "results": results}, indent=1))


def machine() -> str:
    """What the figures were measured on."""
    cpu = subprocess.run(["sh", "-c", "grep -m1 'model name' /proc/cpuinfo"], capture_output=True, text=True)
    model = cpu.stdout.partition(":")[2].strip() or platform.processor()
    return (
        f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )


def _shown(value: Any) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
