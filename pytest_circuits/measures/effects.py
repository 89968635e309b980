"""What the logit difference loses when something is changed: the base of causal measures."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from pytest_circuits.interventions import (
    Ablation,
    Intervention,
    Reference,
    check_parts,
    knock_out,
)
from pytest_circuits.measures.base import Measure, weighted_means
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.measures.of_heads import check_on
from pytest_circuits.nodes import Activations, Circuit, Role
from pytest_circuits.readings import Draw, Need, Read, Weights

if TYPE_CHECKING:
    from pytest_circuits.readings import Array


What = Role | Circuit | Activations


@dataclass(frozen=True, kw_only=True)
class Effect(Measure):
    """F(M) - F(M with something of `what` changed), F the mean logit difference.

    The heads of a role are changed together, unless it says `each`, `mean` or `sum`: then each is
    changed alone and the effects are pooled. `given` is an ablation that holds in both runs.
    """

    unit: ClassVar[str] = "logits"
    what: What
    on: str | None = None
    given: Ablation | None = None

    def __post_init__(self) -> None:
        check_parts(self.what)
        check_on(self.on)

    @abstractmethod
    def changed(self, part: What, draw: Draw) -> Intervention:
        """Return the intervention on one part of `what`."""

    def statistic(self, before: Array, after: Array) -> Array:
        """Return the value from F before and after, [1, draws] and [parts, draws]."""
        return before - after

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read the answer logits before, and after the change of each part."""
        changes = (self.changed(part, draw) for part in self._parts())
        runs = (logit_difference(on=self.on, under=each) for each in (self.given, *changes))
        return tuple(need for run in runs for need in run.needs(draw))

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the value per part, or pooled over the role's heads."""
        means = mean_differences(self.needs(draw), read, weights)
        return self._pooled(self.statistic(means[:1], means[1:]))

    def scale(self, read: Read, draw: Draw) -> float:
        """Return the largest F of a prompt, before or after; of a share of F, as such a share."""
        columns = [logit_difference().column(read(need)) for need in self.needs(draw)]
        largest = max(float(abs(column).max()) for column in columns)
        whole = 1.0 if self.denominator() is None else abs(float(columns[0].mean()))
        return largest / whole if whole else 0.0

    def labels(self) -> tuple[str, ...]:
        """Return a label per head for `each`, one empty label otherwise."""
        parts = self._parts()
        if self._pool() != "each" or len(parts) == 1:
            return ("",)
        return tuple(str(part.heads[0]) for part in parts if isinstance(part, Role))

    def by_head(self) -> Measure | None:
        """Return the measure per head, if heads were changed one by one."""
        if not isinstance(self.what, Role) or len(self._parts()) == 1:
            return None
        return replace(self, what=self.what.each)

    def whose(self) -> str:
        """Return `what` in words, with how its heads are pooled."""
        return f"{self.what}" + (f", {self._pool()}" if len(self._parts()) > 1 else "")

    def circumstances(self) -> str:
        """Return the distribution and the ablation that holds already, in words."""
        given = f" [given {self.given}]" if self.given else ""
        return (f" on {self.on}" if self.on else "") + given

    def _pool(self) -> str | None:
        return self.what.pool if isinstance(self.what, Role) else None

    def _parts(self) -> tuple[What, ...]:
        if not isinstance(self.what, Role) or self.what.pool is None:
            return (self.what,)
        return tuple(replace(self.what, heads=(head,), pool=None) for head in self.what.heads)

    def _pooled(self, values: Array) -> Array:
        pooled: Array = values
        if self._pool() == "mean":
            pooled = values.mean(axis=0, keepdims=True)
        if self._pool() == "sum":
            pooled = values.sum(axis=0, keepdims=True)
        return pooled


@dataclass(frozen=True, kw_only=True)
class TotalEffect(Effect):
    """The drop of F when `what` is knocked out and everything later answers to it."""

    to: Reference

    def __post_init__(self) -> None:
        super().__post_init__()
        knock_out(self.what, to=self.to, given=self.given)  # refuses what is no reference

    def changed(self, part: What, draw: Draw) -> Intervention:
        """Knock the part out."""
        return knock_out(part, to=self.to, given=self.given)

    def __str__(self) -> str:
        return f"total effect of {self.whose()} -> {self.to}{self.circumstances()}"


def mean_differences(needs: tuple[Need, ...], read: Read, weights: Weights) -> Array:
    """Return F of each run whose answer logits are needed: [runs, draws]."""
    column = logit_difference().column
    means: Array = weighted_means([column(read(need)) for need in needs], weights)[..., 0]
    return means
