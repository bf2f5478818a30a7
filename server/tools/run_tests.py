"""`make test`: everything on SQLite, then all but the browser on PostgreSQL. The last line says what was left out.

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

PARALLEL = ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile"]


def main() -> int:
    """The worst exit code of the runs."""
    missing = _missing()
    for name, (variable, how) in missing.items():
        if variable and os.environ.get(variable):
            print(f"{name} is required here but missing: {how}")
            return 1
    codes = [_pytest("client/tests", "server/tests", "--store", "sqlite")]
    if "PostgreSQL" not in missing:
        rooms = [folder for folder in ("rooms", "journeys", "contracts") if (ROOT / "server/tests" / folder).exists()]
        # `ui` keeps nothing, so one store is enough for it.
        paths = [f"server/tests/{folder}" for folder in rooms]
        codes.append(_pytest(*paths, "--ignore", "server/tests/rooms/ui", "--store", "postgres"))
    print(_last_line(missing))
    return max(codes)


def _pytest(*arguments: str) -> int:
    print(f"\n$ pytest {' '.join(arguments)}", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *PARALLEL, *arguments], cwd=ROOT, check=False
    ).returncode  # noqa: S603


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
