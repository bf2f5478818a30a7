"""What in a letter leads to a thread, in the order in which it is to be believed (`letter.Hit`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from daytwo_server.mail import threads
from daytwo_server.mail.letter import Hit, Letter
from daytwo_server.mail.models import Delivery, InboundMail
from daytwo_server.mail.reading import Reading

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
    return Hit(by, thread=found.thread, party=found.party, agent=found.agent)


def _ids(letter: Letter) -> list[str]:
    """The ids that the letter answers to, the newest first."""
    return list(dict.fromkeys([*filter(None, [letter.in_reply_to]), *reversed(letter.references)]))


def _by_stored_id(ids: list[str], recipients: tuple[str, ...]) -> Iterator[Hit]:
    if ids:
        came = InboundMail.objects.filter(message_id__in=ids).exclude(thread="")
        went = Delivery.objects.filter(message_id__in=ids).exclude(about="")
        refs = dict(went.values_list("message_id", "about")) | dict(came.values_list("message_id", "thread"))
        yield from (Hit("stored_id", ref=refs[each]) for each in ids if each in refs)
    # What answers by itself answers to the address for bounces.
    returned = [pk for each in recipients if (pk := threads.read_bounce(each))]
    if returned:
        for about in Delivery.objects.filter(pk__in=returned).exclude(about="").values_list("about", flat=True):
            yield Hit("stored_id", ref=about)
