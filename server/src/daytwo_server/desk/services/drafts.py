"""Drafts: what somebody is writing, kept while they write."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from daytwo_server.accounts.models import User
from daytwo_server.core import clock
from daytwo_server.desk.models import Draft

MAX_DRAFT = 50_000  # characters; the texts that people send are shorter
MAX_KEY = 100
MAX_DRAFTS = 200  # of one person; past it the oldest go


_when_begun: list[Callable[[User, str], None]] = []


def when_begun(do: Callable[[User, str], None]) -> None:
    """Call `do(user, key)` whenever somebody writes the first words of a draft."""
    _when_begun.append(do)


def tell_of_begun(user: User, key: str) -> None:
    """After the draft is kept and apart from it: no text is lost by what else happens."""
    for do in _when_begun:
        do(user, key)


@dataclass(frozen=True)
class Saved:
    """How a save ended. `other` is what another device wrote meanwhile. With `sent` nothing was saved, because the
    text was sent since; whoever goes on writing saves again, on top of `version`. With `begun` these are the first
    words, for `tell_of_begun`.
    """

    version: int
    other: str = ""
    sent: bool = False
    begun: bool = False


@transaction.atomic
def save_draft(user: User, key: str, text: str, *, version: int) -> Saved:
    """Keep a text that was written on top of `version` (0: there was no draft). The newest text wins; what another
    device wrote since that version stays beside it. An empty text throws the draft away.

    Raises ValueError when the text or the key is too long.
    """
    if len(text) > MAX_DRAFT or len(key) > MAX_KEY:
        raise ValueError(f"More than {MAX_DRAFT:,} characters are not kept as a draft.")
    text = text.replace("\x00", "")
    text = text if text.strip() else ""
    first = {"text": text, "updated_at": clock.now()}
    found, created = Draft.objects.get_or_create(user=user, key=key, defaults=first)
    if created:
        _make_room(user)
        return Saved(found.version, begun=bool(text))
    known = Draft.objects.select_for_update().get(pk=found.pk)  # two devices may save at once
    overtaken = known.version > version
    if overtaken and not known.text:
        return Saved(known.version, sent=True)
    # Whoever goes back to the other text may want to come back from there too.
    other = known.text if known.text != text and (overtaken or text == known.other) else known.other
    changes = {"text": text, "other": other, "version": known.version + 1, "updated_at": clock.now()}
    Draft.objects.filter(pk=known.pk).update(**changes)
    return Saved(known.version + 1, other if overtaken else "", begun=bool(text) and not known.text)


@transaction.atomic
def keep_draft(user: User, key: str, text: str) -> None:
    """Put a text that was sent and refused back where it was written."""
    text = text.replace("\x00", "")  # which PostgreSQL does not take
    Draft.objects.update_or_create(
        user=user, key=key, defaults={"text": text, "version": F("version") + 1, "updated_at": clock.now()},
        create_defaults={"text": text, "updated_at": clock.now()},
    )  # fmt: skip


@transaction.atomic
def clear_draft(user: User, key: str) -> None:
    """Throw a draft away because its text is sent: call it in the transaction that sends.

    An empty row stays, so that a save which is still on its way does not bring the text back.
    """
    found, _ = Draft.objects.get_or_create(user=user, key=key, defaults={"text": ""})
    known = Draft.objects.select_for_update().get(pk=found.pk)
    Draft.objects.filter(pk=known.pk).update(text="", other="", version=known.version + 1, updated_at=clock.now())


@transaction.atomic
def forget_drafts(keys: Iterable[str]) -> None:
    """Throw away what anybody was writing under these keys, for good."""
    Draft.objects.filter(key__in=set(keys)).delete()


def _make_room(user: User) -> None:
    old = Draft.objects.filter(user=user).order_by("-updated_at", "-pk").values_list("pk", flat=True)[MAX_DRAFTS:]
    Draft.objects.filter(pk__in=list(old)).delete()
