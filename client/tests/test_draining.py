"""From SIGTERM on, behind real servers: probes hear "not ready" while requests come and finish, and then it ends."""

import signal
import subprocess
import sys
import threading
import time

import pytest
from receiver import Receiver
from served import Served

UVICORN = ["-m", "uvicorn", "leaving_app:app", "--port", "PORT", "--log-level", "warning"]
GUNICORN = ["-m", "gunicorn", "leaving_app:wsgi", "--bind", "127.0.0.1:PORT", "--log-level", "warning"]
SERVERS = {
    "uvicorn": UVICORN,
    "uvicorn in the app's own script": ["leaving_app.py", "PORT"],
    "uvicorn with workers": [*UVICORN, "--workers", "2"],
    "gunicorn": [*GUNICORN, "--threads", "4"],
    "gunicorn, preloaded": [*GUNICORN, "--threads", "4", "--preload", "--config", "gunicorn_hook.py"],
}


@pytest.mark.parametrize("server", SERVERS)
def test_after_sigterm_a_probe_gets_503_while_requests_finish_and_the_process_ends(server):
    pytest.importorskip(server.split()[0].strip(","))
    app = Served(*SERVERS[server])
    for _ in range(20):  # every worker is asked once
        assert app.get("/health/ready")[0] == 200
    slow = []
    waiting = threading.Thread(target=lambda: slow.append(app.get("/slow")))
    waiting.start()
    time.sleep(0.3)  # it is being served
    app.process.send_signal(signal.SIGTERM)
    told = time.monotonic()
    try:
        status, body = 200, b""
        while status == 200 and time.monotonic() - told < 10:  # a master hands the signal on in its own time
            time.sleep(0.05)
            status, _, body = app.get("/health/ready")
        assert (status, b'"draining":true' in body) == (503, True)
        assert app.get("/health/live")[0] == 200, "it is not to be killed for that"
        assert app.get("/")[2] == b"done", "who comes all the same is served"
        waiting.join()
        assert (slow[0][0], slow[0][2]) == (200, b"done")
    finally:
        app.left(within=15)
    # 3 s of draining, what the slow request took beyond, and what this machine adds.
    assert time.monotonic() - told < 12
    assert "Traceback" not in app.errors


def test_a_preloaded_worker_that_answers_probes_itself_needs_no_hook():
    pytest.importorskip("gunicorn")
    app = Served(*GUNICORN, "--preload")
    assert app.get("/health/ready")[0] == 200
    app.process.send_signal(signal.SIGTERM)
    time.sleep(1)
    assert app.get("/health/ready")[0] == 503
    app.left(within=15)


def test_a_server_that_ends_itself_by_the_signal_has_sent_what_was_reported():
    receiver = Receiver()
    app = Served(*UVICORN, SENTRY_DSN=receiver.dsn, SENTRY_ENVIRONMENT="staging")
    app.end()
    assert [event["message"] for event in receiver.events] == ["closing"]
    receiver.close()


def run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)


DRAIN = """
import os, signal, time
from daytwo import health
signal.signal(signal.SIGTERM, lambda *_: print("theirs"))
health.drain_on_sigterm({seconds})
print(health.default.run().ready)
for _ in range(2):
    os.kill(os.getpid(), signal.SIGTERM)
    print(health.default.run().ready)
time.sleep({seconds} + 0.5)
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_the_handler_before_runs_when_the_time_is_over_and_only_then():
    """A second signal shortens nothing: service managers send one to a worker, and its master another."""
    assert run(DRAIN.format(seconds=0.5)).stdout.split() == ["True", "False", "False", "theirs", "theirs"]


def test_without_a_time_the_handler_before_runs_at_once():
    assert run(DRAIN.format(seconds=0)).stdout.split() == ["True", "theirs", "False", "theirs", "False", "theirs"]


@pytest.mark.parametrize("seconds", [0, 0.3])
def test_a_process_without_a_handler_is_ended_by_the_signal(seconds):
    script = f"import signal, time\nfrom daytwo import health\nhealth.drain_on_sigterm({seconds})\n"
    assert run(script + "signal.raise_signal(signal.SIGTERM)\ntime.sleep(20)").returncode == -signal.SIGTERM


def test_a_child_forked_for_another_task_ends_at_once():
    script = """
import multiprocessing, time
from daytwo import health
health.drain_on_sigterm(30)
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,))
child.start(); time.sleep(0.2); begun = time.monotonic()
child.terminate(); child.join()
print(child.exitcode, time.monotonic() - begun < 5)
"""
    assert run(script).stdout.split() == ["-15", "True"]


def test_where_signals_cannot_be_handled_python_says_so():
    script = """
import threading
from daytwo import health
def drain():
    try: health.drain_on_sigterm()
    except ValueError as error: print(error)
threading.Thread(target=drain).start()
"""
    assert "main thread" in run(script).stdout
