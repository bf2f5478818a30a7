"""Log calls: five fields on two bound ones, as JSON to nowhere; the best of nine alternating rounds, in microseconds."""

import io
import json
import logging
import os
import time

import loguru
import orjson
import structlog

import daytwo
from daytwo import logs

ROUNDS, CALLS = 9, 20_000
FIELDS = {"plan": "pro", "amount": 12.5, "currency": "EUR", "customer": "org_123"}


def daytwos(sink: io.BufferedWriter) -> tuple:
    logs.configure("info", form="json", stream=sink)
    log = daytwo.get_logger("shop").child(component="billing", region="eu")
    return (
        lambda n: log.info("order placed", order_id=n, **FIELDS),
        lambda n: log.debug("order placed", order_id=n, **FIELDS),
        lambda _: log.debug("order placed"),
    )


def structlogs(sink: io.BufferedWriter) -> tuple:
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=sink),
    )
    log = structlog.get_logger("shop").bind(component="billing", region="eu")
    return (lambda n: log.info("order placed", order_id=n, **FIELDS),)


def logurus(sink: io.TextIOWrapper) -> tuple:
    loguru.logger.remove()
    loguru.logger.add(sink, serialize=True, level="INFO")
    log = loguru.logger.bind(component="billing", region="eu")
    return (lambda n: log.info("order placed", order_id=n, **FIELDS),)


def stdlibs() -> tuple:
    log = logging.getLogger("shop")
    log.setLevel(logging.INFO)
    return (
        lambda n: log.debug("order placed", extra={"order_id": n, **FIELDS}),
        lambda _: log.debug("order placed"),
    )


def took(call) -> float:
    begun = time.perf_counter()
    for number in range(CALLS):
        call(number)
    return (time.perf_counter() - begun) / CALLS * 1e6


def main() -> None:
    with open(os.devnull, "wb") as sink, open(os.devnull, "w") as text:
        written, hidden, hidden_bare = daytwos(sink)
        calls = {
            "daytwo": written, "structlog": structlogs(sink)[0], "loguru": logurus(text)[0],
            "daytwo hidden": hidden, "stdlib hidden": stdlibs()[0],
            "daytwo hidden bare": hidden_bare, "stdlib hidden bare": stdlibs()[1],
        }  # fmt: skip
        best = dict.fromkeys(calls, float("inf"))
        for _ in range(ROUNDS):
            for name, call in calls.items():
                best[name] = min(best[name], took(call))
    print(json.dumps({
        "log call": "us", "daytwo": round(best["daytwo"], 2), "structlog": round(best["structlog"], 2),
        "loguru": round(best["loguru"], 2), "x_structlog": round(best["structlog"] / best["daytwo"], 2),
        "x_loguru": round(best["loguru"] / best["daytwo"], 2),
    }))  # fmt: skip
    for kind, with_what in (("hidden", "five fields"), ("hidden bare", "no fields")):
        ours, theirs = best[f"daytwo {kind}"], best[f"stdlib {kind}"]
        print(json.dumps({"filtered debug, " + with_what: "us", "daytwo": round(ours, 3), "stdlib": round(theirs, 3)}))


if __name__ == "__main__":
    main()
