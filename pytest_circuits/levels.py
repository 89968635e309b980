"""The level at which a claim is compared with its threshold, so that its interval can be shown.

A corrected p-value says whether a claim is decided, but no interval that a reader could check it
by. The same correction as levels: a claim is decided exactly where its own p-value is at most the
level, and so, but for the accuracy of the ends, where the interval at that level says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from pytest_circuits.claims import Claim, Status
from pytest_circuits.rules import Rules
from pytest_circuits.statistics.evidence import Evidence
from pytest_circuits.statistics.families import corrected

if TYPE_CHECKING:
    from pytest_circuits.statistics.intervals import Interval

# What makes an interval say what its p-value says is looked for this near to the level, at most.
NEAREST, FARTHEST = 1e-9, 1e-15


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim of a family: its evidence after correction, and the levels it was compared at."""

    evidence: Evidence
    to_hold: float
    to_refute: float


def judged(family: Sequence[Evidence], rules: Rules) -> tuple[Judged, ...]:
    """Return what becomes of each claim of a family.

    Each side has its levels. By Holm's method, of m claims: alpha / (m - i) for the one decided
    after i others, alpha / (m - all decided) for one that is not. By Benjamini and Hochberg's:
    alpha times the decided over m, for one that is not as if it were one of them.
    """
    adjusted = corrected(family, rules.correction)
    to_hold = _levels([e.holds for e in family], [e.holds for e in adjusted], rules)
    to_refute = _levels([e.refuted for e in family], [e.refuted for e in adjusted], rules)
    return tuple(
        Judged(evidence=evidence, to_hold=holds, to_refute=refuted)
        for evidence, holds, refuted in zip(adjusted, to_hold, to_refute, strict=True)
    )


def _levels(ps: Sequence[float], adjusted: Sequence[float], rules: Rules) -> list[float]:
    alpha, m = rules.alpha, len(ps)
    decided = [i for i in sorted(range(m), key=lambda i: ps[i]) if adjusted[i] <= alpha]
    if rules.correction == "none":
        return [alpha] * m
    if rules.correction == "benjamini-hochberg":
        every = [alpha * (len(decided) + 1) / m] * m
        first = [alpha * len(decided) / m] * len(decided)
    else:
        every = [alpha / max(1, m - len(decided))] * m
        first = [alpha / (m - rank) for rank in range(len(decided))]
    for i, level in zip(decided, first, strict=True):
        every[i] = level
    return every


ORDER: tuple[Status, ...] = ("refuted", "undecided", "holds")
"""What may be said of a part, the worst first: a claim is what its worst part is."""

Shown = Sequence[tuple[Claim, Sequence["Interval"]]]


def said(shown: Shown, alpha: float) -> Status:
    """Return what intervals at level 1 - `alpha` say of a claim, all of its parts and ways."""
    found = [claim.decide(*each.at(alpha)) for claim, parts in shown for each in parts]
    return worst_of(found)


def worst_of(found: Iterable[Status]) -> Status:
    """Return what parts say together: refuted if one is, undecided if one is, otherwise holds."""
    statuses = set(found)
    return next(each for each in ORDER if each in statuses)


def level_of(shown: Shown, status: Status, to_hold: float, to_refute: float) -> float:
    """Return the alpha whose intervals say what was decided, given the levels of either side.

    One part that refutes is one of so many, and a claim with two bounds has two ways to be missed.
    An undecided claim would have had to meet the level of the side on which it was measured.
    """
    parts = sum(len(each) for _, each in shown)
    sides = 2 if shown[0][0].relation == "between" else 1
    points = worst_of(claim.decide(i.point, i.point) for claim, each in shown for i in each)
    if status == "holds" or (status == "undecided" and points == "holds"):
        alpha = to_hold
    else:
        alpha = to_refute / parts / sides
    return _agreeing(alpha, lambda level: said(shown, level) == status, up=status != "undecided")


def _agreeing(alpha: float, agrees: Callable[[float], bool], *, up: bool) -> float:
    """Return the level nearest to `alpha` at which intervals agree with what was decided.

    The higher level, with the shorter intervals, if decided (`up`), else the lower. Ends are
    found numerically, quantiles of a bootstrap count otherwise than its p-values.
    """
    far = 1.0 if up else FARTHEST
    if agrees(alpha) or not agrees(far):
        return alpha
    near = alpha
    while abs(far / near - 1) > NEAREST:
        middle = sqrt(near * far)
        near, far = (near, middle) if agrees(middle) else (middle, far)
    return far
