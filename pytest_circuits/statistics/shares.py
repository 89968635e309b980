"""Intervals for shares of prompts, and for differences of two shares on the same prompts."""

from __future__ import annotations

from dataclasses import dataclass
from math import copysign, inf, sqrt
from statistics import NormalDist
from typing import ClassVar

from pytest_circuits.statistics.intervals import Interval
from pytest_circuits.statistics.special import beta_cdf, root


@dataclass(frozen=True)
class Share(Interval):
    """The interval of a share, from its number of hits among n prompts: mid-p or exact.

    Bounds are the shares at which as many hits or more (fewer) have probability alpha / 2, the
    hits themselves counted half (mid-p; Lancaster 1961, Agresti and Gottard 2005) or in full
    (`exact`: Clopper and Pearson 1934). Exact, the error on either side is never more than
    alpha / 2, and the coverage at least 1 - alpha, about 96 % to 97 % at 95 % and 64 prompts;
    mid-p has about 95 % on average over shares, but up to twice alpha / 2 on one side for some.
    Hits need not be whole: for numbers between 0 and 1 per prompt the interval is too wide.
    """

    method: ClassVar[str] = "mid-p"
    hits: float
    n: int
    exact: bool = False

    @property
    def lowest(self) -> float:
        """The least that the share can be."""
        return 0.0

    @property
    def highest(self) -> float:
        """The most that the share can be."""
        return 1.0

    @property
    def point(self) -> float:  # type: ignore[override]
        """The share of hits."""
        return self.hits / self.n

    def at(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - `alpha`."""
        misses = Share(self.n - self.hits, self.n, self.exact)
        return self._low(alpha), 1.0 - misses._low(alpha)

    def p_above(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies above the bound."""
        return min(1.0, 2 * self._as_many(bound)) if bound >= 0 else 0.0

    def p_below(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies below the bound."""
        return Share(self.n - self.hits, self.n, self.exact).p_above(1.0 - bound)

    def _low(self, alpha: float) -> float:
        if self.hits <= 0:
            return 0.0
        return root(lambda share: self._as_many(share) - alpha / 2, 0.0, 1.0)

    def _as_many(self, share: float) -> float:
        """Return the probability of as many hits or more if `share` is the truth."""
        more_or_as_many = beta_cdf(share, self.hits, self.n - self.hits + 1)
        if self.exact:
            return more_or_as_many
        return (more_or_as_many + beta_cdf(share, self.hits + 1, self.n - self.hits)) / 2


@dataclass(frozen=True)
class ShareDifference(Interval):
    """The interval of a difference of two shares of the same prompts: Tango's (1998) score.

    From how many prompts are hits of the first share only and of the second only. It has a
    width also where there are none. Normal approximation: at high levels, with a handful of such
    prompts, the end nearer to 0 is too near to the point.
    """

    method: ClassVar[str] = "Tango, difference of shares"
    first_only: float
    second_only: float
    n: int

    @property
    def lowest(self) -> float:
        """The least that the difference can be."""
        return -1.0

    @property
    def highest(self) -> float:
        """The most that the difference can be."""
        return 1.0

    @property
    def point(self) -> float:  # type: ignore[override]
        """The first share less the second."""
        return (self.first_only - self.second_only) / self.n

    def at(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - `alpha`."""
        z = NormalDist().inv_cdf(1 - alpha / 2)
        low = root(lambda bound: z - self._z(bound), -1.0, self.point)
        return low, root(lambda bound: -z - self._z(bound), self.point, 1.0)

    def p_above(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies above the bound."""
        return min(1.0, 2 * NormalDist().cdf(-self._z(bound)))

    def p_below(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies below the bound."""
        return min(1.0, 2 * NormalDist().cdf(self._z(bound)))

    def _z(self, bound: float) -> float:
        """Return how many standard errors the difference is above the bound, if that is the truth.

        The variance is the one under the bound: the share of second-only prompts is the most
        likely one then.
        """
        gap = self.first_only - self.second_only - self.n * bound
        b = (2 * self.n - self.first_only + self.second_only) * bound
        b -= self.first_only + self.second_only
        c = -self.second_only * bound * (1 - bound)
        # Without second-only prompts the square would only underflow where bounds are tiny.
        spread = sqrt(max(b * b - 8 * self.n * c, 0.0)) if c else abs(b)
        second = (spread - b) / (4 * self.n)
        variance = self.n * (2 * second + bound * (1 - bound))
        return gap / sqrt(variance) if variance > 0 else copysign(inf, gap) if gap else 0.0
