"""Faithfulness over circuit sizes: how much of the task is done by how few of the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_circuits.arguments import several
from pytest_circuits.errors import CircuitUsageError, shown
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


def cpr(what: Circuit, *, to: Reference, sizes: Sequence[float] | None = None) -> Measure:
    """Measure the area under faithfulness f over the share of a circuit's nodes that is kept.

    f(k) = (F(C_k) - F(C_0)) / (F(M) - F(C_0)), F the mean logit difference; C_k has the first k
    nodes of the circuit, in the order in which its roles and their heads are written (most
    important first makes the area large); everything else is replaced by `to`, MLPs that the
    circuit names are kept; C_0 has no head. So f(0) = 0, and f = 1 is the full model's score. Area
    by the trapezoid rule over k / n, divided by the range of sizes: the average height. No unit,
    can exceed 1 or be negative; undefined where F(M) = F(C_0).

    `sizes` are shares of the nodes, rounded to whole ones; two that come to the same number of
    nodes are refused. By default 0, 10, 20, 50 and 100 % of them, as many as differ: the sentence
    says which. Runs: one per size, and those of the model and of C_0.

    Source: integrated circuit performance ratio (CPR) of MIB (arXiv 2504.13151), whose
    faithfulness is that f. There k is a share of all the model's edges, up to all of them, in the
    order of a score; here a share of this circuit's nodes, so the two compare circuits, not papers.
    Nodes that work against the task (negative heads) raise f where they are missing: read it
    together with `cmd`.
    """
    return _area("CPR", what, to, sizes)


def cmd(what: Circuit, *, to: Reference, sizes: Sequence[float] | None = None) -> Measure:
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
        """Read the answer logits of the model, of no head, and of the circuit at every size."""
        scores = (logit_difference(), *(self._score(k) for k in (0, *self.kept)))
        return tuple(dict.fromkeys(need for each in scores for need in each.needs(draw)))

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the area, [1, draws]."""
        import numpy as np

        empty = self._score(0).value(read, draw, weights)
        kept = np.concatenate([self._score(k).value(read, draw, weights) for k in self.kept])
        gap = self.denominator().value(read, draw, weights)
        faithful = (kept - empty) / np.where(gap == 0.0, np.nan, gap)
        heights = faithful if self.area == "CPR" else abs(1 - faithful)
        return _mean_height(np.array(self.kept, dtype=float), heights)

    def denominator(self) -> Measure:
        """Return F(M) - F(C_0)."""
        return logit_difference() - self._score(0)

    def bounds(self) -> tuple[float, float]:
        """Return 0 and no upper end for a distance (CMD), none at all for CPR."""
        return (0.0 if self.area == "CMD" else -inf), inf

    def circuit(self) -> Circuit:
        """Return the circuit of which nodes are kept."""
        return self.what

    def _score(self, k: int) -> LogitDifference:
        """Return F(C_k): the rest of the circuit is gone as well."""
        rest = _in_order(self.what)[k:]
        return circuit_without(self.what, Circuit.of(rest) if rest else None, self.to)

    def __str__(self) -> str:
        return (
            f"{self.area} of {self.what}, its first {', '.join(map(str, self.kept))} nodes kept, "
            f"0 = no head [{self.to}]"
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


def _area(area: Area, what: Circuit, to: Reference, sizes: Sequence[float] | None) -> Measure:
    check_circuit(what, to)
    if sizes is not None:
        sizes = several("sizes", sizes, "shares of the nodes")
        _check_sizes(sizes, len(what.nodes))
    kept = _whole(SIZES if sizes is None else sizes, len(what.nodes))
    return FaithfulnessArea(area=area, what=what, to=to, kept=tuple(sorted(kept)))


def _whole(sizes: Sequence[float], nodes: int) -> dict[int, list[float]]:
    """Return the numbers of nodes that shares come to, with the shares that do."""
    found: dict[int, list[float]] = {}
    for share in sizes:
        found.setdefault(int(share * nodes + 0.5), []).append(share)
    return found


def _check_sizes(sizes: Sequence[float], nodes: int) -> None:
    wrong = [x for x in sizes if isinstance(x, bool) or not isinstance(x, int | float)]
    if wrong or not all(0 <= x <= 1 for x in sizes):
        raise CircuitUsageError(
            f"`sizes` must be shares from 0 to 1 of the nodes; got {shown(sizes)}."
        )
    if len(sizes) < 2:
        raise CircuitUsageError(f"`sizes`: an area needs two sizes; got {shown(sizes)}.")
    same = {k: shares for k, shares in _whole(sizes, nodes).items() if len(shares) > 1}
    if same:
        said = "; ".join(f"{', '.join(map(str, each))} all make {k}" for k, each in same.items())
        raise CircuitUsageError(
            f"`sizes`: of {nodes} nodes, {said}. Give sizes that differ, such as k / {nodes}."
        )
