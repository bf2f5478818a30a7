"""What breaks at Lumenbook, a company that lets dentists take bookings. All people and addresses are invented."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

RELEASES = ("lumenbook@2026.11.20-2", "lumenbook@2026.11.23-1")
DEPLOYED_H = 2.2  # hours ago the second one replaced the first
FLAG = "checkout-v2"
RAISED_H = 2.15  # hours ago its rollout went from 10 to 25 %, a few minutes before the first of these errors
PYTHON_SDK = {"name": "sentry.python.django", "version": "2.75.0"}
BROWSER_SDK = {"name": "sentry.javascript.browser", "version": "11.12.0"}

PEOPLE: list[dict[str, str]] = [
    {"id": "88213", "email": "billing@brightside-dental.example", "name": "Brightside Dental"},
    {"id": "88240", "email": "hello@atelier-nord.example", "name": "Atelier Nord"},
    {"id": "90117", "email": "office@kettler-sohn.example", "name": "Kettler & Sohn"},
    {"id": "90342", "email": "front@praxis-lindner.example", "name": "Praxis Lindner"},
    {"id": "91002", "email": "team@oak-street-clinic.example", "name": "Oak Street Clinic"},
    {"id": "91377", "email": "accueil@cabinet-moreau.example", "name": "Cabinet Moreau"},
    {"id": "91540", "email": "info@studio-vermeer.example", "name": "Studio Vermeer"},
]


@dataclass(frozen=True)
class Frame:
    """One frame: where, and the source around it with the crash line marked by its index."""

    module: str
    function: str
    line: int
    source: tuple[str, ...] = ()
    hit: int = 0
    in_app: bool = True
    variables: dict[str, Any] = field(default_factory=dict)

    def as_json(self, *, browser: bool) -> dict[str, Any]:
        path = self.module.replace(".", "/") + (".js" if browser else ".py")
        home = "/srv/app" if self.in_app else "/srv/venv/lib/python3.12/site-packages"
        frame: dict[str, Any] = {
            "filename": path,
            "abs_path": f"https://app.lumenbook.example/{path}" if browser else f"{home}/{path}",
            "module": self.module,
            "function": self.function,
            "lineno": self.line,
            "in_app": self.in_app,
        }
        if self.source:
            frame["pre_context"] = list(self.source[: self.hit])
            frame["context_line"] = self.source[self.hit]
            frame["post_context"] = list(self.source[self.hit + 1 :])
        if self.variables:
            frame["vars"] = self.variables
        return frame


@dataclass(frozen=True)
class Bug:
    """One thing that goes wrong. `began_h` hours ago it was first seen; `rising` means most of it is recent."""

    type: str
    value: Callable[[random.Random], str]
    frames: tuple[Frame, ...]
    transaction: str
    events: int
    began_h: float
    rising: bool = False
    level: str = "error"
    handled: bool = False
    browser: bool = False
    crumbs: tuple[tuple[str, str, str], ...] = ()
    flagged: bool = False  # it happens only where the flag is on

    def event(self, chance: random.Random, people: list[dict[str, str]], *, age_s: float) -> dict[str, Any]:
        """One occurrence without id and time, `age_s` seconds ago."""
        exception = {
            "type": self.type,
            "value": self.value(chance),
            "mechanism": {"type": "onerror" if self.browser else "django", "handled": self.handled},
            "stacktrace": {"frames": [frame.as_json(browser=self.browser) for frame in self.frames]},
        }
        event: dict[str, Any] = {
            "platform": "javascript" if self.browser else "python",
            "level": self.level,
            "environment": "production" if chance.random() < 0.9 else "staging",
            "release": RELEASES[age_s < DEPLOYED_H * 3600],
            "transaction": self.transaction,
            "exception": {"values": [exception]},
            "user": chance.choice(people),
            "tags": {
                "country": chance.choice(["DE", "DE", "FR", "NL", "AT"]),
                "plan": chance.choice(["business", "team"]),
            },
            "breadcrumbs": {"values": [{"category": c, "type": t, "message": m} for c, t, m in self.crumbs]},
            "sdk": BROWSER_SDK if self.browser else PYTHON_SDK,
        }
        event |= _browser(chance) if self.browser else _server(chance, self.transaction)
        event["contexts"]["flags"] = {"values": [{"flag": FLAG, "result": self.flagged}]}
        return event


def _browser(chance: random.Random) -> dict[str, Any]:
    name, version = chance.choice(
        [("Chrome", "142.0.7"), ("Chrome", "142.0.7"), ("Safari", "19.1"), ("Firefox", "145.0")]
    )
    return {
        "contexts": {
            "browser": {"name": name, "version": version},
            "os": {"name": chance.choice(["Windows", "macOS"])},
        },
        "request": {"url": "https://app.lumenbook.example/calendar", "headers": {"User-Agent": f"{name}/{version}"}},
    }


def _server(chance: random.Random, transaction: str) -> dict[str, Any]:
    return {
        "server_name": chance.choice(["web-1", "web-2"]),
        "contexts": {
            "runtime": {"name": "CPython", "version": "3.12.8"},
            "trace": {"trace_id": f"{chance.getrandbits(128):032x}", "span_id": f"{chance.getrandbits(64):016x}"},
        },
        "request": {
            "url": f"https://app.lumenbook.example{transaction}",
            "method": "POST",
            "headers": {"Host": "app.lumenbook.example", "Authorization": "Bearer d3m0-t0ken-that-is-removed"},
        },
    }


_DJANGO = (
    Frame("django.core.handlers.exception", "inner", 55, in_app=False),
    Frame("django.core.handlers.base", "_get_response", 197, in_app=False),
)
_VAT_SOURCE = (
    "def price_for_country(customer, net):",
    '    country = customer.address.get("country", "US")',
    "    rates = RATES.get(country)",
    '    if rates and flags.is_on("checkout-v2", customer):',
    '        reverse_charge = vies.is_valid(customer.address["vat_id"])',
    '        return net if reverse_charge else net * (1 + rates["standard"])',
    "    return net",
)
_CHECKOUT_CRUMBS = (
    ("navigation", "navigation", "/cart → /checkout"),
    ("query", "default", "SELECT … FROM customers WHERE id = %s"),
    ("httplib", "http", "GET vies.example/check 200"),
)

STORY: tuple[Bug, ...] = (
    Bug(
        "KeyError", lambda _: "'vat_id'",
        (
            *_DJANGO,
            Frame("billing.views", "CheckoutView.post", 64, ("    def post(self, request):", "        order = self.order()", "        order.total = price_for_country(request.customer, order.net)", "        return self.pay(order)"), 2, variables={"order": "<Order 4711>"}),
            Frame("billing.checkout", "price_for_country", 118, _VAT_SOURCE, 4, variables={"country": "'DE'", "customer": {"id": "88213", "plan": "'business'", "address": "{…}"}, "rates": "{'standard': Decimal('0.19')}"}),
        ),
        "/checkout/", 212, 2.1, rising=True, crumbs=_CHECKOUT_CRUMBS, flagged=True,
    ),
    Bug(
        "TimeoutError", lambda r: f"calendar feed took longer than {r.choice([5, 10])} s",
        (
            Frame("celery.app.trace", "trace_task", 453, in_app=False),
            Frame("sync.tasks", "pull_calendar", 88, ("    with client(timeout=LIMIT) as http:", "        feed = http.get(account.feed_url)", "    return parse(feed.text)"), 1, variables={"account": "<Account 90117>"}),
        ),
        "sync.tasks.pull_calendar", 64, 190, handled=True, level="warning",
    ),
    Bug(
        "TypeError", lambda _: "Cannot read properties of undefined (reading 'slots')",
        (
            Frame("calendar.grid", "renderWeek", 210, ("  const week = weeks[index];", "  for (const slot of week.slots) {", "    draw(slot);"), 1),
            Frame("calendar.grid", "onScroll", 341),
        ),
        "/calendar", 97, 30, browser=True, crumbs=(("ui.click", "user", "button.next-week"), ("fetch", "http", "GET /api/weeks 200")),
    ),
    Bug(
        "IntegrityError", lambda r: f'duplicate key value violates unique constraint "booking_slot" DETAIL: Key (slot_id)=({r.randint(10_000, 99_999)}) already exists.',
        (
            *_DJANGO,
            Frame("bookings.services", "reserve", 41, ("    with transaction.atomic():", "        slot = Slot.objects.get(pk=slot_id)", "        return Booking.objects.create(slot=slot, customer=customer)"), 2, variables={"slot_id": "41882"}),
        ),
        "/bookings/new/", 38, 320,
    ),
    Bug(
        "SMTPRecipientsRefused", lambda r: f"550 5.1.1 <user{r.randint(100, 999)}@old-clinic.example>: mailbox unavailable",
        (Frame("notify.mail", "send_reminder", 27, ("    message = reminder(booking)", "    return server.send_message(message)"), 1),),
        "notify.mail.send_reminder", 29, 260, handled=True, level="warning",
    ),
    Bug(
        "DoesNotExist", lambda _: "Practice matching query does not exist.",
        (*_DJANGO, Frame("practices.views", "settings", 19, ("def settings(request, slug):", "    practice = Practice.objects.get(slug=slug)"), 1)),
        "/practices/<slug>/settings/", 17, 90,
    ),
    Bug(
        "MemoryError", lambda _: "",
        (Frame("reports.export", "build_sheet", 133, ("    rows = list(query)", "    sheet = [to_row(r) for r in rows]"), 1),),
        "reports.export.build_sheet", 4, 12, level="fatal",
    ),
)  # fmt: skip
