"""The promises of the command line, kept by real processes."""

import asyncio
import contextlib
import os
import socket
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import load
import psutil
import pytest
from installation import MODULE, Installation
from spools import fill
from storm import digest_of, eventually


def run(*arguments, env=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DAYTWO_", "DATABASE_URL"))}
    return subprocess.run([*MODULE, *map(str, arguments)], env=clean | (env or {}), capture_output=True, text=True)


@pytest.fixture
def nothing(tmp_path):
    """An installation before its first start or setup."""
    installation = Installation(tmp_path / "nothing")
    yield installation
    installation.stop()


@pytest.fixture
def site(shop):
    """One after its setup."""
    return shop()


def test_the_first_start_makes_a_private_directory_and_key_and_offers_the_owner_link(nothing):
    nothing.start()
    assert nothing.data_dir.stat().st_mode & 0o777 == 0o700
    assert (nothing.data_dir / "secret-key").stat().st_mode & 0o777 == 0o600
    link = next(word for word in nothing.log.read_text().split() if "/welcome/" in word)
    assert httpx.get(link).status_code == 200


def test_an_owned_installation_offers_no_link(site):
    site.start()
    assert "/welcome/" not in site.log.read_text()


def test_sigterm_stops_everything_within_five_seconds_even_with_a_live_page_open(site):
    site.start()
    with socket.create_connection(("127.0.0.1", site.port)) as held:
        held.sendall(b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\n")  # a request that never ends
        assert site.stop() < 5
    assert site.process.returncode == 0
    children = subprocess.run(["pgrep", "-f", str(site.data_dir)], capture_output=True, text=True).stdout.split()
    assert children == []


def test_a_killed_server_leaves_no_child_behind(site):
    site.start()
    digest = digest_of(site)
    site.kill()
    assert psutil.wait_procs([digest], timeout=5)[1] == [], "the digest outlived its server"


def test_a_newer_schema_is_refused_and_left_alone(site):
    connection = sqlite3.connect(site.data_dir / "daytwo.db")
    later = ("errors", "9999_later", "2030-01-01")
    connection.execute("INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)", later)
    connection.commit()
    before = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    for verb in (["serve", "--port", "0"], ["migrate"]):
        done = run(*verb, "--data-dir", site.data_dir)
        assert done.returncode == 1
        assert "newer Daytwo" in done.stderr
        assert "errors.9999_later" in done.stderr
        assert "Traceback" not in done.stderr
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == before
    connection.close()


def test_a_migration_that_fails_is_named_and_goes_on_once_the_cause_is_gone(site):
    with contextlib.closing(sqlite3.connect(site.data_dir / "daytwo.db")) as connection:
        connection.execute("DELETE FROM django_migrations WHERE app = 'links'")
        connection.commit()
        done = run("serve", "--port", "0", "--data-dir", site.data_dir)
        assert done.returncode == 1
        assert "The migration links.0001_initial failed and was taken back" in done.stderr
        assert "already exists" in done.stderr
        assert "Traceback" not in done.stderr
        connection.execute("DROP TABLE links_link")
        connection.commit()
    assert run("migrate", "--data-dir", site.data_dir).returncode == 0


def test_a_wrong_setting_stops_the_start_and_says_what_is_allowed(tmp_path):
    done = run("serve", "--data-dir", tmp_path / "data", env={"DAYTWO_DIGEST": "sometimes"})
    assert done.returncode == 2
    assert "DAYTWO_DIGEST is 'sometimes'; allowed is one of process, thread, off." in done.stderr


def test_a_second_server_on_the_same_directory_is_refused_in_words(site):
    site.start()
    done = run("serve", "--data-dir", site.data_dir, "--port", "0")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "already holds" in done.stderr


def test_a_port_that_is_taken_is_said(site, shop):
    site.start()
    done = run("serve", "--data-dir", shop().data_dir, "--port", site.port)
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{site.port}" in done.stderr


def test_setup_before_the_first_start_creates_everything(nothing):
    first = nothing.setup("Shop")
    assert set(first) >= {"url", "email", "workspace", "project", "environment", "dsn", "api_token"}
    assert first["project"]["slug"] == "shop"
    assert first["url"] == nothing.url
    assert first == nothing.setup("Shop")


def test_several_setups_at_once_make_one_of_everything(nothing):
    with ThreadPoolExecutor() as pool:
        keys = list(pool.map(lambda _: nothing.setup(), range(3)))
    assert keys[0] == keys[1] == keys[2]


def test_setup_with_a_bad_address_says_what_to_do(tmp_path):
    done = run(
        "setup", "--data-dir", tmp_path, "--url", "example", "--email", "a@example.com", "--password", "x" * 12,
        "--project", "P",
    )  # fmt: skip
    assert done.returncode == 1
    assert "http://... or https://..." in done.stderr


def test_doctor_finds_nothing_wrong_with_a_running_installation(site):
    site.start()
    done = run("doctor", "--data-dir", site.data_dir)
    assert done.returncode == 0, done.stdout
    assert done.stdout.strip().endswith("Nothing is wrong.")


def test_doctor_names_what_is_wrong_and_exits_with_1(site):
    (site.data_dir / "secret-key").chmod(0o644)
    done = run(
        "doctor", "--data-dir", site.data_dir,
        env={"DAYTWO_MAIL_URL": "smtp://127.0.0.1:1", "DAYTWO_MIN_FREE_DISK_MB": "9999999"},
    )  # fmt: skip
    assert done.returncode == 1
    wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
    for words in ("secret key", "mail server 127.0.0.1:1", "MB of disk are free"):
        assert any(words in line for line in wrong), done.stdout


def test_doctor_says_when_the_database_is_held_by_another_program(site):
    connection = sqlite3.connect(site.data_dir / "daytwo.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    done = run("doctor", "--data-dir", site.data_dir)
    connection.execute("ROLLBACK")
    connection.close()
    assert done.returncode == 1
    assert "cannot be written now" in done.stdout


def test_with_the_database_locked_events_are_still_accepted_and_visible_once_it_is_free(site):
    site.start()
    connection = sqlite3.connect(site.data_dir / "daytwo.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    outcome = asyncio.run(load.send(site.url, load.requests(site.keys["dsn"], 50), connections=4))
    assert outcome.codes == {"200": 50}
    assert site.events() == 0
    connection.execute("ROLLBACK")
    connection.close()
    site.wait_for_events(50)


def test_an_interrupted_digest_is_started_again(site):
    site.start()
    interrupted = digest_of(site)
    interrupted.kill()
    asyncio.run(load.send(site.url, load.requests(site.keys["dsn"], 20), connections=2))
    site.wait_for_events(20)
    assert digest_of(site).pid != interrupted.pid


def test_every_setting_is_listed(tmp_path):
    done = run("settings")
    assert done.returncode == 0
    assert "DAYTWO_DATA_DIR=daytwo-data" in done.stdout


def test_the_version_is_told():
    assert run("--version").stdout.startswith("daytwo 0.")


def test_a_database_that_is_away_is_said_in_words(tmp_path):
    done = run("migrate", "--data-dir", tmp_path, env={"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"})
    assert done.returncode == 1
    assert "The database cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_digest_of_its_own_goes_on_when_the_shell_that_started_it_ends(site):
    command = " ".join(map(str, [*MODULE, "digest", "--data-dir", site.data_dir]))
    at_work = site.data_dir / "spool" / "digest.lock"
    shell = ["sh", "-c", f"{command} >/dev/null 2>&1 & echo $!; until [ -e {at_work} ]; do sleep 0.1; done"]
    digest = psutil.Process(int(subprocess.run(shell, capture_output=True, text=True).stdout))
    try:
        fill(site, load.requests(site.keys["dsn"], 20))
        site.wait_for_events(20)
        assert digest.is_running()
    finally:
        digest.terminate()
        eventually(lambda: not digest.is_running() or digest.status() == psutil.STATUS_ZOMBIE)
