"""Events that keep coming while something goes wrong, and people who look at pages meanwhile."""

from __future__ import annotations

import asyncio
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import crash
import httpx
import load
import psutil
from installation import MODULE, PASSWORD, Installation


class Storm:
    """Sends events in the background for the length of a block, and until all are sent.

    `what` is a number of events, or the requests themselves. `outcome` holds what was answered, also while it goes on.
    """

    def __init__(
        self, site: Installation, what: int | Sequence[load.Request], *, rate_per_s: float, groups: int = 50
    ) -> None:
        self._requests = load.requests(site.keys["dsn"], what, groups=groups) if isinstance(what, int) else what
        self._site, self._rate_per_s = site, rate_per_s
        self.outcome = load.Outcome()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        sending = load.send(
            self._site.url, self._requests, connections=8, rate_per_s=self._rate_per_s, into=self.outcome
        )
        asyncio.run(sending)

    def __enter__(self) -> Storm:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | BaseException | None) -> None:
        self._thread.join(60)
        assert kind or not self._thread.is_alive(), f"intake hangs: {self.outcome.codes}"

    def is_over(self) -> bool:
        return not self._thread.is_alive()

    @property
    def acked(self) -> set[str]:
        return set(self.outcome.acked)


def check_refusals(storm: Storm) -> None:
    """Nothing but 200 and 429, and each 429 tells SDKs what to hold back and for how long."""
    assert set(storm.outcome.codes) <= {"200", "429"}, storm.outcome.codes
    for head in storm.outcome.refusals:
        assert re.search(rb"\r\nretry-after: \d+\r\n", head, re.IGNORECASE), head
        assert re.search(rb"\r\nx-sentry-rate-limits: \d+:[a-z_;]*error[a-z_;]*:\w+:\w+\r\n", head, re.IGNORECASE), head


def check_nothing_lost(site: Installation, acked: set[str]) -> None:
    """Every acknowledged event is visible, none is there twice, and all counters agree."""
    verdict = crash.check(site, acked)
    wrong = {name: verdict[name] for name in ("lost", "twice", "miscounted")}
    assert wrong == {"lost": 0, "twice": 0, "miscounted": 0}, (verdict, crash.sums(site))


def digest_of(site: Installation) -> psutil.Process:
    """The child of the server that digests."""
    assert site.process
    return eventually(lambda: next(iter(psutil.Process(site.process.pid).children()), None))


@contextmanager
def signed_in(site: Installation) -> Iterator[httpx.Client]:
    """The owner's browser. It follows redirects, as browsers do."""
    with httpx.Client(base_url=site.url, timeout=30, follow_redirects=True) as browser:
        browser.get("/login/")
        assert press(browser, "/login/", login="alice@example.com", password=PASSWORD).status_code == 200
        assert "daytwo_session" in browser.cookies
        yield browser


def health(site: Installation) -> Any:
    """What `/api/health` says, which is always said within a second."""
    return httpx.get(f"{site.url}/api/health", timeout=2).json()


def doctor(site: Installation, preexec: Callable[[], None] | None = None) -> list[str]:
    """What `daytwo doctor` finds wrong."""
    command = [*MODULE, "doctor", "--data-dir", site.data_dir]
    done = subprocess.run(command, env=site.env, capture_output=True, text=True, preexec_fn=preexec)
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("WRONG")]


def press(browser: httpx.Client, path: str, **form: Any) -> httpx.Response:
    """Send a form of a page."""
    form["csrfmiddlewaretoken"] = browser.cookies["daytwo_csrf"]
    return browser.post(path, data=form, headers={"Referer": str(browser.base_url)})


def eventually(look: Callable[[], Any], *, seconds: float = 30) -> Any:
    """The first truth that `look` finds."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
    return found
