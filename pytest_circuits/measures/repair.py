"""Self-repair: what later parts make up for when heads are knocked out.

A total effect near 0 may be a large direct effect that was repaired, and says nothing about need.
Who repairs is another question than how much: a head that writes more, MLPs behind it, or the
final norm, which divides everything by less once something is gone. Only the first is what is
called a backup, so it is measured with the norm's scale held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.interventions import MLPs, Reference, knock_out
from pytest_circuits.measures.attribution import DirectLogits, written_scale
from pytest_circuits.measures.base import Measure, weighted_means
from pytest_circuits.measures.composed import Listed
from pytest_circuits.measures.effects import TotalEffect
from pytest_circuits.measures.of_heads import HeadMeasure
from pytest_circuits.measures.paths import PathEffect, direct_effect
from pytest_circuits.nodes import Node, Role, check_role
from pytest_circuits.readings import Draw, Need, Read, Weights
from pytest_circuits.tasks.positions import END

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.batch import Batch
    from pytest_circuits.readings import Array


@dataclass(frozen=True)
class ScaledWrite(DirectLogits):
    """The head's direct contribution to the two logits at END, and the scale it was divided by."""

    def numbers(self, batch: Batch) -> Tensor:
        """Return [batch, 5]: what `DirectLogits` returns, and the final norm's scale."""
        import torch

        return torch.cat([super().numbers(batch), batch.final_scale], dim=1)


@dataclass(frozen=True, kw_only=True)
class SelfRepair(HeadMeasure):
    """See `self_repair`; the role is that of `by`, its pool never None for several heads."""

    unit: ClassVar[str] = "logits"
    of: Role
    to: Reference

    def reading(self, node: Node) -> ScaledWrite:
        """Read what the head writes towards the two logits, and the scale of the run."""
        return ScaledWrite(node.head)

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read every head as it is, then every head with `of` knocked out."""
        without = SelfRepair(
            role=self.role, of=self.of, to=self.to, under=knock_out(self.of, to=self.to)
        )
        return tuple(need for each in (self, without) for need in HeadMeasure.needs(each, draw))

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the rise per head, or pooled over the role's heads."""
        numbers = [read(need) for need in self.needs(draw)]
        heads = len(self.role.heads)
        rises = [_rise(*both) for both in zip(numbers[:heads], numbers[heads:], strict=True)]
        return self._pooled(self.statistic(weighted_means(rises, weights)))

    def scale(self, read: Read, draw: Draw) -> float:
        """Return the largest logit difference, or part of it that a head writes, of a prompt."""
        return written_scale(read(need) for need in self.needs(draw))

    def __str__(self) -> str:
        return (
            f"rise of what {self.whose()} writes directly when {self.of} is knocked out "
            f"[-> {self.to}; final norm's scale held]"
        )


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


def self_repair(of: Role, by: Role, *, to: Reference) -> Measure:
    """Measure how much more `by` writes for the answer once `of` is knocked out.

    Per prompt (w' - w) / s: w is what the heads of `by` write at END towards logit[answer] -
    logit[foil], w' the same with `of` replaced by `to`, s the final norm's scale in the run without
    any knock-out, in both. It is what `direct_logit_attribution` rises by with that scale held;
    the heads of `by` add up, unless it says `each` or `mean`. Unit logits; positive: `by` is a
    backup of `of`; 0: it does the same with and without. 2 runs.

    The scale is held because the norm divides by less once `of` is gone, so that the direct effect
    of every head grows, also of one that cannot know. `self_repair_parts` has that, and what MLPs
    make of the heads' output, as parts of their own. Heads of `by` in the lowest layer of `of`, or
    below it, cannot answer and are refused.

    Source: Wang et al. 2022, section 3.4 (backup name movers), by direct effects with nothing held;
    the norm's share: Rushing and Nanda 2024 (arXiv 2402.15390). A rise shows that `by` responds,
    not that it is enough: compare with `compensation(of)`.
    """
    _check_repair(of, by, to)
    together = by.sum if by.pool is None and len(by.heads) > 1 else by
    return SelfRepair(role=together, of=of, to=to)


def self_repair_parts(of: Role, by: Role, *, to: Reference) -> Measure:
    """Measure by what the direct effect of `by` rises when `of` is knocked out, part by part.

    The parts add up to direct_effect(by, given=knock_out(of)) - direct_effect(by), each against F
    of its own world, MLPs live, all relative to `to`:

    - `head`: what `by` writes more, the final norm's scale held: `self_repair`;
    - `final norm`: what comes of the norm's scale, which answers to the loss of `of` and of `by`;
    - `MLPs`: what MLPs behind `by` make of its output more than before.

    Unit logits, any sign; per head for by.each. A claim about it is about each part. Only the
    first is done by the heads: the other two can be large for a head that does not change at all.
    Source: as `self_repair`. It does not show that other heads do not repair.
    """
    own = self_repair(of, by, to=to)
    frozen, live = (_direct_rise(of, by, to, mlps) for mlps in ("frozen", "live"))
    return Listed(
        words=RepairParts(of=of, by=by, to=to),
        parts=(("head", own), ("final norm", frozen - own), ("MLPs", live - frozen)),
    )


@dataclass(frozen=True, kw_only=True)
class RepairParts:
    """`self_repair_parts` in words."""

    of: Role
    by: Role
    to: Reference

    def __str__(self) -> str:
        pooled = f", {self.by.pool}" if self.by.pool and len(self.by.heads) > 1 else ""
        return (
            f"parts of the rise of the direct effect of {self.by}{pooled} when {self.of} is "
            f"knocked out [-> {self.to}]"
        )


def compensation(what: Role, *, to: Reference, mlps: MLPs = "live") -> Measure:
    """Measure what later parts make up for when heads are knocked out: direct minus total effect.

    Unit logits; positive: the loss is repaired (by backup heads, or by negative heads that lose
    their target); negative: later parts pass the heads' effect on and add to it. Divided by
    direct_effect(what, to=...) it is the repaired share, 1 - total / direct. The heads of a role
    are taken together; with role.each, role.mean or role.sum one by one. Source: Wang et al.
    2022, section 3.4; McGrath et al. 2023 (arXiv 2307.15771). It does not say which part repairs:
    see `self_repair`. The final norm is one of them: it divides by less where more is gone (by 11 %
    without SmolLM2's name movers), and of the 2.29 logits that are made up for there, 0.37 are its
    doing: with the scale held 1.92 are left (64 prompts, to=mean(ABC)).
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


def _rise(before: Array, after: Array) -> Array:
    """Return [prompts, 1]: what is written more, from the columns of `ScaledWrite`, scale held."""
    scale = before[:, 4:]
    written = [(each[:, :1] - each[:, 1:2]) * each[:, 4:] for each in (before, after)]
    rise: Array = (written[1] - written[0]) / scale
    return rise


def _direct_rise(of: Role, by: Role, to: Reference, mlps: MLPs) -> Measure:
    after = direct_effect(by, to=to, mlps=mlps, given=knock_out(of, to=to))
    return after - direct_effect(by, to=to, mlps=mlps)


def _check_repair(of: Role, by: Role, to: Reference) -> None:
    """Refuse heads that cannot answer to the loss, or whose answer does not reach the logits."""
    for name, role in (("of", of), ("by", by)):
        check_role(name, role)
    knock_out(of, to=to)  # refuses what is no reference
    if by.at != END:
        raise CircuitUsageError(f"`by`: what repairs writes at END, but {by} acts at {by.at}.")
    for node in by.nodes:
        if node in of.nodes:
            raise CircuitUsageError(
                f"`by`: {node} is also in `of`: it is gone, and repairs nothing."
            )
    lowest = min(head.layer for head in of.heads)
    deaf = [str(head) for head in by.heads if head.layer <= lowest]
    if deaf:
        raise CircuitUsageError(
            f"`by`: {', '.join(deaf)} cannot answer to the loss of {of}: a head reads only what "
            f"lower layers write, so that it must lie above layer {lowest}."
        )
