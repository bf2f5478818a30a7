"""kill -9 while retention runs: nothing goes that should stay, and the next run does the rest."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sites

SCRIPT = Path(__file__).with_name("killed_retention.py")


@pytest.fixture
def ask(tmp_path, migrated, store_env):
    """Run the script's verb on stores of its own."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DAYTWO_", "DATABASE_URL"))}
    path = os.pathsep.join([str(SCRIPT.parents[2]), os.environ.get("PYTHONPATH", "")])
    env |= {
        "DAYTWO_DATA_DIR": str(tmp_path / "data"),
        "PYTHONPATH": path,
        "DJANGO_SETTINGS_MODULE": "daytwo_server.main.settings",
    }
    env |= store_env("retention", empty=True)
    sites.copy(migrated, tmp_path / "data")

    def run(verb):
        return subprocess.Popen([sys.executable, SCRIPT, verb], env=env, stdout=subprocess.PIPE, text=True)

    return run


def told(ask, verb):
    out, _ = ask(verb).communicate(timeout=120)
    return out


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_removes_exactly_what_is_too_old(ask):
    told(ask, "fill")
    before = json.loads(told(ask, "check"))
    assert (before["young"], before["old"], before["issues"]) == (200, 400, 20)
    for _ in range(6):
        process = ask("run")
        process.stdout.readline()
        time.sleep(random.uniform(0.02, 0.5))
        process.kill()
        process.wait()
        process.stdout.close()
        now = json.loads(told(ask, "check"))
        # At no moment is anything half there: counters agree, and what is young is whole.
        assert (now["young"], now["without a body"]) == (200, 0)
        assert (now["users wrong"], now["values wrong"], now["groupings alone"]) == ([], [], 0)
        assert now["findable"] == now["issues"]
    told(ask, "run")
    after = json.loads(told(ask, "check"))
    assert after == before | {
        "old": 0, "issues": 10, "findable": 10, "bodies alone": 0, "issues without events": 0, "finished": True,
    }  # fmt: skip
