"""How a value moves where its prompts are reweighted, step by step, as far as it rises."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from pytest_circuits.statistics.influence import steps

if TYPE_CHECKING:
    from pytest_circuits.readings import Array


@dataclass(frozen=True, eq=False)
class Curve:
    """A value that rises with the step, as far as it does; beyond that it is unbounded."""

    steps: Array
    values: Array

    def value(self, step: float) -> float:
        """Return the value at a step."""
        import numpy as np

        if step < self.steps[0]:
            return -inf
        return float(np.interp(step, self.steps, self.values)) if step <= self.steps[-1] else inf

    def step(self, value: float) -> float:
        """Return the step at which the value is reached, or the last before it."""
        import numpy as np

        return float(np.interp(value, self.values, self.steps))


def rising(values: Array) -> tuple[Curve, float]:
    """Return the curve as far as it rises on either side of its middle, and its bend there."""
    import numpy as np

    at = np.asarray(steps())
    middle = len(at) // 2
    rises = np.diff(values) >= 0  # false for what is not a number
    right = middle + int(np.argmin(np.append(rises[middle:], False)))
    left = middle - int(np.argmin(np.append(rises[:middle][::-1], False)))
    bend = (values[middle + 1] + values[middle - 1] - 2 * values[middle]) / at[middle + 1] ** 2
    return Curve(at[left : right + 1], values[left : right + 1]), float(bend)
