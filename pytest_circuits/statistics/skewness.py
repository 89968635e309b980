"""How skewed a sample is, as far as it shows, and what that does to Student's t."""

from __future__ import annotations

from dataclasses import dataclass
from math import copysign, sqrt
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pytest_circuits.readings import Array

Side = Literal["low", "high"]

# An exponential distribution has skewness 2 and L-skewness 1/3.
MOST_PER_L_SKEWNESS = 6.0

# L-skewness within so many standard errors of 0 does not shorten an interval.
SIGNIFICANT = 2.0


@dataclass(frozen=True)
class Skewness:
    """The skewness over sqrt(n) that is corrected for at either end of an interval.

    For skewed numbers (mean - truth) / error does not follow Student's t: its tail is longer on
    the side opposite to theirs. Hall's (1992) cubic takes it back to a symmetric distribution, to
    second order and monotonically:
    y = t + c t^2 / 3 + c^2 t^3 / 27 + c / 6, c = skewness / sqrt(n).
    """

    low: float
    high: float

    def quantile(self, y: float, side: Side) -> float:
        """Return the t that the cubic takes to y."""
        c = self._at(side)
        root = _cube_root(1 + c * (y - c / 6))
        return 3 * (y - c / 6) / (root * root + root + 1)  # 3 (root - 1) / c, also for c near 0

    def symmetric(self, t: float, side: Side) -> float:
        """Return y, the t as it would be without skewness."""
        c = self._at(side)
        return t + c * t**2 / 3 + c**2 * t**3 / 27 + c / 6

    def _at(self, side: Side) -> float:
        return self.low if side == "low" else self.high


def skewness(numbers: Array) -> Skewness:
    """Return how much skewness of a sample to correct for, more where that is the safe side.

    The sample's third moment is dominated by its largest number: for symmetric numbers with heavy
    tails correcting for it does harm. It is therefore never taken to be more than an exponential
    distribution of the sample's L-skewness has (Hosking 1990). The end that the correction moves
    outwards gets all of it; the end that it moves inwards gets it only as far as the L-skewness
    is significant, (1 - 4 variance / L-skewness^2) of it, and none below two standard errors.
    """
    n = len(numbers)
    if n < 4:
        return Skewness(0.0, 0.0)
    moment, ordered = _moment_skewness(numbers), l_skewness(numbers)
    if moment * ordered <= 0:
        return Skewness(0.0, 0.0)
    size = min(abs(moment), MOST_PER_L_SKEWNESS * abs(ordered)) / sqrt(n)
    variance = (0.1866 + 0.8 / n) / n  # of a normal sample's L-skewness, Hosking 1990
    shown = max(0.0, 1 - SIGNIFICANT**2 * variance / ordered**2)
    return Skewness(size * shown, size) if ordered > 0 else Skewness(-size, -size * shown)


def l_skewness(numbers: Array) -> float:
    """Return the ratio of the third to the second sample L-moment, from -1 to 1 (Hosking 1990)."""
    import numpy as np

    n = len(numbers)
    rank = np.arange(n)
    ordered = np.sort(numbers)
    b0, b1 = ordered.mean(), (ordered * rank).mean() / (n - 1)
    b2 = (ordered * rank * (rank - 1)).mean() / ((n - 1) * (n - 2))
    scale = 2 * b1 - b0
    return float((6 * b2 - 6 * b1 + b0) / scale) if scale > 0 else 0.0


def _cube_root(number: float) -> float:
    return copysign(abs(number) ** (1 / 3), number)


def _moment_skewness(numbers: Array) -> float:
    centred = numbers - numbers.mean()
    largest = abs(centred).max()
    if largest == 0:
        return 0.0
    unit = centred / largest  # no power of which underflows to 0 in all places
    return float((unit**3).mean() / (unit**2).mean() ** 1.5)
