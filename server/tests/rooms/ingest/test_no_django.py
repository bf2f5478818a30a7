"""The intake and the doors of flags start without Django: they must be quick, small, and run where no database is configured."""

from __future__ import annotations

import subprocess
import sys


def test_the_hot_paths_never_meet_django():
    code = (
        "import sys, daytwo_server.ingest.app, daytwo_server.flags.app.door, daytwo_server.core.groupcommit;"
        "print([name for name in sys.modules if name.split('.')[0] in {'django', 'asgiref', 'ninja', 'allauth'}])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
