"""Mail as it really is, and as somebody who means harm would make it, over a socket into a server that runs: each is
answered with 250, is there as it came, and becomes something. Nothing of it ends in quarantine or in the server's log.
"""

from __future__ import annotations

import hashlib
import smtplib
import time
from pathlib import Path

import pytest
import sites
from installation import Installation, free_port

pytestmark = pytest.mark.slow
INBOUND = "support@acme.test"


@pytest.fixture(scope="module")
def site(tmp_path_factory, migrated, store_env):
    env = {"DAYTWO_MAIL_INBOUND": INBOUND, "DAYTWO_MAIL_PER_SENDER": "100000", **store_env("odd", empty=True)}
    found: Installation = sites.copy(migrated, tmp_path_factory.mktemp("odd") / "data", env=env)
    found.smtp = free_port()
    found.start("--smtp-port", str(found.smtp))
    yield found
    assert found.stop() < 10


def post(site, mails: dict[str, bytes]) -> dict[str, tuple]:
    """Send them over one connection, wait until all were read; what became of each: state, result, reason, subject, hash."""
    with smtplib.SMTP("127.0.0.1", site.smtp, timeout=60) as smtp:
        smtp.ehlo()
        for name, mail in mails.items():
            assert smtp.mail(f"{name}@odd.test")[0] == 250
            assert smtp.rcpt(INBOUND)[0] == 250
            assert smtp.data(mail)[0] == 250, name
    until(lambda: site.query("SELECT count(*) FROM mail_inboundmail WHERE state = 'received'") == [(0,)])
    rows = site.query("SELECT envelope_sender, state, result, reason, subject, content_hash FROM mail_inboundmail")
    return {sender.removesuffix("@odd.test"): tuple(rest) for sender, *rest in rows}


def until(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def nothing_broke(site, became: dict[str, tuple], mails: dict[str, bytes]) -> None:
    assert set(mails) <= set(became)
    assert {name: became[name][:3] for name in mails if became[name][0] != "done" or not became[name][1]} == {}
    changed = [name for name, mail in mails.items() if became[name][4] != digest(mail)]
    assert changed == []
    assert "Traceback" not in site.log.read_text()


def digest(mail: bytes) -> str:
    """Of what went over the wire: SMTP ends a mail with a line break."""
    return hashlib.sha256(mail if mail.endswith(b"\r\n") else mail + b"\r\n").hexdigest()


def test_pythons_own_torture_mails_come_in(site):
    data = pytest.importorskip("test.test_email", reason="this Python has no test data").__file__
    files = sorted(Path(data).parent.glob("data/msg_*.txt"))
    assert len(files) > 40
    # Each with an id of its own: some of them are the same mail.
    mails = {file.stem: b"Message-ID: <" + file.stem.encode() + b"@odd.test>\n" + file.read_bytes() for file in files}
    became = post(site, mails)
    nothing_broke(site, became, mails)


def head(name: str, *more: bytes) -> bytes:
    lines = [f"From: Dana <{name}@odd.test>".encode(), b"To: support@acme.test", f"Message-ID: <{name}@odd>".encode()]
    return b"\r\n".join([*lines, *more, b""])


def nested(levels: int) -> bytes:
    body = b"Content-Type: text/plain\r\n\r\ndeep\r\n"
    for level in range(levels):
        mark = str(level).encode()
        body = b'Content-Type: multipart/mixed; boundary="b%b"\r\n\r\n--b%b\r\n%b--b%b--\r\n' % (mark, mark, body, mark)
    return body


PART = b"--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\nx\r\n"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(2)</script></svg>"
ODD: dict[str, bytes] = {
    "empty": b"",
    "nothing-but-text": b"no headers at all",
    "nuls": head("nuls", b"Subject: a\x00b") + b"\r\nc\x00d\x00",
    "surrogates": head("surrogates", "Subject: \ud800\udfff".encode("utf-8", "surrogatepass")) + b"\r\n\xed\xa0\x80 x",
    "bytes": head("bytes", b"Subject: \xff\xfe\xfd") + b"\r\n\xff\xfe\xfd" * 100,
    "charset": head("charset", b"Content-Type: text/plain; charset=x-unknown") + b"\r\nGr\xfc\xdfe",
    "charset-bogus": head("charset-bogus", b'Content-Type: text/plain; charset="\x00;rot13"') + b"\r\nuryyb",
    "header-injection": head("header-injection", b"Subject: =?utf-8?q?a=0D=0ABcc:_victim@x.test=0D=0A=0D=0Abody?=") + b"\r\nx",
    "injected-name": head("injected-name").replace(b"Dana", b'"=?utf-8?q?a=0D=0ATo:_v@x.test?="') + b"\r\nx",
    "parts-200": head("parts-200", b'Content-Type: multipart/mixed; boundary="b"') + b"\r\n" + PART * 199 + b"--b--\r\n",
    "parts-201": head("parts-201", b'Content-Type: multipart/mixed; boundary="b"') + b"\r\n" + PART * 201 + b"--b--\r\n",
    "levels-40": head("levels-40") + nested(40),
    "levels-400": head("levels-400") + nested(400),
    "unfinished": head("unfinished", b'Content-Type: multipart/mixed; boundary="b"') + b"\r\n--b\r\nContent-Type: text/plain\r\n",
    "headers-90k": head("headers-90k", *[b"X-%d: " % n + b"y" * 900 for n in range(98)]) + b"\r\nhi",
    "headers-200k": head("headers-200k", *[b"X-%d: " % n + b"y" * 900 for n in range(222)]) + b"\r\nhi",
    "long-header": head("long-header", b"Subject: " + b"z" * 60_000) + b"\r\nhi",
    "many-ids": head("many-ids", b"References: " + b"<a@b> " * 5_000) + b"\r\nhi",
    "base64": head("base64", b"Content-Transfer-Encoding: base64") + b"\r\n!!!! not base64 ====\r\n",
    "uu": head("uu", b"Content-Transfer-Encoding: x-uuencode") + b"\r\nbegin 644 a\r\nzzz\r\n",
    "no-boundary": head("no-boundary", b"Content-Type: multipart/mixed") + b"\r\n--b\r\nx",
    "type": head("type", b"Content-Type: ;;;///;charset*0*=%ff'x") + b"\r\nx",
    "svg": head("svg", b"Content-Type: image/svg+xml; name=a.svg") + b"\r\n" + SVG,
    "html": head("html", b"Content-Type: text/html") + b"\r\n" + SVG + b"<img src=http://t.test/p><form action=//x>",
    "name": head("name", b'Content-Type: a/b; name="../../etc/passwd\x00"') + b"\r\nx",
    "rfc822": head("rfc822", b"Content-Type: message/rfc822") + b"\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 50,
    "date": head("date", b"Date: Mon, 99 Foo 99999 99:99:99 +9999") + b"\r\nx",
    "dots": head("dots") + b"\r\n.\r\n..\r\n.x\r\n",
    "bare-lf": head("bare-lf").replace(b"\r\n", b"\n") + b"\nx\n",
    "no-sender": b"To: support@acme.test\r\nMessage-ID: <no-sender@odd>\r\n\r\nwho am I",
    "many-senders": b"From: " + b"a@b.test, " * 500 + b"c@d.test\r\nMessage-ID: <ms@odd>\r\n\r\nx",
}  # fmt: skip


def test_what_nobody_should_send_comes_in_as_well(site):
    became = post(site, ODD)
    nothing_broke(site, became, ODD)
    assert became["header-injection"][3] == "a Bcc: victim@x.test body"


def test_an_attachment_that_is_too_large_leaves_a_ticket_that_says_so(site):
    big = head("big", b"Subject: Too large", b'Content-Type: multipart/mixed; boundary="b"')
    big += b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the film\r\n"
    big += PART.replace(b"a.bin", b"film.bin").replace(b"\r\n\r\nx", b"\r\n\r\n" + (b"y" * 76 + b"\r\n") * 150_000)
    mails = {"big": big + b"--b--\r\n"}
    became = post(site, mails)
    nothing_broke(site, became, mails)
    assert became["big"][1] == "created"
    told = site.query("SELECT notices FROM tickets_mailed WHERE notices LIKE '%film.bin%'")
    assert told == [("The attachment film.bin was left out: it is larger than 10 MB.",)]
