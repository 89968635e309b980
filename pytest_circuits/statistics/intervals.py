"""Intervals at any level for whatever a measure computes from weighted means over prompts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, ClassVar

from pytest_circuits.statistics.curve import Curve, rising
from pytest_circuits.statistics.design import Design
from pytest_circuits.statistics.influence import (
    ROUNDING,
    SINGLE,
    Expansion,
    Value,
    curves,
    expand,
)
from pytest_circuits.statistics.skewness import Skewness, skewness
from pytest_circuits.statistics.special import student_quantile, student_tail

if TYPE_CHECKING:
    from pytest_circuits.readings import Array

# More than this many standard errors of bias, and expansions in powers of 1 / sqrt(n) have failed.
MOST_SHIFT = 0.5

RESAMPLES = 2000

# Bounded numbers whose standard deviation is less than this share of their range hardly vary: a few
# prompts of another kind would move their mean by more than all that was seen.
HARDLY = 0.01


class Interval(ABC):
    """What prompts say about one number: an interval for every level, a p-value for every bound.

    All of it is two-sided with equal tails: the interval at 1 - alpha misses the truth with
    probability about alpha, alpha / 2 on either side. A p-value is the smallest alpha whose
    interval lies beyond the bound, so p <= alpha exactly where the interval at 1 - alpha does;
    if the truth is at the bound, that happens with probability alpha / 2.
    """

    method: ClassVar[str]
    point: float

    @property
    def over(self) -> str:
        """What was drawn, and may come out otherwise another time."""
        return "prompts"

    @property
    def lowest(self) -> float:
        """The least that the number can be."""
        return -inf

    @property
    def highest(self) -> float:
        """The most that the number can be."""
        return inf

    @abstractmethod
    def at(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - `alpha`."""

    @abstractmethod
    def p_above(self, bound: float) -> float:
        """Return the p-value of the number being above the bound."""

    @abstractmethod
    def p_below(self, bound: float) -> float:
        """Return the p-value of the number being below the bound."""


class OfDesign(Interval):
    """An interval that knows how the prompts were drawn."""

    design: Design

    @property
    def over(self) -> str:
        """What was drawn, as the design has it."""
        return self.design.words


def intervals(
    value: Value,
    n: int,
    *,
    design: Design | None = None,
    scale: float = 0.0,
    reach: tuple[float, float] | None = None,
    seed: int = 0,
) -> tuple[Interval, ...]:
    """Return the interval of each part of a smooth function of weighted means over n prompts.

    `value` maps rows of prompt weights [draws, n] to values [parts, draws]; see `Studentised` for
    what is done. `design` says how the prompts were drawn (None: independently). `scale` is how
    large the numbers are that make the value, the measure of rounding. `reach` is the least and
    the most that the value of one prompt can be (None: not known); a mean that hardly varies, by
    `HARDLY` of what it could, is then never taken to be known better than `Unseen` has it.

    A part that no single prompt moves is either constant or jumps (a rank). A jumping one gets the
    percentile bootstrap of 2,000 resamples drawn with `seed`; a constant one `Unseen`: prompts
    that were not drawn may differ, by as much as `reach` allows or, without it, as the `scale`.
    """
    expansion = expand(value, n, design, scale)
    along = curves(value, expansion)
    smooth = expansion.errors > 0
    spread = expansion.influence.std(axis=1)
    draws = () if smooth.all() else _resampled(value, expansion.design, seed)

    def unseen(point: float) -> Unseen:
        least, most = reach or ((point - scale, point + scale) if scale else (-inf, inf))
        return Unseen(point=point, design=expansion.design, least=least, most=most)

    def of_part(part: int) -> Interval:
        point = float(expansion.points[part])
        if not smooth[part]:
            rounding = max(ROUNDING * abs(point), SINGLE * scale)
            constant = (abs(draws[part] - point) <= rounding).all()
            if constant:
                return unseen(point)
            return Percentile(point=point, draws=draws[part], design=expansion.design)
        found = _studentised(expansion, along[part], part)
        hardly = reach is not None and spread[part] < HARDLY * (reach[1] - reach[0])
        return Wider(found, unseen(point)) if hardly and expansion.straight[part] else found

    return tuple(of_part(part) for part in range(len(smooth)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Studentised(OfDesign):
    """The interval of a smooth function of means: Student's t, with its skewness, along a curve.

    The standard error is the infinitesimal jackknife's, for the design of the draw (`Design`). The
    end at alpha lies t standard errors
    out, t the quantile of Student's t corrected for skewness (see `Skewness`), not on a straight
    line but on the curve of the value where prompts are reweighted along their influence
    (`influence.curves`): so a quotient's interval is lopsided and a correlation's shorter towards
    1. `shift` is the bias that this does not remove, in standard errors. Where the curve turns
    back or is undefined (a denominator reaches 0) the interval is unbounded.

    This agrees with bootstrap-t to second order (Hall 1988; DiCiccio and Efron 1996, section 4),
    but is not random and has tails at every level. Coverage as measured: docs/calibration.md.
    It is too short where rare prompts decide the value and none of them was drawn.
    """

    method: ClassVar[str] = "Student's t, skewness corrected"
    point: float
    design: Design
    shift: float
    skew: Skewness
    curve: Curve

    def at(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - `alpha`."""
        t = student_quantile(alpha / 2, self.design.df)
        low = -self.skew.quantile(t, "low") - self.shift
        high = -self.skew.quantile(-t, "high") - self.shift
        return self.curve.value(low), self.curve.value(high)

    def p_above(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies above the bound."""
        t = -(self.curve.step(bound) + self.shift)
        return min(1.0, 2 * student_tail(self.skew.symmetric(t, "low"), self.design.df))

    def p_below(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies below the bound."""
        t = -(self.curve.step(bound) + self.shift)
        return min(1.0, 2 * student_tail(-self.skew.symmetric(t, "high"), self.design.df))


@dataclass(frozen=True, kw_only=True, eq=False)
class Percentile(OfDesign):
    """The percentile bootstrap, for a number that does not change smoothly with its prompts.

    p-values count resamples, add-one, and so are at least 2 / (resamples + 1).
    """

    method: ClassVar[str] = f"percentile bootstrap, {RESAMPLES} resamples"
    point: float
    draws: Array
    design: Design

    @property
    def over(self) -> str:
        """What was drawn: strata are not told apart."""
        return self.design.words if self.design.kind == "clustered" else "prompts"

    def at(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - `alpha`."""
        import numpy as np

        if not np.isfinite(self.draws).all():  # undefined in a resample: wider, not narrower
            return -inf, inf
        low, high = np.quantile(self.draws, [alpha / 2, 1 - alpha / 2])
        return float(low), float(high)

    def p_above(self, bound: float) -> float:
        """Return the share of resamples that are not above the bound, doubled."""
        return self._doubled(int((self.draws > bound).sum()))

    def p_below(self, bound: float) -> float:
        """Return the share of resamples that are not below the bound, doubled."""
        return self._doubled(int((self.draws < bound).sum()))

    def _doubled(self, beyond: int) -> float:
        return min(1.0, 2 * (1 + len(self.draws) - beyond) / (1 + len(self.draws)))


@dataclass(frozen=True, kw_only=True)
class Unseen(OfDesign):
    """What n prompts of which none differs from the rest say: a few others may.

    None of the design's `units`, prompts or clusters drawn independently, was of a kind of which
    there are more than 1 - (alpha / 2)^(1 / units) with probability 1 - alpha / 2 (for alpha = 0.05
    about 3.7 / n: Clopper and Pearson with no hits). If prompts not seen lie at `least` or `most`,
    the mean is within that share of the way there. Unbounded where these are: no variation is no
    certainty.
    """

    point: float
    design: Design
    least: float
    most: float

    @property
    def method(self) -> str:  # type: ignore[override]
        """That nothing varied, and on how many."""
        return f"no variation on {self.design.units}: others may differ"

    @property
    def lowest(self) -> float:
        """The least that the number can be."""
        return self.least

    @property
    def highest(self) -> float:
        """The most that the number can be."""
        return self.most

    def at(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - `alpha`."""
        share = 1 - (alpha / 2) ** (1 / self.design.units)
        low, high = (self.point + share * (end - self.point) for end in (self.least, self.most))
        return low, high

    def p_above(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies above the bound."""
        return self._p(self.point - bound, self.point - self.least)

    def p_below(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies below the bound."""
        return self._p(bound - self.point, self.most - self.point)

    def _p(self, away: float, reach: float) -> float:
        """Return the p-value of what is not seen not coming as far, of all that it could."""
        if away <= 0:
            return 1.0
        return 0.0 if away >= reach else min(1.0, 2 * (1 - away / reach) ** self.design.units)


@dataclass(frozen=True, eq=False)
class Derived(Interval):
    """An interval made of another: of the same number, or of its absolute value."""

    inner: Interval

    @property
    def method(self) -> str:  # type: ignore[override]
        """That of the other."""
        return self.inner.method

    @property
    def over(self) -> str:
        """What was drawn for the other."""
        return self.inner.over

    @property
    def point(self) -> float:  # type: ignore[override]
        """The number, as measured."""
        return self.inner.point


@dataclass(frozen=True, eq=False)
class Wider(Derived):
    """Of two intervals of one number the wider, at either end."""

    other: Interval

    def at(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - `alpha`."""
        (low, high), (lower, higher) = self.inner.at(alpha), self.other.at(alpha)
        return min(low, lower), max(high, higher)

    def p_above(self, bound: float) -> float:
        """Return the smallest alpha at which both lie above the bound."""
        return max(self.inner.p_above(bound), self.other.p_above(bound))

    def p_below(self, bound: float) -> float:
        """Return the smallest alpha at which both lie below the bound."""
        return max(self.inner.p_below(bound), self.other.p_below(bound))


@dataclass(frozen=True, eq=False)
class Folded(Derived):
    """The interval of an absolute value, from that of the number with its sign.

    At level 1 - alpha: what the signed interval says the absolute value can be. It contains 0
    exactly where the signed one does. Coverage is at least that of the signed interval, and
    more, up to 1 - alpha / 2, where the truth is about one standard error from 0: no estimate can
    then be too small. An absolute value is found to be above a bound on either side of 0, and
    pays for both: the lower end is that of the signed interval at half the alpha.
    """

    @property
    def lowest(self) -> float:
        """No absolute value is negative."""
        return 0.0

    @property
    def point(self) -> float:  # type: ignore[override]
        """The absolute value."""
        return abs(self.inner.point)

    def at(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval at level 1 - `alpha`."""
        low, high = self.inner.at(alpha)
        inner_low, inner_high = self.inner.at(alpha / 2)
        return max(inner_low, -inner_high, 0.0), max(-low, high)

    def p_above(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies above the bound."""
        if bound < 0:
            return 0.0
        return min(1.0, 2 * min(self.inner.p_above(bound), self.inner.p_below(-bound)))

    def p_below(self, bound: float) -> float:
        """Return the smallest alpha whose interval lies below the bound."""
        if bound <= 0:
            return 1.0
        return max(self.inner.p_below(bound), self.inner.p_above(-bound))


def _studentised(expansion: Expansion, along: Array, part: int) -> Studentised:
    """Return the interval of one part; see `Studentised`."""
    curve, bend = rising(along)
    error, design = float(expansion.errors[part]), expansion.design
    shift = (float(expansion.bias[part]) - bend / 2) / error
    return Studentised(
        point=float(expansion.points[part]),
        design=design,
        shift=max(-MOST_SHIFT, min(MOST_SHIFT, shift)),
        skew=skewness(design.by_unit(expansion.influence[part])),
        curve=curve,
    )


def _resampled(value: Value, design: Design, seed: int) -> Array:
    """Return the values of resamples of the prompts, or of the clusters, [parts, resamples]."""
    import numpy as np

    with np.errstate(all="ignore"):
        return value(design.resampled(RESAMPLES, seed))
