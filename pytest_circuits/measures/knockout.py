"""What is lost when nodes are knocked out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.interventions import Reference
from pytest_circuits.measures.base import Measure
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.measures.effects import TotalEffect, What

if TYPE_CHECKING:
    from pytest_circuits.readings import Array


@dataclass(frozen=True, kw_only=True)
class KnockOutShare(TotalEffect):
    """See `knock_out_share`."""

    unit: ClassVar[str] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self._pool() == "sum":
            raise CircuitUsageError(
                f"`what`: shares that are left without {self.what}, one head at a time, do not add "
                "up to anything: claim role.each, role.mean, or the role as a whole."
            )

    def denominator(self) -> Measure:
        """Return F(M)."""
        return logit_difference(on=self.on, under=self.given)

    def statistic(self, before: Array, after: Array) -> Array:
        """Return F after / F before, not a number where the latter is 0."""
        import numpy as np

        with np.errstate(divide="ignore", invalid="ignore"):
            share: Array = after / np.where(before == 0.0, np.nan, before)
        return share

    def __str__(self) -> str:
        return f"share of the logit difference left without {self.whose()} -> {self.to}"


def knock_out_effect(what: What, *, to: Reference) -> TotalEffect:
    """Measure the drop F(M) - F(M\\K) of the logit difference when K is knocked out.

    Unit logits; positive where K helps the task, negative where it works against it. Paired over
    prompts. A role (a circuit, activations) is knocked out as a whole; with role.each, role.mean
    or role.sum its heads one by one. Source: Wang et al. 2022, section 2 (knock-outs).

    It is the *total* effect, after later heads have compensated: a small value does not show that
    K does nothing (`total_and_direct_effect`). Nor need effects of single heads add up to that of
    all: heads that stand in for one another each do little alone.
    """
    return TotalEffect(what=what, to=to)


def knock_out_share(what: What, *, to: Reference) -> KnockOutShare:
    """Measure F(M\\K) / F(M): the share of the logit difference that survives K's knock-out.

    1 is no effect, above 1 a node that works against the task; a ratio of means, paired; undefined
    where F(M) is 0. A role is knocked out as a whole; role.each makes a share per head, knocked
    out alone, role.mean their mean. Shares that are left do not add up: role.sum is refused.
    It shows as little as `knock_out_effect` that K does nothing.
    """
    return KnockOutShare(what=what, to=to)
