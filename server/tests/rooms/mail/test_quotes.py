"""What mail programs put under an answer is folded, and an answer never is. The samples are ours, in each one's style."""

import time

import pytest

from daytwo_server.mail.reading import html
from daytwo_server.mail.reading.quotes import DELIMITER, fold

ANSWER = "Yes, it works again.\n\nThank you\nDana"

TOP_POSTED = {
    "Gmail": """
On Mon, May 4, 2026 at 10:12 AM Acme Support <help@acme.test> wrote:

> Hello Dana,
>
> could you try again?
""",
    "Gmail, wrapped at 78 characters": """
On Mon, May 4, 2026 at 10:12 AM Acme Support with a very long name
<help+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@acme.test>
wrote:

> Hello Dana
""",
    "Outlook on the desk": """
From: Acme Support <help@acme.test>
Sent: Monday, May 4, 2026 10:12 AM
To: Dana Doe <dana@shop.test>
Subject: Re: Login [#1042]

Hello Dana,

could you try again?
""",
    "Outlook on the web": """
________________________________
From: Acme Support <help@acme.test>
Sent: Monday, May 4, 2026 10:12:00 AM
To: Dana Doe <dana@shop.test>
Subject: Re: Login [#1042]

Hello Dana,
""",
    "Outlook of long ago": """
-----Original Message-----
From: Acme Support [mailto:help@acme.test]
Sent: Monday, May 4, 2026 10:12 AM
To: Dana Doe
Subject: Re: Login [#1042]

Hello Dana,
> I cannot sign in
Could you try again?
""",
    "Apple Mail": """
> On May 4, 2026, at 10:12, Acme Support <help@acme.test> wrote:
>
> Hello Dana,
>
> > I cannot sign in
>
> could you try again?
""",
    "Thunderbird": """
On 5/4/26 10:12, Acme Support wrote:
> Hello Dana,
> could you try again?
""",
    "Thunderbird with its signature below": """
On 5/4/26 10:12, Acme Support wrote:
> Hello Dana

--\x20
Dana Doe, Shop Inc.
+1 555 0100
""",
    "Yahoo": """
    On Monday, May 4, 2026 at 10:12:00 AM GMT+2, Acme Support <help@acme.test> wrote:

 Hello Dana,

could you try again?
""",
    "a German telephone": """
> Am 04.05.2026 um 10:12 schrieb Acme Support <help@acme.test>:
>
> Hallo Dana
""",
    "Gmail in German": """
Acme Support <help@acme.test> schrieb am Mo., 4. Mai 2026, 10:12:

> Hallo Dana
""",
    "Outlook in German": """
Von: Acme Support <help@acme.test>
Gesendet: Montag, 4. Mai 2026 10:12
An: Dana Doe <dana@shop.test>
Betreff: Re: Anmeldung [#1042]

Hallo Dana
""",
    "Gmail in French": """
Le lun. 4 mai 2026 à 10:12, Acme Support <help@acme.test> a écrit :

> Bonjour Dana
""",
    "Outlook in French": """
De : Acme Support <help@acme.test>
Envoyé : lundi 4 mai 2026 10:12
À : Dana Doe <dana@shop.test>
Objet : Re: Connexion [#1042]

Bonjour Dana
""",
    "Gmail in Spanish": """
El lun, 4 may 2026 a las 10:12, Acme Support (<help@acme.test>) escribió:

> Hola Dana
""",
    "Outlook in Spanish": """
De: Acme Support <help@acme.test>
Enviado: lunes, 4 de mayo de 2026 10:12
Para: Dana Doe <dana@shop.test>
Asunto: Re: Acceso [#1042]

Hola Dana
""",
    "Gmail in Danish": """
Den man. 4. maj 2026 kl. 10.12 skrev Acme Support <help@acme.test>:

> Hej Dana
""",
    "Outlook in Danish": """
Fra: Acme Support <help@acme.test>
Sendt: 4. maj 2026 10:12
Til: Dana Doe <dana@shop.test>
Emne: Re: Login [#1042]

Hej Dana
""",
    "Gmail in Japanese": """
2026年5月4日(月) 10:12 Acme Support <help@acme.test>:

> Dana 様
""",
    "Gmail in Portuguese": """
Em seg., 4 de mai. de 2026 às 10:12, Acme Support <help@acme.test> escreveu:

> Olá Dana
""",
    "Gmail in Dutch": """
Op ma 4 mei 2026 om 10:12 schreef Acme Support <help@acme.test>:

> Hallo Dana
""",
    "Gmail in Polish": """
pon., 4 maj 2026 o 10:12 Acme Support <help@acme.test> napisał(a):

> Cześć Dana
""",
    "our own line": f"""
On Mon, May 4, 2026 at 10:12 AM Acme Support <help@acme.test> wrote:

> {DELIMITER}
>
> Hello Dana
""",
    "our own line, without marks": f"""
Acme wrote something like this:
{DELIMITER}

Hello Dana,
could you try again?
""".replace("Acme wrote something like this:\n", ""),
}


@pytest.mark.parametrize("style", TOP_POSTED)
def test_an_answer_above_the_quote_is_all_that_is_left(style):
    assert fold(f"{ANSWER}\n{TOP_POSTED[style]}") == ANSWER


BELOW = "On 5/4/26 10:12, Acme Support wrote:\n> Hello Dana,\n> could you try again?\n\nYes, it works.\n"
BETWEEN = "On 5/4/26 10:12, Acme Support wrote:\n> Which browser?\n\nFirefox.\n\n> Which version?\n\n140\n"
WHOLE = {
    "an answer below the quote": BELOW,
    "answers between quotes": BETWEEN,
    "a greeting, and answers between quotes": f"Hi,\n\nsee below.\n\n{BETWEEN}",
    "nothing but a quote": "> Hello Dana\n> could you try again?",
    "nothing above an attribution": "On 5/4/26 10:12, Acme Support wrote:\n> Hello Dana",
    "nothing above a header block": TOP_POSTED["Outlook on the desk"].strip(),
    "no quote": ANSWER,
    "nothing": "",
    "a forwarded mail": "FYI\n\n---------- Forwarded message ---------\nFrom: Bank <a@bank.test>\nDate: today\nSubject: x\nTo: Dana\n\nPay!",
    "somebody who tells what was written": "On Monday 4 your colleague wrote:\nplease restart it. I did.",
    "a log with field names": "I see this:\nFrom: nowhere\nError: 500\nand then nothing",
    "a session in Python": "I typed\n>>> import daytwo\n>>> daytwo.init()\nand it failed",
    "a question with a colon": "At 10:00 it said:\n502 Bad Gateway\nWhy?",
    "an answer below our own line": f"> {DELIMITER}\n> Hello Dana\n\nIt works.",
    "a quote that a server wrapped": "Hi\n> this line was too long for\nsome server\n> and was wrapped",
}  # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_in_doubt_all_of_it_is_shown(case):
    assert fold(WHOLE[case]) == WHOLE[case]


def test_what_is_handed_on_is_shown_whatever_it_looks_like():
    text = f"see below\n{TOP_POSTED['Outlook on the desk']}"
    assert fold(text, subject="FW: Your bill") == text
    assert fold(text, subject="Re: FW: Your bill") == "see below"


HTML = {
    "Gmail": '<div dir="ltr">Yes, it works again.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, May 4, 2026'
    ' at 10:12 AM Acme &lt;<a href="mailto:help@acme.test">help@acme.test</a>&gt; wrote:<br></div><blockquote class="gmail_quote">'
    "<p>Hello Dana</p></blockquote></div>",
    "Outlook": '<p class="MsoNormal">Yes, it works again.</p><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Acme<br>'
    "<b>Sent:</b> Monday<br><b>To:</b> Dana<br></div><div><p>Hello Dana</p></div>",
    "Apple Mail": "<html><body>Yes, it works again.<br><div><blockquote type='cite'><div>On May 4, 2026, at 10:12, Acme wrote:</div>"
    "<div>Hello Dana</div></blockquote></div></body></html>",
    "Thunderbird": '<p>Yes, it works again.</p><div class="moz-cite-prefix">On 5/4/26 10:12, Acme wrote:<br></div>'
    '<blockquote type="cite" cite="mid:x"><p>Hello Dana</p></blockquote>',
    "Yahoo": '<div class="ydp1">Yes, it works again.</div><div id="ydp2yahoo_quoted_1" class="ydp2yahoo_quoted yahoo_quoted">'
    "<div>On Monday, Acme wrote:</div><div>Hello Dana</div></div>",
    "a telephone": 'Yes, it works again.<div id="ms-outlook-mobile-signature"></div><div id="mail-editor-reference-message-container">'
    "<div>From: Acme</div><p>Hello Dana</p></div>",
}  # fmt: skip


@pytest.mark.parametrize("style", HTML)
def test_a_mail_that_is_only_html_is_folded_by_its_structure(style):
    text = html.to_text(HTML[style])
    assert "Hello Dana" in text
    assert fold(text).strip() == "Yes, it works again."


def test_an_answer_between_the_quotes_of_html_stays():
    text = html.to_text(
        '<div class="gmail_quote"><div class="gmail_attr">On May 4, 2026 Acme wrote:</div><blockquote>Which?</blockquote>'
        "<div>Firefox</div><blockquote>Why?</blockquote></div>"
    )
    assert fold(text) == text
    assert "Firefox" in text.splitlines()


def test_folding_takes_time_in_proportion_to_the_length():

    for line in (
        "> " * 400,
        "On " + "1 a@b wrote " * 60,
        "From: x <" + "a" * 300,
        "_" * 200,
        "-" * 200 + "x",
        "On 1 <a@b",
    ):
        begun = time.perf_counter()
        fold("\n".join([line] * 5_000))
        assert time.perf_counter() - begun < 2, line[:20]
