"""A standard output that nobody reads: it holds the app up once, then costs lines, which are counted and told once."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

LOSSES = "log lines were lost: nobody read them, or there was no room"
TALK = """
import os, sys, time
import daytwo
from daytwo.logs import stream
from daytwo.logs.output import output
stream.Descriptor.__init__.__kwdefaults__["patience_s"] = 0.5
log = daytwo.get_logger("shop")

def talk(count, size=200):
    slowest = 0
    for number in range(count):
        begun = time.perf_counter()
        log.info("x" * size, number=number)
        slowest = max(slowest, time.perf_counter() - begun)
    return slowest

def say(**words):
    print(words, file=sys.stderr, flush=True)
"""


class Talker:
    """A process whose stdout nobody reads until `lines` is called. What it says of itself goes to stderr."""

    def __init__(self, script, stdout=subprocess.PIPE, stderr=subprocess.PIPE):
        self.process = subprocess.Popen(
            [sys.executable, "-c", TALK + script], stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, text=True
        )

    def said(self):
        return eval(self.process.stderr.readline())

    def lines(self):
        """Read stdout to its end, letting the process go on once there is room."""
        raw = []
        reading = threading.Thread(target=lambda: raw.append(self.process.stdout.read()))
        reading.start()
        time.sleep(0.2)
        with contextlib.suppress(BrokenPipeError):  # one that does not wait for it may have ended
            self.process.stdin.write("\n")
            self.process.stdin.close()
        reading.join(30)
        return raw[0].splitlines()

    def end(self):
        """Its exit code; within 20 s, also if nobody ever read a word."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        return self.process.wait(20)

    def close(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def talker():
    made = []

    def start(*arguments, **named):
        made.append(Talker(*arguments, **named))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_a_pipe_nobody_reads_holds_the_app_up_once_and_what_was_lost_is_told_when_someone_reads(talker):
    app = talker("say(slowest=talk(3000), lost=output.lost)\nsay(again=talk(1000))\ninput()\nlog.info('after')")
    first, again = app.said(), app.said()
    *written, loss, after = map(json.loads, app.lines())
    assert app.end() == 0
    assert 0.4 < first["slowest"] < 4, "it waited for a reader, once"
    assert again["again"] < 0.4
    assert first["lost"] > 1000
    assert [line["number"] for line in written] == list(range(len(written)))
    assert (loss["level"], loss["message"], loss["logger"]) == ("warning", LOSSES, "daytwo.logs")
    assert loss["lost"] == 4000 - len(written)
    assert after["message"] == "after"


def test_a_stall_that_lasts_is_told_at_the_end_on_stderr(talker):
    app = talker("talk(2000)")
    assert app.end() == 0
    told = [json.loads(line) for line in app.process.stderr.read().splitlines()]
    assert [(line["message"], line["lost"] > 500) for line in told] == [(LOSSES, True)]


def test_with_nobody_there_at_all_the_process_still_ends(talker):
    leader, follower = os.pipe()
    app = talker("talk(2000)", stdout=follower, stderr=follower)
    assert app.end() == 0
    os.close(leader)
    os.close(follower)


def test_a_reader_who_left_costs_the_lines_and_not_the_app(talker):
    leader, follower = os.pipe()
    os.close(leader)
    app = talker("talk(10)\nsay(lost=output.lost)", stdout=follower)
    os.close(follower)
    assert app.said() == {"lost": 10}
    assert app.end() == 0
    assert json.loads(app.process.stderr.read())["lost"] == 10


@pytest.mark.parametrize("non_blocking", [False, True])
@pytest.mark.parametrize(("values", "cut_off"), [(4, 0), (12, 1)])
def test_a_long_line_is_lost_as_a_whole_or_cut_off_and_spoils_no_other(talker, values, cut_off, non_blocking):
    """A pipe takes 64 kB: a line of 28 kB finds no room in it, one of 84 kB stops in the middle."""
    script = """
os.set_blocking(1, BLOCKING)
for number in range(30): log.info("long", number=number, **{f"value{n}": "x" * 7000 for n in range(VALUES)})
say(lost=output.lost)
input()
log.info("after")
"""
    app = talker(script.replace("VALUES", str(values)).replace("BLOCKING", str(not non_blocking)))
    lost = app.said()["lost"]
    whole, torn = [], 0
    for line in app.lines():
        try:
            whole.append(json.loads(line))
        except ValueError:
            torn += 1
    *written, loss, after = whole
    assert (loss["lost"], after["message"]) == (lost, "after")
    assert len(written) == 30 - lost
    assert torn == cut_off
    assert app.end() == 0


def test_long_lines_of_several_processes_stay_whole_while_somebody_reads(talker):
    script = """
import os
for _ in range(3):
    if os.fork() == 0:
        break
values = {"value1": "x" * 7000, "value2": "y" * 7000}
for number in range(100): log.info("long", number=number, **values); time.sleep(0.001)
"""
    app = talker(script)
    numbers = [json.loads(line)["number"] for line in app.lines()]
    assert sorted(numbers) == sorted(list(range(100)) * 4)


def test_a_socket_nobody_reads_is_no_different(talker):
    """What systemd gives a service for stdout."""
    reader, writer = socket.socketpair()
    app = talker("say(slowest=talk(5000), lost=output.lost)", stdout=writer.fileno())
    writer.close()
    said = app.said()
    reader.close()
    assert said["lost"] > 100
    assert said["slowest"] < 4
    assert app.end() == 0


def test_a_full_disk_is_told_when_there_is_room_again(talker):
    script = """
import os
kept = os.dup(1)
os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
talk(5)
os.dup2(kept, 1)
log.info("after")
"""
    app = talker(script)
    loss, after = map(json.loads, app.lines())
    assert (loss["lost"], after["message"]) == (5, "after")
