"""What an app's code, its type checker and its reader can rely on."""

import importlib
import inspect
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import daytwo

PUBLIC = [
    "daytwo", "daytwo.flags", "daytwo.health", "daytwo.health.builtin", "daytwo.logs", "daytwo.middleware", "daytwo.reporting",
    "daytwo.scope", "daytwo.statuspage", "daytwo.testing", "daytwo.integrations.celery", "daytwo.integrations.django",
    "daytwo.integrations.fastapi", "daytwo.integrations.flask",
]  # fmt: skip


def run(script, *, python=(), cwd=None):
    done = subprocess.run(
        [sys.executable, *python, "-c", textwrap.dedent(script)], capture_output=True, text=True, cwd=cwd, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_names_that_tutorials_rely_on_need_one_import():
    done = run("""
        import daytwo
        log = daytwo.get_logger("shop")
        for name in ("debug", "info", "warning", "error", "critical", "exception", "child", "set"):
            assert callable(getattr(log, name)), name
        for name in ("init", "get_logger", "request_logger", "capture_exception", "capture_message", "set_user",
                     "asgi", "wsgi", "wrap", "flush", "server"):
            assert callable(getattr(daytwo, name)), name
        assert callable(daytwo.health.check) and callable(daytwo.health.asgi) and callable(daytwo.health.wsgi)
        daytwo.statuspage.StatusPage(api_key="k", page_id="p", base_url="http://127.0.0.1:9/v1")
        daytwo.testing.captured_logs, daytwo.testing.captured_events, daytwo.testing.forced_health
        daytwo.integrations.fastapi.install, daytwo.integrations.flask.install, daytwo.integrations.celery.install
        daytwo.integrations.django.Middleware
        assert {"statuspage", "testing", "integrations"} <= set(daytwo.__all__)
        print("all there")
    """)
    assert done == "all there\n"


def test_a_name_that_is_none_is_said_to_be():
    for module in (daytwo, daytwo.integrations):
        with pytest.raises(AttributeError, match="nonsense"):
            _ = module.nonsense


def members(module_name):
    """Everything public that a module defines or hands on, with the methods of its classes."""
    module = importlib.import_module(module_name)
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    for name in names:
        found = getattr(module, name)
        if not getattr(found, "__module__", "").startswith("daytwo") or name.startswith("__"):
            continue
        if inspect.isfunction(found) or inspect.isclass(found):
            yield f"{module_name}.{name}", found
        if inspect.isclass(found):
            for method, value in vars(found).items():
                if not method.startswith("_") and inspect.isfunction(value):
                    yield f"{module_name}.{name}.{method}", value


@pytest.mark.parametrize("module_name", PUBLIC)
def test_everything_public_says_what_it_promises(module_name):
    assert importlib.import_module(module_name).__doc__
    found = dict(members(module_name))
    # A dataclass writes its signature there when there is nothing else.
    silent = [name for name, one in found.items() if not one.__doc__ or one.__doc__.startswith(f"{one.__name__}(")]
    assert silent == []


def test_nothing_public_is_untyped():
    for module_name in PUBLIC:
        for name, found in members(module_name):
            if inspect.isfunction(found):
                signature = inspect.signature(found)
                bare = [one.name for one in signature.parameters.values() if one.annotation is one.empty]
                assert [one for one in bare if one != "self"] == [], name
                assert signature.return_annotation is not signature.empty, name


CONSUMER = """
import daytwo
from daytwo import health
from daytwo.health import builtin
from daytwo.statuspage import RateLimited, StatusPage

daytwo.init(environment="staging", ignore=[*daytwo.CANCELLED, KeyError])
log = daytwo.get_logger(__name__).child(component="billing")
log.info("order placed", order_id=5, plan="pro")
log.error("failed", ValueError("no stock"), order_id=5)
log.set(plan="pro")
daytwo.request_logger("r-1", user_id=None).warning("late")
event_id: str | None = daytwo.capture_exception(ValueError("x"), order_id=5)
daytwo.capture_message("late", level="warning", job="nightly")
daytwo.set_user("u1", email=None, plan="pro")


@health.check("database", required=True, timeout=2, ttl=5, warn_ms=200)
def database() -> str:
    return "fine"


@health.check("mailer", required=False)
async def mailer() -> dict[str, int]:
    return {"queued": 5}


health.check("disk")(builtin.disk("/", min_free_mb=1))
words: str = database()


def show(page: StatusPage) -> str:
    try:
        return str(page.create_incident("Slow", "investigating", "We are looking.", ["api"])["id"])
    except RateLimited as error:
        return str(error.status)


daytwo.statuspage.StatusPage(api_key="k", page_id="p")
wrong: int = database()
daytwo.set_user("u1", colour="red")
StatusPage("k", "p").update_component_status("c1", "broken")
"""


@pytest.mark.slow
def test_a_typed_app_is_checked_against_it(tmp_path):
    """In strict mode: what is right passes, and each of the three last lines does not."""
    pytest.importorskip("mypy")
    (tmp_path / "shop.py").write_text(CONSUMER)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", tmp_path / "cache", "shop.py"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    last = len(CONSUMER.splitlines())
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert [int(line.split(":")[1]) for line in errors] == [last - 2, last - 1, last], done.stdout


def test_the_package_says_that_it_is_typed():
    assert (Path(daytwo.__file__).parent / "py.typed").exists()
