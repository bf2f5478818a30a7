"""Log calls: five fields on two bound ones, as JSON to nowhere; microseconds, the best of 15 alternating rounds.

Processor time of the thread: what others do on the machine disturbs it least.
"""

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

ROUNDS, CALLS = 15, 10_000
FIELDS = {"plan": "pro", "amount": 12.5, "currency": "EUR", "customer": "org_123"}
# Calls as an app writes them. `spread` hands over a mapping instead: building keyword arguments from it is most of what
# that costs, whoever takes them.
KEYWORDS = 'order_id=n, plan="pro", amount=12.5, currency="EUR", customer="org_123"'
EXTRA = '{"order_id": n, "plan": "pro", "amount": 12.5, "currency": "EUR", "customer": "org_123"}'


def loop(call: str):
    """A function that makes the call so many times with `log` and `n`, without a function around each."""
    made: dict = {"FIELDS": FIELDS}
    exec(f"def loop(log, count):\n    for n in range(count):\n        {call}", made)  # the calls above
    return made["loop"]


def daytwos(sink: io.BufferedWriter):
    logs.configure("info", form="json", stream=sink)
    return daytwo.get_logger("shop").child(component="billing", region="eu")


def structlogs(sink: io.BufferedWriter):
    """As structlog's page on performance has it, with its context variables, which do what Daytwo's scope does."""
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
    return structlog.get_logger("shop").bind(component="billing", region="eu")


def logurus(sink: io.TextIOWrapper):
    loguru.logger.remove()
    loguru.logger.add(sink, serialize=True, level="INFO")
    return loguru.logger.bind(component="billing", region="eu")


def stdlibs():
    log = logging.getLogger("shop")
    log.setLevel(logging.INFO)
    return log


def took(log, call) -> float:
    begun = time.thread_time()
    call(log, CALLS)
    return (time.thread_time() - begun) / CALLS * 1e6


def main() -> None:
    with open(os.devnull, "wb") as sink, open(os.devnull, "w") as text:
        ours, theirs, stdlib = daytwos(sink), structlogs(sink), stdlibs()
        written = f'log.info("order placed", {KEYWORDS})'
        calls = {
            "daytwo": (ours, loop(written)),
            "structlog": (theirs, loop(written)),
            "loguru": (logurus(text), loop(written)),
            "daytwo five fields": (ours, loop(f'log.debug("order placed", {KEYWORDS})')),
            "stdlib five fields": (stdlib, loop(f'log.debug("order placed", extra={EXTRA})')),
            "structlog five fields": (theirs, loop(f'log.debug("order placed", {KEYWORDS})')),
            "daytwo five fields, spread": (ours, loop('log.debug("order placed", order_id=n, **FIELDS)')),
            "stdlib five fields, spread": (stdlib, loop('log.debug("order placed", extra={"order_id": n, **FIELDS})')),
            "structlog five fields, spread": (theirs, loop('log.debug("order placed", order_id=n, **FIELDS)')),
            "daytwo no fields": (ours, loop('log.debug("order placed")')),
            "stdlib no fields": (stdlib, loop('log.debug("order placed")')),
            "structlog no fields": (theirs, loop('log.debug("order placed")')),
        }
        best = dict.fromkeys(calls, float("inf"))
        for _ in range(ROUNDS):
            for name, (log, call) in calls.items():
                best[name] = min(best[name], took(log, call))
    print(json.dumps({
        "log call": "us", "daytwo": round(best["daytwo"], 2), "structlog": round(best["structlog"], 2),
        "loguru": round(best["loguru"], 2), "x_structlog": round(best["structlog"] / best["daytwo"], 2),
        "x_loguru": round(best["loguru"] / best["daytwo"], 2),
    }))  # fmt: skip
    for kind in ("five fields", "five fields, spread", "no fields"):
        figures = {name: round(best[f"{name} {kind}"], 3) for name in ("daytwo", "stdlib", "structlog")}
        print(json.dumps({f"filtered debug, {kind}": "us", **figures}))


if __name__ == "__main__":
    main()
