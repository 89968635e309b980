"""Intervals for ratios of means on the same prompts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import copysign, inf, sqrt
from typing import TYPE_CHECKING, ClassVar

from pytest_circuits.statistics.influence import ROUNDING, Expansion, Value, expand
from pytest_circuits.statistics.intervals import Interval, Known, intervals
from pytest_circuits.statistics.skewness import Side, skewness
from pytest_circuits.statistics.special import root, student_quantile, student_tail

if TYPE_CHECKING:
    from pytest_circuits.readings import Array

# Ends are found to this share of a standard error.
TOLERANCE = 1e-6


def ratios(top: Value, bottom: Value, n: int, *, seed: int = 0) -> tuple[Interval, ...]:
    """Return the interval of each part of top / bottom, two measures of the same n prompts.

    Where both are means: see `Ratio`. Otherwise the quotient is treated like any smooth function,
    by `intervals`, and covers too rarely where the bottom is few standard errors from 0. Either
    side may have one part for all parts of the other. A bottom of 0 is the caller's to refuse.
    """
    above, below = expand(top, n), expand(bottom, n)
    if not (above.straight.all() and below.straight.all()):
        return intervals(lambda rows: top(rows) / bottom(rows), n, seed=seed)
    parts = max(len(above.points), len(below.points))
    return tuple(_ratio(above, below, part) for part in range(parts))


@dataclass(frozen=True, kw_only=True, eq=False)
class Ratio(Interval):
    """The interval of a ratio of two means: every r for which top - r bottom may be 0.

    Fieller (1954), with Student's t corrected for skewness (see `Skewness`). It is unbounded at
    levels at which the bottom may have the other sign: a ratio is no more certain than that. See
    `docs/calibration.md` for its coverage where the bottom is few standard errors from 0.
    """

    method: ClassVar[str] = "Fieller, skewness corrected"
    top: float
    bottom: float
    of_top: Array
    of_bottom: Array

    @property
    def point(self) -> float:  # type: ignore[override]
        """The ratio."""
        return self.top / self.bottom

    def at(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - `alpha`."""
        return self._end("low", alpha), self._end("high", alpha)

    def p_above(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies above the bound."""
        return self._p(self._t("low", bound))

    def p_below(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies below the bound."""
        return self._p(self._t("high", bound))

    def _p(self, t: float) -> float:
        return min(1.0, 2 * student_tail(min(t, self._sign), len(self.of_top) - 1))

    def _t(self, side: Side, bound: float) -> float:
        """Return how far the ratio is above (side low) or below the bound, as Student's t."""
        sign = copysign(1.0, self.bottom)
        return _t(
            side,
            sign * (self.top - bound * self.bottom),
            sign * (self.of_top - bound * self.of_bottom),
        )

    @cached_property
    def _sign(self) -> float:
        """How far the bottom is from 0, as Student's t."""
        return _t("low" if self.bottom > 0 else "high", self.bottom, self.of_bottom)

    def _end(self, side: Side, alpha: float) -> float:
        outwards = -1.0 if side == "low" else 1.0
        t = student_quantile(alpha / 2, len(self.of_top) - 1)
        if self._sign <= t:
            return outwards * inf

        def beyond(away: float) -> float:
            return self._t(side, self.point + outwards * away) - t

        far = self._error
        while beyond(far) < 0:
            far *= 2
        return self.point + outwards * root(beyond, 0.0, far, TOLERANCE)

    @property
    def is_known(self) -> bool:
        """Whether the ratio is the same for every prompt."""
        return self._error <= ROUNDING * abs(self.point)

    @cached_property
    def _error(self) -> float:
        """The standard error of the ratio to first order."""
        return _error(self.of_top - self.point * self.of_bottom) / abs(self.bottom)


def _ratio(above: Expansion, below: Expansion, part: int) -> Interval:
    """Return the interval of one part; a side of one part goes with every part of the other."""
    over, under = min(part, len(above.points) - 1), min(part, len(below.points) - 1)
    ratio = Ratio(
        top=float(above.points[over]),
        bottom=float(below.points[under]),
        of_top=above.influence[over],
        of_bottom=below.influence[under],
    )
    return Known(ratio.point) if ratio.is_known else ratio


def _t(side: Side, gap: float, influence: Array) -> float:
    """Return how far a mean is above 0 (side low) or below it, as Student's t."""
    error = _error(influence)
    if error == 0:
        return copysign(inf, gap if side == "low" else -gap)
    y = skewness(influence).symmetric(gap / error, side)
    return y if side == "low" else -y


def _error(influence: Array) -> float:
    return sqrt(float((influence**2).mean()) / (len(influence) - 1))
