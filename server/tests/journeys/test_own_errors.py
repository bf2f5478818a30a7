"""Daytwo reports its own errors to whatever SENTRY_DSN names: here, to itself."""

import contextlib
import sqlite3
import time

import pages
import pytest
from installation import Installation


@pytest.fixture
def site(tmp_path):
    installation = Installation(tmp_path / "data")
    installation.keys = installation.setup("Daytwo itself")
    installation.env |= {"SENTRY_DSN": installation.keys["dsn"], "SENTRY_ENVIRONMENT": "test"}
    installation.start()
    yield installation
    installation.stop()


def test_an_error_of_a_page_becomes_an_issue_and_the_person_sees_a_plain_page(site):
    connection = sqlite3.connect(site.data_dir / "daytwo.db", timeout=10)
    connection.execute("ALTER TABLE customers_customer RENAME TO gone")
    connection.commit()
    connection.close()
    with contextlib.closing(pages.signed_in(site)) as client:
        answer = client.get("/customers/")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    deadline = time.monotonic() + 15
    while not (issues := site.get("/api/v1/issues", token=site.keys["api_token"])["results"]):
        assert time.monotonic() < deadline, "no issue about the broken page"
        time.sleep(0.2)
    assert (issues[0]["type"], issues[0]["project"]) == ("OperationalError", "daytwo-itself")
