"""Health checks that answer in time, and the endpoints that probes and monitors read."""

from daytwo.health.apps import AsgiApp, WsgiApp
from daytwo.health.checks import Skip
from daytwo.health.endpoint import respond
from daytwo.health.registry import Registry
from daytwo.health.report import CheckResult, Report

__all__ = [
    "AsgiApp",
    "CheckResult",
    "Registry",
    "Report",
    "Skip",
    "WsgiApp",
    "asgi",
    "check",
    "default",
    "drain_on_sigterm",
    "draining",
    "respond",
    "wsgi",
]

default = Registry()
check = default.check
draining = default.draining
drain_on_sigterm = default.drain_on_sigterm
asgi = AsgiApp(default)
wsgi = WsgiApp(default)
