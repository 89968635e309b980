"""Intervals for shares of prompts, for differences and for ratios of two on the same prompts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from pytest_circuits.statistics.intervals import Interval
from pytest_circuits.statistics.special import beta_cdf, root

# The smallest alpha that is told from 0 when a p-value is looked for.
LEAST = 1e-15


@dataclass(frozen=True)
class Share(Interval):
    """The interval of a share, from its number of hits among n prompts (Clopper and Pearson 1934).

    Bounds are the shares at which as many hits or more (fewer) have probability alpha / 2. The
    error on either side is never more than that, at any level, and the coverage at least
    1 - alpha: about 96 % to 97 % at 95 % and 64 prompts. Hits need not be whole: for numbers
    between 0 and 1 per prompt the interval is too wide. `of` names what was drawn, in the plural.
    """

    method: ClassVar[str] = "Clopper and Pearson"
    hits: float
    n: int
    of: str = "prompts"

    @property
    def over(self) -> str:
        """What was drawn."""
        return self.of

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
        return self.hits / self.n if self.n else 0.0

    def at(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - `alpha`."""
        return self._low(alpha), 1.0 - self._misses._low(alpha)

    def p_above(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies above the bound."""
        return min(1.0, 2 * self._as_many(bound)) if bound >= 0 else 0.0

    def p_below(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies below the bound."""
        return self._misses.p_above(1.0 - bound)

    @property
    def _misses(self) -> Share:
        return Share(self.n - self.hits, self.n)

    def _low(self, alpha: float) -> float:
        if self.hits <= 0:
            return 0.0
        return root(lambda share: self._as_many(share) - alpha / 2, 0.0, 1.0)

    def _as_many(self, share: float) -> float:
        """Return the probability of as many hits or more if `share` is the truth."""
        return beta_cdf(share, self.hits, self.n - self.hits + 1)


@dataclass(frozen=True)
class _Paired(Interval):
    """Two shares of the same prompts, from the prompts that are hits of one of them only.

    Either kind's share has the interval of `Share` at alpha / 2; both hold with probability
    1 - alpha, whatever depends on what, and so does what follows of them. No approximation, and
    so at all levels and for all counts; the price is width, up to twice that of a score interval
    (Tango 1998), which errs up to 4.5 times as often as it says at the levels of large suites.
    """

    first_only: float
    second_only: float
    n: int

    def p_above(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies above the bound."""
        return self._p(lambda alpha: self.at(alpha)[0] - bound)

    def p_below(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies below the bound."""
        return self._p(lambda alpha: bound - self.at(alpha)[1])

    def _p(self, clear: Callable[[float], float]) -> float:
        """Return the smallest alpha at which the interval is clear of a bound, up to 1."""
        if clear(1.0) <= 0:
            return 1.0
        return LEAST if clear(LEAST) > 0 else root(clear, LEAST, 1.0)

    def _of_first(self, alpha: float) -> tuple[float, float]:
        return Share(self.first_only, self.n).at(alpha / 2)

    def _of_second(self, alpha: float) -> tuple[float, float]:
        return Share(self.second_only, self.n).at(alpha / 2)


@dataclass(frozen=True)
class ShareDifference(_Paired):
    """The interval of a difference of two shares of the same n prompts."""

    method: ClassVar[str] = "Clopper and Pearson, difference of shares"

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
        (low, high), (lower, higher) = self._of_first(alpha), self._of_second(alpha)
        return low - higher, high - lower


@dataclass(frozen=True)
class ShareRatio(_Paired):
    """The interval of a ratio of two shares of the same prompts.

    `n` are here the prompts that are hits of one at least: of these, the first share has those
    that are not hits of the second only, and the second likewise.
    """

    method: ClassVar[str] = "Clopper and Pearson, ratio of shares"

    @property
    def lowest(self) -> float:
        """The least that the ratio can be."""
        return 0.0

    @property
    def point(self) -> float:  # type: ignore[override]
        """The first share over the second."""
        return (self.n - self.second_only) / (self.n - self.first_only)

    def at(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - `alpha`."""
        (low, high), (lower, higher) = self._of_first(alpha), self._of_second(alpha)
        return _over(1 - higher, 1 - low), _over(1 - lower, 1 - high)


def _over(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else inf
