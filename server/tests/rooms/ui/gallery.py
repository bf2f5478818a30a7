"""A small site that shows every component, on a real port, under the content security policy of production.

It has no database and none of the other rooms: what `ui` promises, it must keep by itself.
"""

import contextlib
import datetime as dt
import socketserver
import threading
import time
import types
import wsgiref.simple_server
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django import forms
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.test import override_settings
from django.urls import path

from daytwo_server.ui import charts, htmx, icons, stack, storage, toasts

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self';"
    " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
EVIL = '<script>alert("x")</script>'
TONES = {
    "ok": "Operational",
    "degraded": "Degraded",
    "partial": "Partial outage",
    "major": "Major outage",
    "maintenance": "Maintenance",
    "": "Unknown",
    "accent": "In progress",
}


class GalleryForm(forms.Form):
    name = forms.CharField(help_text="Shown on the status page")
    url = forms.URLField(label="URL to check", assume_scheme="https")
    every = forms.ChoiceField(label="Check every", choices=[("30", "30 seconds"), ("60", "1 minute")])
    public = forms.BooleanField(label="Show it to everybody", required=False)
    kind = forms.ChoiceField(widget=forms.RadioSelect, choices=[("a", "One"), ("b", "Other")], help_text="Pick one")
    about = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)


def nav() -> list[Any]:
    from daytwo_server.ui.nav import Group, Link  # needs Django, which is set up after this file is read

    def link(label: str, icon: str, key: str = "", **more: Any) -> Link:
        return Link(label=label, icon=icon, key=key, url=f"/?page={label.lower()}", **more)

    return [
        Group("", (link("Start", "today", "t", current=True),)),
        Group("Respond", (link("Alarms", "siren", "i", count=1, hot=True), link("Roster", "phone"))),
        Group("Observe", (link("Faults", "bug", "e", count=4), link("Logs", "logs"))),
        Group("Operate", (link("Lists", "checklist", count="5/8"), link("Settings", "settings"))),
    ]


def filters(words: str) -> dict[str, object]:
    from daytwo_server.ui.listing import Address  # needs Django, which is set up after this file is read

    listing = Address(path="/", params={"name": words}, filters={"name": "name"})
    return {**listing.bar(listing.choice("level", "Level", [("high", "High")])), "kept": [("unset", "")]}


def context(words: str = "Said in one sentence.", *, now: dt.datetime | None = None) -> dict[str, object]:
    """Everything `ui/gallery.html` needs; `words` is put wherever text can come from outside."""
    now = now or dt.datetime.now(dt.UTC)
    groups = nav()
    form = GalleryForm({"name": words, "url": "lumenbook", "every": "30", "public": "on"})
    form.is_valid()
    return {
        "workspace_name": words,
        "viewer": {"name": words, "email": "jonas@example.com", "initials": "JL", "hue": 250, "status": words},
        "nav": groups,
        "tabbar": [one for group in groups for one in group.links][:4],
        "theme_url": "/theme",
        "messages": [
            Message(constants.SUCCESS, "Archived", extra_tags="undo /undo"),
            Message(constants.ERROR, words),
        ],
        "words": words,
        "hidden": {"reason": words},
        "tab_items": [
            {"label": "Latest", "url": "#a", "current": True},
            {"label": words, "url": "#b", "count": "1,284"},
        ],
        "choices": [{"label": "Mine", "url": "#mine", "current": True}, {"label": "Team", "url": "#team"}],
        "tones": list(TONES.items()),
        "recent": now - dt.timedelta(minutes=5, seconds=3),
        "hours_ago": now - dt.timedelta(hours=3, minutes=2),
        "long_ago": now - dt.timedelta(days=40),
        "later": now + dt.timedelta(minutes=9),
        "icon_names": sorted(icons.names()),
        "rows": list(
            enumerate(
                ["Webhook deliveries failing for 4 customers", "Database connections at 86% of the pool", words], 1
            )
        ),
        "form": form,
        "filters": filters(words),
        "facts": [("Status", "Unresolved"), ("Owner", words), ("Priority", "High")],
        "shares": [("DE", 46), ("FR", 22), (words, 14), ("IT", 9), ("AT", 9)],
        "one_share": [(words, 12)],
        "snippet": f'sentry_sdk.init(\n  dsn="https://4f1c@errors.lumenbook.example/3",  # {words}\n)',
        "frames": list(stack.fold(frames(words))),
        **pictures(words),
    }


def pictures(words: str) -> dict[str, object]:
    hours = [0, 3, 1, 0, 2, 4, 1, 0, 3, 2, 1, 0, 0, 2, 1, 3, 2, 1, 40, 92, 120, 138, 151, 140]
    many = [hour * 500 for hour in hours]
    return {
        "trend": hours,
        "days": ["ok"] * 40 + ["degraded", ("partial", words), "major", "maintenance", "none"] + ["ok"] * 3,
        "chart": charts.BarChart(
            series=[charts.Series(hours, "major")],
            label=f"Per hour: {words}",
            markers=[charts.Marker(16.5, "deploy"), charts.Marker(18, words)],
            ticks=[(0, "08:40"), (12, "20:40"), (24, "now")],
            titles=[words] * 24,
        ),
        "stacked": charts.BarChart(
            series=[charts.Series(many, "1", "On"), charts.Series(many, "muted", words)],
            label="On and off per hour",
            ticks=[(0, "Tue"), (12, words), (24, "now")],
        ),
    }


def frames(words: str) -> list[stack.Frame]:
    source = [
        (114, "def price_for_country(customer, net):"),
        (115, '    country = customer.address.get("country", "US")  # two letters'),
        (116, f"    rates = RATES.get(country)  # {words}"),
        (117, '    return net * (1 + rates["standard"]) if rates else None'),
    ]
    local = [("country", "'DE'"), ("customer", words)]
    library = {"in_app": False, "line": 104}
    return [
        stack.Frame("billing/checkout.py", "price_for_country", 116, open=True, source=source, variables=local),
        stack.Frame("billing/views.py", words, 64),
        stack.Frame("django/views/generic.py", "dispatch", module="django.views.generic", **library),
        stack.Frame("django/core/handlers/base.py", words, module="django.core.handlers.base", **library),
    ]


def show(request: HttpRequest) -> HttpResponse:
    theme = request.COOKIES.get("theme", request.GET.get("theme", "auto"))
    values = context(EVIL if "evil" in request.GET else "Said in one sentence.")
    if "quiet" in request.GET:
        values.pop("messages")
    if "keys_off" in request.GET:
        values["keys_off"] = True
    return render(request, "ui/gallery.html", {**values, "theme": theme})


def set_theme(request: HttpRequest) -> HttpResponse:
    answer = redirect(request.POST["next"])
    answer.set_cookie("theme", request.POST["theme"])
    return answer


def error(request: HttpRequest, code: int) -> HttpResponse:
    values = {"theme": request.GET.get("theme", "auto"), "theme_url": "/theme", "reference": "7f3a"}
    return render(request, f"{code}.html", values, status=code)


def done(request: HttpRequest) -> HttpResponse:
    return toasts.attach(HttpResponse(status=204), toasts.Toast("Done … as asked", undo="/undo"))


def undo(request: HttpRequest) -> HttpResponse:
    return redirect(f"/?quiet&undone={request.method}")


def refused(request: HttpRequest) -> HttpResponse:
    return render(request, "403.html", status=HTTPStatus.FORBIDDEN)


def invalid(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<b>Enter a name</b>", status=HTTPStatus.UNPROCESSABLE_ENTITY)


def signed_out(request: HttpRequest) -> HttpResponse:
    return redirect("/?quiet&signed-out")


def rows(request: HttpRequest) -> HttpResponse:
    """The list again, without the rows that the form named."""
    do, _, own = request.POST["do"].partition(":")
    gone = {own} if own else set(request.POST.getlist("row"))
    values = context()
    left = [] if "every" in request.POST and not own else values["rows"]
    values["rows"] = [row for row in left if str(row[0]) not in gone]
    page = render(request, "ui/gallery_rows.html", values)
    return toasts.attach(page, toasts.Toast(f"{do}: {', '.join(sorted(gone))}", undo="/undo"))


def row(request: HttpRequest, number: int) -> HttpResponse:
    """What stands behind a row: a page, and for a drawer the part of it that matters."""
    if number == 404:
        return render(request, "404.html", status=404)
    part = f'<h1>Row {number}</h1><p tabindex="0">Said at length.</p><button class="button" hx-post="/done" hx-swap="none">Do</button>'
    if htmx.wants_part(request):
        return HttpResponse(part)
    page = render(request, "ui/shell.html", {"nav": nav()})
    page.content = page.content.decode().replace("</main>", f"{part}</main>")
    return page


def news(request: HttpRequest) -> HttpResponse:
    return HttpResponse('<a href="/?quiet">2 new. Show</a>')


def live(request: HttpRequest) -> HttpResponse:
    """The gallery with a stream in it, as a room would build it: its pieces name their own targets."""
    page = render(request, "ui/gallery.html", {**context(), "messages": []})
    stream = '<div id="live" hx-sse:connect="/events" hx-swap="none"></div><p id="tally"><b id="kept">none</b></p>'
    page.content = page.content.decode().replace('<div class="page-header"', stream + '<div class="page-header"', 1)
    return page


def events(request: HttpRequest) -> StreamingHttpResponse:
    def stream() -> Iterator[bytes]:
        yield b'data: <hx-partial hx-target="#tally" hx-swap="innerMorph"><b id="kept">one</b></hx-partial>\n\n'
        time.sleep(3)

    return StreamingHttpResponse(stream(), content_type="text/event-stream", headers={"Cache-Control": "no-store"})


def urls() -> types.ModuleType:
    module = types.ModuleType("gallery_urls")
    module.urlpatterns = [
        path("", show),
        path("theme", set_theme),
        path("error/<int:code>", error),
        path("done", done),
        path("rows", rows),
        path("row/<int:number>", row),
        path("news", news),
        path("undo", undo),
        path("refused", refused),
        path("invalid", invalid),
        path("signed-out", signed_out),
        path("live", live),
        path("events", events),
    ]
    return module


class _Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class _Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def _guarded(app: StaticFilesHandler) -> object:
    """Under the policy, and with style sheets and scripts as small as the build step makes them."""

    def answer(environ, start_response):
        if (shrink := storage.shrinker(environ["PATH_INFO"])) and environ["PATH_INFO"].startswith("/static/"):
            name = environ["PATH_INFO"].removeprefix("/static/")
            kind = "text/css" if name.endswith(".css") else "text/javascript"
            start_response("200 OK", [("Content-Type", f"{kind}; charset=utf-8")])
            return [shrink(Path(finders.find(name)).read_text("utf-8")).encode()]

        def start(status, headers, exc_info=None):
            return start_response(status, [*headers, ("Content-Security-Policy", POLICY)], exc_info)

        return app(environ, start)

    return answer


@contextlib.contextmanager
def serve() -> Iterator[str]:
    """The address of the running site."""
    engine = {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
    with override_settings(
        ROOT_URLCONF=urls(),
        MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
        TEMPLATES=[engine],
        ALLOWED_HOSTS=["*"],
        UI_STRICT=True,
    ):
        app = _guarded(StaticFilesHandler(WSGIHandler()))
        server = wsgiref.simple_server.make_server("127.0.0.1", 0, app, _Server, _Quiet)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
