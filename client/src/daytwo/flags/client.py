"""What an app holds in its hand: flags from memory, kept fresh behind its back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from daytwo import scope
from daytwo._server import server
from daytwo.flags.bucketing import identity
from daytwo.flags.compiler import Decide
from daytwo.flags.evaluation import ErrorCode, Evaluation
from daytwo.flags.refreshed import Heard, Refreshed, Settings, State
from daytwo.flags.ruleset import no_answer
from daytwo.flags.session import log
from daytwo.flags.values import text

_Given = tuple[Any, Any, Any, Mapping[str, Any]]


class Client(Refreshed):
    """The flags of one project and environment. Safe for threads and forks; no method raises, whatever it is given."""

    def configure(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        poll_seconds: float = 10.0,
        stream: bool = True,
        cache_dir: str | os.PathLike[str] | None = None,
        bootstrap: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    ) -> bool:
        """Start to keep flags fresh from Daytwo at `url` with its server key; True if there is anything to answer from.

        What is not given comes from DAYTWO_URL (else from the DSN) and DAYTWO_KEY. A change is there at once where the
        server streams and `stream` is on, and within `poll_seconds` in any case. In `cache_dir` the last good
        definitions are kept for a start while Daytwo is away. `bootstrap` is a snapshot that comes with the app, as a
        file or a mapping, and holds until there is a newer one; without a server it is all there is.
        """
        try:
            self.close()
            known = server()
            settings = Settings(
                (url or known.url).rstrip("/"), key or known.key, float(poll_seconds), cache_dir, stream
            )
            self._begin(settings, bootstrap)
        except Exception as error:  # noqa: BLE001 - a wrong setting must not keep the app from starting
            log.error("flags answer the code's defaults: daytwo.flags.configure failed", reason=repr(error)[:500])
        return self._session is not None or self._ruleset is not None

    def wait_ready(self, seconds: float = 5.0) -> bool:
        """Wait until Daytwo has said what holds, so many seconds at most; False if it has not: see `state`."""
        try:
            if self._is_asleep:
                self._wake()
            if self._settings is not None:
                self._arrival.wait(max(0.0, float(seconds)))
        except Exception:  # noqa: BLE001 - see the class
            log.warning("wait_ready expects a number of seconds")
        return self.state() is State.READY

    def enabled(
        self,
        key: str,
        /,
        *,
        user: Any = None,
        organization: Any = None,
        plan: Any = None,
        default: bool = False,
        **attributes: Any,
    ) -> bool:
        """Whether a flag is on for a user (an id), their organization and plan, and whatever else its rules look at.

        `default` is for a flag that there is no definition of, or no usable one.
        """
        # As `_ask`, written out: this is asked far more often than all others, and a call costs a fifth of it.
        try:
            if user is not None and user.__class__ is not str:
                user = self._identity(user)
            if organization is not None and organization.__class__ is not str:
                organization = self._identity(organization)
            if plan is not None and plan.__class__ is not str:
                plan = text(plan)
            found = self._decide[key](user, organization, plan, attributes)
            found.count += 1
            seen = _seen()
            if seen is None:
                seen = _remembering()
            seen[key] = found
        except Exception as error:  # noqa: BLE001 - unknown, not ready, or an attribute whose code raises
            found = self._otherwise(key, (user, organization, plan, attributes), error)
            return default if found.variant is None else found.enabled
        return found.enabled

    def variant(
        self,
        key: str,
        /,
        *,
        user: Any = None,
        organization: Any = None,
        plan: Any = None,
        default: str | None = None,
        **attributes: Any,
    ) -> str | None:
        """The name of the variant that is served. `default` as in `enabled`."""
        found = self._ask(key, user, organization, plan, attributes)
        return default if found.variant is None else found.variant

    def value(
        self,
        key: str,
        /,
        *,
        user: Any = None,
        organization: Any = None,
        plan: Any = None,
        default: Any = None,
        **attributes: Any,
    ) -> Any:
        """What the variant that is served stands for: of the flag's type. `default` as in `enabled`."""
        found = self._ask(key, user, organization, plan, attributes)
        return default if found.variant is None else found.value

    def evaluate(
        self,
        key: str,
        /,
        *,
        user: Any = None,
        organization: Any = None,
        plan: Any = None,
        default: Any = None,
        explain: bool = False,
        **attributes: Any,
    ) -> Evaluation:
        """The whole answer, with its reason. With `explain` every step is in `steps`, and it counts as no exposure."""
        found = (self._explain if explain else self._ask)(key, user, organization, plan, attributes)
        return found if found.variant is not None else no_answer(found.flag, found.error or "GENERAL", default=default)

    def evaluate_for(
        self, key: str, user: Any, organization: Any, plan: Any, attributes: Mapping[str, Any]
    ) -> Evaluation:
        """As `evaluate`, with attributes of any name: also those that are arguments of the others."""
        return self._ask(key, user, organization, plan, attributes)

    def listen(self, heard: Heard) -> Callable[[], None]:
        """Have a function called with the state and the changed keys when either changes; what is returned stops it."""
        self._heard.append(heard)
        return lambda: self._heard.remove(heard) if heard in self._heard else None

    @contextmanager
    def overriding(self, given: Mapping[str, Any]) -> Iterator[None]:
        """Answer these flags so, to everybody, in every thread: for tests. See `daytwo.testing.override`."""
        forced = {key: self._forced(key, value) for key, value in given.items()}
        with self._lock:
            self._overrides.append(forced)
            self._show()
        try:
            yield
        finally:
            with self._lock:
                self._overrides.remove(forced)
                self._show()

    # ---- Asking ----

    def _ask(self, key: str, user: Any, organization: Any, plan: Any, attributes: Mapping[str, Any]) -> Evaluation:
        try:
            if user is not None and user.__class__ is not str:
                user = self._identity(user)
            if organization is not None and organization.__class__ is not str:
                organization = self._identity(organization)
            if plan is not None and plan.__class__ is not str:
                plan = text(plan)
            found = self._decide[key](user, organization, plan, attributes)
            found.count += 1
            seen = _seen()
            if seen is None:
                seen = _remembering()
            seen[key] = found
        except Exception as error:  # noqa: BLE001 - unknown, not ready, or an attribute whose code raises
            return self._otherwise(key, (user, organization, plan, attributes), error)
        return found

    def _explain(self, key: str, user: Any, organization: Any, plan: Any, attributes: Mapping[str, Any]) -> Evaluation:
        try:
            for forced in reversed(self._overrides):
                if key in forced:
                    return forced[key](None, None, None, attributes)
            flag = self._ruleset.flags.get(key) if self._ruleset else None
            if flag is None:
                return no_answer(str(key), self._trouble(key))
            return flag.explain(self._identity(user), self._identity(organization), text(plan), attributes)
        except Exception as error:  # noqa: BLE001 - an attribute whose code raises
            return self._otherwise(key, None, error)

    def _otherwise(
        self, key: Any, given: tuple[Any, Any, Any, Mapping[str, Any]] | None, error: Exception
    ) -> Evaluation:
        """What is answered when the quick way did not come through."""
        try:
            if self._is_asleep and given is not None:
                self._wake()
                return self._ask(key, *given)
            known = key.__class__ is str and key in self._decide
            trouble: ErrorCode = "GENERAL" if known else self._trouble(key)
            if trouble == "FLAG_NOT_FOUND":
                self._tally.miss(key)
            elif trouble == "GENERAL":
                self._complain(f"flag {key}", "a flag could not be evaluated", flag=key, reason=repr(error)[:200])
            return no_answer(key if key.__class__ is str else "", trouble)
        except Exception:  # noqa: BLE001 - see the class
            return no_answer("", "GENERAL")

    def _trouble(self, key: Any) -> ErrorCode:
        if self._ruleset is None:
            return "PROVIDER_NOT_READY"
        return "PARSE_ERROR" if key.__class__ is str and key in self._ruleset.broken else "FLAG_NOT_FOUND"

    def _identity(self, value: Any) -> str | None:
        found = identity(value)
        if found is None and value is not None:
            kind = type(value).__name__
            self._complain(kind, "a flag was asked for with what is no id: give user.id, not user", kind=kind)
        return found

    def _forced(self, key: str, value: Any) -> Decide:
        """An evaluation that a test asked for: a variant of the flag by its name, else on, off or a value."""
        flag = self._ruleset.flags.get(key) if self._ruleset else None
        named = flag.answer_of(value) if flag is not None and isinstance(value, str) else None
        kind = "boolean" if isinstance(value, bool) else "object"
        variant = (
            ("on" if value else "off") if isinstance(value, bool) else value if isinstance(value, str) else "override"
        )
        forced = Evaluation(
            flag=key, type=named.type if named else kind, variant=variant, value=named.value if named else value,
            enabled=named.enabled if named else value is not False, reason="STATIC", source="test",
        )  # fmt: skip
        return lambda user, organization, plan, attributes: forced


_seen = scope.evaluated.get


def _remembering() -> dict[str, Any]:
    """Outside of a request: where the thread or task remembers what it was answered."""
    made: dict[str, Any] = {}
    scope.evaluated.set(made)
    return made
