"""What the checks said at one moment, in every form it is asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from daytwo._wire import rfc3339

CheckStatus = Literal["pass", "fail", "skipped"]
HealthStatus = Literal["healthy", "degraded", "unhealthy"]
_ROOT = {"healthy": "pass", "degraded": "warn", "unhealthy": "fail"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The last word of one check. `stale`: it is still running, this is its answer from before.

    `slow`: it passed, but took longer than its `warn_ms`.
    """

    name: str
    required: bool
    status: CheckStatus
    latency_ms: float
    message: str | None = None
    details: Mapping[str, Any] | None = None
    stale: bool = False
    slow: bool = False

    @property
    def hurts(self) -> HealthStatus:
        """What this check alone makes of the whole. A skipped check says nothing either way."""
        if self.status == "fail" and self.required:
            return "unhealthy"
        if self.status == "fail" or self.slow or self.stale:
            return "degraded"
        return "healthy"

    def as_json(self, *, privileged: bool) -> dict[str, Any]:
        """What stands under the check's name: `status`, and for the privileged `latency` (milliseconds) and words."""
        shown: dict[str, Any] = {"status": self.status}
        shown |= {mark: True for mark in ("stale", "slow") if getattr(self, mark)}
        if not privileged:
            return shown
        shown |= {"latency": self.latency_ms, "required": self.required}
        if self.message:
            shown["message"] = self.message
        if self.details:
            shown["details"] = self.details
        return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The results of some checks. `time` is Unix seconds, `uptime` seconds since the registry was made."""

    checks: tuple[CheckResult, ...]
    time: float
    version: str
    service_id: str
    release_id: str
    uptime: float
    draining: bool = False

    @property
    def status(self) -> HealthStatus:
        """The worst that any check makes of it; healthy without checks."""
        hurts = {check.hurts for check in self.checks}
        return "unhealthy" if "unhealthy" in hurts else "degraded" if "degraded" in hurts else "healthy"

    @property
    def ready(self) -> bool:
        return not self.draining and self.status != "unhealthy"

    def as_json(self, *, privileged: bool) -> dict[str, Any]:
        """The reference's health answer: status, timestamp, version, checks by name.

        Who is not privileged gets no latency, message or details, and nothing about the instance.
        """
        head = {"status": self.status, "timestamp": rfc3339(self.time), "version": self.version}
        instance = {"serviceId": self.service_id, "releaseId": self.release_id, "uptime": round(self.uptime, 1)}
        checks = {check.name: check.as_json(privileged=privileged) for check in self.checks}
        return {**head, **(instance if privileged else {}), "checks": checks}

    def as_health_json(self, *, privileged: bool) -> dict[str, Any]:
        """The same as `application/health+json` (draft-inadarei-api-health-check-06)."""
        answer = {**self.as_json(privileged=privileged), "status": _ROOT[self.status]}
        time = answer.pop("timestamp")
        answer["checks"] = {
            f"{check.name}:responseTime": [_component(check, time, privileged=privileged)] for check in self.checks
        }
        return answer

    def as_metrics(self, *, privileged: bool, openmetrics: bool = False) -> str:
        """The same as gauges in Prometheus text format, or in OpenMetrics."""
        statuses = [(f'{{status="{status}"}}', int(status == self.status)) for status in _ROOT]
        lines = [*_gauge("daytwo_health_status", "1 at the current status", statuses)]
        ran = [check for check in self.checks if check.status != "skipped"]
        up = [(_label(check), int(check.status == "pass")) for check in ran]
        lines += _gauge("daytwo_health_check_up", "1 if the check passes, absent if it was skipped", up)
        lines += _gauge(
            "daytwo_health_check_stale", "1 if this is an older answer", [(_label(c), int(c.stale)) for c in ran]
        )
        if privileged:
            latencies = [(_label(check), check.latency_ms / 1000) for check in ran]
            lines += _gauge("daytwo_health_check_latency_seconds", "How long the check took", latencies)
            lines += _gauge("daytwo_uptime_seconds", "Since the process began", [("", round(self.uptime, 1))])
        return "\n".join([*lines, *(["# EOF"] if openmetrics else [])]) + "\n"


def _component(check: CheckResult, time: str, *, privileged: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"componentId": check.name, "time": time}
    if check.status != "skipped":  # the draft has no word for it, and it must not read as a pass
        shown["status"] = "fail" if check.status == "fail" else "pass" if check.hurts == "healthy" else "warn"
        if privileged:
            shown |= {"observedValue": check.latency_ms, "observedUnit": "ms"}
    if privileged and check.message and shown.get("status") != "pass":
        shown["output"] = check.message
    return shown


def _gauge(name: str, explained: str, samples: Sequence[tuple[str, float]]) -> Iterator[str]:
    if samples:
        yield f"# HELP {name} {explained}"
        yield f"# TYPE {name} gauge"
        yield from (f"{name}{label} {value}" for label, value in samples)


def _label(check: CheckResult) -> str:
    name = check.name.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{{check="{name}",required="{str(check.required).lower()}"}}'
