"""Comparisons in a claim's own terms: equivalent, not inferior, better than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.statistics.evidence import Evidence, evidence
from pytest_circuits.statistics.intervals import Interval, intervals
from pytest_circuits.truth import NoTruth

if TYPE_CHECKING:
    from pytest_circuits.readings import Array


@dataclass(frozen=True, kw_only=True)
class Comparison(NoTruth):
    """A paired difference of means, its interval at 1 - alpha, and where it had to lie."""

    said_instead = 'write comparison.evidence.decision(alpha) == "holds".'

    difference: float
    low: float
    high: float
    allowed: tuple[float, float]
    evidence: Evidence


def equivalence(first: Array, second: Array, *, within: float, alpha: float = 0.05) -> Comparison:
    """Compare two numbers per prompt: do their means differ by less than `within`?

    Two one-sided tests on the paired difference (Schuirmann 1987): equivalent where the whole
    interval lies in [-within, within]. A difference that is not significant is not equivalence:
    with few prompts it is neither shown nor refuted. Prompts may still differ by more, in both
    directions.
    """
    _check_margin("within", within)
    return _compared(first, second, (-within, within), alpha)


def non_inferiority(new: Array, old: Array, *, by: float, alpha: float = 0.05) -> Comparison:
    """Compare two checkpoints on the same prompts: is the new mean at least the old less `by`?

    Not inferior where the interval of the paired difference lies above -by. It may be better.
    """
    _check_margin("by", by)
    return _compared(new, old, (-by, inf), alpha)


@dataclass(frozen=True)
class Rank(NoTruth):
    """How many of `count` random circuits did at least as well as the circuit itself."""

    said_instead = "write rank.p <= alpha."

    as_good: int
    count: int

    @property
    def p(self) -> float:
        """(1 + as good) / (1 + all): valid, and never 0, however few were drawn."""
        return (1 + self.as_good) / (1 + self.count)


def superiority(own: float, others: Sequence[float], *, tie: float = 0.0) -> Rank:
    """Rank a circuit's score among those of random circuits of its shape, on the same prompts.

    p is that of a circuit drawn like the others (a permutation test: Phipson and Smyth 2010, as
    in `sufficiency_p`). Scores within `tie` count against the circuit. It says that the circuit
    beats chance on these prompts, not by how much, and nothing about other prompts.
    """
    if not others:
        raise CircuitUsageError("`others`: there must be at least one random circuit.")
    return Rank(sum(score >= own - tie for score in others), len(others))


def mean_difference(first: Array, second: Array) -> Interval:
    """Return the interval of the mean of first - second, paired prompt by prompt."""
    difference = first - second
    scale = float(max(abs(first).max(), abs(second).max()))
    (interval,) = intervals(
        lambda rows: (rows @ difference / rows.sum(axis=1))[None], len(first), scale=scale
    )
    return interval


def _compared(
    first: Array, second: Array, allowed: tuple[float, float], alpha: float
) -> Comparison:
    interval = mean_difference(first, second)
    low, high = interval.at(alpha)
    return Comparison(
        difference=interval.point,
        low=low,
        high=high,
        allowed=allowed,
        evidence=evidence([interval], "between", allowed),
    )


def _check_margin(name: str, margin: float) -> None:
    if not margin > 0:
        raise CircuitUsageError(
            f"`{name}` must be more than 0, in the unit compared; got {margin}."
        )
