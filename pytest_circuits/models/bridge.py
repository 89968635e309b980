"""From a Hugging Face model in memory to a TransformerBridge that is only read."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pytest_circuits.errors import CircuitUsageError, ModelNotAvailable, in_a_line, unknown_name
from pytest_circuits.models.base import DTYPES
from pytest_circuits.models.confined import confined
from pytest_circuits.models.quiet import quiet, quiet_transformers

_WRAPPED = "._original_component"  # what TransformerBridge puts into the names of tensors


def import_libraries() -> None:
    """Import torch, transformers and transformer_lens without their import-time warnings."""
    with quiet():
        for name in ("torch", "transformers", "transformer_lens.model_bridge"):
            import_module(name)


def check_dtype(dtype: str) -> None:
    """Raise CircuitUsageError unless `dtype` is one of the three known names."""
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise CircuitUsageError(unknown_name("dtype", dtype, DTYPES))


def check_device(device: str) -> None:
    """Raise CircuitUsageError unless torch knows the device and this machine has it."""
    import torch

    try:
        torch.zeros(1, device=torch.device(device)).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        message = unknown_name("device", device, _devices_here())
        raise CircuitUsageError(f"{message} ({reason})") from error


def _devices_here() -> list[str]:
    import torch

    accelerator = torch.accelerator.current_accelerator() if torch.accelerator else None
    if accelerator is None or not torch.accelerator.is_available():
        return ["cpu"]
    count = torch.accelerator.device_count()
    return ["cpu", *(f"{accelerator.type}:{index}" for index in range(count))]


def boot(hf_model: Any, tokenizer: Any, *, name: str) -> Any:
    """Return a TransformerBridge over `hf_model`, in eval mode and without gradients.

    The HF model is wrapped in place. Weights are not folded or centred (no compatibility mode).
    Raises ModelNotAvailable if TransformerBridge cannot wrap it, for whatever reason.
    """
    from transformer_lens.model_bridge import TransformerBridge

    parameter = next(hf_model.parameters())
    try:
        with quiet_transformers(), confined():
            bridge = TransformerBridge.boot_transformers(
                name,
                hf_model=hf_model,
                tokenizer=tokenizer,
                device=str(parameter.device),
                dtype=parameter.dtype,
            )
    except Exception as error:  # of any kind, for configs that nobody thought of
        kind = type(hf_model).__name__
        # TransformerBridge lists every architecture it knows: hundreds of names.
        reason = in_a_line(error)
        raise ModelNotAvailable(
            f"TransformerBridge cannot wrap {name} ({kind}): {reason}"
        ) from error
    return freeze(bridge)


def freeze(bridge: Any) -> Any:
    """Return the bridge itself, put in eval mode and without gradients."""
    bridge.eval()
    bridge.requires_grad_(False)
    return bridge


def tensors_of(hf_model: Any) -> dict[str, Any]:
    """Return a model's tensors under their Hugging Face names, though a bridge wrapped it."""
    return {name.replace(_WRAPPED, ""): value for name, value in hf_model.state_dict().items()}
