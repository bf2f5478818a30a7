"""Answers that are given often: one's own, and those that everybody has."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daytwo_server.accounts.http import focus_first_error, go_to, viewer
from daytwo_server.accounts.permissions import action, can, require
from daytwo_server.core.pages import BadCursor
from daytwo_server.desk import selectors as desk
from daytwo_server.desk.services import MAX_DRAFT, keep_draft
from daytwo_server.tickets import services
from daytwo_server.tickets.checks import MAX_TAG, MAX_TAGS
from daytwo_server.tickets.drafts import reply_key
from daytwo_server.tickets.models import Category, SavedReply, Ticket
from daytwo_server.tickets.selectors import saved_replies as selectors
from daytwo_server.tickets.services import Change, Invalid, ReplyWords
from daytwo_server.tickets.variables import VARIABLES
from daytwo_server.tickets.web.common import find
from daytwo_server.tickets.web.listing import Inbox, refusing
from daytwo_server.tickets.web.sending import SENDS
from daytwo_server.ui import htmx, toasts

SHARE = "tickets.share_replies"


class SavedReplyForm(forms.Form):
    name = forms.CharField(max_length=200, label="Name", help_text="By which you find it.")
    text = forms.CharField(
        label="Answer", max_length=20_000, widget=forms.Textarea({"rows": 8}),
        help_text="Names in double braces are filled in when it is used; what stands after a bar is said where nothing "
        "is known: {{customer.first_name|there}}.",
    )  # fmt: skip
    shortcut = forms.CharField(
        max_length=100, required=False, label="Shortcut", help_text="A short word that finds it first, such as refund."
    )
    category = forms.ChoiceField(
        label="For questions about", required=False, choices=[("", "Anything"), *Category.choices],
        help_text="It comes first in tickets of this category.",
    )  # fmt: skip
    status = forms.ChoiceField(
        label="When it is sent", required=False,
        choices=[("", "As always"), *((value.value, words) for value, words in SENDS.items())],
        help_text="The button that sends the answer then does this.",
    )  # fmt: skip
    tags = forms.CharField(
        max_length=2 * MAX_TAGS * MAX_TAG,
        required=False,
        label="Tags",
        help_text="Put on the ticket when it is sent, with commas between.",
    )
    shared = forms.BooleanField(required=False, label="Everybody has it")

    def words(self) -> ReplyWords:
        """Of a valid form."""
        said: dict[str, Any] = dict(self.cleaned_data)
        said["tags"] = [tag for tag in (part.strip() for part in said["tags"].split(",")) if tag]
        return ReplyWords(**said)


@require("tickets.reply")
@require_safe
def replies(request: HttpRequest) -> HttpResponse:
    """The list, the most used first."""
    try:
        found = selectors.listed(viewer(request), cursor=request.GET.get("cursor", ""))
    except BadCursor:
        return go_to(request, reverse("tickets:replies"))
    words = {
        "replies": [{"reply": one, "changes": _may_change(request, one), "does": does(one)} for one in found.rows],
        "newer": f"?cursor={found.previous}" if found.previous else "",
        "older": f"?cursor={found.next}" if found.next else "",
    }
    return htmx.render(request, "tickets/replies.html", "tickets/replies.html", words)


def does(one: SavedReply) -> str:
    """What happens beside the answer, in words; "" when nothing does."""
    parts = [words for status, words in SENDS.items() if status == one.status]
    parts += [f"tags {', '.join(one.tags)}"] if one.tags else []
    return "; ".join(parts)


@require("tickets.reply")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Write one."""
    return _edit(request, None)


Verb = Callable[[HttpRequest, SavedReply], HttpResponse]


def _of_owner(verb: Verb) -> Callable[..., HttpResponse]:
    """A page for the owner of a saved reply, and of one that everybody has, for those who may share. What others keep
    for themselves is as if it were not there.
    """
    own, shared = require("tickets.reply")(verb), require(SHARE)(verb)

    @require("tickets.reply")
    @functools.wraps(verb)
    def page(request: HttpRequest, number: str) -> HttpResponse:
        found = SavedReply.objects.filter(pk=int(number)).first()
        if found is None or not (found.shared or found.owner_id == request.user.pk):
            raise Http404
        return (shared if found.shared else own)(request, found)

    return page


@_of_owner
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, known: SavedReply) -> HttpResponse:
    """Change it."""
    if known.deleted_at is not None:
        raise Http404
    return _edit(request, known)


@_of_owner
@require_POST
def delete(request: HttpRequest, known: SavedReply) -> HttpResponse:
    """Take it away, with the way back in a toast."""
    services.delete_reply(known, actor=viewer(request))
    toasts.undoable(request, f"Reply {known.name} deleted", reverse("tickets:restore-reply", args=[known.pk]))
    return go_to(request, reverse("tickets:replies"))


@_of_owner
@require_POST
def restore(request: HttpRequest, known: SavedReply) -> HttpResponse:
    """Undo a deletion."""
    with toasts.telling(request, services.TooLate):
        services.restore_reply(known, actor=viewer(request))
        messages.success(request, f"Reply {known.name} is back")
    return go_to(request, reverse("tickets:replies"))


@require("tickets.reply")
@require_http_methods(["GET", "HEAD", "POST"])
@refusing
def offered(request: HttpRequest, number: str) -> HttpResponse:
    """The replies for a ticket, of those with `?words=`: the content of its menu, or without a script a page. The
    button that leads to the page sends what was written, which is kept.
    """
    found, text = find(number), request.GET.get("words", "")[:100]
    if request.method == "POST":
        keep_draft(viewer(request), reply_key(found.pk), request.POST.get("reply", "")[:MAX_DRAFT])
        return go_to(request, request.get_full_path())
    rows = selectors.offered(viewer(request), text=text, category=found.category)
    words = {"ticket": found, "offered": rows, "words": text, "part": htmx.wants_part(request)}
    words["ticket_url"] = Inbox.read(request.GET, viewer(request)).ticket_url(found.pk)
    return htmx.render(request, "tickets/offered.html", "tickets/_offered.html", words)


@require("tickets.reply")
@require_http_methods(["GET", "HEAD", "POST"])
@refusing
def insert(request: HttpRequest, number: str, reply: str) -> HttpResponse:
    """Put a saved reply into the answer. The script takes its text from the part and puts it where the cursor is;
    without one, the button sends what was written too, and both are found in the field that it leads back to.
    """
    found, saved = find(number), selectors.saved_reply(viewer(request), reply)
    if saved is None:
        raise Http404
    text = services.filled_for(saved, found, viewer(request))
    if htmx.wants_part(request):
        return render(request, "tickets/_inserted.html", {"saved": saved, "text": text, "all_sends": SENDS})
    if request.method == "POST":
        written = request.POST.get("reply", "").rstrip()
        keep_draft(viewer(request), reply_key(found.pk), f"{written}\n\n{text}".strip()[:MAX_DRAFT])
    url = Inbox.read(request.GET, viewer(request)).ticket_url(found.pk, use=str(saved.pk))
    return go_to(request, f"{url}#draft-reply")


def used(request: HttpRequest, ticket: Ticket) -> dict[str, Any]:
    """The reply that `?use=` names, and what the field of the answer holds then."""
    saved = selectors.saved_reply(viewer(request), request.GET.get("use", ""))
    if saved is None:
        return {}
    text, draft = services.filled_for(saved, ticket, viewer(request)), desk.draft(viewer(request), reply_key(ticket.pk))
    begun = draft.text if draft else ""
    return {"saved": saved, "reply_text": begun if text in begun else f"{begun}\n\n{text}".strip()}


def sent_with(request: HttpRequest, ticket: Ticket) -> None:
    """An answer that was made with the saved reply `use` was sent: it counts, and the ticket gets its tags. Those that
    it has no room for are left out, and said: the answer goes out all the same.
    """
    saved = selectors.saved_reply(viewer(request), request.POST.get("use", ""))
    if saved is None:
        return
    services.note_use(saved)
    if not saved.tags or not can(request.user, "tickets.manage"):
        return
    there = set(ticket.tags.values_list("name", flat=True))
    new = [tag for tag in saved.tags if tag not in there]
    room = max(0, MAX_TAGS - len(there))
    services.change(ticket, Change(add_tags=new[:room]), actor=viewer(request))
    if left := new[room:]:
        said = f"tag {left[0]} was" if len(left) == 1 else f"tags {', '.join(left)} were"
        messages.warning(request, f"The {said} not added: a ticket has at most {MAX_TAGS}.")


def _may_change(request: HttpRequest, one: SavedReply) -> bool:
    return can(request.user, SHARE) if one.shared else one.owner_id == request.user.pk


def _edit(request: HttpRequest, known: SavedReply | None) -> HttpResponse:
    first = _written(known) if known else {name: request.GET[name] for name in ("text", "name") if name in request.GET}
    form = SavedReplyForm(request.POST or None, initial=first)
    if not can(request.user, SHARE):
        form.fields["shared"].disabled = True
        form.fields["shared"].help_text = f"For this you need the role {action(SHARE).needs}."
    if request.method != "POST":
        return _page(request, form, known)
    if not form.is_valid():
        return _page(request, form, known, status=422)
    try:
        services.save_reply(form.words(), actor=viewer(request), known=known)
    except Invalid as problem:
        for name, words in problem.fields.items():
            form.add_error(name, words)
        return _page(request, form, known, status=422)
    messages.success(request, f"Reply {form.cleaned_data['name']} saved")
    return go_to(request, reverse("tickets:replies"))


def _written(known: SavedReply) -> dict[str, Any]:
    names = ("name", "text", "shortcut", "category", "status", "shared")
    return {name: getattr(known, name) for name in names} | {"tags": ", ".join(known.tags)}


def _page(request: HttpRequest, form: SavedReplyForm, known: SavedReply | None, *, status: int = 200) -> HttpResponse:
    focus_first_error(form)
    words = {"form": form, "reply": known, "variables": VARIABLES.items()}
    return htmx.render(request, "tickets/reply.html", "tickets/_reply.html", words, status=status)
