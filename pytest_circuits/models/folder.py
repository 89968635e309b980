"""A local Hugging Face folder, such as a training run's checkpoint: safetensors, no remote code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_circuits.errors import (
    LONGEST_QUOTE,
    CircuitUsageError,
    ClaimNotEvaluable,
    ModelNotAvailable,
    cut,
    in_a_line,
    shown,
)
from pytest_circuits.models.bounds import Contents, TooLarge, check_tokenizer
from pytest_circuits.models.files import read_json
from pytest_circuits.models.layers import layers_in_words
from pytest_circuits.models.quiet import quiet_transformers
from pytest_circuits.models.weights import SINGLE, stored_tensors, weight_files

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
ADAPTER = "adapter_config.json"
_TOKENIZER = "tokenizer.json"
_TOKENIZER_FILES = (_TOKENIZER, "vocab.json", "vocab.txt", "tokenizer.model", "spiece.model")


def check_folder(folder: Path) -> None:
    """Raise ModelNotAvailable unless the folder can be loaded safely; the message says why.

    Reads configs and headers, builds nothing.
    """
    if not os.path.isdir(folder):  # Path.is_dir raises for a name that is too long
        raise ModelNotAvailable(f"there is no model folder {cut(str(folder), LONGEST_QUOTE)}")
    with readable(f"the model in {folder}"):
        _check_adapter(folder)
        config = _config(folder)
        _check_weights(folder)
        contents = Contents.of(stored_tensors(folder))
        contents.check_machine()
        contents.check_config(config)
        _check_tokenizer(folder)


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Turn whatever is raised by damaged files into one sentence: ModelNotAvailable.

    Libraries raise all kinds of errors for them, and those written in Rust one that is no
    Exception.
    """
    try:
        yield
    except (ClaimNotEvaluable, CircuitUsageError):
        raise
    except TooLarge as error:
        raise ModelNotAvailable(f"{what} is refused: {error}") from error
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        said = in_a_line(error).removeprefix("ValueError: ")
        raise ModelNotAvailable(f"{what} cannot be read: {said}") from error


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


def _config(folder: Path) -> dict[str, Any]:
    """Return the config; refuse one that asks for code."""
    if not (folder / "config.json").exists():
        raise ModelNotAvailable(
            f"{folder} is not a Hugging Face model folder: it has no config.json. "
            f"Save the model with model.save_pretrained({str(folder)!r})"
        )
    config = read_json(folder / "config.json")
    if "auto_map" in config:
        raise ModelNotAvailable(
            f"{folder} is refused: its config.json has `auto_map`, so loading it would run Python "
            "code from the folder, and remote code is never run. Use a model whose architecture "
            "is part of transformers."
        )
    # transformers fetches "owner/name" from the hub there, as code to compute attention with.
    kernels = [k for k, v in config.items() if "_implementation" in k and "/" in str(v)]
    if kernels:
        raise ModelNotAvailable(
            f"{folder} is refused: `{kernels[0]}` in its config.json names code on the hub, "
            f"{shown(config[kernels[0]])}, and remote code is never run. Take it out."
        )
    return config


def _check_weights(folder: Path) -> None:
    try:
        files = weight_files(folder)
    except (OSError, ValueError) as error:
        raise ModelNotAvailable(
            f"{folder} is refused: its safetensors index is damaged: {error}"
        ) from error
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


def _check_tokenizer(folder: Path) -> None:
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        raise ModelNotAvailable(
            f"{folder} has no tokenizer (looked for {', '.join(_TOKENIZER_FILES)}). "
            f"Save it beside the weights: tokenizer.save_pretrained({str(folder)!r})"
        )
    with readable(f"the tokenizer in {folder}"):
        found = [
            read_json(folder / name) if (folder / name).exists() else {}
            for name in (_TOKENIZER, "tokenizer_config.json")
        ]
        check_tokenizer(*found)


def read_tokenizer(folder: Path) -> Any:
    """Return the folder's tokenizer; raises ModelNotAvailable if it cannot be read."""
    from transformers import AutoTokenizer

    with readable(f"the tokenizer in {folder}"), quiet_transformers():
        return AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )


def read_model(folder: Path, *, device: str, dtype: str) -> Any:
    """Return the folder's causal language model; raises ModelNotAvailable if it cannot be read.

    Weights that the architecture has but the files lack are an error: transformers would draw
    them at random. So are weights that it does not have: they would be left out. No more is built
    than `Contents` allows for what the files hold.
    """
    import torch
    from transformers import AutoModelForCausalLM

    with readable(f"the model in {folder}"):
        contents = Contents.of(stored_tensors(folder))
        with quiet_transformers(), contents.building():
            model, found = AutoModelForCausalLM.from_pretrained(
                str(folder),
                dtype=getattr(torch, dtype),
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
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
    _check_floats(model, contents, folder)
    return model.to(device)


def _check_floats(model: Any, contents: Contents, folder: Path) -> None:
    """Refuse whole numbers where the model has floats, unless they were read as quantized."""
    if getattr(model.config, "quantization_config", None) is not None:
        if getattr(model, "hf_quantizer", None) is None:
            raise ModelNotAvailable(
                f"the model in {folder} cannot be read: its config.json has a "
                "`quantization_config` that transformers does not know, and leaves out"
            )
        return
    for name, _ in model.named_parameters():
        if any(_are_one(name, each) for each in contents.whole):
            raise ModelNotAvailable(
                f"the model in {folder} cannot be read: {name} is stored as whole numbers, and its "
                "config.json has no `quantization_config` that says what they stand for"
            )


def _are_one(name: str, stored: str) -> bool:
    """Return whether a parameter is a stored tensor, with or without a prefix to its name."""
    return name == stored or name.endswith(f".{stored}") or stored.endswith(f".{name}")
