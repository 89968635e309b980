"""The models of a session, one alive at a time, and what came of the claims on each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pytest_circuits.errors import OURS, ClaimNotEvaluable, reason_of

if TYPE_CHECKING:
    from pytest_circuits.deciding import Deciding, Entry, Outcome
    from pytest_circuits.evaluation import Evaluation
    from pytest_circuits.models.base import Model
    from pytest_circuits.origin import Origin

Load = Callable[[], "Model"]


class ModelsInHand:
    """One model is alive at a time: the next one replaces it. What was decided is kept.

    `start` begins the evaluation of a model.
    """

    def __init__(self, start: Callable[[Model], Evaluation]) -> None:
        self._start = start
        self._current: tuple[Origin, Deciding] | None = None
        self._decided: dict[Origin, Mapping[Entry, Outcome]] = {}
        self._unavailable: dict[Origin, Exception] = {}
        self._loads: dict[Origin, Load] = {}
        self._reported = 0

    def is_decided(self, origin: Origin) -> bool:
        """Return whether all claims on a model were decided."""
        return origin in self._decided

    def outcomes(
        self, origin: Origin, load: Load, entries: Callable[[], Sequence[Entry]]
    ) -> Mapping[Entry, Outcome]:
        """Return what came of all claims on a model: they are decided together, once.

        If that was interrupted while this model was in hand, it is gone on with. `entries` are the
        claims, asked for when they are to be decided.
        """
        if origin not in self._decided:
            deciding = self._deciding(origin, load, entries)
            deciding.run()
            self._decided[origin] = deciding.settled()
        return self._decided[origin]

    def settled(self, origin: Origin) -> Mapping[Entry, Outcome]:
        """Return what came of claims on a model so far, without doing anything for it."""
        if origin in self._decided:
            return self._decided[origin]
        if self._current is not None and self._current[0] == origin:
            return self._current[1].settled()
        return {}

    def model(self, origin: Origin) -> Model:
        """Return a model that claims were evaluated on: the one in hand, or loaded once more."""
        if self._current is not None and self._current[0] == origin:
            return self._current[1].evaluation.model
        self._current = None
        return self.load(origin, self._loads[origin])

    def load(self, origin: Origin, load: Load) -> Model:
        """Load a model; one that could not be loaded is not tried again for the next claim."""
        if origin in self._unavailable:
            raise _again(origin, self._unavailable[origin])
        self._loads[origin] = load
        try:
            return load()
        except Exception as error:
            self._unavailable[origin] = error
            raise

    def new_passes(self) -> list[dict[str, Any]]:
        """Return the forward passes made since the last call, as builtins."""
        passes = self._current[1].evaluation.passes if self._current is not None else ()
        new = [asdict(each) for each in passes[self._reported :]]
        self._reported = len(passes)
        return new

    def _deciding(
        self, origin: Origin, load: Load, entries: Callable[[], Sequence[Entry]]
    ) -> Deciding:
        from pytest_circuits.deciding import Deciding

        if self._current is None or self._current[0] != origin:
            self._current = None  # let go of the last model before the next is loaded
            self._reported = 0
            self._current = (origin, Deciding(self._start(self.load(origin, load)), entries()))
        return self._current[1]


def _again(origin: Origin, error: Exception) -> Exception:
    """Return what is raised for the next claim on a model that could not be loaded."""
    if isinstance(error, OURS):
        return error.with_traceback(None)
    return ClaimNotEvaluable(
        f"{origin} could not be loaded: {reason_of(error)} (its traceback is with the first claim)."
    )
