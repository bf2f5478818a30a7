"""A corpus with known answers: places in programs that fail, and events as SDKs would send them from there.

Each site is one bug. Between its events everything changes that changes in life: values and ids, line numbers and
directories of releases, the way through middlewares, the depth of a recursion, the order in an exception group, the
browser, the build. Some events are nasty on purpose (see `_nasty`): a grouping that gets those right too would have
to guess.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from random import Random
from typing import Any

Event = dict[str, Any]
Site = Callable[[Random], Event]

_WORDS = ("alpha", "harbor", "violet", "quartz", "meadow", "ember", "falcon", "cobalt")
_VALUES = (
    "Card declined for order {int}",
    "{email} is not allowed to do this",
    "no row with id {uuid}",
    "550 5.1.1 {token} - gsmtp",
    "<Order object at {hex}> has no total",
    "timed out after {int} ms calling https://api.example.com/v1/orders/{int}",
    "could not convert string to float: '{word} {int}'",
)


def filled(template: str, rng: Random) -> str:
    """The template with its parameters drawn."""
    parts = {
        "int": rng.randrange(10, 10**6),
        "email": f"{rng.choice(_WORDS)}{rng.randrange(99)}@example.com",
        "uuid": uuid.UUID(int=rng.getrandbits(128)),
        "token": f"{rng.getrandbits(52):x}-{rng.getrandbits(52):x}sm{rng.randrange(10**7)}",
        "hex": hex(rng.getrandbits(47)),
        "word": rng.choice(_WORDS),
    }
    return template.format(**parts)


def python_frame(module: str, function: str, line: str, rng: Random, *, in_app: bool = True) -> Event:
    path = module.replace(".", "/") + ".py"
    root = f"/srv/releases/{rng.randrange(20260101, 20261231)}" if in_app else "/app/.venv/lib/python3.11/site-packages"
    return {
        "module": module, "function": function, "filename": path, "abs_path": f"{root}/{path}",
        "lineno": rng.randrange(20, 900), "context_line": " " * rng.choice((4, 8)) + line, "in_app": in_app,
        "vars": {"request": f"<Request {rng.randrange(10**6)}>", "password": "hunter2"},
    }  # fmt: skip


def _middlewares(rng: Random) -> list[Event]:
    names = rng.sample(("session", "csrf", "auth", "locale", "gzip", "cache"), rng.randrange(1, 5))
    return [
        python_frame(
            f"django.middleware.{name}", "__call__", "response = self.get_response(request)", rng, in_app=False
        )
        for name in names
    ]


def _thrown(frames: list[Event], rng: Random, *, type: str, value: str, **mechanism: Any) -> Event:  # noqa: A002
    return {"type": type, "value": filled(value, rng), "mechanism": mechanism, "stacktrace": {"frames": frames}}


def _event(rng: Random, *exceptions: Event, platform: str = "python", **more: Any) -> Event:
    return {
        "event_id": uuid.UUID(int=rng.getrandbits(128)).hex, "platform": platform, "level": "error",
        "environment": rng.choice(("production", "staging")), "release": f"shop@1.{rng.randrange(9)}.0",
        "server_name": f"web-{rng.randrange(30)}", "exception": {"values": list(exceptions)}, **more,
    }  # fmt: skip


def _nasty(rng: Random, share: float) -> bool:
    return rng.random() < share


# --- Python ---


def in_a_view(number: int, type_: str, line: str, *, function: str = "") -> Site:
    """A view calls a service, the service fails. Nasty: a middleware of the project's own that not every server has."""

    def site(rng: Random) -> Event:
        ours = [
            python_frame("shop.views", f"view_{number % 5}", "return service(request)", rng),
            python_frame(f"shop.services.s{number}", function or f"do_{'abcdefghijklmnopqrst'[number]}", line, rng),
        ]
        if _nasty(rng, 0.03):
            ours.insert(0, python_frame("shop.middleware", "__call__", "return self.get_response(request)", rng))
        frames = [*_middlewares(rng), *ours]
        if rng.random() < 0.5:
            frames.append(python_frame("psycopg.cursor", "execute", "raise ex", rng, in_app=False))
        return _event(rng, _thrown(frames, rng, type=type_, value=rng.choice(_VALUES)))

    return site


def in_a_shared_helper(caller: str) -> Site:
    """Every caller reaches the same line of the same helper; each caller is a bug of its own."""

    def site(rng: Random) -> Event:
        frames = [*_middlewares(rng), python_frame("shop.views", caller, f"load({caller})", rng),
                  python_frame("shop.repository", "load", "return rows[0]", rng)]  # fmt: skip
        return _event(rng, _thrown(frames, rng, type="IndexError", value="list index out of range"))

    return site


def recursive(*functions: str) -> Site:
    """Calls itself through `functions` until the interpreter stops it, somewhere."""

    def site(rng: Random) -> Event:
        cycle = [python_frame("shop.tree", name, f"return self.{name}(node)", rng) for name in functions]
        frames = [*_middlewares(rng), python_frame("shop.views", "tree", "walk(root)", rng), *(cycle * 1000)]
        value = "maximum recursion depth exceeded while calling a Python object"
        return _event(rng, _thrown(frames[: rng.randrange(40, 990)], rng, type="RecursionError", value=value))

    return site


def chained(number: int) -> Site:
    """A retried call fails a few times, then a wrapper raises its own exception from it."""

    def site(rng: Random) -> Event:
        fetch = python_frame(f"shop.remote{number}", "fetch", "client.get(url)", rng)
        give_up = python_frame(f"shop.remote{number}", "retried", "raise GaveUp() from error", rng)
        lib = python_frame("httpx._client", "send", "raise exc", rng, in_app=False)
        tries = [_thrown([fetch, lib], rng, type="ReadTimeout", value="{int} ms") for _ in range(rng.randrange(1, 5))]
        return _event(rng, *tries, _thrown([give_up], rng, type="GaveUp", value="{uuid}"))

    return site


def grouped(number: int) -> Site:
    """An exception group whose children come in any order and number."""

    def site(rng: Random) -> Event:
        row = python_frame(f"shop.batch{number}", "row", "int(cells[0])", rng)
        kinds = ["ValueError", "TypeError"] * rng.randrange(1, 6)
        rng.shuffle(kinds)
        children = [
            _thrown([row], rng, type=kind, value="row {int}", exception_id=n, parent_id=0)
            for n, kind in enumerate(kinds, 1)
        ]
        root = python_frame(f"shop.batch{number}", "run", "group.raise_all()", rng)
        return _event(
            rng,
            *children,
            _thrown([root], rng, type="ExceptionGroup", value="batch {int}", exception_id=0, is_exception_group=True),
        )

    return site


def in_a_library(module: str) -> Site:
    """No frame is the project's own: a worker of a library, configured by the project."""

    def site(rng: Random) -> Event:
        frames = [python_frame(module, name, f"self.{name}()", rng, in_app=False) for name in ("run", "poll", "decode")]
        return _event(rng, _thrown(frames, rng, type="DecodeError", value="bad frame {hex}"))

    return site


# --- JavaScript ---


def in_node(number: int) -> Site:
    def site(rng: Random) -> Event:
        layers = [
            {"filename": "/app/node_modules/router/lib/layer.js", "module": "router.lib:layer", "function": name,
             "in_app": False, "lineno": 3}
            for name in rng.sample(("next", "Layer.handleRequest", "trimPrefix", "processParams"), rng.randrange(1, 5))
        ]  # fmt: skip
        prefix = rng.choice(("Object.", "async ", ""))
        ours = {
            "filename": f"/app/src/orders{number}.mjs", "module": f"src:orders{number}", "function": f"{prefix}total",
            "in_app": True, "lineno": rng.randrange(400), "context_line": "  return cart.items.length;",
        }  # fmt: skip
        return _event(rng, _thrown([*layers, ours], rng, type="TypeError", value="order {int} failed"), platform="node")

    return site


def in_a_mapped_bundle(number: int) -> Site:
    """Three browsers tell the same story in three ways."""

    def site(rng: Random) -> Event:
        at = {"filename": f"webpack:///./src/cart{number}.ts?{rng.getrandbits(16):x}", "in_app": True}
        outer, inner = ("submit(cart)", "return sum + item.price.amount")
        stories = {
            "chrome": (["HTMLButtonElement.<anonymous>", "?"], ("Array.reduce", "<anonymous>"),
                       "Cannot read properties of undefined (reading 'amount')"),
            "firefox": (["onPay", "total/<"], None, 'can\'t access property "amount", item.price is undefined'),
            "safari": (["", "@"], ("reduce", "[native code]"), "undefined is not an object (evaluating 'item.price')"),
        }  # fmt: skip
        names, native, value = stories[rng.choice(list(stories))]
        frames = [at | {"function": names[0], "context_line": outer, "lineno": rng.randrange(99)}]
        if native:
            frames.append({"function": native[0], "filename": native[1], "in_app": True})
        frames.append(at | {"function": names[1], "context_line": inner, "lineno": rng.randrange(99)})
        exception = {"type": "TypeError", "value": value, "stacktrace": {"frames": frames}}
        return _event(rng, exception, platform="javascript")

    return site


def in_a_minified_bundle(property_: str) -> Site:
    """Two builds, no source map. Nasty: another engine's wording, or a script of another origin that tells nothing."""

    def site(rng: Random) -> Event:
        if _nasty(rng, 0.03):
            return _event(rng, {"type": "Error", "value": "Script error."}, platform="javascript")
        build = rng.choice(("3f9a2c1b", "77de01aa"))
        url = f"https://cdn.example.com/assets/app.{build}.js"
        short = [rng.choice("abcdefgh") for _ in range(3)]
        names = ["HTMLButtonElement.<anonymous>", f"{short[0]}.submit", short[1], f"{short[2]}.{property_}Of"]
        frames = [
            {"filename": url, "function": name, "in_app": True, "lineno": 1, "colno": rng.randrange(9999)}
            for name in names
        ]
        value = f"Cannot read properties of undefined (reading '{property_}')"
        if _nasty(rng, 0.05):
            value = f"undefined is not an object (evaluating '{short[0]}.{property_}')"
        exception = {"type": "TypeError", "value": value, "stacktrace": {"frames": frames}}
        return _event(rng, exception, platform="javascript")

    return site


# --- others ---


def in_java(number: int) -> Site:
    """Proxies are numbered anew at every start, and the SDK leaves in_app open."""

    def site(rng: Random) -> Event:
        n = rng.getrandbits(24)
        frames = [
            {"module": "java.lang.Thread", "function": "run", "filename": "Thread.java"},
            {
                "module": f"com.acme.Orders$$EnhancerBySpringCGLIB$${n:x}",
                "function": "total",
                "filename": "<generated>",
            },
            {
                "module": f"com.acme.Orders{'ABC'[number]}",
                "function": f"lambda$total${rng.randrange(9)}",
                "filename": "Orders.java",
            },
        ]
        if rng.random() < 0.5:
            frames.insert(
                1, {"module": "org.springframework.web.Filter", "function": "doFilter", "filename": "Filter.java"}
            )
        exception = _thrown(frames, rng, type="NullPointerException", value="order {int}")
        return _event(rng, exception, platform="java")

    return site


def logged(template: str) -> Site:
    def site(rng: Random) -> Event:
        params = [rng.choice(_WORDS), rng.randrange(1000)]
        entry = {"message": template, "params": params, "formatted": template.replace("%s", str(params[0]))}
        return {"platform": "python", "level": "error", "logentry": entry, "tags": {"n": rng.randrange(99)}}

    return site


def said(template: str) -> Site:
    """A message put together before it was logged. Nasty: a parameter that is a plain word."""

    def site(rng: Random) -> Event:
        text = filled(template, rng)
        if _nasty(rng, 0.05):
            text = text.replace("for ", f"for {rng.choice(_WORDS)} ")
        return {"platform": "python", "level": "error", "message": text}

    return site


def without_stack(type_: str, template: str) -> Site:
    def site(rng: Random) -> Event:
        return {"platform": "native", "exception": {"values": [{"type": type_, "value": filled(template, rng)}]}}

    return site


def fingerprinted(name: str, of: list[Site]) -> Site:
    def site(rng: Random) -> Event:
        return rng.choice(of)(rng) | {"fingerprint": [name]}

    return site


SITES: list[Site] = [
    *(in_a_view(n, type_, "total = order['total']") for n, type_ in enumerate(["KeyError", "ValueError"] * 6)),
    # Three bugs in one function, told apart by nothing but the line.
    *(in_a_view(12, "TypeError", line, function="prices") for line in ("a = prices[0]", "b = prices[-1]", "len(a)")),
    # One line copied into functions of the same file.
    *(in_a_view(13, "TypeError", "return rate * amount", function=name) for name in ("net", "gross", "tax")),
    *(in_a_shared_helper(caller) for caller in ("cart", "orders", "invoice", "refund")),
    recursive("walk"),
    recursive("visit", "visit_children"),
    recursive("visit", "visit_call", "visit_args"),
    recursive("resolve", "resolve_one", "resolve_all", "resolve_parent", "resolve_child"),
    *(chained(n) for n in range(4)),
    *(grouped(n) for n in range(3)),
    in_a_library("celery.worker"),
    in_a_library("kafka.consumer"),
    *(in_node(n) for n in range(4)),
    *(in_a_mapped_bundle(n) for n in range(5)),
    *(in_a_minified_bundle(name) for name in ("amount", "customer", "items", "address")),
    *(in_java(n) for n in range(3)),
    *(logged(text) for text in ("job %s failed", "job %s was lost", "mail to %s bounced", "cannot reach %s")),
    *(said(text) for text in ("import {int} for {email} failed", "slow query for {int} ms: {uuid}",
                              "no stock for {uuid}", "cache miss for {hex} at {int}")),
    without_stack("OutOfMemory", "{int} MB"),
    without_stack("HTTPError", "{int} for /orders/{int}"),
    without_stack("HTTPError", "no route to 10.0.0.{int}"),
    fingerprinted("payments", [in_a_view(15, "KeyError", "x[0]"), in_a_view(16, "KeyError", "y[0]")]),
    fingerprinted("mail", [in_a_view(17, "KeyError", "x[0]"), in_a_view(18, "KeyError", "y[0]")]),
]  # fmt: skip
