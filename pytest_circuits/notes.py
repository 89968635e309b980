"""What is noted beside a verdict on a circuit: its size, and whether no circuit passes as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_circuits.claims import Claim
from pytest_circuits.measures.base import Measure
from pytest_circuits.nodes import Circuit
from pytest_circuits.readings import Draw, Read

if TYPE_CHECKING:
    from pytest_circuits.models.base import Model


def size_in_words(circuit: Circuit, model: Model) -> str:
    """Return how many of the model's heads are in a circuit."""
    heads, every = len(circuit.heads), model.n_layers * model.n_heads
    if heads == every:
        return f"all {every} heads: that is the model"
    return f"{heads} of {every} heads"


def value_in_words(claim: Claim, empty: Measure, read: Read, draw: Draw) -> str:
    """Return that the circuit without heads satisfies a claim, with its value, or ""."""
    import numpy as np

    points = empty.value(read, draw, lambda n: np.ones((1, n)))[:, 0]
    values = [float(point) for point in points]
    if not all(claim.decide(value, value) == "holds" for value in values):
        return ""
    shown = ", ".join(f"{value:.3g}" for value in values)
    return f"the empty circuit satisfies it as well: {shown}"
