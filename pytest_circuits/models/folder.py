"""A local Hugging Face folder, such as a training run's checkpoint: safetensors, no remote code."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import shorten
from typing import Any

from pytest_circuits.errors import ModelNotAvailable
from pytest_circuits.models.layers import layers_in_words
from pytest_circuits.models.quiet import quiet_transformers
from pytest_circuits.models.weights import SINGLE, weight_files

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
ADAPTER = "adapter_config.json"
_TOKENIZER_FILES = ("tokenizer.json", "vocab.json", "vocab.txt", "tokenizer.model", "spiece.model")


def check_folder(folder: Path) -> None:
    """Raise ModelNotAvailable unless the folder can be loaded safely; the message says why."""
    if not folder.is_dir():
        raise ModelNotAvailable(f"there is no model folder {folder}")
    _check_adapter(folder)
    _check_config(folder)
    _check_weights(folder)
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        raise ModelNotAvailable(
            f"{folder} has no tokenizer (looked for {', '.join(_TOKENIZER_FILES)}). "
            f"Save it beside the weights: tokenizer.save_pretrained({str(folder)!r})"
        )


def _check_adapter(folder: Path) -> None:
    """Refuse an adapter, alone or beside weights: whether it counts would hang on peft."""
    if not (folder / ADAPTER).is_file():
        return
    merge = (
        "from peft import AutoPeftModelForCausalLM as M; "
        f"M.from_pretrained({str(folder)!r}).merge_and_unload().save_pretrained('merged')"
    )
    raise ModelNotAvailable(
        f"{folder} is refused: it has an adapter ({ADAPTER}), which is loaded or left out "
        "depending on whether peft is installed. Merge it into the weights first, with the "
        f'tokenizer beside them: python -c "{merge}"'
    )


def _check_config(folder: Path) -> None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelNotAvailable(
            f"{folder} is not a Hugging Face model folder: it has no config.json. "
            f"Save the model with model.save_pretrained({str(folder)!r})"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelNotAvailable(f"{folder / 'config.json'} cannot be read: {error}") from error
    if "auto_map" in config:
        raise ModelNotAvailable(
            f"{folder} is refused: its config.json has `auto_map`, so loading it would run Python "
            "code from the folder, and remote code is never run. Use a model whose architecture "
            "is part of transformers."
        )


def _check_weights(folder: Path) -> None:
    try:
        files = weight_files(folder)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelNotAvailable(f"the safetensors index in {folder} is damaged: {error}") from error
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ModelNotAvailable(f"{folder} lacks the weight files {', '.join(missing)}")
    if not files:
        raise ModelNotAvailable(_no_weights(folder))


def _no_weights(folder: Path) -> str:
    pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    if not pickles:
        return f"{folder} has no weights: expected {SINGLE} or its index with shards"
    convert = (
        "from transformers import AutoModelForCausalLM as M; "
        f"M.from_pretrained({str(folder)!r}).save_pretrained({str(folder)!r})"
    )
    return (
        f"{folder} is refused: its weights are pickled ({', '.join(pickles)}), and loading a "
        "pickle can run any code. Only safetensors are loaded. If you trust the file, convert it "
        f'once: python -c "{convert}"'
    )


def read_tokenizer(folder: Path) -> Any:
    """Return the folder's tokenizer; raises ModelNotAvailable if it cannot be read."""
    from transformers import AutoTokenizer

    try:
        with quiet_transformers():
            return AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            )
    except (OSError, ValueError, KeyError) as error:
        raise ModelNotAvailable(f"the tokenizer in {folder} cannot be read: {error}") from error


def read_model(folder: Path, *, device: str, dtype: str) -> Any:
    """Return the folder's causal language model; raises ModelNotAvailable if it cannot be read.

    Weights that the architecture has but the files lack are an error: transformers would draw
    them at random. So are weights that it does not have: they would be left out.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    try:
        with quiet_transformers():
            model, found = AutoModelForCausalLM.from_pretrained(
                str(folder),
                dtype=getattr(torch, dtype),
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
    except (OSError, RuntimeError, SafetensorError, ValueError, KeyError) as error:
        reason = shorten(str(error), 300)
        raise ModelNotAvailable(f"the model in {folder} cannot be read: {reason}") from error
    stored = {*model.state_dict()} - {*found["missing_keys"]} | {*found["unexpected_keys"]}
    layers = layers_in_words(model.config, stored)
    if missing := sorted(found["missing_keys"]):
        raise ModelNotAvailable(
            f"the weights in {folder} are incomplete: {len(missing)} tensors that its config.json "
            f"asks for are missing, first {missing[0]}{layers}"
        )
    if unexpected := sorted(found["unexpected_keys"]):
        raise ModelNotAvailable(
            f"the weights in {folder} are not those of its config.json: {len(unexpected)} tensors "
            f"are in no place of it and would be left out, first {unexpected[0]}{layers}. Is the "
            "config of another model, of fewer layers, say?"
        )
    return model.to(device)
