"""Intervals for ratios of means on the same prompts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import copysign, inf, sqrt
from typing import TYPE_CHECKING, ClassVar

from pytest_circuits.statistics.design import Design
from pytest_circuits.statistics.influence import ROUNDING, SINGLE, Expansion, Value, expand
from pytest_circuits.statistics.intervals import Interval, OfDesign, Unseen, intervals
from pytest_circuits.statistics.skewness import Side, Skewness, skewness
from pytest_circuits.statistics.special import root, student_quantile, student_tail

if TYPE_CHECKING:
    from pytest_circuits.readings import Array

# Ends are found to this share of a standard error.
TOLERANCE = 1e-6


# Ends are looked for up to so many doublings of a standard error.
FARTHEST = 100


def ratios(
    top: Value,
    bottom: Value,
    n: int,
    *,
    design: Design | None = None,
    scales: tuple[float, float] = (0.0, 0.0),
    seed: int = 0,
) -> tuple[Interval, ...]:
    """Return the interval of each part of top / bottom, two measures of the same n prompts.

    Where both are means: see `Ratio`. Otherwise the quotient is treated like any smooth function,
    by `intervals`, and covers too rarely where the bottom is few standard errors from 0. Either
    side may have one part for all parts of the other. `scales` are how large the numbers are that
    make top and bottom: rounding is measured by them, and a ratio that is the same for all prompts
    is as uncertain as other prompts of that size make it (`Unseen`). A bottom of 0 is the
    caller's to refuse.
    """
    above, below = expand(top, n, design, scales[0]), expand(bottom, n, design, scales[1])
    if not (above.straight.all() and below.straight.all()):
        return intervals(lambda rows: top(rows) / bottom(rows), n, design=design, seed=seed)
    parts = max(len(above.points), len(below.points))
    return tuple(_ratio(above, below, part, scales) for part in range(parts))


@dataclass(frozen=True, kw_only=True, eq=False)
class Ratio(OfDesign):
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
    design: Design

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
        return min(1.0, 2 * student_tail(min(t, self._sign), self.design.df))

    def _t(self, side: Side, bound: float) -> float:
        """Return how far the ratio is above (side low) or below the bound, as Student's t."""
        gap = copysign(1.0, self.bottom) * (self.top - bound * self.bottom)
        return _t(side, gap, self._error_at(bound), self._skewness)

    def _error_at(self, bound: float) -> float:
        return float(self.design.errors(self.of_top - bound * self.of_bottom))

    @cached_property
    def _skewness(self) -> Skewness:
        """That of the ratio itself, for all bounds: so a farther bound is never nearer."""
        of_ratio = copysign(1.0, self.bottom) * (self.of_top - self.point * self.of_bottom)
        return skewness(self.design.by_unit(of_ratio))

    @cached_property
    def _sign(self) -> float:
        """How far the bottom is from 0, as Student's t."""
        side: Side = "low" if self.bottom > 0 else "high"
        error = float(self.design.errors(self.of_bottom))
        return _t(side, self.bottom, error, skewness(self.design.by_unit(self.of_bottom)))

    def _end(self, side: Side, alpha: float) -> float:
        outwards = -1.0 if side == "low" else 1.0
        t = student_quantile(alpha / 2, self.design.df)

        def beyond(away: float) -> float:
            return self._t(side, self.point + outwards * away) - t

        doubled = (self.error * 2**i for i in range(FARTHEST))
        far = None if self._sign <= t else next((x for x in doubled if beyond(x) >= 0), None)
        if far is None:
            return outwards * inf
        return self.point + outwards * root(beyond, 0.0, far, TOLERANCE)

    @cached_property
    def error(self) -> float:
        """The standard error of the ratio to first order."""
        return self._error_at(self.point) / abs(self.bottom)


def _ratio(above: Expansion, below: Expansion, part: int, scales: tuple[float, float]) -> Interval:
    """Return the interval of one part; a side of one part goes with every part of the other."""
    over, under = min(part, len(above.points) - 1), min(part, len(below.points) - 1)
    ratio = Ratio(
        top=float(above.points[over]),
        bottom=float(below.points[under]),
        of_top=above.influence[over],
        of_bottom=below.influence[under],
        design=below.design,
    )
    scale = max(scales[0], scales[1] * abs(ratio.point)) / abs(ratio.bottom)
    spread = ratio.error * sqrt(below.n)
    if spread > max(ROUNDING * abs(ratio.point), SINGLE * scale):
        return ratio
    away = scale or inf
    return Unseen(
        point=ratio.point,
        design=below.design,
        least=ratio.point - away,
        most=ratio.point + away,
    )


def _t(side: Side, gap: float, error: float, skew: Skewness) -> float:
    """Return how far a mean is above 0 (side low) or below it, as Student's t."""
    if error == 0:
        return copysign(inf, gap if side == "low" else -gap)
    y = skew.symmetric(gap / error, side)
    return y if side == "low" else -y
