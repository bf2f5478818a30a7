import io
import json
import os
import pty
import subprocess
import sys
import threading

import pytest

import daytwo
from daytwo import logs
from daytwo.logs.output import output


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    everything = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", program], env=everything, capture_output=True, text=True, check=True)


def test_nothing_happens_on_import():
    done = run("import logging, threading, daytwo; print(logging.root.handlers, threading.active_count())")
    assert (done.stdout, done.stderr) == ("[] 1\n", "")


def test_a_piped_process_writes_json_to_stdout_without_configuration():
    done = run("import daytwo; daytwo.get_logger('shop').info('said', plan='pro')")
    assert json.loads(done.stdout)["plan"] == "pro"


@pytest.mark.parametrize("level", ["debug", "INFO", "warning", "Error", "critical"])
def test_the_environment_sets_every_level(level):
    program = """
import daytwo
log = daytwo.get_logger("shop")
for name in ("debug", "info", "warning", "error", "critical"): getattr(log, name)("said")
"""
    written = [json.loads(line)["level"] for line in run(program, LOG_LEVEL=level).stdout.splitlines()]
    levels = ["debug", "info", "warning", "error", "critical"]
    assert written == levels[levels.index(level.lower()) :]


def test_a_wrong_log_level_in_the_environment_is_one_warning_and_info():
    program = "import daytwo; log = daytwo.get_logger('shop'); log.debug('no'); log.info('yes'); log.info('yes')"
    written = [json.loads(line) for line in run(program, LOG_LEVEL="shouting").stdout.splitlines()]
    assert [line["level"] for line in written] == ["warning", "info", "info"]


def test_a_process_at_a_terminal_writes_readable_lines():
    leader, follower = pty.openpty()
    program = "import daytwo; daytwo.get_logger('shop').info('said', plan='pro')"
    subprocess.run([sys.executable, "-c", program], stdout=follower, check=True)
    os.close(follower)
    shown = os.read(leader, 4096).decode()
    os.close(leader)
    assert "\x1b[32mINFO" in shown
    assert "shop: said" in shown


def test_without_orjson_the_lines_are_the_same():
    program = """
import sys
if {blocked}: sys.modules["orjson"] = None
import daytwo
log = daytwo.get_logger("shop")
log.info("zwölf", a=1, b=[1.5, None, True], c={{"d": "\\ud800"}}, e=2**70, f=float("nan"), g=2**62)
"""
    with_it, without_it = (json.loads(run(program.format(blocked=blocked)).stdout) for blocked in (False, True))
    with_it.pop("timestamp"), without_it.pop("timestamp")
    assert with_it == without_it


def test_lines_of_many_threads_stay_whole():
    program = """
import threading, daytwo
log = daytwo.get_logger("shop")
def talk(who):
    for number in range(50): log.info("x" * 5000, who=who, number=number)
threads = [threading.Thread(target=talk, args=(who,)) for who in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
"""
    written = [json.loads(line) for line in run(program).stdout.splitlines()]
    assert sorted((line["who"], line["number"]) for line in written) == [(w, n) for w in range(8) for n in range(50)]


def test_a_child_process_logs_although_the_lock_was_held_at_the_fork():
    program = """
import os, threading, warnings, daytwo
warnings.simplefilter("ignore")
from daytwo.logs.output import output
log = daytwo.get_logger("shop")
log.info("parent")
held, go = threading.Event(), threading.Event()
def hold():
    with output._lock: held.set(); go.wait()
threading.Thread(target=hold, daemon=True).start()
held.wait()
child = os.fork()
if child == 0:
    log.info("child"); os._exit(0)
print("exit", os.waitpid(child, 0)[1])
go.set()
"""
    assert '"message":"child"' in run(program).stdout


def test_a_slow_reader_of_a_non_blocking_stdout_still_gets_every_line():
    program = """
import os, daytwo
os.set_blocking(1, False)
log = daytwo.get_logger("shop")
for number in range(100): log.info("x" * 8000, number=number)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout as stdout:
        numbers = [json.loads(line)["number"] for line in stdout]
    assert process.wait() == 0
    assert numbers == list(range(100))


class Full:
    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_stream_that_fails_costs_the_line_and_is_counted():
    lost = output.lost
    logs.configure(form="json", stream=Full())  # type: ignore[arg-type]
    daytwo.get_logger("shop").info("said")
    closed = io.StringIO()
    closed.close()
    logs.configure(form="auto", stream=closed)
    daytwo.get_logger("shop").info("said")
    assert output.lost == lost + 2


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_text_file_of_any_encoding_gets_utf_8(tmp_path, encoding):
    path = tmp_path / "log.jsonl"
    with path.open("w", encoding=encoding) as stream:
        logs.configure(stream=stream)
        daytwo.get_logger("shop").info("zwölf")
        assert json.loads(path.read_bytes())["message"] == "zwölf"


def test_a_binary_stream_gets_bytes():
    stream = io.BytesIO()
    logs.configure(stream=stream)
    daytwo.get_logger("shop").info("said")
    assert json.loads(stream.getvalue())["message"] == "said"


def test_a_value_that_logs_while_it_is_printed_does_no_harm(lines):
    class Chatty:
        def __str__(self) -> str:
            daytwo.get_logger("inner").info("asked")
            return "chatty"

    daytwo.get_logger("outer").info("said", value=Chatty())
    assert [line["logger"] for line in lines()] == ["inner", "outer"]


def test_fields_may_be_added_to_the_request_while_others_log(lines):
    stop = threading.Event()
    log = daytwo.get_logger("shop")
    with daytwo.scope.request() as fields:

        def add() -> None:
            number = 0
            while not stop.is_set():
                fields[f"key{number % 50}"] = number
                fields.pop(f"key{(number - 25) % 50}", None)
                number += 1

        adding = threading.Thread(target=add)
        adding.start()
        for _ in range(300):
            log.info("said")
        stop.set()
        adding.join()
    assert {line["message"] for line in lines()} == {"said"}
