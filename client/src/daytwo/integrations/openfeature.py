"""OpenFeature: `openfeature.api.set_provider(daytwo.integrations.openfeature.Provider())`, needs openfeature-sdk."""

# openfeature-sdk is there for those who use it, and may not be where types are checked.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode, ProviderNotReadyError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from daytwo.flags import Client, State, default
from daytwo.flags.evaluation import Evaluation

_OWN = ("userId", "organizationId", "plan")
Object = Sequence[FlagValueType] | Mapping[str, FlagValueType]


class Provider(AbstractProvider):
    """Answers OpenFeature's questions from the flags of a client, by default that of `daytwo.flags.configure`.

    The targeting key is the user; the attributes `organizationId` and `plan` are what they are called, and all others
    are what rules look at. Setting it waits `ready_within` seconds for definitions; older ones, from disk or from the
    bootstrap, will do.
    """

    def __init__(self, client: Client = default, *, ready_within: float = 5.0) -> None:
        super().__init__()
        self._client, self._ready_within = client, ready_within
        self._stop: Callable[[], None] | None = None

    def get_metadata(self) -> Metadata:
        """The provider's name."""
        return Metadata(name="daytwo")

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Wait for definitions; ProviderNotReadyError without any."""
        self._stop = self._client.listen(self._hear)
        self._client.wait_ready(self._ready_within)
        if self._client.state() is State.NOT_READY:
            raise ProviderNotReadyError("no flag definitions yet: see daytwo.flags.configure")

    def shutdown(self) -> None:
        """Hear no more of the client. It goes on: others may ask it, too."""
        if self._stop is not None:
            self._stop()

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 - the interface
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """See OpenFeature."""
        return self._resolve(flag_key, default_value, evaluation_context, ("boolean",))

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """See OpenFeature."""
        return self._resolve(flag_key, default_value, evaluation_context, ("string",))

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """See OpenFeature."""
        return self._resolve(flag_key, default_value, evaluation_context, ("integer",))

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """See OpenFeature. An integer flag will do."""
        found = self._resolve(flag_key, default_value, evaluation_context, ("float", "integer"))
        found.value = float(found.value)
        return found

    def resolve_object_details(
        self, flag_key: str, default_value: Object, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[Object]:
        """See OpenFeature."""
        return self._resolve(flag_key, default_value, evaluation_context, ("object",))

    def _resolve(
        self, flag_key: str, default_value: Any, context: EvaluationContext | None, types: tuple[str, ...]
    ) -> FlagResolutionDetails[Any]:
        attributes = dict(context.attributes) if context else {}
        user = (context.targeting_key if context else None) or attributes.get("userId")
        organization, plan = attributes.get("organizationId"), attributes.get("plan")
        # `evaluate` takes its own words as arguments of their own; as attributes they would be taken for these.
        others = {name: value for name, value in attributes.items() if name not in _OWN}
        found = self._client.evaluate_for(flag_key, user, organization, plan, others)
        if found.variant is None:
            return _failed(default_value, ErrorCode(found.error or "GENERAL"), f"flag {flag_key}: {found.error}")
        if found.source != "test" and found.type not in types:
            return _failed(default_value, ErrorCode.TYPE_MISMATCH, f"flag {flag_key} is of type {found.type}")
        return FlagResolutionDetails(
            value=found.value, variant=found.variant, reason=_reason(found), flag_metadata=found.metadata(),
            error_code=ErrorCode(found.error) if found.error else None,
        )  # fmt: skip

    def _hear(self, state: State, changed: list[str]) -> None:
        details = ProviderEventDetails(flags_changed=changed)
        if changed:
            self.emit_provider_configuration_changed(details)
        elif state is State.STALE:
            self.emit_provider_stale(ProviderEventDetails(message="Daytwo has been away; the last definitions hold"))
        elif state is State.READY:
            self.emit_provider_ready(ProviderEventDetails())


def _reason(found: Evaluation) -> Reason:
    return Reason(found.reason)


def _failed(default_value: Any, code: ErrorCode, words: str) -> FlagResolutionDetails[Any]:
    return FlagResolutionDetails(value=default_value, error_code=code, error_message=words, reason=Reason.ERROR)
