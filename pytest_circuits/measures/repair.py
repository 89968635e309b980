"""Self-repair: what later parts make up for when heads are knocked out.

A total effect near 0 may be a large direct effect that was repaired, and says nothing about need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.interventions import MLPs, Reference, knock_out
from pytest_circuits.measures.base import Measure
from pytest_circuits.measures.effects import TotalEffect
from pytest_circuits.measures.paths import PathEffect, direct_effect
from pytest_circuits.nodes import Role
from pytest_circuits.readings import Draw, Need, Read, Weights

if TYPE_CHECKING:
    from pytest_circuits.readings import Array


@dataclass(frozen=True, kw_only=True)
class TotalAndDirectEffect(Measure):
    """See `total_and_direct_effect`."""

    unit: ClassVar[str] = "logits"
    per_prompt: ClassVar[bool] = False
    total: TotalEffect
    direct: PathEffect

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Return the readings of both."""
        return self.total.needs(draw) + self.direct.needs(draw)

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the total effects, then the direct ones."""
        import numpy as np

        both = [each.value(read, draw, weights) for each in (self.total, self.direct)]
        return np.concatenate(both)

    def scale(self, read: Read, draw: Draw) -> float:
        """Return the largest F of a prompt, in any of the runs."""
        return max(each.scale(read, draw) for each in (self.total, self.direct))

    def labels(self) -> tuple[str, ...]:
        """Return "total" and "direct", with the head for `each`."""
        kinds = {"total": self.total, "direct": self.direct}
        return tuple(
            f"{kind} {label}".strip() for kind, each in kinds.items() for label in each.labels()
        )

    def __str__(self) -> str:
        direct = self.direct
        return (
            f"total and direct effect of {direct.whose()} [heads -> {direct.to}, "
            f"MLPs {direct.mlps} on the direct path]"
        )


def self_repair(of: Role, by: Role, *, to: Reference, mlps: MLPs = "live") -> Measure:
    """Measure how much the direct effect of `by` rises when `of` is knocked out.

    direct_effect(by, given=knock_out(of)) - direct_effect(by), each against F of its own world,
    `to` the reference of all of them. Unit logits; positive: `by` is a backup of `of`; 0: it
    does the same with and without. Source: Wang et al. 2022, section 3.4 (backup name movers).
    A rise shows that `by` responds, not that it is enough: compare with `compensation(of)`.
    """
    without = knock_out(of, to=to)
    after = direct_effect(by, to=to, mlps=mlps, given=without)
    for node in by.nodes:
        if node in without.nodes:
            raise CircuitUsageError(
                f"`by`: {node} is also in `of`: it is gone, and repairs nothing."
            )
    return after - direct_effect(by, to=to, mlps=mlps)


def compensation(what: Role, *, to: Reference, mlps: MLPs = "live") -> Measure:
    """Measure what later parts make up for when heads are knocked out: direct minus total effect.

    Unit logits; positive: the loss is repaired (by backup heads, or by negative heads that lose
    their target); negative: later parts pass the heads' effect on and add to it. Divided by
    direct_effect(what, to=...) it is the repaired share, 1 - total / direct. The heads of a role
    are taken together; with role.each, role.mean or role.sum one by one. Source: Wang et al.
    2022, section 3.4; McGrath et al. 2023 (arXiv 2307.15771). It does not say which part repairs:
    see `self_repair`.
    """
    return direct_effect(what, to=to, mlps=mlps) - TotalEffect(what=what, to=to)


def total_and_direct_effect(
    what: Role, *, to: Reference, mlps: MLPs = "live"
) -> TotalAndDirectEffect:
    """Measure the total and the direct effect of heads on F, a value each.

    A claim about it is about both: `total_and_direct_effect(role, to=mean(ABC)).between(-0.1,
    0.1)` is how to claim that a role is not needed at END. Do not claim that with
    `knock_out_effect` alone, which is small too where the loss is repaired. Unit logits,
    parts "total" and "direct" (per head for role.each). Passing does not show that the role acts
    through no other path: `path_effect` has those.
    """
    return TotalAndDirectEffect(
        total=TotalEffect(what=what, to=to), direct=direct_effect(what, to=to, mlps=mlps)
    )
