"""What people find: by id, by words, and what they had in hand last."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.urls import reverse

from daytwo_server.accounts.models import User
from daytwo_server.accounts.permissions import can
from daytwo_server.core import clock, search
from daytwo_server.core.prepared import Prepared
from daytwo_server.core.ref import Ref, resolve_many
from daytwo_server.desk import palette
from daytwo_server.desk.models import Draft, Presence, Recent, SavedView
from daytwo_server.desk.services.presence import HERE, TYPING
from daytwo_server.ui import nav

MAX_TEXT = 200
MAX_RECENT = 50
MAX_VIEWS = 200
SHOWN_RECENT = 8
_CODE = re.compile(r"(?:([A-Za-z]{1,8})-)?([0-9]{1,18})")
# Ranks of `core.search` follow.
_BY_ID = -1
_LAST = 10**6
_VIEWS = Prepared[SavedView](
    lambda user, page: (
        SavedView.objects.filter(Q(owner=user) | Q(shared=True), page=page, deleted_at=None)
        .select_related("owner")
        .order_by("pk")[:MAX_VIEWS]
    )
)
_DRAFTS = Prepared[Draft](lambda user, keys: Draft.objects.filter(user=user, key__in=keys))


@dataclass(frozen=True)
class Item:
    """One thing to choose. `code` is its id as people say it; with `post` choosing it sends a form."""

    title: str
    url: str
    icon: str
    code: str = ""
    post: bool = False


@dataclass
class Group:
    """Items under one heading, best first."""

    label: str
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True, order=True)
class _Found:
    """A ref with its place: rank, then how recently the viewer was there, then the order in which it was found."""

    rank: int
    recency: int
    order: int
    ref: Ref = field(compare=False)


def results(user: User, text: str, *, limit: int = 5, at: str = "") -> list[Group]:
    """What the palette shows for a text, at most `limit` of each kind; for none, where the viewer was before `at`.

    Ids come before whole titles, those before beginnings of titles, and those before words; among equals what the
    viewer had in hand last comes first. Only what the viewer may see. The number of queries is that of the kinds
    found, whatever there is of each.
    """
    kinds = {kind.name: kind for kind in palette.kinds() if can(user, kind.action)}
    text = text.replace("\x00", "").strip()[:MAX_TEXT]
    recent = _recent(user, kinds)
    if not text:
        last = [_item(ref, kinds) for ref in resolve_many(recent[: SHOWN_RECENT + 1]) if ref.url not in ("", at)]
        return [Group("Recent", last[:SHOWN_RECENT]), *_commands(user, "")] if last else _commands(user, "")
    found = _objects(kinds, text, recent, limit)
    groups: dict[str, Group] = {}
    for one in found:
        label = kinds[one.ref.kind].label
        groups.setdefault(label, Group(label)).items.append(_item(one.ref, kinds))
    best = {kinds[one.ref.kind].label: one.rank for one in reversed(found)}
    doing = _commands(user, text)
    whole = [(_command_rank(group, text), group) for group in doing]
    whole += [(best[group.label], group) for group in groups.values()]
    return [group for _, group in sorted(whole, key=lambda pair: pair[0])]


def _recent(user: User, kinds: Iterable[str]) -> list[Ref]:
    rows = Recent.objects.filter(user=user, kind__in=list(kinds)).order_by("-at")[:MAX_RECENT]
    return [Ref(kind, object_id) for kind, object_id in rows.values_list("kind", "object_id")]


def _objects(kinds: dict[str, palette.Kind], text: str, recent: Sequence[Ref], limit: int) -> list[_Found]:
    places = {(ref.kind, ref.id): place for place, ref in enumerate(recent)}
    ranks = {(ref.kind, ref.id): _BY_ID for ref in by_code(text, kinds.values())}
    # Whatever the viewer had in hand comes first, also where thousands of others have the words too.
    known = {(ref.kind, int(ref.id)) for ref in recent if ref.id.isdecimal()}
    for hit in [*search.among(known, text), *search.find(list(kinds), text, limit)]:
        ranks.setdefault((hit.kind, str(hit.object_id)), hit.rank)
    refs = resolve_many(Ref(kind, object_id) for kind, object_id in ranks)
    found = sorted(
        _Found(ranks[ref.kind, ref.id], places.get((ref.kind, ref.id), _LAST), order, ref)
        for order, ref in enumerate(refs)
        if ref.url  # it is gone, or has no page
    )
    shown: dict[str, int] = {}
    kept = []
    for one in found:
        shown[one.ref.kind] = shown.get(one.ref.kind, 0) + 1
        if shown[one.ref.kind] <= limit:
            kept.append(one)
    return kept


def by_code(text: str, kinds: Iterable[palette.Kind]) -> list[Ref]:
    """What a text may mean as an id: `ERR-12`, or `12` for every kind whose ids are numbers. They need not exist."""
    match = _CODE.fullmatch(text.strip())
    if match is None:
        return []
    prefix, number = (match[1] or "").upper(), int(match[2])
    return [Ref(kind.name, number) for kind in kinds if kind.prefix and prefix in ("", kind.prefix)]


def lookup(user: User, code: str) -> list[Ref]:
    """The objects that somebody means who says this id, or exactly this title; only what the viewer may see."""
    kinds = {kind.name: kind for kind in palette.kinds() if can(user, kind.action)}
    code = code.replace("\x00", "").strip()[:MAX_TEXT]
    if found := [ref for ref in resolve_many(by_code(code, kinds.values())) if ref.url]:
        return found
    hits = search.find(list(kinds), code, 10)
    exact = [Ref(hit.kind, hit.object_id) for hit in hits if hit.rank == search.EXACT]
    # The index does not tell checkout-v2 from "checkout v2".
    return [ref for ref in resolve_many(exact) if ref.url and ref.title.casefold() == code.casefold()]


def _item(ref: Ref, kinds: dict[str, palette.Kind]) -> Item:
    kind = kinds[ref.kind]
    return Item(ref.title, ref.url, kind.icon, kind.code(ref.id))


def _commands(user: User, text: str) -> list[Group]:
    """What can be done or opened and has all the words, the commands of rooms first."""
    words = search.title_of(text).split()
    do = Group("Do")
    for command in palette.commands():
        if can(user, command.action) and _has(words, f"{command.label} {command.keywords}"):
            do.items.append(Item(command.label, reverse(command.url_name), command.icon, post=command.post))
    go, settings = Group("Go to"), Group("Settings")
    for entry in nav.entries():
        if can(user, entry.action) and _has(words, entry.label):
            go.items.append(Item(entry.label, reverse(entry.url_name), entry.icon))
    if words:  # they are many, and whoever opens the palette without a word looks for none of them
        for section in nav.sections():
            if can(user, section.action) and _has(words, f"{section.label} {section.text} settings"):
                settings.items.append(Item(section.label, reverse(section.url_name), section.icon))
    return [group for group in (do, go, settings) if group.items]


def _has(words: Sequence[str], text: str) -> bool:
    own = search.title_of(text).split()
    return all(any(word.startswith(begun) for word in own) for begun in words)


def _command_rank(group: Group, text: str) -> int:
    """As of objects: by the best title in the group."""
    title = search.title_of(text)
    titles = [search.title_of(item.title) for item in group.items]
    if title in titles:
        return search.EXACT
    return search.BEGINNING if any(one.startswith(title) for one in titles) else search.WORDS


def views(user: User, page: str) -> list[SavedView]:
    """The viewer's own views of a list in their order, then what others share, by name."""
    rows = _VIEWS(user.pk, page)
    own = sorted((one for one in rows if one.owner_id == user.pk), key=lambda one: one.position)
    others = sorted((one for one in rows if one.owner_id != user.pk), key=lambda one: one.name.casefold())
    return own + others


def draft(user: User, key: str) -> Draft | None:
    """What this person was writing under this key. Its text is empty once it was sent."""
    return drafts(user, [key]).get(key)


def drafts(user: User, keys: Collection[str]) -> dict[str, Draft]:
    """`draft` of several keys, for those that have one. One query."""
    return {one.key: one for one in _DRAFTS(user.pk, list(keys))}


@dataclass(frozen=True)
class Somebody:
    """Who has the page of an object open, and whether they write there."""

    user: User
    typing: bool


def others_at(ref: Ref, me: User) -> list[Somebody]:
    """Who but the viewer is there now, those who write first, then by name. One query."""
    now = clock.now()
    there = Presence.objects.filter(kind=ref.kind, object_id=ref.id, seen_at__gt=now - HERE).exclude(user=me)
    found = [
        Somebody(one.user, one.typing_at is not None and one.typing_at > now - TYPING)
        for one in there.select_related("user")
    ]
    return sorted(found, key=lambda one: (not one.typing, str(one.user).casefold()))
