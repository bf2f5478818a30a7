"""The same tickets and the same load on django-helpdesk, in an environment of its own: only a ratio travels."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pages
import submissions
import support
from installation import Installation, free_port

VERSION = "2.6.1"
COUNT, ROUNDS = 10_000, 3
HERE = Path(__file__).parent / "helpdesk"
COLUMNS = (
    "id",
    "ticket",
    "priority",
    "queue",
    "status",
    "created",
    "due_date",
    "assigned_to",
    "submitter",
    "kbitem",
    "time_spent",
)


def measure(folder: Path, _options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Turn about, both with synchronous=FULL and 10,000 tickets; then the pages of each."""
    binaries = _install(folder / "venv")
    env = os.environ | {
        "HD_DB": str(folder / "helpdesk.db"),
        "DJANGO_SETTINGS_MODULE": "hd_settings",
        "PYTHONPATH": str(HERE),
    }
    site = Installation(folder / "data")
    keys = site.setup()
    number = support.seed(site, COUNT)
    site.start()
    try:
        site.wait_for_jobs()
        with _served(binaries, env, folder) as port:
            for _ in range(ROUNDS):
                yield {"peer": f"django-helpdesk {VERSION}", "what": "submissions", **_submitted(port)}
                yield {"peer": "daytwo", **support.submitted(site, keys["server_key"])}
            yield from ({"peer": f"django-helpdesk {VERSION}", **row} for row in _pages(port))
            site.wait_for_jobs()  # of the submissions: the peer has nothing left to do either
            with contextlib.closing(pages.signed_in(site)) as client:
                for path in ("/tickets", "/tickets?query=refund", f"/tickets/{number}"):
                    yield {"peer": "daytwo", **pages.timed(site, client, path.replace(number, "ID"), path)}
    finally:
        site.stop()


def _install(venv: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "-q", f"django-helpdesk=={VERSION}", "gunicorn"], check=True)
    return venv / "bin"


@contextlib.contextmanager
def _served(binaries: Path, env: dict[str, str], folder: Path) -> Iterator[int]:
    quiet = {"env": env, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for command in (
        ["-m", "django", "migrate"],
        ["-m", "django", "loaddata", "emailtemplate.json"],
        [HERE / "hd_seed.py", str(COUNT)],
    ):
        subprocess.run([binaries / "python", *command], check=True, **quiet)
    port = free_port()
    serve = [
        "--workers=1",
        "--worker-class=gthread",
        "--threads=4",
        "--keep-alive=30",
        f"--bind=127.0.0.1:{port}",
        "hd_wsgi:application",
    ]
    process = subprocess.Popen([binaries / "gunicorn", *serve], **quiet)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/tickets/submit/", timeout=10)
            return
        time.sleep(0.1)
    raise RuntimeError("django-helpdesk did not start within 30 s")


def _submitted(port: int) -> dict[str, Any]:
    visitors = [_visitor(port) for _ in range(submissions.CONNECTIONS)]

    def ticket(connection: int) -> submissions.Request:
        form, headers = visitors[connection]
        body = urllib.parse.urlencode(form | {"title": f"Cannot log in {connection}-{time.monotonic_ns()}"})
        return submissions.Request("/tickets/submit/", body.encode(), headers)

    return submissions.flood(port, ticket, seconds=support.SECONDS, accepted=302)


def _visitor(port: int) -> tuple[dict[str, Any], dict[str, str]]:
    address = f"http://127.0.0.1:{port}/tickets/submit/"
    answer = httpx.get(address, timeout=30)
    form = {
        "csrfmiddlewaretoken": _token(answer), "queue": 1, "priority": 3, "submitter_email": "u@example.com",
        "body": "I cannot log in since this morning, please help me out.",
    }  # fmt: skip
    cookies = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
    return form, {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies, "Referer": address}


def _token(answer: httpx.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', answer.text)
    if found is None:
        raise RuntimeError(f"no form at {answer.url}: {answer.status_code}")
    return found[1]


def _pages(port: int) -> Iterator[dict[str, Any]]:
    """What an agent's browser asks for: its list is a shell that then loads its 25 rows."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=60) as client:
        form = {"csrfmiddlewaretoken": _token(client.get("/login/")), "username": "agent", "password": "agent"}
        client.post("/login/", data=form, headers={"Referer": f"{client.base_url}/login/"})
        shell = client.get("/tickets/").text
        found = re.search(r"datatables_ticket_list/([A-Za-z0-9+/=]+)", shell)
        if found is None:
            raise RuntimeError("could not sign in to django-helpdesk")
        rows = f"/datatables_ticket_list/{found[1]}?{_rows()}"
        for name, path in (
            ("list, shell", "/tickets/"), ("list, 25 rows", rows), ("list, search", rows.replace("search[value]=&", "search[value]=refund&", 1)),
            ("ticket", f"/tickets/{COUNT // 2}/"),
        ):  # fmt: skip
            yield pages.clocked(client, name, path)


def _rows() -> str:
    columns = "&".join(
        f"columns[{n}][data]={name}&columns[{n}][searchable]=true&columns[{n}][orderable]=true&columns[{n}][search][value]="
        for n, name in enumerate(COLUMNS)
    )
    return f"draw=1&start=0&length=25&order[0][column]=0&order[0][dir]=desc&search[value]=&{columns}"
