"""A mutant made: weights of the model in hand are changed in place, and put back bit for bit."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_circuits.engine.reads import check_head
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.models.fingerprint import hash_json
from pytest_circuits.models.held import held
from pytest_circuits.mutation.mutants import (
    KnockedOut,
    Mutant,
    Noised,
    Quantised,
    Reinitialised,
    ShuffledOV,
    ShuffledQK,
    Swapped,
    Turned,
    as_dict,
)
from pytest_circuits.nodes import Head

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.models.base import Model

Edit = tuple["Tensor", "Tensor"]  # a place in the model's weights, and what to put there


class NothingChanged(ClaimNotEvaluable):
    """A mutant whose weights are those of the model: nothing could notice it."""


@contextmanager
def applied(mutant: Mutant, model: Model) -> Iterator[Model]:
    """Sabotage the model, and undo it at the end, also when an error ends it.

    Yields the same bridge as a `Model` whose name, fingerprint and provenance say what was done.
    What was read off the weights before is wrong meanwhile: evaluate with an `Evaluation` of its
    own. Raises `ClaimNotEvaluable` if the mutant cannot be made exactly on this model, and
    `NothingChanged` if it would leave every weight as it is.
    """
    kept: list[Edit] = []
    try:
        for place, value in _edits(mutant, model):
            kept.append((place, place.clone()))
            place.copy_(value)
        if all(bool((place == before).all()) for place, before in kept):
            raise NothingChanged(f"{mutant}: leaves every weight of {model.spec} as it is")
        yield _named(mutant, model)
    finally:
        for place, before in reversed(kept):
            place.copy_(before)


def _named(mutant: Mutant, model: Model) -> Model:
    return replace(
        model,
        spec=f"{model.spec} with {mutant}",
        fingerprint=hash_json([model.fingerprint, as_dict(mutant)]),
        provenance=f"{model.provenance}; sabotaged: {mutant}",
        weights=held(model.bridge),
    )


def _edits(mutant: Mutant, model: Model) -> Iterator[Edit]:
    """Yield the places to change one by one; each is changed before the next is asked for."""
    match mutant:
        case KnockedOut():
            for weights in _heads(model, mutant.heads):
                yield weights.out, weights.out.new_zeros(())
        case ShuffledOV():
            for weights in _heads(model, mutant.heads):
                yield weights.out, weights.out[_cycle(len(weights.out), mutant.seed)]
        case ShuffledQK():
            for weights in _heads(model, mutant.heads):
                for place in weights.query:
                    yield place, place[..., _cycle(place.shape[-1], mutant.seed)]
        case Swapped():
            yield from _traded(mutant, model)
        case Turned():
            yield from _turned(mutant, model)
        case Reinitialised():
            noise = _Noise(mutant.seed)
            for matrix in _matrices(model, mutant.layer):
                yield matrix.place, noise.like(matrix.place)
        case Noised():
            noise = _Noise(mutant.seed)
            for matrix in _all_matrices(model):
                yield matrix.place, matrix.place + mutant.amount * noise.like(matrix.place)
        case Quantised():
            for matrix in _all_matrices(model):
                yield matrix.place, _rounded(matrix, 2 ** (mutant.bits - 1) - 1)


@dataclass(frozen=True, eq=False)
class _HeadWeights:
    """Where a head's weights lie: `out` is [d_head, d_model], the others [..., d_head]."""

    query: tuple[Tensor, ...]
    shared: tuple[Tensor, ...]
    out: Tensor


def _heads(model: Model, heads: Iterable[Head]) -> Iterator[_HeadWeights]:
    for head in heads:
        check_head(head, model)
        views = _attention(model, head.layer)
        at = head.index // _group(model, head.layer)
        yield _HeadWeights(
            query=tuple(views[name][head.index] for name in ("W_Q", "b_Q") if name in views),
            shared=tuple(views[name][at] for name in ("W_K", "W_V", "b_K", "b_V") if name in views),
            out=views["W_O"][head.index],
        )


def _traded(mutant: Swapped, model: Model) -> Iterator[Edit]:
    """Yield both heads' weights, each with the other's in its place."""
    first, second = _heads(model, (mutant.first, mutant.second))
    pairs = [*zip(first.query, second.query, strict=True), (first.out, second.out)]
    if not _share(mutant, model):
        pairs += zip(first.shared, second.shared, strict=True)
    for one, other in pairs:
        before = one.clone()
        yield one, other
        yield other, before


def _turned(mutant: Turned, model: Model) -> Iterator[Edit]:
    """Yield the values' weights of the heads, and what every head reads out of them, turned."""
    for layer, at in dict.fromkeys(_value_head(head, model) for head in mutant.heads):
        views, group = _attention(model, layer), _group(model, layer)
        rotation = _rotation(views["W_V"].shape[-1], mutant.seed)
        for name in ("W_V", "b_V"):
            if name in views:
                place = views[name][at]
                yield place, (place.double().cpu() @ rotation).to(place)
        for index in range(at * group, (at + 1) * group):
            place = views["W_O"][index]
            yield place, (rotation.T @ place.double().cpu()).to(place)


def _value_head(head: Head, model: Model) -> tuple[int, int]:
    """Return the layer and the index of the values that a head reads."""
    check_head(head, model)
    return head.layer, head.index // _group(model, head.layer)


def _rotation(size: int, seed: int) -> Tensor:
    """Return a random rotation, [size, size] in float64: the Q of a normal matrix."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(size, size, generator=generator, dtype=torch.float64)
    rotation: Tensor = torch.linalg.qr(drawn).Q
    return rotation


def _share(mutant: Swapped, model: Model) -> bool:
    """Return whether both heads read the same keys and values; refuse other shared ones."""
    sizes = [_group(model, head.layer) for head in (mutant.first, mutant.second)]
    if sizes == [1, 1]:
        return False
    places = {
        (head.layer, head.index // size)
        for head, size in zip((mutant.first, mutant.second), sizes, strict=True)
    }
    if len(places) > 1:
        raise ClaimNotEvaluable(
            f"{mutant}: in {model.spec} keys and values belong to groups of {max(sizes)} query "
            "heads; heads of different groups cannot trade theirs without the rest of the group."
        )
    return True


def _group(model: Model, layer: int) -> int:
    return int(model.n_heads // _attention(model, layer)["W_K"].shape[0])


def shared_heads(model: Model) -> int:
    """Return the number of K/V heads per layer."""
    return int(_attention(model, 0)["W_K"].shape[0])


def _attention(model: Model, layer: int) -> dict[str, Tensor]:
    """Return the attention weights of a layer, [head, ...]: views of what the model computes with.

    An edit of a copy would sabotage nothing, so a copy is refused.
    """
    attn = model.bridge.blocks[layer].attn
    storages = {each.untyped_storage().data_ptr() for each in attn.parameters()}
    views = {}
    for name in ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V"):
        weight = getattr(attn, name, None)
        if weight is None and name.startswith("b_"):
            continue
        if weight is None or weight.untyped_storage().data_ptr() not in storages:
            raise ClaimNotEvaluable(
                f"{model.spec} keeps {name} of layer {layer} in a way that is not known here: "
                "it cannot be sabotaged in place."
            )
        views[name] = weight.detach()
    return views


@dataclass(frozen=True, eq=False)
class _Matrix:
    """A weight matrix, and which of its dimensions run over what it reads."""

    place: Tensor
    inputs: tuple[int, ...]


def _all_matrices(model: Model) -> Iterator[_Matrix]:
    for layer in range(model.n_layers):
        yield from _matrices(model, layer)


def _matrices(model: Model, layer: int) -> Iterator[_Matrix]:
    """Yield a layer's matrices: those of its heads, all together, and those of its MLP."""
    if not 0 <= layer < model.n_layers:
        raise ClaimNotEvaluable(f"{model.spec} has no layer {layer}: it has {model.n_layers}.")
    views = _attention(model, layer)
    yield from (_Matrix(views[name], (1,)) for name in ("W_Q", "W_K", "W_V"))
    yield _Matrix(views["W_O"], (0, 1))
    for module in model.bridge.blocks[layer].mlp.modules():
        for weight in module.parameters(recurse=False):
            if weight.dim() > 1:
                yield _Matrix(weight.detach(), (_input_of(module),))


def _input_of(module: Any) -> int:
    """Return the dimension of a weight that runs over inputs: GPT-2's Conv1D has it first."""
    return 0 if type(module).__name__ == "Conv1D" else -1


def _rounded(matrix: _Matrix, steps: int) -> Tensor:
    import torch

    top = matrix.place.abs().amax(matrix.inputs, keepdim=True)
    step = torch.where(top > 0, top / steps, torch.ones_like(top))
    return (matrix.place / step).round() * step


class _Noise:
    """Normal numbers from one seed, the same on every device and in every dtype."""

    def __init__(self, seed: int) -> None:
        import torch

        self._generator = torch.Generator().manual_seed(seed)

    def like(self, place: Tensor) -> Tensor:
        """Return noise with mean 0 and the spread of what stands at the place."""
        import torch

        drawn = torch.randn(place.shape, generator=self._generator)
        noise: Tensor = (drawn * place.float().std().cpu()).to(place)
        return noise


def _cycle(size: int, seed: int) -> list[int]:
    """Return a random permutation that is one cycle: nothing stays where it was."""
    order = random.Random(seed).sample(range(size), size)
    after = dict(zip(order, [*order[1:], order[0]], strict=True))
    return [after[i] for i in range(size)]
