"""Mail by SMTP and by pipe, into a server that runs: what was answered with 250 is stored, and nothing is relayed."""

import json
import smtplib
import socket
import subprocess
import threading
import time

import pytest
import sites
from installation import MODULE, Installation, free_port
from rooms.mail.test_intake import raw

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory, migrated, store_env):
    """A server that takes mail."""
    env = {"DAYTWO_MAIL_INBOUND": "support@acme.test", "DAYTWO_MAIL_PER_SENDER": "100000"}
    found = sites.copy(migrated, tmp_path_factory.mktemp("mail") / "data", env=env | store_env("mail", empty=True))
    found.smtp = free_port()
    found.start("--smtp-port", str(found.smtp))
    yield found
    assert found.stop() < 5


def client(site, timeout: float = 30) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", site.smtp, timeout=timeout)


def rows(site, **equal: str) -> list[tuple]:
    [(name, value)] = equal.items()
    return site.query(
        f"SELECT route, envelope_sender, envelope_recipients, size, state FROM mail_inboundmail WHERE {name} = '{value}'"
    )


def until(condition, seconds: float = 20):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)
    return found


def test_a_mail_that_was_taken_is_stored_and_read(site):
    with client(site) as smtp:
        smtp.sendmail("dana@shop.test", ["Support+abc@ACME.test"], raw(message_id="<taken@x>"))
        kept = site.query("SELECT count(*) FROM mail_inboundmail")
    assert kept[0][0] >= 1
    [row] = until(lambda: rows(site, message_id="<taken@x>"))
    assert row[:3] == ("smtp", "dana@shop.test", "Support+abc@ACME.test")
    assert row[4] in {"done", "quarantined"}  # whoever receives mail decides


def test_mail_for_others_is_refused(site):
    with client(site) as smtp:
        smtp.ehlo()
        for stranger in ("dana@shop.test", "sales@acme.test", "support@acme.test.evil.test", "root"):
            smtp.mail("dana@shop.test")
            assert smtp.rcpt(stranger)[0] == 550
            smtp.rset()
        smtp.mail("dana@shop.test")
        assert smtp.rcpt("support@acme.test") == (250, b"2.1.5 OK")


def test_a_bounce_has_no_sender_and_is_taken(site):
    with client(site) as smtp:
        smtp.sendmail("", ["support@acme.test"], raw(message_id="<null@x>"))
    [row] = until(lambda: rows(site, message_id="<null@x>"))
    assert row[1] == "<>"


def test_twenty_five_megabytes_are_taken_and_more_are_refused(site):
    with client(site, timeout=60) as smtp:
        smtp.sendmail("dana@shop.test", ["support@acme.test"], raw("x" * 70 + "\r\n" * 1, message_id="<small@x>"))
        body = ("x" * 74 + "\r\n") * (25_000_000 // 76)
        smtp.sendmail("dana@shop.test", ["support@acme.test"], raw(body, message_id="<large@x>"))
        [row] = until(lambda: rows(site, message_id="<large@x>"))
        assert row[3] > 24_900_000
        with pytest.raises(smtplib.SMTPException) as refused:
            smtp.sendmail("dana@shop.test", ["support@acme.test"], raw(body + body, message_id="<huge@x>"))
    assert refused.value.smtp_code == 552


def test_a_line_of_fifty_thousand_characters_is_taken(site):
    with client(site) as smtp:
        smtp.sendmail("dana@shop.test", ["support@acme.test"], raw("y" * 50_000, message_id="<long@x>"))
    assert until(lambda: rows(site, message_id="<long@x>"))


def test_a_client_that_hangs_up_or_talks_nonsense_harms_nobody(site):
    for words in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01" * 100 + b"\r\n",
        b"EHLO x\r\nMAIL FROM:<a@b.test>\r\nDATA\r\n",
        b"x" * 200_000,
    ):
        with socket.create_connection(("127.0.0.1", site.smtp), timeout=5) as raw_socket:
            raw_socket.sendall(words)
            raw_socket.settimeout(1)
            raw_socket.recv(100)
    with client(site) as smtp:
        smtp.sendmail("dana@shop.test", ["support@acme.test"], raw(message_id="<after@x>"))
    assert until(lambda: rows(site, message_id="<after@x>"))


def test_too_many_connections_are_asked_to_come_later(site):
    held = [socket.create_connection(("127.0.0.1", site.smtp), timeout=5) for _ in range(20)]
    try:
        for each in held:
            assert each.recv(100).startswith(b"220 ")
        with socket.create_connection(("127.0.0.1", site.smtp), timeout=5) as refused:
            assert refused.recv(100).startswith(b"421 ")
    finally:
        for each in held:
            each.close()
    until(lambda: _greeted(site))


def _greeted(site) -> bool:
    with socket.create_connection(("127.0.0.1", site.smtp), timeout=5) as connection:
        return connection.recv(100).startswith(b"220 ")


def test_killed_under_load_nothing_that_was_acknowledged_is_lost(tmp_path, migrated, store_env):
    env = {"DAYTWO_MAIL_INBOUND": "support@acme.test", "DAYTWO_MAIL_PER_SENDER": "100000"}
    found = sites.copy(migrated, tmp_path / "data", env=env | store_env("killed", empty=True))
    found.smtp = free_port()
    acknowledged: set[str] = set()

    def post(worker: int) -> None:
        try:
            with client(found) as smtp:
                for number in range(10_000):
                    name = f"<{worker}.{number}@x>"
                    smtp.sendmail(
                        "dana@shop.test",
                        ["support@acme.test"],
                        raw(f"text {name}", message_id=name, sender=f"{worker}@x.test"),
                    )
                    acknowledged.add(name)
        except (OSError, smtplib.SMTPException):
            pass  # it was killed

    found.start("--smtp-port", str(found.smtp))
    try:
        workers = [threading.Thread(target=post, args=[worker]) for worker in range(4)]
        for worker in workers:
            worker.start()
        until(lambda: len(acknowledged) > 60, 60)
        found.kill()
        for worker in workers:
            worker.join()
        found.start("--smtp-port", str(found.smtp))
        until(lambda: found.query("SELECT count(*) FROM mail_inboundmail WHERE state = 'received'") == [(0,)], 60)
        stored = {name for (name,) in found.query("SELECT message_id FROM mail_inboundmail")}
    finally:
        found.stop()
    assert acknowledged - stored == set()


def pipe(site, data: bytes, **env: str) -> subprocess.CompletedProcess:
    command = [*MODULE, "mail-pipe", "--data-dir", str(site.data_dir)]
    return subprocess.run(command, input=data, env=site.env | env, capture_output=True, timeout=60)


def test_a_mail_from_a_pipe_is_stored_and_answered_in_one_line_of_json(site):
    done = pipe(site, raw(message_id="<piped@x>"), SENDER="dana@shop.test", ORIGINAL_RECIPIENT="support+abc@acme.test")

    answer = json.loads(done.stdout)
    assert (done.returncode, set(answer)) == (0, {"result", "ticket", "message", "reason"})
    assert done.stdout.count(b"\n") == 1
    assert rows(site, message_id="<piped@x>")[0][:3] == ("pipe", "dana@shop.test", "support+abc@acme.test")
    if answer["result"] != "quarantined":
        assert json.loads(pipe(site, raw(message_id="<piped@x>")).stdout)["result"] == "duplicate"


def test_a_pipe_that_cannot_store_asks_the_mail_server_to_keep_the_mail(site, tmp_path):
    gone = Installation(tmp_path / "nowhere", env=site.env)
    wrong = Installation(site.data_dir, env=site.env | {"DAYTWO_SMTP_PORT": "many"})
    tmp_path.joinpath("empty").mkdir()
    empty = Installation(tmp_path / "empty", env={k: v for k, v in site.env.items() if k != "DATABASE_URL"})
    for place in (gone, wrong, empty):
        done = pipe(place, raw())
        assert (done.returncode, done.stdout) == (75, b""), done.stderr
        assert done.stderr.strip()
    assert not (tmp_path / "nowhere").exists()


def test_a_port_for_mail_needs_an_address_and_must_be_free(site, tmp_path):
    command = [*MODULE, "serve", "--data-dir", str(tmp_path / "data"), "--port", str(free_port()), "--smtp-port"]
    env = {name: value for name, value in site.env.items() if name != "DAYTWO_MAIL_INBOUND"}
    nameless = subprocess.run([*command, "2525"], env=env, capture_output=True, text=True, timeout=30)
    taken = subprocess.run([*command, str(site.smtp)], env=site.env, capture_output=True, text=True, timeout=30)
    assert (nameless.returncode, "DAYTWO_MAIL_INBOUND" in nameless.stderr) == (2, True)
    assert (taken.returncode, "pass --smtp-port" in taken.stderr) == (1, True)
