"""Products with weights in float32 on a CPU, by oneDNN.

torch hands them to MKL, which leaves the AVX-512 registers of some processors unused. oneDNN, which
torch ships as well, uses them: the same products in the same precision, more than twice as fast on
the processor that docs/benchmarks.md was measured on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

Map = Callable[["Tensor"], "Tensor"]

_ROWS, _MULTIPLICATIONS = 4, 1 << 18  # with fewer the call costs more than it saves


def by_onednn(module: Any) -> Map:
    """Return a module's forward with its products taken by oneDNN; the module if it cannot."""
    import torch

    weights = tuple(module.parameters())
    suited = all(each.dtype == torch.float32 and each.device.type == "cpu" for each in weights)
    if not suited or not _offered():
        return module  # type: ignore[no-any-return]
    mode = _mode()

    def forward(x: Tensor) -> Tensor:
        with mode:
            mapped: Tensor = module(x)
        return mapped

    return forward


@cache
def _offered() -> bool:
    """Return whether the processor gains, and torch has the product, which is not public."""
    import torch

    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(4, 4, generator=generator) for _ in range(2))
    try:
        return torch.allclose(_product(x, weight, None), x @ weight.t(), rtol=1e-4, atol=1e-5)
    except (AttributeError, RuntimeError, TypeError):
        return False


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return x weight^T + bias, by what torch compiles models to."""
    import torch

    product: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return product


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor | None:
    """Return x weight^T + bias, None if it is to go its usual way."""
    import torch

    rows = x.numel() // x.shape[-1]
    small = rows < _ROWS or rows * weight.numel() < _MULTIPLICATIONS
    # For weights that do not lie together oneDNN has a fallback a thousand times slower.
    dense = weight.is_contiguous() or weight.t().is_contiguous()
    if small or not dense or torch.is_grad_enabled():
        return None
    return _product(x, weight, bias)


def _addmm(bias: Tensor, x: Tensor, weight: Tensor) -> Tensor | None:
    """Return x weight + bias, which is how GPT-2's modules ask for it."""
    return _linear(x, weight.t(), bias) if bias.dim() == 1 else None


@cache
def _mode() -> Any:
    """Return a context in which modules that ask torch for a product get oneDNN's."""
    import torch
    from torch.overrides import TorchFunctionMode

    products: dict[Any, Any] = {torch.nn.functional.linear: _linear, torch.addmm: _addmm}

    class ByOneDNN(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            product = None if kwargs else products.get(func)
            found = None if product is None else product(*args)
            return func(*args, **(kwargs or {})) if found is None else found

    return ByOneDNN()
