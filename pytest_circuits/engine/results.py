"""The numbers of one run, filled batch by batch. This is where numbers leave torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_circuits.engine.batch import Batch
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.readings import Need, Reading, Run, Site

if TYPE_CHECKING:
    from pytest_circuits.readings import Array


class Results:
    """What is read of a run; a reading that cannot be read says why.

    `readings` maps each to the numbers of earlier rows, which are kept, or to None.
    """

    def __init__(
        self, run: Run, readings: Mapping[Reading, Array | ClaimNotEvaluable | None], prompts: int
    ) -> None:
        self._run = run
        self._readings = tuple(readings)
        self._prompts = prompts
        self.sites = frozenset(site for reading in readings for site in reading.sites())
        self.found: dict[Need, Array | ClaimNotEvaluable] = {
            Need(run, reading): known for reading, known in readings.items() if known is not None
        }

    def add(self, batch: Batch) -> None:
        """Read a batch."""
        try:
            self._check_finite(batch)
        except ClaimNotEvaluable as error:
            self.found.update({Need(self._run, reading): error for reading in self._readings})
        for reading in self._readings:
            need = Need(self._run, reading)
            if isinstance(self.found.get(need), ClaimNotEvaluable):
                continue
            try:
                read = reading.numbers(batch).double().cpu().numpy()
            except ClaimNotEvaluable as error:
                self.found[need] = error
                continue
            self._rows(need, read.shape[1])[list(batch.index)] = read

    def _rows(self, need: Need, width: int) -> Array:
        import numpy as np

        if need not in self.found:
            self.found[need] = np.full((self._prompts, width), np.nan)
        found = self.found[need]
        assert not isinstance(found, ClaimNotEvaluable)
        return found

    def _check_finite(self, batch: Batch) -> None:
        bad = int((~batch.act(Site("answers")).isfinite()).any(dim=1).sum())
        if bad:
            raise ClaimNotEvaluable(
                f"the model's logits are not finite (NaN or infinite) on {bad} of "
                f"{len(batch.index)} prompts of {self._run}: damaged weights, or a dtype too "
                "narrow for this model."
            )
