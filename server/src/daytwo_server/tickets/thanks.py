"""Whether somebody only said thank you. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_WORDS = 8
_WORD = re.compile(r"[^\W\d_]+")
_SIGNATURE = re.compile(r"^-- ?$.*", re.MULTILINE | re.DOTALL)
# More than words and marks: a number, a question. Those may be anything.
_MORE = re.compile(r"[\d?？]")  # noqa: RUF001 - the one of Chinese and Japanese
_THANKS = frozenset(
    "thank thanks thankyou thx tnx cheers "
    "danke dankeschön dank merci "
    "gracias agradecido agradecida obrigado obrigada grazie "
    "bedankt dankjewel tack takk kiitos "
    "dziękuję dzięki díky děkuji ďakujem köszönöm mulțumesc hvala "
    "teşekkürler teşekkür sağol ευχαριστώ спасибо дякую תודה شكرا "
    "谢谢 谢谢你 谢谢您 非常感谢 謝謝 ありがとう ありがとうございます ありがとうございました "
    "감사합니다 고맙습니다".casefold().split()
)
# Beside those, and nothing by themselves. No word among them asks, doubts or tells of anything.
_BESIDE = frozenset(
    "hi hello hey dear all everybody everyone team you u so very much many a lot again for the "
    "great perfect awesome excellent super wonderful best kind regards "
    "hallo liebe lieber liebes vielen vielmals herzlichen besten schön sehr nochmal nochmals ihnen euch dir für die "
    "viele grüße gruß mfg "
    "bonjour beaucoup mille à vous pour cordialement parfait "
    "hola muchas muchísimas mil por saludos perfecto "
    "olá muito ciao molte per saluti perfetto "
    "hartelijk je jullie u wel voor groeten mange så mycket".casefold().split()
)
# What one thanks for. By itself, "help" asks for it.
_FOR = re.compile(
    r"\b(?:for|your|the|für|ihre|eure|deine|die|pour|votre|por|su|tu|la|pela|per|voor|je|jullie|uw)"
    r"(?: (?:quick|fast|great|super|kind|schnelle|tolle|rapide|snelle))?"
    r" (?:help|support|answer|reply|response|hilfe|unterstützung|antwort|rückmeldung"
    r"|aide|réponse|ayuda|respuesta|ajuda|aiuto|hulp)\b"
)


def only_thanks(text: str, names: Iterable[str] = ()) -> bool:
    """Whether the text is a thank-you of a few words, with greetings and these people's names at most.

    In doubt it is not: somebody looks at every other answer.
    """
    said = _SIGNATURE.sub("", text)
    words = _WORD.findall(said.casefold())
    if not 0 < len(words) <= MOST_WORDS or _MORE.search(said):
        return False
    rest = _FOR.sub("", " ".join(words)).split()
    known = _THANKS | _BESIDE | {word for name in names for word in _WORD.findall(name.casefold())}
    return not _THANKS.isdisjoint(rest) and known.issuperset(rest)
