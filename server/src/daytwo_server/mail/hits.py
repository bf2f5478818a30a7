"""What in a letter leads to a thread, in the order in which it is to be believed (`letter.Hit`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from daytwo_server.mail import threads
from daytwo_server.mail.letter import Hit, Letter
from daytwo_server.mail.models import STORED_ID, Delivery, InboundMail
from daytwo_server.mail.reading import Reading

_UNGUESSED = 20  # characters; those of providers that count are shorter
_NUMBER = re.compile(r"\[#(\d{1,18})\]")


def hits_in(reading: Reading) -> tuple[Hit, ...]:
    """All of them, the surest first."""
    ids = _ids(reading.letter)
    return (
        *_by_token(reading),
        *(Hit("own_id", thread=own[0], message=own[1]) for each in ids if (own := threads.read_message_id(each))),
        *_by_stored_id(ids, reading.recipients),
        *(_of_thread("marker", found) for found in threads.read_markers(reading.marked)),
        *(Hit("subject", thread=int(number)) for number in _NUMBER.findall(reading.letter.subject)),
    )


def _by_token(reading: Reading) -> Iterator[Hit]:
    for recipient in reading.recipients:
        if found := threads.read(recipient):
            yield _of_thread("token", found)


def _of_thread(by: str, found: threads.Thread) -> Hit:
    return Hit(by, thread=found.thread, party=found.party, agent=found.agent, private=found.private)


def _ids(letter: Letter) -> list[str]:
    """The ids that the letter answers to, the newest first."""
    return list(dict.fromkeys([*filter(None, [letter.in_reply_to]), *reversed(letter.references)]))


def _by_stored_id(ids: list[str], recipients: tuple[str, ...]) -> Iterator[Hit]:
    if ids:
        kept = list(dict.fromkeys(each[:STORED_ID] for each in ids))
        came = InboundMail.objects.filter(message_id__in=kept).exclude(thread="")
        went = Delivery.objects.filter(message_id__in=kept).exclude(about="")
        refs = dict(went.values_list("message_id", "about")) | dict(came.values_list("message_id", "thread"))
        refs = _by_provider([each for each in kept if each not in refs]) | refs
        yield from (Hit("stored_id", ref=refs[each]) for each in kept if each in refs)
    # What answers by itself answers to the address for bounces.
    returned = [pk for each in recipients if (pk := threads.read_bounce(each))]
    if returned:
        for about in Delivery.objects.filter(pk__in=returned).exclude(about="").values_list("about", flat=True):
            yield Hit("stored_id", ref=about)


def _by_provider(ids: list[str]) -> dict[str, str]:
    """What deliveries are about that a provider sent under one of these ids: some put their own in place of ours.

    They tell us all of it, or what stands before the @. There a short number is nobody's name for a mail of ours.
    """
    told = {each.strip("<>").partition("@")[0]: each for each in ids}
    told = {name: each for name, each in told.items() if len(name) >= _UNGUESSED}
    told |= {form: each for each in ids for form in (each, each.strip("<>"))}
    # Said although it follows: by that both databases know that the index, which leaves those out, has all of them.
    named = Delivery.objects.filter(provider_id__in=told).exclude(provider_id="").exclude(about="")
    return {told[name]: about for name, about in named.values_list("provider_id", "about")} if told else {}
