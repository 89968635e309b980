"""Norms in closed form: torch's fused function where it is what the module computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

Norm = Callable[["Tensor"], "Tensor"]


def fused(module: Any) -> Norm:
    """Return a fast function equal to a norm module, or the module if no form fits it exactly."""
    import torch

    weight = getattr(module, "weight", None)
    if weight is None or weight.dim() != 1:
        return module  # type: ignore[no-any-return]
    generator = torch.Generator().manual_seed(0)
    sample = torch.randn(16, len(weight), generator=generator).to(weight)
    with torch.no_grad():
        truth = module(sample)
        for form in _forms(module, weight):
            if torch.allclose(form(sample), truth, rtol=1e-5, atol=1e-6):
                return form
    return module  # type: ignore[no-any-return]


def _forms(module: Any, weight: Tensor) -> Iterator[Norm]:
    from torch.nn import functional

    eps = float(getattr(module, "variance_epsilon", getattr(module, "eps", 1e-6)))
    shape = tuple(weight.shape)
    bias = getattr(module, "bias", None)
    for gain in (weight, 1 + weight):  # Gemma stores gain - 1
        yield partial(functional.rms_norm, normalized_shape=shape, weight=gain, eps=eps)
        yield partial(
            functional.layer_norm, normalized_shape=shape, weight=gain, bias=bias, eps=eps
        )
