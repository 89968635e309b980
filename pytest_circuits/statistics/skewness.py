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

# A sample shows too little of its skewness: of an exponential's, by a share of about 10 / n. At
# the end that is moved outwards it is taken for larger than seen by twice that. Measured:
# docs/calibration.md.
UNSEEN = 20.0


@dataclass(frozen=True)
class Skewness:
    """The skewness over sqrt(n) that is corrected for at either end of an interval.

    For skewed numbers (mean - truth) / error does not follow Student's t: its tail is longer on
    the side opposite to theirs. Hall's (1992) cubic takes it back to a symmetric distribution, to
    second order and monotonically:
    y = t + c t^2 / 3 + c^2 t^3 / 27 + c / 6, c = skewness / sqrt(n).
    Far out that is not enough: at the end that is moved outwards y counts as y / (1 + c^2) only,
    which is what exponential numbers need, down to levels of 1e-4. From few prompts, and skewed
    ones, far levels are then hardly ever reached: y rises to about 1 / |c| and stays there.
    """

    low: float
    high: float

    def quantile(self, y: float, side: Side) -> float:
        """Return the t that `symmetric` takes to y."""
        c = self._at(side)
        y *= self._stretch(side)
        root = _cube_root(1 + c * (y - c / 6))
        return 3 * (y - c / 6) / (root * root + root + 1)  # 3 (root - 1) / c, also for c near 0

    def symmetric(self, t: float, side: Side) -> float:
        """Return y, the t as it would be without skewness."""
        c = self._at(side)
        return (t + c * t**2 / 3 + c**2 * t**3 / 27 + c / 6) / self._stretch(side)

    def _stretch(self, side: Side) -> float:
        """Return what the end is moved by besides, if the correction moves it outwards."""
        outward = self.low < 0 if side == "low" else self.high > 0
        return 1 + self._at(side) ** 2 if outward else 1.0

    def _at(self, side: Side) -> float:
        return self.low if side == "low" else self.high


NONE = Skewness(0.0, 0.0)


def skewness(numbers: Array) -> Skewness:
    """Return how much skewness of a sample to correct for, more where that is the safe side.

    The sample's third moment is dominated by its largest number: for symmetric numbers with heavy
    tails correcting for it does harm. It is therefore never taken to be more than an exponential
    distribution of the sample's L-skewness has (Hosking 1990). The end that the correction moves
    outwards gets all of it, and what a sample of n hides, (1 + `UNSEEN` / n) of it; the end that it
    moves inwards gets it only as far as the L-skewness is significant,
    (1 - 4 variance / L-skewness^2) of it, and none below two standard errors.
    """
    n = len(numbers)
    if n < 4:
        return NONE
    moment, ordered = _moment_skewness(numbers), l_skewness(numbers)
    if moment * ordered <= 0:
        return NONE
    size = min(abs(moment), MOST_PER_L_SKEWNESS * abs(ordered)) / sqrt(n)
    variance = (0.1866 + 0.8 / n) / n  # of a normal sample's L-skewness, Hosking 1990
    inward = size * max(0.0, 1 - SIGNIFICANT**2 * variance / ordered**2)
    outward = size * (1 + UNSEEN / n)
    return Skewness(inward, outward) if ordered > 0 else Skewness(-outward, -inward)


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
