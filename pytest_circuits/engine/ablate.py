"""Carrying out an ablation: which entries of z are replaced, and by what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_circuits.engine.batch import Batch, Edit
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.interventions import Ablation
from pytest_circuits.tasks.base import Dataset

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.models.base import Model

# For a layer, what replaces z: [batch, pos, head_index, d_head].
Replacement = Callable[[int], "Tensor"]


def ablated_layers(ablation: Ablation, model: Model) -> tuple[int, ...]:
    """Return the layers in which something is replaced."""
    if ablation.outside:
        return tuple(range(model.n_layers))
    return tuple(sorted({node.head.layer for node in ablation.nodes}))


def edits(
    ablation: Ablation, model: Model, batch: Batch, width: int, by: Replacement
) -> dict[int, Edit]:
    """Return per layer the function that replaces the ablated entries of z by `by(layer)`."""
    return {
        layer: _edit(_mask(ablation, layer, model, batch, width), layer, by)
        for layer in ablated_layers(ablation, model)
    }


def _edit(mask: Tensor, layer: int, by: Replacement) -> Edit:
    import torch

    return lambda z: torch.where(mask[..., None], by(layer).to(z.dtype), z)


def _mask(ablation: Ablation, layer: int, model: Model, batch: Batch, width: int) -> Tensor:
    """Return [batch, pos, head_index]: True where z is replaced."""
    import torch

    shape = (len(batch.index), width, model.n_heads)
    named = torch.zeros(shape, dtype=torch.bool, device=batch.device)
    for node in ablation.nodes:
        if node.head.layer == layer:
            named[batch.rows, batch.at(node.at), node.head.index] = True
    return ~named if ablation.outside else named


def check_reference(ablation: Ablation, dataset: Dataset, distribution: str) -> None:
    """Refuse a reference that leaks the task or does not align with the prompts it goes into."""
    over = ablation.reference.over
    if over is None:
        return
    source, target = dataset.distribution(over), dataset.distribution(distribution)
    if over not in dataset.neutral:
        neutral = ", ".join(sorted(dataset.neutral)) or "none declared by this task"
        raise ClaimNotEvaluable(
            f"`{ablation.reference}`: the distribution {over} still carries the task, so replacing "
            "outputs by it hides the very effect that is to be removed (Wang et al. 2022, "
            f"section 2). Distributions without the task: {neutral}."
        )
    for row, (a, b) in enumerate(zip(source.ids, target.ids, strict=True)):
        if len(a) != len(b):
            raise ClaimNotEvaluable(
                f"`{ablation.reference}`: row {row} of {over} has {len(a)} tokens and of "
                f"{distribution} {len(b)}: the two do not align token for token."
            )
