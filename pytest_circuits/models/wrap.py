"""A model that is already in memory: a TransformerBridge or a Hugging Face model of one's own."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.models.base import Model, Parity
from pytest_circuits.models.bridge import boot, freeze, tensors_of
from pytest_circuits.models.fingerprint import combine, hash_config, hash_tensors, hash_tokenizer
from pytest_circuits.models.folder import read_tokenizer
from pytest_circuits.models.held import bytes_of, held
from pytest_circuits.models.hooks import WAY_OUT, hooks_left
from pytest_circuits.models.quiet import quiet_transformers
from pytest_circuits.models.weights import StoredTensor

_STORED_DTYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64"}


def wrap_model(
    bridge_or_hf_model: Any,
    tokenizer: Any,
    *,
    spec: str = "custom",
    provenance: str = "the user's own object",
) -> Model:
    """Return a `Model` around a TransformerBridge, or around an HF model, which is booted.

    The object itself is used, not a copy: it is put in eval mode without gradients, and an HF
    model is wrapped in place. The fingerprint is taken from the weights as they are now. That of
    an HF model equals that of the folder it would be saved to; that of a bridge does not, because
    a bridge splits and renames tensors, but it is the same for bridges of the same weights.
    An adapter beside the weights, or a hook on the model, is refused (CircuitUsageError). The
    model must then stay as it is: what was changed since is found by the next evaluation.
    """
    from transformer_lens.model_bridge import TransformerBridge

    is_bridge = isinstance(bridge_or_hf_model, TransformerBridge)
    hf_model = bridge_or_hf_model.original_model if is_bridge else bridge_or_hf_model
    _check_hugging_face(hf_model)
    _check_no_adapter(hf_model)
    _check_no_hooks(bridge_or_hf_model)
    parity = Parity(config=copy.deepcopy(hf_model.config))
    with TemporaryDirectory() as name:
        folder = Path(name)
        _save_description(hf_model, tokenizer, folder)
        fingerprint = _fingerprint(hf_model, folder)
        # Booting reads the tokenizer again from where it was saved, to let it add BOS.
        bridge = (
            freeze(bridge_or_hf_model)
            if is_bridge
            else boot(hf_model, read_tokenizer(folder), name=spec)
        )
    parameter = next(hf_model.parameters())
    return Model(
        spec=spec,
        bridge=bridge,
        tokenizer=tokenizer,
        fingerprint=fingerprint,
        provenance=provenance,
        device=str(parameter.device),
        dtype=str(parameter.dtype).removeprefix("torch."),
        parity=parity,
        weights=held(bridge),
    )


def _check_hugging_face(hf_model: Any) -> None:
    """Refuse what no config says how to put together: a bridge by boot_native, any other object."""
    if not hasattr(getattr(hf_model, "config", None), "save_pretrained"):
        raise CircuitUsageError(
            "`bridge_or_hf_model` must be a Hugging Face model, or a TransformerBridge over one "
            "(TransformerBridge.boot_transformers), which is what its logits are checked against; "
            f"got {type(hf_model).__name__}, which has no config of transformers."
        )


def _check_no_adapter(hf_model: Any) -> None:
    """Refuse a model with a PEFT adapter: its weights alone are not what it computes with."""
    if getattr(hf_model, "peft_config", None):
        raise CircuitUsageError(
            f"`bridge_or_hf_model`: this {type(hf_model).__name__} has an adapter (PEFT) beside "
            "its weights. Merge it first: model = model.merge_and_unload()"
        )


def _check_no_hooks(model: Any) -> None:
    """Refuse hooks: a measurement would be of them too, under the fingerprint of the weights."""
    if found := hooks_left(model):
        raise CircuitUsageError(
            f"`bridge_or_hf_model`: this {type(model).__name__} has hooks that are not its own: "
            f"{found}. {WAY_OUT}"
        )


def _save_description(hf_model: Any, tokenizer: Any, folder: Path) -> None:
    """Write config and tokenizer as `save_pretrained` of the model and the tokenizer would."""
    config = copy.deepcopy(hf_model.config)
    config.architectures = [type(hf_model).__name__]
    with quiet_transformers():
        config.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _fingerprint(hf_model: Any, folder: Path) -> str:
    return combine(
        weights=hash_tensors(_tensors(hf_model)),
        config=hash_config(folder),
        tokenizer=hash_tokenizer(folder),
    )


def _tensors(hf_model: Any) -> Iterator[StoredTensor]:
    """Yield the tensors under their HF names, each shared one once, as saving would."""
    tied = set(getattr(hf_model, "_tied_weights_keys", None) or ())
    state = tensors_of(hf_model)
    places = [value.data_ptr() for value in state.values()]
    for name, value in state.items():
        if name in tied and places.count(value.data_ptr()) > 1:
            continue
        dtype = str(value.dtype).removeprefix("torch.")
        yield StoredTensor(
            name=name,
            dtype=_STORED_DTYPES.get(dtype, dtype),
            shape=tuple(value.shape),
            data=bytes_of(value),
        )
