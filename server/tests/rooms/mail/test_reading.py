"""From bytes to a letter: any charset, any structure, any lie about both."""

import email.policy
import os
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from daytwo_server.core import conf
from daytwo_server.mail import threads
from daytwo_server.mail.letter import Address, Envelope, Kind
from daytwo_server.mail.reading import html, read

pytestmark = pytest.mark.usefixtures("inbound")
HEAD = b"From: Dana <dana@shop.test>\r\nTo: support@acme.test\r\nSubject: Help\r\nMessage-ID: <a@shop.test>\r\n"


def letter(raw: bytes, **envelope):
    return read(raw, Envelope(**envelope)).letter


def text_mail(body: bytes, kind: str = "text/plain", more: str = "") -> bytes:
    return HEAD + f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\n{more}\r\n".encode() + body


def made(*, html_body: str = "", text: str = "Hello", files=(), **headers) -> bytes:
    mail = EmailMessage(policy=email.policy.SMTP)
    for name, value in (
        {"From": "Dana <dana@shop.test>", "To": "support@acme.test", "Subject": "Help"} | headers
    ).items():
        mail[name] = value
    mail.set_content(text)
    if html_body:
        mail.add_alternative(html_body, subtype="html")
    for name, data in files:
        mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def test_a_plain_mail_says_who_wrote_what_when():
    found = letter(
        b'From: =?utf-8?q?Zo=C3=AB_=C3=9Cnal?= <Zoe@Shop.TEST>\r\nTo: support@acme.test, "A, B" <c@d.test>\r\n'
        b"Cc: e@f.test\r\nReply-To: r@shop.test\r\nDate: Mon, 04 May 2026 12:12:00 +0200\r\nMessage-ID: <m@shop.test>\r\n"
        b"In-Reply-To: <q@acme.test>\r\nReferences: <p@acme.test>\r\n <q@acme.test>\r\n"
        b"Subject: =?iso-8859-1?q?Gr=FC=DFe?= =?utf-8?b?8J+Yig==?=\r\n\r\nHello\r\n\r\nZ.\r\n"
    )  # fmt: skip

    assert found.sender == Address("Zoë Ünal", "zoe@shop.test")
    assert found.to == (Address("", "support@acme.test"), Address("A, B", "c@d.test"))
    assert (found.cc, found.reply_to) == ((Address("", "e@f.test"),), (Address("", "r@shop.test"),))
    assert (found.message_id, found.in_reply_to) == ("<m@shop.test>", "<q@acme.test>")
    assert found.references == ("<p@acme.test>", "<q@acme.test>")
    assert (found.subject, found.text, found.kind) == ("Grüße😊", "Hello\n\nZ.", Kind.HUMAN)
    assert str(found.date) == "2026-05-04 10:12:00+00:00"
    assert (found.authentic, found.attachments, found.html, found.notices) == (None, (), "", ())


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("utf-8", "utf-8"), ("windows-1252", "cp1252"), ("iso-8859-1", "cp1252"), ("ks_c_5601-1987", "cp949"),
        ("windows-874", "cp874"), ("iso-8859-8-i", "iso-8859-8"), ("unicode-1-1-utf-7", "utf-7"), ("gb2312", "gbk"),
        ("iso-2022-jp", "iso-2022-jp"), ("koi8-r", "koi8-r"), ('"UTF-8"', "utf-8"), ("us-ascii", "utf-8"), ("big5", "big5"),
    ],
)  # fmt: skip
def test_text_is_read_in_the_charset_that_it_names(charset, codec):
    words = {
        "cp949": "안녕하세요", "cp874": "สวัสดี", "iso-8859-8": "שלום", "gbk": "你好", "iso-2022-jp": "こんにちは",
        "koi8-r": "Привет", "big5": "你好", "cp1252": "“Grüße” 5 €",
    }.get(codec, "Grüße 你好")  # fmt: skip
    found = letter(text_mail(words.encode(codec), f"text/plain; charset={charset}"))
    assert found.text == words


@pytest.mark.parametrize("charset", ["X-UNKNOWN", "base64", "zip", "utf-8", "", "\x00", "idna", "undefined"])
def test_a_charset_that_is_unknown_or_wrong_loses_no_mail(charset):
    words = "Grüße aus Köln, schöne Häuser und große Straßen überall"
    for codec in ("utf-8", "cp1252"):
        found = letter(text_mail(words.encode(codec), f"text/plain; charset={charset}"))
        assert found.text == words


def test_bytes_that_are_no_text_at_all_are_still_a_mail():
    found = letter(text_mail(bytes(range(256)) * 4, "text/plain; charset=utf-8"))
    assert found.subject == "Help"
    assert "\x00" not in found.text


def test_headers_with_bare_bytes_are_read():
    raw = "From: Zoë <z@shop.test>\r\nSubject: Grüße\r\n\r\nx".encode()
    assert (letter(raw).sender, letter(raw).subject) == (Address("Zoë", "z@shop.test"), "Grüße")
    assert letter(raw.decode().encode("cp1252")).subject == "Grüße"


def test_flowed_paragraphs_are_put_together_again():
    body = b"This is one \r\nparagraph.\r\n> quoted and \r\n> flowed\r\n-- \r\nsig"
    found = letter(text_mail(body, "text/plain; format=flowed"))
    assert found.text == "This is one paragraph.\n> quoted and flowed\n--\nsig"


@pytest.mark.parametrize("body", ["", "\r\n", "no headers at all", "From nobody\n\n", "\x00", "Subject: only\r\n"])
def test_what_is_hardly_a_mail_is_one(body):
    found = letter(body.encode(), sender="who@shop.test")
    assert found.sender == Address("", "who@shop.test")
    assert found.subject


def test_pythons_own_torture_mails_are_read():
    data = pytest.importorskip("test.test_email", reason="this Python has no test data").__file__
    mails = sorted((Path(data).parent / "data").glob("msg_*.txt"))
    assert len(mails) > 40
    for path in mails:
        assert letter(path.read_bytes()).subject


def test_html_that_is_shown_runs_nothing_and_loads_nothing():
    hostile = (
        '<p onclick="x()">Hi <b>there</b></p><script>evil()</script><style>p{background:url(http://t.test/s)}</style>'
        '<img src="http://t.test/pixel.gif" onerror="x()"><img src="//t.test/p"><img src="data:image/svg+xml;base64,PHN2Zz4=">'
        '<a href="javascript:x()">a</a><a href="https://acme.test/" target="_top">b</a><svg onload="x()"></svg>'
        '<form action="http://t.test"><input name="p"></form><iframe src="http://t.test"></iframe><meta http-equiv="refresh">'
        '<link rel="stylesheet" href="http://t.test/c.css"><object data="x"></object><video src="http://t.test/v" poster="http://t.test/p">'
        '<table background="http://t.test/b"><tr><td style="background:url(http://t.test/d)">c</td></tr></table>'
        '<img srcset="http://t.test/2x 2x"><base href="http://t.test"><math><mi xlink:href="javascript:x()">'
        "<p title=' src=\"daytwo-remote:http://t.test'>d</p>"
    )
    shown = letter(made(html_body=hostile)).html

    for word in (
        "onclick",
        "onerror",
        "script",
        "style",
        "svg",
        "form",
        "iframe",
        "meta",
        "<link",
        "object",
        "srcset",
        "poster",
        "background",
    ):
        assert word not in shown.replace('data-remote="', ""), word
    assert " src=" not in shown.replace("&quot;", '"').partition("<p title")[0]
    assert '<img data-remote="http://t.test/pixel.gif">' in shown
    assert 'href="https://acme.test/" rel="noopener noreferrer nofollow"' in shown
    assert "<b>there</b>" in shown


def test_a_picture_of_the_mail_itself_leads_to_its_attachment():
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["Subject"] = "dana@shop.test", "Picture"
    mail.set_content("see picture")
    mail.add_alternative('<p>see <img src="cid:one@x" alt="shot"> <img src="CID:none"></p>', subtype="html")
    mail.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<one@x>", filename="shot.png")
    found = letter(mail.as_bytes())

    [file] = found.attachments
    assert (file.name, file.content_type, file.data, file.content_id) == ("shot.png", "image/png", b"\x89PNG", "one@x")
    assert found.html == '<p>see <img data-file="0" alt="shot"> <img></p>'
    assert (
        html.with_files(found.html, lambda n: f'/a/{n}?x="') == '<p>see <img src="/a/0?x=&quot;" alt="shot"> <img></p>'
    )
    assert found.text == "see picture"


def test_a_mail_that_is_only_html_has_a_text_with_its_links():
    found = letter(text_mail(b"<html><head><title>T</title></head><body><h1>Hi</h1><p>see <a href='https://x.test/a'>here</a>"
                             b"<ul><li>one</li><li>two</li></ul><script>x</script></body></html>", "text/html"))  # fmt: skip
    assert found.text == "Hi\n\nsee here <https://x.test/a>\n\n- one\n- two"


def test_text_around_a_picture_is_all_there():
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"] = "dana@shop.test"
    mail.make_mixed()
    for kind, body in (("text", "before"), ("image", b"\x89PNG"), ("text", "after")):
        part = EmailMessage(policy=email.policy.SMTP)
        part.set_content(body) if kind == "text" else part.set_content(body, "image", "png", disposition="inline")
        mail.attach(part)
    found = letter(mail.as_bytes())
    assert found.text.split() == ["before", "after"]
    assert [(file.name, file.data) for file in found.attachments] == [("attachment.png", b"\x89PNG")]


def test_names_of_attachments_have_no_path_and_no_trick():
    files = [
        ("../../etc/passwd", b"1"),
        ("C:\\temp\\a.txt", b"2"),
        ("in\u202egpj.exe", b"3"),
        (".bashrc", b"4"),
        ("x" * 500 + ".pdf", b"5"),
        ("a\tb.html", b"<script>"),
    ]
    found = letter(made(files=files))
    names = [file.name for file in found.attachments]
    assert names == ["passwd", "a.txt", "in gpj.exe", "bashrc", "x" * 180 + ".pdf", "a b.html"]
    assert {file.content_type for file in found.attachments} == {"application/octet-stream"}


def test_a_mail_within_a_mail_is_an_attachment():
    inner = EmailMessage(policy=email.policy.SMTP)
    inner["Subject"], inner["X-Daytwo-Instance"] = "inner", threads.instance()
    inner.set_content("inner text")
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"] = "dana@shop.test"
    mail.set_content("outer")
    mail.add_attachment(inner)
    found = letter(mail.as_bytes())
    assert (found.text, found.kind) == ("outer", Kind.HUMAN)
    assert [(file.name, b"inner text" in file.data) for file in found.attachments] == [("message.eml", True)]


def multipart(parts: int, part: bytes = b"Content-Type: text/plain\r\n\r\nword\r\n") -> bytes:
    return HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + (b"--b\r\n" + part) * parts + b"--b--\r\n"


def test_two_hundred_parts_are_read_and_more_are_told():
    found = letter(multipart(199))
    assert found.text.split() == ["word"] * 199
    assert found.notices == ()
    [notice] = letter(multipart(500)).notices
    assert notice == "The mail has more than 200 parts; those after were left out."


def test_twenty_attachments_are_kept_and_more_are_told():
    found = letter(made(files=[(f"{n}.bin", b"x") for n in range(25)]))
    assert len(found.attachments) == 20
    assert found.notices[0] == "The attachment 20.bin was left out: it is not among the first 20."


def test_an_attachment_above_ten_megabytes_is_told():
    found = letter(made(files=[("big.bin", bytes(11 * 1024 * 1024)), ("small.bin", b"x")]))
    assert [file.name for file in found.attachments] == ["small.bin"]
    assert found.notices == ("The attachment big.bin was left out: it is larger than 10 MB.",)


def nested(levels: int) -> bytes:
    body = b"Content-Type: text/plain\r\n\r\ndeep\r\n"
    for level in range(levels):
        body = (
            f'Content-Type: multipart/mixed; boundary="b{level}"\r\n\r\n--b{level}\r\n'.encode()
            + body
            + f"--b{level}--\r\n".encode()
        )
    return HEAD + body


@pytest.mark.parametrize("levels", [29, 40, 400, 5000])
def test_parts_within_parts_end_somewhere(levels):
    begun = time.perf_counter()
    found = letter(nested(levels))
    assert ("deep" in found.text) == (levels < 30)
    assert bool(found.notices) == (levels >= 30)
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    "raw",
    [
        multipart(300_000, b"\r\n"),
        HEAD + b"X: " + b"y" * 5_000_000 + b"\r\n\r\nhi",
        HEAD + b"To: " + b"a@b, " * 500_000 + b"\r\n\r\nhi",
        HEAD + b"References: " + b"<a@b> " * 10_000 + b"\r\n\r\nhi",
        HEAD + b"Subject: " + b"=?utf-8?q?a?= " * 6_000 + b"\r\n\r\nhi",
        text_mail(b"<div>" * 200_000 + b"x", "text/html"),
        text_mail(b"<blockquote><a href='http://x'>" * 20_000 + b"x", "text/html"),
        text_mail(b"> " * 1_000_000),
        text_mail(b"On 1 <a@b wrote\n" * 100_000),
    ],
    ids=["parts", "header", "addresses", "references", "subject", "nesting", "quotes", "marks", "attributions"],
)
def test_a_mail_that_is_made_to_take_long_does_not(raw):
    begun = time.perf_counter()
    found = letter(raw)
    assert found.sender.address == "dana@shop.test"
    assert time.perf_counter() - begun < 10


def test_twenty_five_megabytes_are_read():
    data = os.urandom(9 * 1024 * 1024)
    found = letter(made(files=[("a.bin", data), ("b.bin", data)]))
    assert [file.data == data for file in found.attachments] == [True, True]


AUTOMATIC = {
    "an absence note": {"Auto-Submitted": "auto-replied"}, "an old one": {"X-Autoreply": "yes"},
    "a list": {"List-Id": "<l.shop.test>"}, "a newsletter": {"Precedence": "bulk"}, "a loop": {"X-Loop": "a@b"},
    "an answer by a machine": {"Precedence": "auto_reply", "X-Autoreply": "1"}, "no sender": {"Return-Path": "<>"},
    "a responder": {"X-Autoresponder": "x"}, "a notice": {"Auto-Submitted": "auto-generated; x=y"},
}  # fmt: skip


@pytest.mark.parametrize("case", AUTOMATIC)
def test_what_no_person_wrote_is_automatic(case):
    assert letter(made(**AUTOMATIC[case])).kind == Kind.AUTOMATIC


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Auto-Response-Suppress": "All"}, {"X-Auto-Response-Suppress": "DR, OOF, AutoReply"}, {"Auto-Submitted": "no"},
        {"Precedence": "first-class"}, {"X-Daytwo-Instance": "another-one"}, {"Return-Path": "<dana@shop.test>"},
    ],
)  # fmt: skip
def test_what_exchange_and_others_put_on_mail_of_people_makes_it_no_machine(headers):
    assert letter(made(**headers)).kind == Kind.HUMAN


def test_an_unknown_sender_of_the_envelope_is_not_none():
    assert letter(made(), sender="").kind == Kind.HUMAN
    assert letter(made(), sender="<>").kind == Kind.AUTOMATIC


def test_only_in_a_bounce_it_is_looked_for_what_came_back():
    assert read(made(From="MAILER-DAEMON@mx.test"), Envelope("<>")).bounce is not None
    assert read(made(), Envelope("<>")).bounce is None


def test_our_own_mail_is_known_by_either_of_two_signs():
    assert letter(made(**{"X-Daytwo-Instance": threads.instance()})).kind == Kind.OWN
    conf.use(conf.load({"DAYTWO_MAIL_FROM": "Help <dana@shop.test>"}))
    assert letter(made(**{"Message-ID": threads.message_id(7, 3)})).kind == Kind.OWN
    assert letter(made(From="else@shop.test", **{"Message-ID": threads.message_id(7, 3)})).kind == Kind.HUMAN


@pytest.mark.parametrize(
    ("results", "authentic"),
    [
        (["mx.acme.test; spf=pass; dmarc=pass header.from=shop.test"], True),
        (["mx.acme.test; dmarc=fail"], False),
        (["mx.evil.test; dmarc=pass"], None),
        (["mx.acme.test; dmarc=fail", "mx.acme.test; dmarc=pass"], False),
        (["mx.evil.test; dmarc=pass mx.acme.test; dmarc=pass"], None),
        (["mx.acme.test; dkim=pass"], None),
        ([], None),
    ],
)
def test_only_our_own_server_vouches_for_a_sender(results, authentic):
    conf.use(conf.load({"DAYTWO_MAIL_AUTHSERV": "mx.acme.test"}))
    raw = b"".join(f"Authentication-Results: {value}\r\n".encode() for value in results) + HEAD + b"\r\nhi"
    assert letter(raw).authentic is authentic
    conf.use(conf.load({}))
    assert letter(raw).authentic is None
