"""What intervals say about a claim: p-values of its holding and of its being refuted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_circuits.claims import Relation, Status
from pytest_circuits.statistics.intervals import Interval
from pytest_circuits.truth import NoTruth, word


@dataclass(frozen=True)
class Evidence(NoTruth):
    """p-values for and against a claim, both on the scale of two-sided intervals.

    `holds` <= alpha exactly where the interval at 1 - alpha satisfies the claim, for every part;
    `refuted` <= alpha where some part's lies wholly outside, at 1 - alpha / parts. What
    that guarantees for one claim, to the accuracy of the interval:

    - a false claim holds with probability at most alpha / 2;
    - a true claim is refuted with probability at most alpha / 2.
    """

    said_instead = 'write evidence.decision(alpha) == "holds".'

    holds: float
    refuted: float

    def decision(self, alpha: float) -> Status:
        """Return what is decided at alpha; where both would be, the smaller p-value decides."""
        if min(self.holds, self.refuted) > alpha:
            return word("undecided")
        return word("holds" if self.holds <= self.refuted else "refuted")


NONE = Evidence(1.0, 1.0)


def evidence(
    parts: Sequence[Interval], relation: Relation, threshold: float | tuple[float, float]
) -> Evidence:
    """Return the evidence on a claim that a relation to a threshold holds for every part.

    Holding is an intersection-union test (Berger 1982): all parts must be shown, each at the full
    alpha, and no correction is due. So is `between` within a part: two one-sided tests
    (Schuirmann 1987). Refuting takes one part out of many, or one side of two of `between`, and
    pays for them (Bonferroni).
    """
    each = [_of_part(part, relation, threshold) for part in parts]
    least = min(part.refuted for part in each)
    return Evidence(max(part.holds for part in each), min(1.0, len(each) * least))


def _of_part(
    part: Interval, relation: Relation, threshold: float | tuple[float, float]
) -> Evidence:
    if isinstance(threshold, tuple):
        low, high = threshold
        inside = max(_above(part, low, closed=True), _below(part, high, closed=True))
        outside = min(_below(part, low, closed=False), _above(part, high, closed=False))
        return Evidence(inside, min(1.0, 2 * outside))
    closed = relation in (">=", "<=")
    above = _above(part, threshold, closed=closed if relation in (">=", ">") else not closed)
    below = _below(part, threshold, closed=closed if relation in ("<=", "<") else not closed)
    return Evidence(above, below) if relation in (">=", ">") else Evidence(below, above)


def _above(part: Interval, bound: float, *, closed: bool) -> float:
    """Return the p-value of a part being above a bound, or at it if closed."""
    certain = bound < part.lowest or (closed and bound == part.lowest)
    return 0.0 if certain else part.p_above(bound)


def _below(part: Interval, bound: float, *, closed: bool) -> float:
    """Return the p-value of a part being below a bound, or at it if closed."""
    certain = bound > part.highest or (closed and bound == part.highest)
    return 0.0 if certain else part.p_below(bound)
