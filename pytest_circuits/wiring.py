"""Edges from the heads of one role to what those of another read, or to the logits."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_circuits.errors import CircuitUsageError, shown
from pytest_circuits.nodes import Edge, Inputs, Logits, Node, Receiver, Role, is_below


def edges(sender: Role, receiver: Inputs | Logits) -> tuple[Edge, ...]:
    """Return the edges from every head of `sender` to every receiver of `receiver`.

    `receiver` is role.q, role.k, role.v or LOGITS. Pairs whose sender lies in the receiver's layer
    or above it are no edges and are left out, but every head that is named must be the end of one:
    `CircuitUsageError` names the head that is of none, and all at the other end.
    """
    _check_ends(sender, receiver)
    if isinstance(receiver, Logits):
        return tuple(Edge(node, None) for node in sender.nodes)
    ends = receiver.receivers
    found = [(node, end) for node in sender.nodes for end in ends if is_below(node, end)]
    for node in sender.nodes:
        if all(node != one for one, _ in found):
            raise CircuitUsageError(_leads_back(f"{node} lies at or above", "receiver", ends))
    for end in ends:
        if all(end != other for _, other in found):
            raise CircuitUsageError(_leads_back(f"{end} lies at or below", "sender", sender.nodes))
    return tuple(Edge(node, end) for node, end in found)


def _check_ends(sender: Role, receiver: Inputs | Logits) -> None:
    if not isinstance(sender, Role):
        raise CircuitUsageError(
            f"`sender` must be made by heads(...); got {shown(sender)}. MLPs are live on each "
            "receiver's own input: replace what one writes with knock_out(mlps(...), to=...)."
        )
    if not isinstance(receiver, Inputs | Logits):
        raise CircuitUsageError(
            f"`receiver` must be role.q, role.k, role.v or LOGITS; got {shown(receiver)}. The MLPs "
            "read all that is live, without edges."
        )


def _leads_back(what: str, kind: str, others: Iterable[Node | Receiver]) -> str:
    return (
        f"`edges`: {what} the layer of every {kind} ({', '.join(map(str, others))}), so that no "
        "edge is left of it: edges go from a lower layer to a higher one. Are the two the wrong "
        "way round? Otherwise leave that head out."
    )
