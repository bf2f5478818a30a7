"""What must stay secret stays out of logs, stores, answers and the process list, even at LOG_LEVEL=debug."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import time

import httpx
import psutil
import pytest
import sites
from installation import MODULE, PASSWORD, Installation

LINK = "ownerLinkThatIsASecret" * 2
RESET = "resetKeyThatIsASecret"
GUESS = "a wrong password that is the right one elsewhere"
HEALTH = "healthTokenThatIsASecret"
MAIL = "mailPasswordThatIsASecret"
SECRET_KEY = "secretKeyThatIsASecret"
QUERY = "tokenInTheAddress"


@pytest.fixture(scope="module")
def site(tmp_path_factory, migrated, store_env):
    """A server that was used, and abused, in every way that carries a secret."""
    env = store_env("secrets", empty=True) | {
        "DAYTWO_HEALTH_TOKEN": HEALTH,
        "DAYTWO_MAIL_URL": f"smtp://daytwo:{MAIL}@127.0.0.1:1",
        "DAYTWO_SECRET_KEY": SECRET_KEY,
    }
    if "DATABASE_URL" in env:
        env["DATABASE_URL"] = env["DATABASE_URL"].replace("daytwo@", "daytwo:databasePasswordThatIsASecret@")
    site = sites.copy(migrated, tmp_path_factory.mktemp("secrets") / "data", env=env | {"LOG_LEVEL": "debug"})
    site.keys = site.setup()  # reads what is printed as JSON: no line of the log stands in between
    site.start()
    use(site)
    abuse(site)
    yield site
    site.stop()


def use(site):
    alice = browser(site)
    site.secrets = {
        "password": PASSWORD,
        "wrong password": GUESS,
        "token of setup": site.keys["api_token"].split("_", 2)[2],
        "health token": HEALTH,
        "mail password": MAIL,
        "secret key": SECRET_KEY,
        "database password": "databasePasswordThatIsASecret",
        "session": alice.cookies["daytwo_session"],
        "owner link": LINK,
        "reset key": RESET,
        "token in an address": QUERY,
    }
    page = press(alice, "/settings/tokens/", label="Script", lifetime="30", everything="on")
    site.secrets["new token"] = re.search(r"dt_[0-9a-f]{8}_([\w-]{43})", page.text)[1]
    press(alice, "/password/change/", oldpassword=GUESS, password1=GUESS + "1", password2=GUESS + "1")
    press(alice, "/password/reset/", email="alice@example.com")
    assert site.get("/api/v1/issues", token=site.keys["api_token"])
    httpx.get(f"{site.url}/metrics", headers={"Authorization": f"Bearer {HEALTH}"})
    alice.close()


def abuse(site):
    """Refused by CSRF, by the host, by size, by scope: each way in which Django complains about a request."""
    for path in (f"/welcome/{LINK}/", f"/password/reset/1-{RESET}/"):
        httpx.post(site.url + path)
        httpx.post(site.url + path, headers={"Origin": "https://evil.example"})
        httpx.get(site.url + path, headers={"Host": "evil.example"})
        httpx.get(site.url + path, params=[("a", "1")] * 3000)
        httpx.post(site.url + path, content=b"x", headers={"Content-Type": "multipart/form-data"})
        httpx.put(site.url + path)
    httpx.get(f"{site.url}/api/v1/issues?token={QUERY}", headers={"Authorization": f"Bearer dt_00000000_{QUERY}"})
    httpx.get(f"{site.url}/nothing/{LINK}")


def browser(site):
    client = httpx.Client(base_url=site.url, timeout=30)
    press(client, "/login/", login="alice@example.com", password=GUESS)
    assert press(client, "/login/", login="alice@example.com", password=PASSWORD).status_code == 302
    return client


def press(client, path, **form):
    client.get("/login/" if "daytwo_csrf" not in client.cookies else path)
    return client.post(path, data=form, headers={"X-CSRFToken": client.cookies["daytwo_csrf"]})


def found(text, secrets):
    return [name for name, secret in secrets.items() if secret in text]


def test_no_secret_is_in_the_log_at_any_level(site):
    log = site.log.read_text()
    assert log.count('"logger":"daytwo.web"') > 20
    assert found(log, site.secrets) == []


def test_the_log_still_says_what_was_refused_and_where(site):
    lines = [json.loads(line) for line in site.log.read_text().splitlines() if line.startswith("{")]
    assert any("welcome/<str:link>/" in line["message"] and "Forbidden" in line["message"] for line in lines)
    assert any("evil.example" in line["message"] for line in lines)


def test_no_secret_is_in_the_stores_or_anywhere_in_the_data_directory(site):
    kept = dict(site.secrets)
    del kept["session"]  # Django's session table is its own key
    time.sleep(0.5)
    for path in (path for path in site.data_dir.rglob("*") if path.is_file()):
        assert found(path.read_bytes().decode("latin-1"), kept) == [], path


def test_no_secret_is_among_the_arguments_of_a_process(site):
    server = psutil.Process(site.process.pid)
    arguments = [process.cmdline() for process in [server, *server.children(recursive=True)]]
    assert len(arguments) > 1
    assert found(str(arguments), site.secrets) == []


def test_no_secret_is_in_what_a_stranger_is_told(site):
    told = "".join(
        httpx.get(site.url + path).text + str(httpx.get(site.url + path).headers)
        for path in (
            "/login/",
            "/nothing",
            "/api/health",
            "/api/v1/issues",
            "/api/v1/openapi.json",
            "/metrics",
            "/live",
        )
    )
    assert found(told, site.secrets) == []


def test_files_of_the_data_directory_are_for_its_owner_only(site):
    for path in {*site.data_dir.rglob("*")} - {*(site.data_dir / "static").rglob("*")}:
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("verb", ["doctor", "migrate", "settings"])
def test_no_secret_is_printed_by_the_command_line(site, verb):
    arguments = ["--data-dir", str(site.data_dir)] if verb != "settings" else []
    done = subprocess.run([*MODULE, verb, *arguments], env=site.env, capture_output=True, text=True)
    assert found(done.stdout + done.stderr, site.secrets) == []


def test_a_wrong_setting_is_named_without_its_value(tmp_path):
    for name, value in (("DATABASE_URL", f"mysql://a:{MAIL}@h/d"), ("DAYTWO_MAIL_URL", f"imap://a:{MAIL}@h")):
        site = Installation(tmp_path / "data", env={name: value})
        done = subprocess.run([*MODULE, "migrate"], env=site.env, capture_output=True, text=True)
        assert name in done.stderr
        assert MAIL not in done.stderr + done.stdout


def test_a_database_that_refuses_the_password_is_told_without_it(tmp_path):
    site = Installation(tmp_path / "data", env={"DATABASE_URL": f"postgres://daytwo:{MAIL}@127.0.0.1:1/daytwo"})
    for verb in ("migrate", "doctor"):
        done = subprocess.run(
            [*MODULE, verb, "--data-dir", str(site.data_dir)], env=site.env, capture_output=True, text=True
        )
        assert done.returncode == 1
        assert MAIL not in done.stderr + done.stdout


def test_reports_of_our_own_errors_carry_no_secret(shop):
    """What SENTRY_DSN names may be somebody else's server."""
    site = shop()
    site.env |= {"SENTRY_DSN": site.keys["dsn"]}
    site.start()
    try:
        with httpx.Client(base_url=site.url, timeout=30) as client:
            client.get("/login/")
            break_store(site, "accounts_ownerlink", "accounts_user")
            client.get(f"/welcome/{LINK}/?token={QUERY}")
            form = {"login": "alice@example.com", "password": GUESS, "oldpassword": GUESS, "password1": GUESS}
            client.post("/login/", data=form, headers={"X-CSRFToken": client.cookies["daytwo_csrf"]})
        bodies = reported(site)
    finally:
        site.stop()
    secrets = {"link": LINK, "password": GUESS, "token": QUERY}
    assert [name for body in bodies for name in found(body, secrets)] == []
    assert any("/welcome/" in body for body in bodies)


def break_store(site, *tables):
    connection = sqlite3.connect(site.data_dir / "daytwo.db", timeout=10)
    for table in tables:
        connection.execute(f"ALTER TABLE {table} RENAME TO gone_{table}")
    connection.commit()
    connection.close()


def reported(site, seconds=15):
    """The stored bodies of the events that the server reported to itself."""
    from daytwo_server.errors.prepare import open_body

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection = sqlite3.connect(f"file:{site.data_dir / 'telemetry.db'}?mode=ro", uri=True, timeout=10)
        rows = connection.execute("SELECT body FROM errors_eventbody").fetchall()
        connection.close()
        if len(rows) >= 2:
            return [json.dumps(open_body(bytes(body))) for (body,) in rows]
        time.sleep(0.2)
    raise AssertionError(f"{len(rows)} reports after {seconds} s: {site.log.read_text()[-2000:]}")
