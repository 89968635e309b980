"""What identifies a model: one hash over its weights, its config and its tokenizer.

The hash is taken from the files, tensor by tensor, without torch: it does not depend on the folder,
on how the weights are split into shards, on the order of keys, or on the versions that wrote them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_circuits.models.weights import StoredTensor, stored_tensors

# Part of every fingerprint and cache manifest: raise it when something else is hashed.
FORMAT = 1

_BLOCK_BYTES = 1 << 20

# What a writer notes about itself or about the place, not about the model. The dtype of the
# weights is hashed with each tensor; transformers renamed its config key between versions.
_CONFIG_NOTES = frozenset({"_name_or_path", "transformers_version", "dtype", "torch_dtype"})
_TOKENIZER_NOTES = frozenset(
    {
        "name_or_path",
        "transformers_version",
        "backend",
        "is_local",
        "local_files_only",
        "chat_template",  # not used: prompts are rendered by tasks, not by a chat template
    }
)
# Padding and truncation are the state of the last call, not part of the tokenizer.
_TOKENIZER_STATE = frozenset({"padding", "truncation"})
_VOCABULARY_FILES = (
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "added_tokens.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)


def fingerprint_folder(folder: Path) -> str:
    """Return the fingerprint (64 hex digits) of the model in a Hugging Face folder.

    Raises OSError if `config.json` or the weights are missing, ValueError if a file is damaged.
    """
    return combine(
        weights=hash_tensors(stored_tensors(folder)),
        config=hash_config(folder),
        tokenizer=hash_tokenizer(folder),
    )


def combine(*, weights: str, config: str, tokenizer: str) -> str:
    """Return the fingerprint from the three hashes."""
    return hash_json(
        {"format": FORMAT, "weights": weights, "config": config, "tokenizer": tokenizer}
    )


def hash_tensors(tensors: Iterable[StoredTensor]) -> str:
    """Return a hash over names, dtypes, shapes and bytes, whatever the order of the tensors."""
    rows = [(t.name, t.dtype, list(t.shape), _hash_bytes(t.data)) for t in tensors]
    return hash_json(sorted(rows))


def hash_config(folder: Path) -> str:
    """Return a hash over every value of `config.json` that describes the model."""
    return hash_json(_without(_read_json(folder / "config.json"), _CONFIG_NOTES))


def hash_tokenizer(folder: Path) -> str:
    """Return a hash over the tokenizer: `tokenizer.json`, else the vocabulary, and its settings."""
    parts: dict[str, Any] = {}
    if (folder / "tokenizer.json").is_file():
        parts["tokenizer.json"] = _without(_read_json(folder / "tokenizer.json"), _TOKENIZER_STATE)
    else:
        present = [name for name in _VOCABULARY_FILES if (folder / name).is_file()]
        parts |= {name: hash_file(folder / name) for name in present}
    if (folder / "tokenizer_config.json").is_file():
        settings = _read_json(folder / "tokenizer_config.json")
        parts["tokenizer_config.json"] = _without(settings, _TOKENIZER_NOTES)
    return hash_json(parts)


def hash_json(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON text."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return _hash_bytes(text.encode())


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's content, read block by block."""
    digest, block = hashlib.sha256(), memoryview(bytearray(_BLOCK_BYTES))
    with path.open("rb", buffering=0) as stream:
        while count := stream.readinto(block):
            digest.update(block[:count])
    return digest.hexdigest()


def _hash_bytes(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} holds {type(value).__name__}, expected an object")
    return value


def _without(mapping: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in names}
