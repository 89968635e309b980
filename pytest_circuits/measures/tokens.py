"""Previous-token, duplicate-token and induction scores, on random tokens and on the task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_circuits.arguments import check_choice, check_whole, several
from pytest_circuits.errors import CircuitUsageError, shown
from pytest_circuits.measures.attention import Attention, attention
from pytest_circuits.measures.base import Measure, weighted_means
from pytest_circuits.measures.of_heads import HeadMeasure
from pytest_circuits.nodes import Node, Role, check_role
from pytest_circuits.readings import Draw, Need, OfHead, Read, Run, Site, Weights
from pytest_circuits.tasks.positions import FIRST, S1, S1_NEXT, S2, SECOND
from pytest_circuits.tasks.repeated import LONGEST, RepeatedTokens

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.batch import Batch
    from pytest_circuits.readings import Array

Pattern = Literal["previous", "duplicate", "induction"]
Where = Literal["random", "task"]
Period = int | Sequence[int]

# After how many tokens random ones are repeated. In IOI, S comes again after 5 to 14 tokens (with a
# distractor 12 to 22), under tokenizers that make a token of each of its words; and longer.
PERIODS = (6, 10, 14, 24)


@dataclass(frozen=True)
class StripeAttention(OfHead):
    """Mean attention along a stripe of a repeated sequence r1..rk r1..rk.

    previous: every position p >= 1 to p - 1. duplicate: each token of the second copy to the same
    token of the first. induction: each token of the second copy to the token after its first copy.
    """

    pattern: Pattern

    def sites(self) -> tuple[Site, ...]:
        """Read the pattern of the head's layer."""
        return (Site("pattern", self.head.layer),)

    def numbers(self, batch: Batch) -> Tensor:
        """Return [batch, 1]."""
        pattern = batch.act(Site("pattern", self.head.layer))[:, self.head.index]
        first, second = batch.at(FIRST), batch.at(SECOND)
        return self._stripe(pattern, first, second, int((second - first)[0]))

    def _stripe(self, pattern: Tensor, first: Tensor, second: Tensor, period: int) -> Tensor:
        import torch

        steps = torch.arange(period, device=pattern.device)
        if self.pattern == "previous":
            queries = first[:, None] + torch.arange(1, 2 * period, device=pattern.device)
            keys = queries - 1
        else:
            queries = second[:, None] + steps
            keys = queries - period + (self.pattern == "induction")
        rows = torch.arange(len(pattern), device=pattern.device)[:, None]
        return pattern[rows, queries, keys].mean(dim=1, keepdim=True)


@dataclass(frozen=True, kw_only=True)
class TokenScore(HeadMeasure):
    """See `previous_token_score`, `duplicate_token_score`, `induction_score`."""

    unit: ClassVar[str] = "attention"
    pattern: Pattern
    periods: tuple[int, ...]

    def reading(self, node: Node) -> StripeAttention:
        """Read the stripe of the head."""
        return StripeAttention(node.head, self.pattern)

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read every head on the sequences of every period, a head after the other."""
        runs = [self._run(draw, period) for period in self.periods]
        readings = map(self.reading, self.role.nodes)
        return tuple(Need(run, reading) for reading in readings for run in runs)

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the value per head, or pooled: a row's is its mean over the periods."""
        import numpy as np

        numbers = [read(need) for need in self.needs(draw)]
        several = len(self.periods)
        of_heads = (numbers[i : i + several] for i in range(0, len(numbers), several))
        columns = [np.mean(each, axis=0) for each in of_heads]
        return self._pooled(self.statistic(weighted_means(columns, weights)))

    def _run(self, draw: Draw, period: int) -> Run:
        """Return the run of random repeated tokens, with the task's BOS policy, as many rows."""
        task = RepeatedTokens(length=period, bos=getattr(draw.task, "bos", None))
        drawn = Draw(task=task, n=draw.n, seed=draw.seed)
        return Run(draw=drawn, distribution=task.name, under=self.under)

    def bounds(self) -> tuple[float, float]:
        """Return 0 and 1 for a head."""
        return self._bounds(0.0, 1.0)

    def __str__(self) -> str:
        after = ", ".join(map(str, self.periods))
        return f"{self.pattern}-token score of {self.whose()}, random tokens repeated after {after}"


def previous_token_score(
    role: Role, *, on: Where = "random", period: Period | None = None
) -> Measure:
    """Measure the mean attention of each head from a token to the one before it; 0 to 1.

    On "random": over all positions of random repeated tokens; `period` as in `induction_score`. On
    "task": from the role's position to the one before, S1+1 -> S1. Source: Wang et al. 2022,
    section 3.3 and appendix.
    """
    return _score(role, "previous", on, period, query=S1_NEXT, key=S1)


def duplicate_token_score(
    role: Role, *, on: Where = "random", period: Period | None = None
) -> Measure:
    """Measure the mean attention from a repeated token to its first occurrence; 0 to 1.

    On "random": from each token of the second copy to the same token of the first; `period` as in
    `induction_score`. On "task": S2 -> S1. Source: Wang et al. 2022, section 3.3 and appendix.
    """
    return _score(role, "duplicate", on, period, query=S2, key=S1)


def induction_score(role: Role, *, on: Where = "random", period: Period | None = None) -> Measure:
    """Measure the mean attention from a repeated token to the one after its first copy; 0 to 1.

    On "random": from each token of the second copy. On "task": S2 -> S1+1.

    `period` says after how many random tokens they are repeated: one number (3 or more), or several
    whose scores are averaged. By default 6, 10, 14 and 24, which covers the distances at which IOI
    repeats a name and goes beyond them: heads find what stands at some distances and not at others,
    so that a score at one period says little about another. A pass of the model per period.

    Source: Olsson et al. 2022; Wang et al. 2022, section 3.3 and appendix. A pattern, not proof of
    an effect; a mean over periods does not show that the head does it at each.
    """
    return _score(role, "induction", on, period, query=S2, key=S1_NEXT)


def _score(
    role: Role, pattern: Pattern, on: str, period: Period | None, *, query: str, key: str
) -> Measure:
    check_role("role", role)
    check_choice("on", on, "place", ("random", "task"))
    if on == "random":
        return TokenScore(role=role, pattern=pattern, periods=_periods(period))
    if period is not None:
        raise CircuitUsageError(
            f"`period`: the task's own prompts have the distances they have; got {shown(period)}. "
            "Leave it out, or use on='random'."
        )
    return _on_task(role, pattern, query, key)


def _periods(period: Period | None) -> tuple[int, ...]:
    if period is None:
        return PERIODS
    periods = (period,) if isinstance(period, int) else several("period", period, "whole numbers")
    for each in periods:
        check_whole("period", each, 3, LONGEST)
    if not periods or len(set(periods)) < len(periods):
        raise CircuitUsageError(
            f"`period` must be one period or several different ones; got {shown(period)}."
        )
    return periods


def _on_task(role: Role, pattern: Pattern, query: str, key: str) -> Attention:
    if role.at != query:
        raise CircuitUsageError(
            f"`role`: on the task, the {pattern}-token score is the attention from {query} to "
            f"{key}, but {role} acts at {role.at}. Declare it with at={query!r}, or use "
            "on='random'."
        )
    return attention(role, to=key)
