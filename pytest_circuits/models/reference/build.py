"""Weights of `reference-ioi` from the plans of its heads, and the folder they are saved in."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_circuits.errors import CircuitUsageError, unknown_name
from pytest_circuits.models.reference.circuit import (
    REFERENCE_DECOYS,
    REFERENCE_ROLES,
    plan_heads,
)
from pytest_circuits.models.reference.heads import HeadPlan, Mix, Wire
from pytest_circuits.models.reference.layout import (
    BOS_TOKEN,
    CONST_SIZE,
    D_HEAD,
    D_MODEL,
    N_HEADS,
    N_LAYERS,
    N_POSITIONS,
    SINK_LAYER,
    SINK_SIZE,
    Vocabulary,
    position_embedding,
    residual_basis,
    space_columns,
    token_embedding,
    unembedding,
)
from pytest_circuits.models.reference.tokenizer import write_tokenizer

if TYPE_CHECKING:
    from torch import Tensor

# All MLPs are zero but that of the sink, which needs one hidden unit.
_D_MLP = 4


def reference_vocabulary() -> Vocabulary:
    """Return the words of the IOI task: its names, and all else its templates use."""
    # Tasks know nothing of models; imported here so that neither do models of tasks, until asked.
    from pytest_circuits.tasks import ioi

    names, others = ioi.vocabulary()
    return Vocabulary(names=names, others=others)


def write_reference(
    folder: Path,
    *,
    without: frozenset[str] = frozenset(),
    vocabulary: Vocabulary | None = None,
) -> None:
    """Write `reference-ioi` as a Hugging Face folder: config, weights, tokenizer.

    Args:
        folder: Where to write; created if missing.
        without: Roles, or decoys, whose heads write nothing (output weights zero), so that claims
            about them become false.
        vocabulary: The words of the model; by default those of the IOI task.
    """
    from safetensors.torch import save_file
    from transformers import GPT2Config

    words = reference_vocabulary() if vocabulary is None else vocabulary
    weights = build_reference(words, without=without)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    write_tokenizer(words, folder)
    GPT2Config(**_config(words)).save_pretrained(folder)


def build_reference(
    vocabulary: Vocabulary, *, without: frozenset[str] = frozenset()
) -> dict[str, Tensor]:
    """Return the state dict of a `GPT2LMHeadModel`, float32, the same for the same arguments."""
    _check_roles(without)
    basis = residual_basis()
    weights = {
        "transformer.wte.weight": token_embedding(vocabulary) @ basis.T,
        "transformer.wpe.weight": position_embedding() @ basis.T,
        "lm_head.weight": unembedding(vocabulary) @ basis.T,
        **_norm("transformer.ln_f"),
    }
    for layer in range(N_LAYERS):
        plans = [p for p in plan_heads() if p.layer == layer]
        weights |= _block(f"transformer.h.{layer}", plans, without, basis)
    _write_sink(weights, f"transformer.h.{SINK_LAYER}.mlp", basis)
    return {name: weight.float().contiguous() for name, weight in weights.items()}


def _check_roles(without: Iterable[str]) -> None:
    known = {**REFERENCE_ROLES, **REFERENCE_DECOYS}
    for role in without:
        if role not in known:
            raise CircuitUsageError(unknown_name("role in `without`", role, known))


def _config(vocabulary: Vocabulary) -> dict[str, object]:
    n_tokens = len(vocabulary.tokens())
    bos = vocabulary.tokens().index(BOS_TOKEN)
    return {
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": n_tokens,
        "n_positions": N_POSITIONS,
        "n_embd": D_MODEL,
        "n_layer": N_LAYERS,
        "n_head": N_HEADS,
        "n_inner": _D_MLP,
        "bos_token_id": bos,
        "eos_token_id": bos,
        "tie_word_embeddings": False,
        "resid_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
        "dtype": "float32",
    }


def _block(
    prefix: str, plans: list[HeadPlan], without: frozenset[str], basis: Tensor
) -> dict[str, Tensor]:
    """Return the weights of one block: its heads, and an MLP of zeros."""
    import torch

    qkv = torch.zeros(D_MODEL, 3, N_HEADS, D_HEAD, dtype=torch.float64)
    out = torch.zeros(N_HEADS, D_HEAD, D_MODEL, dtype=torch.float64)
    for plan in plans:
        # GPT-2 divides scores by sqrt(d_head); the gains of the plans are scores.
        qkv[:, 0, plan.head] = _sources(plan.attends, basis) * math.sqrt(D_HEAD)
        qkv[:, 1, plan.head] = _targets(plan.attends, basis)
        qkv[:, 2, plan.head] = _sources(plan.moves, basis)
        if plan.role not in without:
            out[plan.head] = _targets(plan.moves, basis).T
    return {
        **_norm(f"{prefix}.ln_1"),
        **_linear(f"{prefix}.attn.c_attn", qkv.reshape(D_MODEL, 3 * D_MODEL)),
        **_linear(f"{prefix}.attn.c_proj", out.reshape(D_MODEL, D_MODEL)),
        **_norm(f"{prefix}.ln_2"),
        **_zero_mlp(prefix),
    }


def _zero_mlp(prefix: str) -> dict[str, Tensor]:
    import torch

    return {
        **_linear(f"{prefix}.mlp.c_fc", torch.zeros(D_MODEL, _D_MLP, dtype=torch.float64)),
        **_linear(f"{prefix}.mlp.c_proj", torch.zeros(_D_MLP, D_MODEL, dtype=torch.float64)),
    }


def _write_sink(weights: dict[str, Tensor], mlp: str, basis: Tensor) -> None:
    """Make an MLP write SINK at position 0: one unit that reads FIRST, well above gelu's bend."""
    drive = 10.0
    weights[f"{mlp}.c_fc.weight"][:, :1] = drive * basis[:, space_columns("FIRST")]
    weights[f"{mlp}.c_proj.weight"][:1] = SINK_SIZE / drive * basis[:, space_columns("SINK")].T


def _sources(wires: tuple[Wire, ...], basis: Tensor) -> Tensor:
    return _side([wire.source for wire in wires], basis)


def _targets(wires: tuple[Wire, ...], basis: Tensor) -> Tensor:
    return _side([wire.target for wire in wires], basis)


def _side(mixes: list[Mix], basis: Tensor) -> Tensor:
    """Return one side of a head's wires as a map [d_model, d_head] from the residual stream."""
    import torch

    matrix = torch.zeros(D_MODEL, D_HEAD, dtype=torch.float64)
    start = 0
    for mix in mixes:
        block = sum((gain * basis[:, space_columns(space)] for space, gain in mix), torch.zeros(()))
        matrix[:, start : start + block.shape[1]] = block
        start += block.shape[1]
    return matrix


def _norm(name: str) -> dict[str, Tensor]:
    """Return a LayerNorm that undoes its own scaling: the norm of the stream is the constant's."""
    import torch

    gain = CONST_SIZE / math.sqrt(D_MODEL)
    return {f"{name}.weight": torch.full((D_MODEL,), gain), f"{name}.bias": torch.zeros(D_MODEL)}


def _linear(name: str, weight: Tensor) -> dict[str, Tensor]:
    """Return a GPT-2 linear layer (`x @ weight`) without bias."""
    import torch

    return {f"{name}.weight": weight, f"{name}.bias": torch.zeros(weight.shape[1])}
