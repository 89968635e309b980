"""The interval of a number that cannot lie anywhere: a mean attention, a mean probability."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_circuits.statistics.intervals import Derived


@dataclass(frozen=True, eq=False)
class Within(Derived):
    """An interval cut off at the least and the most that the number can be.

    Nothing is lost by it: the truth is not beyond. What lies beyond is told with certainty.
    """

    least: float
    most: float

    @property
    def lowest(self) -> float:
        """The least that the number can be."""
        return max(self.least, self.inner.lowest)

    @property
    def highest(self) -> float:
        """The most that the number can be."""
        return min(self.most, self.inner.highest)

    def at(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - `alpha`."""
        low, high = self.inner.at(alpha)
        return min(max(low, self.least), self.most), max(min(high, self.most), self.least)

    def p_above(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies above the bound."""
        if bound < self.least:
            return 0.0
        return 1.0 if bound >= self.most else self.inner.p_above(bound)

    def p_below(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies below the bound."""
        if bound > self.most:
            return 0.0
        return 1.0 if bound <= self.least else self.inner.p_below(bound)
