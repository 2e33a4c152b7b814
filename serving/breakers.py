"""The breakers of a node: one per feature, model and endpoint revision, kept as long as the snapshot names them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import NamedTuple, Self

from promptstore.core.errors import DomainError
from providers import ProviderError
from registry.breaker import BreakerSettings
from serving.breaker import COUNTED, Breaker, BreakerState, Outcome
from serving.documents import Config, Model
from serving.metrics import Metrics
from serving.routing import Decision
from serving.state import ServingState, StateHolder


class BreakerOpenError(DomainError):
    """The model failed too often, is not asked for a while, and no configured fallback had an answer."""

    code = "breaker_open"
    status = 503
    title = "The model is not asked right now"


def breaker_settings(config: Config) -> BreakerSettings | None:
    """None when the config has no breaker."""
    return BreakerSettings.parse(config.body.get("breaker"))


class BreakerKey(NamedTuple):
    """A new endpoint revision, another model or other settings start with a breaker of their own."""

    environment_id: str
    feature: str
    endpoint: str
    revision: int
    model_digest: str
    model: str
    settings: BreakerSettings


class Ticket:
    """An admitted call. A context manager: what happens inside is the outcome, unless `settle` said it before."""

    def __init__(self, breaker: Breaker, permit: int, now: Callable[[], float]) -> None:
        self._breaker = breaker
        self._permit = permit
        self._now = now
        self._settled = False

    def settle(self, error: BaseException | None) -> None:
        """Report the end once. A caller who went away says nothing of the provider."""
        if self._settled:
            return
        self._settled = True
        outcome = Outcome.SUCCESS
        if error is not None:
            counted = isinstance(error, ProviderError) and error.kind in COUNTED
            outcome = Outcome.FAILURE if counted else Outcome.IGNORED
        self._breaker.report(self._permit, outcome, self._now())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.settle(error)


class Breakers:
    """State of this node alone: nodes do not ask each other. Only the event loop touches it."""

    def __init__(
        self, holder: StateHolder, metrics: Metrics, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.now = now
        self._holder = holder
        self._metrics = metrics
        self._breakers: dict[BreakerKey, Breaker] = {}

    def admit(self, decision: Decision, model: Model, settings: BreakerSettings) -> Ticket | None:
        """A ticket for one call of the model, or None when it must not be asked."""
        breaker = self._breaker(decision, model, settings)
        now = self.now()
        permit = breaker.admit(now)
        return None if permit is None else Ticket(breaker, permit, self.now)

    def refusal(self, decision: Decision, model: Model, settings: BreakerSettings) -> BreakerOpenError:
        """What a caller is told when nothing else can answer."""
        wait_s = self._breaker(decision, model, settings).retry_after_s(self.now())
        return BreakerOpenError(
            "The model keeps failing and is not asked for a while. Try again later.",
            extra={"retry_after_s": wait_s},
        )

    def states(self) -> Iterator[tuple[BreakerKey, BreakerState]]:
        """The breakers that the present snapshot can still use."""
        self._prune(self._holder.current)
        for key, breaker in self._breakers.items():
            yield key, breaker.state

    def _breaker(self, decision: Decision, model: Model, settings: BreakerSettings) -> Breaker:
        environment = decision.environment
        endpoint = environment.endpoint(model.endpoint)
        key = BreakerKey(
            environment.root.signed.environment_id,
            decision.name,
            model.endpoint,
            endpoint.revision if endpoint else 0,
            model.digest,
            model.label,
            settings,
        )
        breaker = self._breakers.get(key)
        if breaker is None:
            # Rare enough to look for what an earlier snapshot left behind.
            self._prune(self._holder.current)
            feature = decision.name
            breaker = self._breakers[key] = Breaker(
                settings, on_transition=lambda state: self._metrics.breaker_entered(feature, state.value)
            )
        return breaker

    def _prune(self, state: ServingState) -> None:
        for key in [key for key in self._breakers if not _is_live(state, key)]:
            del self._breakers[key]


def _is_live(state: ServingState, key: BreakerKey) -> bool:
    environment = state.environments.get(key.environment_id)
    feature = environment.features.get(key.feature) if environment else None
    if environment is None or feature is None:
        return False
    endpoint = environment.endpoint(key.endpoint)
    return (endpoint.revision if endpoint else 0) == key.revision and any(
        model.digest == key.model_digest and breaker_settings(release.config) == key.settings
        for release in feature.document.releases
        for model in release.models.values()
    )
