"""Measures of one distribution of prompts, and of the heads of a role on it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_circuits.arguments import check_made_by, check_name
from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.interventions import Intervention
from pytest_circuits.measures.base import Measure, weighted_means
from pytest_circuits.nodes import Node, Role, check_role
from pytest_circuits.readings import Draw, Need, Read, Reading, Run, Weights

if TYPE_CHECKING:
    from pytest_circuits.readings import Array


def check_on(on: str | None) -> None:
    """Refuse what is neither None nor the name of a distribution."""
    if on is not None:
        check_name("on", on, "ABC")


@dataclass(frozen=True, kw_only=True)
class PromptMeasure(Measure):
    """A measure of one distribution (`on`, the task's own by default), maybe under an ablation."""

    on: str | None = None
    under: Intervention | None = None

    def __post_init__(self) -> None:
        check_on(self.on)
        if self.under is not None:
            check_made_by(
                "under", self.under, Intervention, "knock_out(...), patch(...) or the like"
            )

    def run(self, draw: Draw) -> Run:
        """Return the run it reads."""
        return Run(draw=draw, distribution=self.on or draw.task.name, under=self.under)

    def circumstances(self) -> str:
        """Return the distribution and intervention in words, empty for the task's plain run."""
        return (f" on {self.on}" if self.on else "") + (f" [{self.under}]" if self.under else "")


@dataclass(frozen=True, kw_only=True)
class HeadMeasure(PromptMeasure):
    """A measure of the heads of a role, pooled as the role says.

    Subclasses give the reading of one node and the columns made of its numbers; by default the
    value of a head is the mean of the first column.
    """

    role: Role

    def __post_init__(self) -> None:
        super().__post_init__()
        check_role("role", self.role)
        if self.role.pool is None and len(self.role.heads) > 1:
            raise CircuitUsageError(
                f"`role`: {self.role} has {len(self.role.heads)} heads; say whether the claim is "
                "about role.each, role.mean or role.sum of them."
            )

    @abstractmethod
    def reading(self, node: Node) -> Reading:
        """Return what is read at one node."""

    def _bounds(self, least: float, most: float) -> tuple[float, float]:
        """Return the bounds of the value from those of one head."""
        heads = len(self.role.heads) if self.role.pool == "sum" else 1
        return heads * least, heads * most

    def columns(self, numbers: Array) -> Array:
        """Return the per-prompt columns whose means make the value: [prompts, columns]."""
        return numbers

    def statistic(self, means: Array) -> Array:
        """Return a head's value from its column means, [..., columns] -> [...]."""
        return means[..., 0]

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Return one reading per head."""
        run = self.run(draw)
        return tuple(Need(run, self.reading(node)) for node in self.role.nodes)

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the value per head, or pooled over the role's heads."""
        columns = [self.columns(read(need)) for need in self.needs(draw)]
        return self._pooled(self.statistic(weighted_means(columns, weights)))

    def _pooled(self, per_head: Array) -> Array:
        pooled: Array = per_head
        if self.role.pool == "mean":
            pooled = per_head.mean(axis=0, keepdims=True)
        if self.role.pool == "sum":
            pooled = per_head.sum(axis=0, keepdims=True)
        return pooled

    def labels(self) -> tuple[str, ...]:
        """Return a label per head for `each`, one empty label otherwise."""
        if self.role.pool in ("mean", "sum") or len(self.role.heads) == 1:
            return ("",)
        return tuple(map(str, self.role.heads))

    def by_head(self) -> Measure | None:
        """Return the measure with its role unpooled."""
        several = len(self.role.heads) > 1
        return replace(self, role=self.role.each) if several else None

    def whose(self) -> str:
        """Return the role in words, with how its heads are pooled."""
        several = len(self.role.heads) > 1
        return f"{self.role}" + (f", {self.role.pool}" if several else "")
