"""Daytwo reports its own errors to whatever SENTRY_DSN names: here, to itself."""

import asyncio
import contextlib
import sqlite3
import time

import load
import pages
import pytest


@pytest.fixture
def site(shop):
    installation = shop()
    installation.env |= {"SENTRY_DSN": installation.keys["dsn"], "SENTRY_ENVIRONMENT": "test"}
    installation.start()
    return installation


def test_an_error_of_a_page_becomes_an_issue_and_the_person_sees_a_plain_page(site):
    asyncio.run(load.send(site.url, load.requests(site.keys["dsn"], 1), connections=1))
    site.wait_for_events(1)
    connection = sqlite3.connect(site.data_dir / "daytwo.db", timeout=10)
    connection.execute("UPDATE errors_issue SET count = 'many'")
    connection.commit()
    connection.close()
    with contextlib.closing(pages.signed_in(site)) as client:
        answer = client.get("/errors/1")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    deadline = time.monotonic() + 15
    while not site.query("SELECT id FROM errors_issue WHERE id > 1"):
        assert time.monotonic() < deadline, "no issue about the broken page"
        time.sleep(0.2)
