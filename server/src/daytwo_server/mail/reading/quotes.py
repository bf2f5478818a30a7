"""Which part of a text is new, and which repeats what both sides have read already.

Folding hides nothing for good: the whole text is one click away. So when in doubt, all of it is shown: when words stand
after or between quotes (an answer may be there), when nothing would be left, when the mail hands on another one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Above it people write; it stands in our own mails.
DELIMITER = "-- Please write above this line --"

_VERB = re.compile(
    r"\b(wrote|writes|schrieb|schreibt|a [ée]crit|escribi[óo]|escreveu|ha scritto|scrisse|skrev|schreef|kirjoitti"
    r"|napisał\(?a?\)?|napsala?|napísala?|написала?|пишет|пише|yazd\u0131|írta|a scris|έγραψε|rašė|rakstīja|skrifaði)\b"
    r"|写道|寫道|님이 작성",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"(on|am|le|el|den|op|il|em|a|w dniu|dnia|dne|dňa|pe|στις|[\w.]{2,10},? \d|\d{1,4}[-./年. ]|.*[<(]\S+@)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"[<(\[]\s?(?:mailto:)?[^\s<>()]+@[^\s<>()]+[>)\]]+")
_ENDS = re.compile(r"[:\uff1a]\s*$")
_LONGEST_ATTRIBUTION = 400  # characters, over at most four lines
_ORIGINAL = re.compile(
    r"\s*[-_*=]{2,}\s*(original message|original appointment|ursprüngliche nachricht|originalnachricht"
    r"|message d'origine|message original|mensaje original|mensagem original|messaggio originale"
    r"|oprindelig meddelelse|original besked|ursprungligt meddelande|opprinnelig melding|oorspronkelijk bericht"
    r"|alkuperäinen viesti|oryginalna wiadomość|исходное сообщение|原始邮件|元のメッセージ)\s*[-_*=]{2,}\s*$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"[>\s]*(-{2,}\s*(forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado"
    r"|mensagem encaminhada|messaggio inoltrato|videresendt (meddelelse|besked)|vidarebefordrat meddelande"
    r"|doorgestuurd bericht)|(begin forwarded message|anfang der weitergeleiteten"
    r"|début du message (réexpédié|transféré)|inicio del mensaje reenviado|videresendt meddelelse starter))",
    re.IGNORECASE,
)
_HANDED_ON = re.compile(r"\s*(fwd?|wg|tr|rv|vs|vb|doorst|i|enc|pd)\s*:", re.IGNORECASE)
_FROM = re.compile(
    r"\s*\*?(from|von|de|fra|från|van|da|od|от|lähettäjä|gönderen|feladó|de la|差出人|发件人|寄件者|보낸 사람)"
    r"\s?\*?\s?[:\uff1a]\*?\s*\S",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"\s*\*?(sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé( le)?|date|à|objet|enviado( el| em)?|fecha|para"
    r"|asunto|assunto|data|inviato|a|oggetto|sendt|dato|til|emne|skickat|till|ämne|verzonden|aan|onderwerp"
    r"|wysłano|do|temat|lähetetty|vastaanottaja|aihe|odesláno|komu|předmět|отправлено|кому|тема|gönderme|kime|konu"
    r"|送信日時|宛先|件名|发送时间|收件人|主题|寄件日期|收件者|主旨)\s?\*?\s?[:\uff1a]",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*(_{10,}|-{10,}|\*{10,})\s*$")
_SIGNATURE = re.compile(r"-- ?$")


def fold(text: str, *, subject: str = "") -> str:
    """What is new in the text: all of it in doubt."""
    lines = text.split("\n")
    if _HANDED_ON.match(subject) or any(_FORWARDED.match(line) for line in lines):
        return text
    lines = _above_delimiter(lines)
    start = _start_of_quote(lines)
    if start is None:
        kept = lines
    elif _answered_below(lines[start:]):
        return text
    else:
        kept = lines[:start]
    new = "\n".join(_without_rule(kept)).strip("\n")
    return new if new.strip() else text


def _above_delimiter(lines: list[str]) -> list[str]:
    at = next((number for number, line in enumerate(lines) if DELIMITER in line), None)
    if at is None:
        return lines
    marked = lines[at].startswith(">")
    answered = marked and any(line.strip() and not line.startswith(">") for line in lines[at + 1 :])
    return lines if answered else lines[:at]


def _start_of_quote(lines: Sequence[str]) -> int | None:
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        marked = line.startswith(">") and not line.startswith(">>> ")  # somebody's Python session
        if marked or _ORIGINAL.match(line) or _is_header_block(lines, number) or _is_attribution(lines, number):
            return number
    return None


def _is_attribution(lines: Sequence[str], number: int) -> bool:
    """Whether the lines from here on say who wrote what follows, and when."""
    if not _STARTS.match(lines[number].lstrip()):
        return False
    words = ""
    for span, line in enumerate(lines[number : number + 4], 1):
        words = f"{words} {line.strip()}".strip()
        if not line.strip() or line.startswith(">") or len(words) > _LONGEST_ATTRIBUTION:
            return False
        if _ENDS.search(words):
            return _says_who(words, before_quote=_quoted_next(lines, number + span))
    return False


def _says_who(words: str, *, before_quote: bool) -> bool:
    """Before lines with quote marks a verb will do; before others it must be beyond doubt, with time and address."""
    if not any(char.isdigit() for char in words):
        return False
    verb, named = bool(_VERB.search(words)), bool(_NAMED.search(words))
    return (verb or named) if before_quote else named and (verb or words.rstrip(" :\uff1a").endswith((">", ")")))


def _quoted_next(lines: Sequence[str], number: int) -> bool:
    following = next((line for line in lines[number:] if line.strip()), None)
    return following is None or following.startswith(">")


def _is_header_block(lines: Sequence[str], number: int) -> bool:
    if not _FROM.match(lines[number]):
        return False
    fields = {found[1].lower() for line in lines[number + 1 : number + 9] if (found := _FIELD.match(line))}
    return len(fields) >= 2


def _answered_below(quote: Sequence[str]) -> bool:
    """Whether words without quote marks come after or between words that have them."""
    marked = next((number for number, line in enumerate(quote) if line.startswith(">")), None)
    if marked is None or _unmarked_before(quote[:marked]):
        return False
    for line in quote[marked:]:
        if _SIGNATURE.match(line):
            return False
        if line.strip() and not line.startswith(">"):
            return True
    return False


def _unmarked_before(lines: Sequence[str]) -> bool:
    """Whether the quote begins without marks: then its end cannot be seen, and those in it are older ones."""
    return bool(lines) and (bool(_ORIGINAL.match(lines[0])) or _is_header_block(lines, 0))


def _without_rule(lines: Sequence[str]) -> Sequence[str]:
    """Without the line that some programs draw above the quote."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or _RULE.match(lines[end - 1])):
        end -= 1
    return lines[:end]
