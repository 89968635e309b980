"""Interventions as data: which nodes are replaced, by what, from which distribution. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.nodes import Circuit, Node, Role


@dataclass(frozen=True)
class Reference:
    """What a knocked-out node's output is replaced by.

    `mean`: its mean over the distribution `over`, per template and token position (the paper's
    choice, Wang et al. 2022, section 2). `zero`: zeros. `resample`: its output on another
    prompt of `over` with the same template, drawn at random.
    """

    kind: Literal["mean", "zero", "resample"]
    over: str | None = None

    def __str__(self) -> str:
        if self.kind == "mean":
            return f"mean over {self.over} per template and position"
        return "zero" if self.kind == "zero" else f"resampled from {self.over}"


@dataclass(frozen=True)
class Ablation:
    """Head outputs z replaced by a reference: those in `nodes`, or (`outside`) all but those.

    With `outside`, every head is replaced at every token position, named or not, except the
    nodes; MLPs are kept and see what the ablated heads write.
    """

    nodes: frozenset[Node]
    reference: Reference
    outside: bool = False
    label: str = ""

    def __str__(self) -> str:
        what = self.label or ", ".join(map(str, sorted(self.nodes)))
        verb = "everything outside" if self.outside else "knocked out:"
        return f"{verb} {what} -> {self.reference}" + (", MLPs kept" if self.outside else "")


def mean(over: str) -> Reference:
    """Replace by the mean over the distribution `over`, per template and position.

    `over` must be a distribution in which the task is absent (such as ABC): a mean over the
    task's own prompts still carries what they have in common, and is refused at evaluation.
    """
    return Reference("mean", _distribution(over))


def zero() -> Reference:
    """Replace by zeros. Cheap, but takes the model far from its usual activations."""
    return Reference("zero")


def resample(over: str) -> Reference:
    """Replace by the output on a random prompt of `over` with the same template (seeded)."""
    return Reference("resample", _distribution(over))


def knock_out(what: Role | Circuit, *, to: Reference) -> Ablation:
    """Replace the outputs of a role's (or circuit's) heads at their positions by `to`."""
    return Ablation(_nodes(what), _reference(to), label=str(what))


def keep_only(what: Role | Circuit, *, to: Reference) -> Ablation:
    """Replace every head's output at every position by `to`, except `what`; MLPs are kept."""
    return Ablation(_nodes(what), _reference(to), outside=True, label=str(what))


def _nodes(what: Role | Circuit) -> frozenset[Node]:
    if not isinstance(what, Role | Circuit):
        raise CircuitUsageError(f"expected a role or a circuit, got {what!r}.")
    return frozenset(what.nodes)


def _reference(to: Reference) -> Reference:
    if not isinstance(to, Reference):
        raise CircuitUsageError(
            f"`to` must be a reference: mean(over=ABC), zero() or resample(over=ABC); got {to!r}."
        )
    return to


def _distribution(over: str) -> str:
    if not isinstance(over, str) or not over:
        raise CircuitUsageError(f"`over` must name a distribution such as ABC; got {over!r}.")
    return over
