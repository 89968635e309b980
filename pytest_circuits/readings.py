"""What a measure reads: which prompts, under which intervention, which numbers. Plain data.

A reading is described before anything runs, so that the engine can merge the readings of all
claims and run each distinct (prompts, intervention) once. Only `Reading.numbers` sees tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pytest_circuits.interventions import Intervention
from pytest_circuits.nodes import Head
from pytest_circuits.tasks.base import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from pytest_circuits.engine.batch import Batch

    Array = NDArray[np.float64]

# Per block: head outputs z; projections q, k, v before norm and rotation; attention pattern; what
# the MLP writes; the residual stream before and after the block. "resid_final": the stream that
# the final norm reads. "answers": the two logits at END that are compared; "logits": all of them.
SiteName = Literal[
    "z", "q", "k", "v", "pattern", "mlp", "resid", "resid_post", "resid_final", "answers", "logits"
]


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Prompts to be drawn: task, how many, from which seed."""

    task: Task
    n: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """One pass of the model over one distribution of a draw, under at most one intervention."""

    draw: Draw
    distribution: str
    under: Intervention | None = None

    def __str__(self) -> str:
        return f"{self.distribution}" + (f" with {self.under}" if self.under else "")


@dataclass(frozen=True, order=True)
class Site:
    """An activation to be kept while a batch is read: its kind and, for blocks, its layer."""

    name: SiteName
    layer: int = -1


class Reading(Protocol):
    """Numbers read off one run, so many per prompt. Implementations are frozen dataclasses."""

    def heads(self) -> tuple[Head, ...]:
        """The heads it reads, for checking that the model has them."""

    def sites(self) -> tuple[Site, ...]:
        """The activations it needs."""

    def numbers(self, batch: Batch) -> Tensor:
        """Return the numbers, shape [batch, numbers]."""


@dataclass(frozen=True)
class OfHead:
    """The part of a reading that says which head it reads."""

    head: Head

    def heads(self) -> tuple[Head, ...]:
        """The one head."""
        return (self.head,)


@dataclass(frozen=True)
class Need:
    """A reading of a run."""

    run: Run
    reading: Reading


# How a measure gets at what it asked for: per need, an array [prompts, width].
Read = Callable[[Need], "Array"]

# Rows of weights over prompts, [draws, prompts], for a number of prompts.
Weights = Callable[[int], "Array"]
