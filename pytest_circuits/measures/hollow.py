"""What a measure says of no circuit at all: whatever it keeps is replaced as well."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeGuard

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.interventions import Ablation, EdgeCircuit, Scrub
from pytest_circuits.nodes import Circuit, Edge, Node
from pytest_circuits.pieces import pieces

if TYPE_CHECKING:
    from pytest_circuits.measures.base import Measure


def circuit_in(measure: Measure) -> Circuit | None:
    """Return the circuit that is kept while all else is replaced; None if it is not just one."""
    kept = {piece for piece in pieces(measure) if _keeps(piece)}
    if len(kept) != 1:
        return None
    (one,) = kept
    nodes = one.nodes if isinstance(one, Ablation) else _of_edges(one.edges)
    return Circuit.of(nodes, "the circuit")


def hollowed(measure: Measure) -> Measure | None:
    """Return the measure with no part of its circuit kept; None if there is no such measure."""
    if circuit_in(measure) is None:
        return None
    try:
        return _hollow(measure)  # type: ignore[no-any-return]
    except CircuitUsageError:  # such as a path to heads that are all replaced
        return None


def _keeps(piece: object) -> TypeGuard[Ablation | EdgeCircuit | Scrub]:
    return isinstance(piece, EdgeCircuit | Scrub) or (isinstance(piece, Ablation) and piece.outside)


def _of_edges(edges: Iterable[Edge]) -> frozenset[Node]:
    ends = ((edge.sender, edge.receiver and edge.receiver.node) for edge in edges)
    return frozenset(node for pair in ends for node in pair if node)


def _hollow(value: Any) -> Any:
    """Return plain data in which every intervention that keeps a circuit keeps nothing."""
    if isinstance(value, EdgeCircuit | Scrub):
        return Ablation(frozenset(), value.reference, outside=True, label="nothing")
    if isinstance(value, Ablation):
        return _emptied(value)
    if isinstance(value, tuple | frozenset):
        return type(value)(map(_hollow, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{each.name: _hollow(getattr(value, each.name)) for each in fields(value)}
        )
    return value


def _emptied(ablation: Ablation) -> Ablation:
    if ablation.outside:
        return replace(ablation, nodes=frozenset(), label="nothing")
    if ablation.given is None or not ablation.given.outside:
        return ablation
    given = _emptied(ablation.given)
    return given if _is_within(ablation, given) else replace(ablation, given=given)


def _is_within(ablation: Ablation, given: Ablation) -> bool:
    """Return whether all that is replaced is replaced alike in a world that keeps nothing."""
    return ablation.reference == given.reference and all(
        isinstance(node, Node) or (node.kind == "mlp" and given.mlps_outside)
        for node in ablation.nodes
    )
