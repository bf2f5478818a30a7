"""The tutorials of the client library: what is written there is run, and what they promise is looked up in Daytwo."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import sites
from installation import free_port

TUTORIALS = Path(__file__).parents[3] / "docs" / "tutorial"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def daytwo(tmp_path_factory, furnished):
    site = sites.copy(furnished, tmp_path_factory.mktemp("tutorials") / "data")
    site.start()
    yield site
    site.stop()


class Reader:
    """Somebody who types what a tutorial says, in an empty folder."""

    def __init__(self, name, folder, dsn):
        self.folder, self.port = folder, free_port()
        text = (TUTORIALS / f"{name}.md").read_text()
        text = text.replace("http://KEY@127.0.0.1:8000/1", dsn).replace("8001", str(self.port))
        self.blocks = BLOCK.findall(text)
        binaries = Path(sys.executable).parent
        self.env = {"PATH": f"{binaries}:/usr/bin:/bin", "HOME": str(folder), "PYTHONUNBUFFERED": "1"}
        self.server = None
        self.log = folder / "server.log"

    def type(self):
        for language, name, code in self.blocks:
            if language == "python":
                (self.folder / name).write_text(code)
            elif (language, name) == ("sh", "server"):
                with self.log.open("wb") as log:
                    self.server = subprocess.Popen(
                        ["/bin/sh", "-c", f"exec env {code.strip()}"], cwd=self.folder, env=self.env, stdout=log,
                        stderr=log, start_new_session=True,
                    )  # fmt: skip
            elif language == "sh":
                self.answers = [self.run(line) for line in code.strip().splitlines()]

    def run(self, line):
        """A line of a shell; curl may be missing on this machine."""
        words = shlex.split(line)
        if words[0] == "curl":
            return self.fetch(words[-1])
        done = subprocess.run(line, shell=True, cwd=self.folder, env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fetch(self, url):
        deadline = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:
                    return answer.status, dict(answer.headers), answer.read()
            except urllib.error.HTTPError as answer:
                return answer.code, dict(answer.headers), answer.read()
            except urllib.error.URLError:
                if time.monotonic() > deadline or self.server.poll() is not None:
                    raise AssertionError(self.log.read_text()) from None
                time.sleep(0.1)

    def promised(self):
        """The lines and answers that the tutorial shows."""
        return [
            json.loads(line) for language, _, code in self.blocks if language == "json" for line in code.splitlines()
        ]

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def close(self):
        if self.server:
            os.killpg(self.server.pid, signal.SIGTERM)
            try:
                self.server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.server.pid, signal.SIGKILL)


@pytest.fixture
def reader(daytwo, tmp_path, request):
    reader = Reader(request.param, tmp_path, daytwo.setup(request.param)["dsn"])
    yield reader
    reader.close()


def holds(found, promised):
    """Whether everything that was promised is there; `…` is any text."""
    if isinstance(promised, dict):
        return isinstance(found, dict) and all(
            name in found and holds(found[name], promised[name]) for name in promised
        )
    return promised in ("…", found)


def eventually(look, reader):
    deadline = time.monotonic() + 30
    while not (found := look()):
        assert time.monotonic() < deadline, reader.log.read_text()
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("reader", ["fastapi", "starlette", "flask", "django", "celery"], indirect=True)
def test_a_tutorial_holds_what_it_promises(reader, daytwo, request):
    reader.type()
    told = [one for one in reader.promised() if "checks" not in one]
    for line in told:
        eventually(lambda line=line: any(holds(found, line) for found in reader.lines()), reader)
    if "order" in str(told[0]["message"]):
        (order, headers, _), (failed, _, _), (status, _, health) = reader.answers
        assert (order, failed, status) == (200, 500, 200)
        assert "x-request-id" in {name.lower() for name in headers}
        answer = json.loads(health)
        assert all(holds(answer, one) for one in reader.promised() if "checks" in one), answer
    project = request.node.callspec.params["reader"]
    token = daytwo.keys["api_token"]
    path = f"/api/v1/issues?project={project}"
    issue = eventually(lambda: daytwo.get(path, token=token)["results"], reader)[0]
    assert issue["value"] == "no stock"
    event_id = daytwo.get(f"/api/v1/issues/{issue['id']}/events", token=token)["results"][0]["eventId"]
    event = daytwo.get(f"/api/v1/events/{event_id}", token=token)["event"]
    assert event["release"] == "1.4.2"
    assert dict(event["tags"] if isinstance(event["tags"], dict) else map(tuple, event["tags"]))["request_id"]
