"""Faithfulness over circuit sizes: how much of the task is done by how few of the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.interventions import Reference
from pytest_circuits.measures.base import Measure
from pytest_circuits.measures.behaviour import LogitDifference, logit_difference
from pytest_circuits.measures.removal import check_circuit, circuit_without
from pytest_circuits.nodes import Circuit, Node
from pytest_circuits.readings import Draw, Need, Read, Weights

if TYPE_CHECKING:
    from pytest_circuits.readings import Array

Area = Literal["CPR", "CMD"]
SIZES = (0.0, 0.1, 0.2, 0.5, 1.0)


def cpr(what: Circuit, *, to: Reference, sizes: Sequence[float] = SIZES) -> Measure:
    """Measure the area under faithfulness f over the share of a circuit's nodes that is kept.

    f(k) = F(C_k) / F(M), F the mean logit difference; C_k has the first k nodes of the circuit,
    in the order in which its roles and their heads are written (most important first makes the
    area large); everything else is replaced by `to`, MLPs that the circuit names are kept. Area
    by the trapezoid rule over k / n at `sizes`, shares of the nodes rounded to whole nodes,
    divided by the range of sizes: the average height. 1 = the full model's score at every size; no
    unit, can exceed 1 or be negative. Runs: one per size, and the model's.

    Source: integrated circuit performance ratio (CPR) of MIB (arXiv 2504.13151). There k is a
    share of all the model's edges, up to all of them, in the order of a score; here a share of
    this circuit's nodes, so the two compare circuits, not papers. Nodes that work against the
    task (negative heads) raise f where they are missing: read it together with `cmd`.
    """
    return _area("CPR", what, to, sizes)


def cmd(what: Circuit, *, to: Reference, sizes: Sequence[float] = SIZES) -> Measure:
    """Measure the area between faithfulness f over sizes and 1, the full model's: see `cpr`.

    The same area, of |1 - f(k)|; at least 0, and 0 = as the full model at every size. Source:
    integrated circuit-model distance (CMD) of MIB (arXiv 2504.13151). It takes a circuit that
    does better than the model for as wrong as one that does worse.
    """
    return _area("CMD", what, to, sizes)


@dataclass(frozen=True, kw_only=True)
class FaithfulnessArea(Measure):
    """See `cpr` and `cmd`; `kept` are the numbers of nodes at which f is measured."""

    unit: ClassVar[str] = ""
    area: Area
    what: Circuit
    to: Reference
    kept: tuple[int, ...]

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read the answer logits of the model and of the circuit at every size."""
        scores = (logit_difference(), *self._scores())
        return tuple(need for each in scores for need in each.needs(draw))

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the area, [1, draws]."""
        import numpy as np

        model = logit_difference().value(read, draw, weights)
        kept = np.concatenate([each.value(read, draw, weights) for each in self._scores()])
        faithful = kept / np.where(model == 0.0, np.nan, model)
        heights = faithful if self.area == "CPR" else abs(1 - faithful)
        return _mean_height(np.array(self.kept, dtype=float), heights)

    def denominator(self) -> Measure:
        """Return F(M)."""
        return logit_difference()

    def bounds(self) -> tuple[float, float]:
        """Return 0 and no upper end for a distance (CMD), none at all for CPR."""
        return (0.0 if self.area == "CMD" else -inf), inf

    def circuit(self) -> Circuit:
        """Return the circuit of which nodes are kept."""
        return self.what

    def _scores(self) -> tuple[LogitDifference, ...]:
        order = _in_order(self.what)
        return tuple(
            circuit_without(self.what, Circuit.of(order[k:]) if order[k:] else None, self.to)
            for k in self.kept
        )

    def __str__(self) -> str:
        return (
            f"{self.area} of {self.what}, its first {', '.join(map(str, self.kept))} nodes kept "
            f"[{self.to}]"
        )


def _mean_height(at: Array, heights: Array) -> Array:
    """Return the area under points [sizes, draws] by the trapezoid rule, over its width."""
    import numpy as np

    widths = np.diff(at)[:, None]
    areas = widths * (heights[1:] + heights[:-1]) / 2
    height: Array = areas.sum(axis=0, keepdims=True) / widths.sum()
    return height


def _in_order(what: Circuit) -> tuple[Node, ...]:
    """Return the nodes as they are written, each where it is first named."""
    return tuple(dict.fromkeys(node for role in what.roles for node in role.nodes))


def _area(area: Area, what: Circuit, to: Reference, sizes: Sequence[float]) -> Measure:
    check_circuit(what, to)
    wrong = [x for x in sizes if isinstance(x, bool) or not isinstance(x, int | float)]
    if wrong or not all(0 <= x <= 1 for x in sizes):
        raise CircuitUsageError(f"`sizes` must be shares from 0 to 1 of the nodes; got {sizes!r}.")
    nodes = len(what.nodes)
    kept = tuple(sorted({int(x * nodes + 0.5) for x in sizes}))
    if len(kept) < 2:
        raise CircuitUsageError(
            f"`sizes`: an area needs two sizes; {sizes!r} of {nodes} nodes make {len(kept)}."
        )
    return FaithfulnessArea(area=area, what=what, to=to, kept=kept)
