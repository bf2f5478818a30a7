"""Runs an app of `apps/` behind a real server, in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

APPS = Path(__file__).parent / "apps"


class Served:
    """`command` is what follows `python`; PORT in it is replaced."""

    def __init__(self, *command: str, ready: str = "/health/live", **env: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        words = [word.replace("PORT", str(self.port)) for word in command]
        self.process = subprocess.Popen(
            [sys.executable, "-u", *words],
            cwd=APPS, env={"PATH": os.defpath, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(self.process.stderr.read())
            try:
                self.get(ready)
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.end()
        raise RuntimeError(f"the app does not answer: {self.errors}")

    def get(self, path: str, **headers: str) -> tuple[int, Any, bytes]:
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read()

    def end(self, number: int = signal.SIGTERM, *, within: float = 20) -> list[dict[str, Any]]:
        """Send a signal, wait for the end, and give the lines that were written."""
        self.process.send_signal(number)
        return self.left(within)

    def left(self, within: float = 20) -> list[dict[str, Any]]:
        """Wait for the end that was asked for, and give the lines that were written."""
        try:
            out, self.errors = self.process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, self.errors = self.process.communicate()
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]
