"""Sampling until decided: when to look, and what repeated looking costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.statistics.evidence import NONE, Evidence


@dataclass(frozen=True)
class Look:
    """A look at the first `n` prompts, which may spend `share` of the error that is allowed."""

    n: int
    share: float


def looks(first: int, budget: int, *, growth: float = 2.0) -> tuple[Look, ...]:
    """Return the looks from `first` prompts to `budget`, each at `growth` times the last.

    Error is spent in proportion to prompts: the look at n has the share of the budget that is new
    in it (the spending function alpha(t) = alpha t of Lan and DeMets 1983). The error of all
    looks is bounded by its sum, whatever depends on what, and so by alpha, whatever makes the
    sampling stop. A budget of `first` is one look with all of alpha, the usual interval.
    """
    _check(first, budget, growth)
    sizes = [first]
    while sizes[-1] < budget:
        sizes.append(min(budget, max(sizes[-1] + 1, round(sizes[-1] * growth))))
    new = [after - before for before, after in zip([0, *sizes], sizes, strict=False)]
    return tuple(Look(n, more / budget) for n, more in zip(sizes, new, strict=True))


def anytime(found: Sequence[Evidence], schedule: Sequence[Look]) -> Evidence:
    """Return the evidence of all looks so far, p-values that no stopping rule can inflate.

    Each is the smallest alpha at which some look decides: the least of p / share. It falls or
    stays from look to look, so that what was decided stays decided.
    """
    spent = [
        Evidence(min(1.0, each.holds / look.share), min(1.0, each.refuted / look.share))
        for each, look in zip(found, schedule, strict=False)
    ]
    return Evidence(
        min((each.holds for each in spent), default=NONE.holds),
        min((each.refuted for each in spent), default=NONE.refuted),
    )


def _check(first: int, budget: int, growth: float) -> None:
    if first < 2 or budget < first:
        raise CircuitUsageError(
            "`first` and `budget`: the first look needs two prompts at least and the budget no "
            f"fewer; got {first} and {budget}."
        )
    if not growth > 1:
        raise CircuitUsageError(f"`growth`: every look is larger than the last; got {growth!r}.")
