"""How many mails a second come in through the SMTP listener, and become tickets.

Sixteen connections send different mails of four kinds: plain text, text with a quote, text and HTML with a quote, and
one with an attachment of 20 kB; every sender is new, so every mail is a customer and a ticket of its own. A mail counts
as acknowledged when its 250 came, which stands for a stored mail, and as read when it is `done`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from installation import Installation, free_port

sys.path.insert(0, str(Path(__file__).parents[1] / "server/tests"))

from postgres import Postgres, PostgresMissing  # noqa: E402 - found through the line above

CONNECTIONS, SECONDS, RATE = 16, 30, 100
INBOUND = "support@acme.test"
WORDS = (
    "invoice", "checkout", "login", "customer", "order", "broken", "please", "thanks", "payment", "error", "page",
)  # fmt: skip


def measure(folder: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A steady hundred a second, then as fast as it goes; on SQLite, and on PostgreSQL where it is installed."""
    seconds = getattr(options, "seconds", None) or SECONDS
    yield from _measure(folder / "sqlite", "sqlite", {}, seconds)
    try:
        server = Postgres(folder / "postgres")
    except PostgresMissing as missing:
        yield {"what": str(missing)}
        return
    try:
        yield from _measure(folder / "data", "postgres", {"DATABASE_URL": server.url("daytwo")}, seconds)
    finally:
        server.stop()


def _measure(folder: Path, store: str, env: dict[str, str], seconds: int) -> Iterator[dict[str, Any]]:
    site = Installation(folder, env={"DAYTWO_MAIL_INBOUND": INBOUND, **env})
    site.setup()
    smtp = free_port()
    site.start("--smtp-port", str(smtp))
    try:
        for name, rate, number in (("steady", RATE, 0), ("flood", 0, 1_000_000)):
            yield {"store": store, "what": name, **_run(site, smtp, rate=rate, seconds=seconds, first=number)}
        yield {"store": store, "what": "memory after", "rss_mb": site.memory_mb()}
    finally:
        site.stop()


def _run(site: Installation, smtp: int, *, rate: int, seconds: int, first: int) -> dict[str, Any]:
    before, cpu, begun = _read(site), site.cpu_s(), time.perf_counter()
    took = asyncio.run(_send(smtp, rate=rate, seconds=seconds, first=first))
    sent_s = time.perf_counter() - begun
    read_meanwhile = _read(site) - before
    while _read(site) - before < len(took):
        if time.perf_counter() - begun > sent_s + 300:
            raise TimeoutError(f"{_read(site) - before} of {len(took)} mails were read")
        time.sleep(0.05)
    drained_s = time.perf_counter() - begun
    time.sleep(2)  # what follows from tickets
    took.sort()
    results = dict(site.query("SELECT result, count(*) FROM mail_inboundmail GROUP BY result"))
    return {
        "mails": len(took), "acknowledged_per_s": len(took) / sent_s, "read_per_s": len(took) / drained_s,
        "read_when_the_last_was_sent": read_meanwhile, "p50_ms": _ms(took, 0.5), "p95_ms": _ms(took, 0.95),
        "p99_ms": _ms(took, 0.99), "cpu_ms_per_mail": 1000 * (site.cpu_s() - cpu) / len(took), "results": results,
    }  # fmt: skip


def _ms(took: list[float], share: float) -> float:
    return 1000 * took[min(len(took) - 1, int(share * len(took)))]


def _read(site: Installation) -> int:
    return int(site.query("SELECT count(*) FROM mail_inboundmail WHERE state <> 'received'")[0][0])


async def _send(port: int, *, rate: int, seconds: int, first: int) -> list[float]:
    """Seconds from the end of each mail to its 250. Without a rate, each connection sends its next mail at once."""
    took: list[float] = []
    ends = time.perf_counter() + seconds

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        await _ask(reader, writer, b"EHLO bench\r\n")
        due = time.perf_counter() + number / rate if rate else 0.0
        count = 0
        while time.perf_counter() < ends:
            if rate:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                due += CONNECTIONS / rate
            name = first + count * CONNECTIONS + number
            count += 1
            await _ask(reader, writer, f"MAIL FROM:<person{name}@shop.test>\r\n".encode())
            await _ask(reader, writer, f"RCPT TO:<{INBOUND}>\r\n".encode())
            await _ask(reader, writer, b"DATA\r\n")
            begun = time.perf_counter()
            answer = await _ask(reader, writer, mail(name) + b".\r\n")
            if not answer.startswith(b"250"):
                raise RuntimeError(f"refused: {answer.decode()}")
            took.append(time.perf_counter() - begun)
        writer.write(b"QUIT\r\n")
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    await asyncio.gather(*map(client, range(CONNECTIONS)))
    return took


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> bytes:
    writer.write(line)
    while True:
        answer = await reader.readline()
        if answer[3:4] != b"-":
            return answer


def mail(number: int) -> bytes:
    """The same for the same number. No line begins with a dot."""
    rng = random.Random(number)
    head = [
        f"From: Person {number} <person{number}@shop.test>", f"To: {INBOUND}", f"Subject: {_words(rng, 5)}",
        f"Message-ID: <{number}@shop.test>", "Date: Mon, 04 May 2026 12:00:00 +0000", "MIME-Version: 1.0",
        "Received: from mx.shop.test (mx.shop.test [192.0.2.1]) by mx.acme.test with ESMTPS id abc; now",
        f"DKIM-Signature: v=1; a=rsa-sha256; d=shop.test; s=s1; bh={'a' * 44}; b={'b' * 170}",
    ]  # fmt: skip
    text = "\r\n".join(_words(rng, 14) for _ in range(rng.randint(3, 12)))
    lines = "\r\n".join("> " + _words(rng, 12) for _ in range(12))
    quoted = f"{text}\r\n\r\nOn Mon, May 4, 2026 at 11:00 AM Acme <{INBOUND}> wrote:\r\n{lines}"
    body = (_plain(text), _plain(quoted), _alternative(rng, quoted), _with_file(rng, text))[number % 4]
    return ("\r\n".join(head) + "\r\n" + body + "\r\n").encode()


def _words(rng: random.Random, count: int) -> str:
    return " ".join(rng.choices(WORDS, k=count))


def _plain(text: str) -> str:
    return f'Content-Type: text/plain; charset="utf-8"\r\n\r\n{text}'


def _alternative(rng: random.Random, text: str) -> str:
    paragraphs = "".join(
        f"<p style='margin:0'>{_words(rng, 14)} <a href='https://x.test/'>here</a></p>" for _ in "12345678"
    )
    html = f"<html><head><style>p{{color:red}}</style></head><body>{paragraphs}<img src='https://t.test/p.gif'></body></html>"
    parts = (_plain(text), f'Content-Type: text/html; charset="utf-8"\r\n\r\n{html}')
    return _multipart("alternative", "b1", parts)


def _with_file(rng: random.Random, text: str) -> str:
    data = base64.encodebytes(rng.randbytes(20_000)).decode().replace("\n", "\r\n")
    head = 'Content-Type: image/png; name="shot.png"\r\nContent-Disposition: attachment; filename="shot.png"'
    file = f"{head}\r\nContent-Transfer-Encoding: base64\r\n\r\n{data}"
    return _multipart("mixed", "b0", (_alternative(rng, text), file))


def _multipart(kind: str, boundary: str, parts: tuple[str, ...]) -> str:
    inside = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{inside}--{boundary}--'
