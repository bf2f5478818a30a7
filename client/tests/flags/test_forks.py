"""A process that is forked after `configure` answers at once, refreshes for itself, and counts for itself."""

import json
import subprocess
import sys

import pytest
from flag_server import KEY, flag, snapshot, until

HEAD = """
import os, sys, time, json
from daytwo import flags
flags.configure(poll_seconds=0.1)
assert flags.wait_ready(10)
"""


def run(script, tmp_path, server, **env):
    path = tmp_path / "script.py"
    path.write_text(HEAD + script)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-u", path], capture_output=True, text=True, timeout=60,
        env={"PATH": "/usr/bin:/bin", "DAYTWO_URL": server.url, "DAYTWO_KEY": KEY, **env},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


CHILDREN = """
flags.enabled("new-checkout")
children = []
for number in range(4):
    pid = os.fork()
    if pid == 0:
        for _ in range(10):
            assert flags.enabled("new-checkout")
        assert flags.state() == "READY"
        flags.close()
        os._exit(0)
    children.append(pid)
assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
"""


def test_parent_and_children_count_each_for_themselves(server, tmp_path):
    server.snapshot = snapshot(flag())
    run(CHILDREN, tmp_path, server)
    until(lambda: len(server.batches) == 5)
    assert server.counts() == {("new-checkout", True): 41}
    assert len({batch["instance"] for batch in server.batches}) == 5


REFRESHED = """
pid = os.fork()
if pid == 0:
    assert flags.enabled("new-checkout")
    print('"ask"', flush=True)
    deadline = time.time() + 10
    while flags.enabled("new-checkout") and time.time() < deadline:
        time.sleep(0.02)
    os._exit(int(flags.enabled("new-checkout")))
time.sleep(0.5)
assert os.waitpid(pid, 0)[1] == 0
"""


def test_a_child_hears_of_changes(server, tmp_path):
    server.snapshot = snapshot(flag())
    asked = server.misbehaves

    def then_killed(request):
        # The parent and the child ask with connections of their own; from the tenth question on it is another answer.
        if len(server.asked) > 10:
            server.snapshot = snapshot(flag(killed=True), revision=2)
        return asked(request)

    server.misbehaves = then_killed
    assert run(REFRESHED, tmp_path, server) == ["ask"]


QUIET = """
import threading
pid = os.fork()
if pid == 0:
    time.sleep(0.3)
    os._exit(threading.active_count() - 1)
assert os.waitpid(pid, 0)[1] == 0
"""


def test_a_child_that_asks_nothing_starts_nothing(server, tmp_path):
    run(QUIET, tmp_path, server)


POOL = """
import multiprocessing
def work(number):
    return flags.enabled("new-checkout", user=str(number))
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(work, range(20)) == [True] * 20
    pool.close()
    pool.join()
"""


def test_children_of_multiprocessing_deliver_their_counts_at_the_end(server, tmp_path):
    server.snapshot = snapshot(flag())
    run(POOL, tmp_path, server)
    until(lambda: server.counts() == {("new-checkout", True): 20})


BUSY = """
import threading
stop = threading.Event()
def ask():
    while not stop.is_set():
        flags.enabled("new-checkout", user="u1")
        flags.wait_ready(0)
threads = [threading.Thread(target=ask) for _ in range(3)]
[thread.start() for thread in threads]
children = []
for number in range(20):
    pid = os.fork()
    if pid == 0:
        flags.enabled("new-checkout")
        flags.close()
        os._exit(0)
    children.append(pid)
codes = [os.waitpid(pid, 0)[1] for pid in children]
stop.set()
[thread.join() for thread in threads]
assert codes == [0] * 20
"""


def test_a_fork_amid_busy_threads_leaves_no_lock_behind(server, tmp_path):
    server.snapshot = snapshot(flag())
    run(BUSY, tmp_path, server)


AGAIN = """
pid = os.fork()
if pid == 0:
    flags.configure(poll_seconds=0.1)
    assert flags.wait_ready(5)
    assert flags.enabled("new-checkout")
    flags.close()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
"""


def test_a_child_may_be_configured_anew(server, tmp_path):
    server.snapshot = snapshot(flag())
    run(AGAIN, tmp_path, server)
    assert server.counts() == {("new-checkout", True): 1}


ENDS = """
flags.enabled("new-checkout")
"""


@pytest.mark.parametrize("trouble", [None, "silent"])
def test_the_end_of_a_process_delivers_and_does_not_hang(server, tmp_path, trouble):
    server.snapshot = snapshot(flag())
    if trouble:
        answered = server.misbehaves
        server.misbehaves = lambda request: (
            (request.command == "POST" and not server.stopped.wait(20)) or answered(request)
        )
    run(ENDS, tmp_path, server)
    assert server.counts() == ({} if trouble else {("new-checkout", True): 1})
