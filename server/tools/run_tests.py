"""`make test`: everything on SQLite, then what asks for a store on PostgreSQL. The last line says what was left out.

DAYTWO_REQUIRE_POSTGRES and DAYTWO_REQUIRE_BROWSER turn a missing server or browser into a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "server" / "tests"))

from postgres import binaries  # noqa: E402 - found through the line above

# A file stays with one process, which starts a server or a browser for it once. In the order of the folders: what takes
# long (browser, journeys) begins early, and the many quick files of the rooms fill up the end. One process more than
# there are processors, since those of the journeys mostly wait for a server.
PARALLEL = ["-n", str(min(4, 1 + (os.cpu_count() or 1))), "--dist", "loadfile", "--no-loadscope-reorder"]
# Tests start some hundred processes of ours: none of them should have to compile the source again.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def main() -> int:
    """The worst exit code of the runs."""
    missing = _missing()
    for name, (variable, how) in missing.items():
        if variable and os.environ.get(variable):
            print(f"{name} is required here but missing: {how}")
            return 1
    codes = [_pytest("client/tests", "server/tests", "--store", "sqlite")]
    if "PostgreSQL" not in missing:
        # A browser shows the same pages of either store.
        codes.append(_pytest("server/tests", "--ignore", "server/tests/browser", "--store", "postgres"))
    print(_last_line(missing))
    return max(codes)


def _pytest(*arguments: str) -> int:
    print(f"\n$ pytest {' '.join(arguments)}", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", *PARALLEL, *arguments]
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=False).returncode


def _missing() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    if binaries() is None:
        found["PostgreSQL"] = ("DAYTWO_REQUIRE_POSTGRES", "`apt-get install postgresql`")
    if not (shutil.which("chromium") or shutil.which("google-chrome")):
        found["Chromium"] = ("DAYTWO_REQUIRE_BROWSER", "`apt-get install chromium`")
    if not (shutil.which("node") and shutil.which("npm")):
        found["Node SDK"] = ("", "`apt-get install nodejs npm`")
    return found


def _last_line(missing: dict[str, tuple[str, str]]) -> str:
    if not missing:
        return "Nothing was left out: SQLite, PostgreSQL, Chromium and the Node SDK all took part."
    parts = [f"{name} tests ({how} enables them)" for name, (_, how) in missing.items()]
    return f"Left out, because not installed: {'; '.join(parts)}."


if __name__ == "__main__":
    sys.exit(main())
