"""Previous-token, duplicate-token and induction scores, on random tokens and on the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_circuits.errors import CircuitUsageError, unknown_name
from pytest_circuits.measures.attention import Attention, attention
from pytest_circuits.measures.base import HeadMeasure, Measure
from pytest_circuits.nodes import Node, Role
from pytest_circuits.readings import Draw, OfHead, Run, Site
from pytest_circuits.tasks.positions import FIRST, S1, S1_NEXT, S2, SECOND
from pytest_circuits.tasks.repeated import RepeatedTokens

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.batch import Batch

Pattern = Literal["previous", "duplicate", "induction"]
Where = Literal["random", "task"]


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

    def reading(self, node: Node) -> StripeAttention:
        """Read the stripe of the head."""
        return StripeAttention(node.head, self.pattern)

    def run(self, draw: Draw) -> Run:
        """Read random repeated tokens, with the task's BOS policy, as many as prompts asked for."""
        task = RepeatedTokens(bos=getattr(draw.task, "bos", None))
        drawn = Draw(task=task, n=draw.n, seed=draw.seed)
        return Run(draw=drawn, distribution=task.name, under=self.under)

    def bounds(self) -> tuple[float, float]:
        """Return 0 and 1 for a head."""
        return self._bounds(0.0, 1.0)

    def __str__(self) -> str:
        return f"{self.pattern}-token score of {self.whose()} on random repeated tokens"


def previous_token_score(role: Role, *, on: Where = "random") -> Measure:
    """Measure the mean attention of each head from a token to the one before it; 0 to 1.

    On "random": over all positions of random repeated tokens. On "task": from the role's
    position to the one before, S1+1 -> S1. Source: Wang et al. 2022, section 3.3 and appendix.
    """
    return _score(role, "previous", on, query=S1_NEXT, key=S1)


def duplicate_token_score(role: Role, *, on: Where = "random") -> Measure:
    """Measure the mean attention from a repeated token to its first occurrence; 0 to 1.

    On "random": from each token of the second copy to the same token of the first. On "task":
    S2 -> S1. Source: Wang et al. 2022, section 3.3 and appendix.
    """
    return _score(role, "duplicate", on, query=S2, key=S1)


def induction_score(role: Role, *, on: Where = "random") -> Measure:
    """Measure the mean attention from a repeated token to the one after its first copy; 0 to 1.

    On "random": from each token of the second copy. On "task": S2 -> S1+1. Source: Olsson et al.
    2022; Wang et al. 2022, section 3.3 and appendix. A pattern, not proof of an effect.
    """
    return _score(role, "induction", on, query=S2, key=S1_NEXT)


def _score(role: Role, pattern: Pattern, on: str, *, query: str, key: str) -> Measure:
    if on == "random":
        return TokenScore(role=role, pattern=pattern)
    if on != "task":
        raise CircuitUsageError("`on`: " + unknown_name("place", on, ("random", "task")))
    return _on_task(role, pattern, query, key)


def _on_task(role: Role, pattern: Pattern, query: str, key: str) -> Attention:
    if role.at != query:
        raise CircuitUsageError(
            f"`role`: on the task, the {pattern}-token score is the attention from {query} to "
            f"{key}, but {role} acts at {role.at}. Declare it with at={query!r}, or use "
            "on='random'."
        )
    return attention(role, to=key)
