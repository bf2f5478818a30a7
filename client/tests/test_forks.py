"""A process that is forked after `init` logs and reports as its parent does, and each of them for itself."""

import json
import subprocess
import sys
import time

import pytest
from receiver import Receiver
from served import Served

PREFORK = ["-m", "gunicorn", "leaving_app:wsgi", "--bind", "127.0.0.1:PORT", "--preload", "--workers", "2"]


@pytest.fixture
def receiver():
    receiver = Receiver(keeps_alive=True)
    yield receiver
    receiver.close()


def run(script, tmp_path, *, dsn="", timeout=60, **env):
    """Run a script from a file, as multiprocessing wants it; the JSON lines it wrote."""
    path = tmp_path / "script.py"
    path.write_text(script)
    done = subprocess.run(
        [sys.executable, "-u", path], env={"PATH": "/usr/bin:/bin", "SENTRY_DSN": dsn, **env}, capture_output=True,
        text=True, timeout=timeout,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


FORKS = """
import os, daytwo
daytwo.init()
daytwo.capture_message("parent")
daytwo.flush(5)  # its connection is open now
children = []
for number in range(5):
    pid = os.fork()
    if pid == 0:
        for more in range(10):
            daytwo.capture_message(f"child {number} {more}")
        daytwo.flush(10)
        os._exit(0)
    children.append(pid)
for more in range(10):
    daytwo.capture_message(f"parent {more}")
assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 5
"""


def test_parent_and_children_do_not_garble_each_others_reports(receiver, tmp_path):
    assert run(FORKS, tmp_path, dsn=receiver.dsn) == []
    expected = {f"child {number} {more}" for number in range(5) for more in range(10)}
    expected |= {"parent", *(f"parent {more}" for more in range(10))}
    assert sorted(event["message"] for event in receiver.wait(count=61)) == sorted(expected)
    assert receiver.refused == 0


MULTIPROCESSING = """
import multiprocessing, daytwo
daytwo.init(logs=True, shutdown_timeout=20)  # how long an exit may take is another matter

def work(number):
    daytwo.get_logger("shop").info("working", number=number)
    daytwo.capture_message(f"child {number}")

if __name__ == "__main__":
    daytwo.capture_message("parent")
    context = multiprocessing.get_context("METHOD")
    children = [context.Process(target=work, args=(number,)) for number in range(3)]
    [child.start() for child in children]
    [child.join(20) for child in children]
    assert [child.exitcode for child in children] == [0, 0, 0]
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_child_of_multiprocessing_sends_what_it_reported_last(receiver, tmp_path, method):
    lines = run(MULTIPROCESSING.replace("METHOD", method), tmp_path, dsn=receiver.dsn)
    assert sorted(line["number"] for line in lines) == [0, 1, 2]
    assert sorted(event["message"] for event in receiver.wait(count=4)) == ["child 0", "child 1", "child 2", "parent"]
    bodies = [item["body"] for payload in receiver.wait("log", 3) for item in payload["items"]]
    assert bodies == ["working"] * 3


LOSSES = """
import os, daytwo
daytwo.init()
for number in range(7):
    daytwo.capture_message(f"hello {number}")
daytwo.flush(5)
pid = os.fork()
if pid:
    os.waitpid(pid, 0)
else:
    daytwo.capture_message("from the child")
"""


def test_each_process_tells_its_own_losses_once(tmp_path):
    child, parent = run(LOSSES, tmp_path, dsn="http://public@127.0.0.1:9/1")
    assert (child["lost"], parent["lost"]) == ({"network_error": 1}, {"network_error": 7})


BUSY = """
import os, threading, warnings, daytwo
warnings.simplefilter("ignore")
daytwo.init(logs=True)
log, stop = daytwo.get_logger("shop"), threading.Event()

def talk():
    while not stop.is_set():
        log.info("busy")
        daytwo.capture_message("busy")
        daytwo.flush(0.01)

threads = [threading.Thread(target=talk) for _ in range(3)]
[thread.start() for thread in threads]
children = []
for number in range(20):
    pid = os.fork()
    if pid == 0:
        log.info("child", number=number)
        daytwo.capture_message("child")
        daytwo.flush(5)
        os._exit(0)
    children.append(pid)
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
[thread.join() for thread in threads]
"""


def test_a_fork_amid_busy_threads_leaves_no_lock_behind(receiver, tmp_path):
    lines = run(BUSY, tmp_path, dsn=receiver.dsn)
    assert sorted(line["number"] for line in lines if line["message"] == "child") == list(range(20))


AMID_A_WRITE = """
import os, threading, warnings, daytwo
from daytwo.logs.output import output
warnings.simplefilter("ignore")
log = daytwo.get_logger("shop")
log.info("parent")
poll, amid, go = output._put.__self__._poll, threading.Event(), threading.Event()
reader, writer = os.pipe()  # nothing to read there: the poll lasts

def wait():
    poll.register(reader, 1)
    poll.unregister(1)
    with output._lock:
        amid.set()
        poll.poll(3000)

thread = threading.Thread(target=wait)
thread.start()
amid.wait()
import time; time.sleep(0.2)
pid = os.fork()
if pid == 0:
    log.info("child")
    os._exit(output.lost)
assert os.waitpid(pid, 0)[1] == 0
os.write(writer, b"x")
thread.join()
"""


def test_a_fork_while_another_thread_waits_for_room_loses_no_line(tmp_path):
    assert [line["message"] for line in run(AMID_A_WRITE, tmp_path)] == ["parent", "child"]


def test_workers_of_a_preloaded_gunicorn_log_and_report(receiver):
    pytest.importorskip("gunicorn")
    app = Served(*PREFORK, "--log-level", "critical", SENTRY_DSN=receiver.dsn)
    for _ in range(20):
        assert app.get("/fail")[0] == 500
    lines = app.end()
    ids = {line["request_id"] for line in lines if line.get("status") == 500}
    assert len(ids) == 20
    deadline = time.monotonic() + 10
    while len(receiver.events) < 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert {event["tags"]["request_id"] for event in receiver.events} == ids


READY = """
import json, sys, daytwo
daytwo.init()
print(json.dumps("encodings.idna" in sys.modules))
"""


def test_what_a_first_connection_imports_is_there_before_a_fork_can_meet_the_import(receiver, tmp_path):
    assert run(READY, tmp_path, dsn=receiver.dsn) == [True]
