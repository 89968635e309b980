"""The score F of a model or a circuit from which nodes K were removed, and what K may be."""

from __future__ import annotations

from collections import Counter

from pytest_circuits.arguments import check_made_by
from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.interventions import Reference, keep_only, knock_out
from pytest_circuits.measures.behaviour import LogitDifference, logit_difference
from pytest_circuits.nodes import Activation, Activations, Circuit, Node, Role

Removed = Role | Circuit | Activations | None


def model_without(removed: Removed, to: Reference) -> LogitDifference:
    """Return F(M\\K): the model's logit difference, K replaced by `to`."""
    return logit_difference(under=None if removed is None else knock_out(removed, to=to))


def circuit_without(what: Circuit, removed: Removed, to: Reference) -> LogitDifference:
    """Return F(C\\K): everything outside the circuit is replaced by `to`, and K as well.

    Written as a knock-out in the circuit's world, so that only what K reaches is run again.
    """
    kept = keep_only(what, to=to)
    if removed is None:
        return logit_difference(under=kept)
    return logit_difference(under=knock_out(removed, to=to, given=kept))


def nodes_of(what: Circuit) -> tuple[Node | Activation, ...]:
    """Return everything that can be removed from a circuit: its heads, and MLPs it names."""
    return (*what.nodes, *(what.mlps or ()))


def classes(what: Circuit) -> tuple[tuple[str, Role | Activations], ...]:
    """Return the classes of a circuit with their names: its roles, and its MLPs if it names any."""
    roles = tuple(dict.fromkeys(what.roles))
    times = Counter(role.name for role in roles)
    named = [
        (role.name if role.name and times[role.name] == 1 else str(role), role) for role in roles
    ]
    mlps = [("MLPs", Activations(what.mlps))] if what.mlps else []
    return (*named, *mlps)


def check_circuit(what: Circuit, to: Reference) -> None:
    """Refuse anything but a circuit of some nodes, and anything but a reference, at once."""
    check_made_by("what", what, Circuit, "circuit(...)")
    if not what.nodes:
        raise CircuitUsageError(f"`what`: {what} has no heads, so there is nothing to remove.")
    keep_only(what, to=to)


def check_inside(name: str, nodes: tuple[Node, ...], what: Circuit) -> None:
    """Refuse nodes that are no part of the circuit."""
    outside = sorted(set(nodes) - set(what.nodes))
    if outside:
        raise CircuitUsageError(
            f"`{name}`: {', '.join(map(str, outside))} is no part of {what}: a head belongs to it "
            "at its role's position only."
        )
