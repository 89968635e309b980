"""The tensors of a folder's safetensors files, as names, shapes and bytes; no torch needed."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_LENGTH_BYTES = 8  # a safetensors file starts with the length of its JSON header


@dataclass(frozen=True, kw_only=True)
class StoredTensor:
    """One tensor as it lies in a file: `dtype` is the safetensors code ("F32", "BF16")."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: memoryview = field(repr=False)


def weight_files(folder: Path) -> list[Path]:
    """Return the files transformers would load: `model.safetensors`, or the shards of its index.

    Returns an empty list if there are none; raises ValueError if the index is damaged.
    """
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if not (folder / INDEX).is_file():
        return []
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    return sorted({folder / name for name in index["weight_map"].values()})


def stored_tensors(folder: Path) -> Iterator[StoredTensor]:
    """Yield every tensor of the folder's weight files, mapped into memory, not copied.

    Raises FileNotFoundError without weight files, ValueError if a file is damaged or cut short.
    """
    files = weight_files(folder)
    if not files:
        raise FileNotFoundError(f"no {SINGLE} in {folder}")
    for file in files:
        yield from _tensors_of(file)


def _tensors_of(file: Path) -> Iterator[StoredTensor]:
    with file.open("rb") as stream:
        try:
            content = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError:
            raise ValueError(f"{file.name} is empty") from None
    header, body = _split(file, content)
    for name, entry in header.items():
        if name != "__metadata__":
            yield _tensor(file, name, entry, body)


def _split(file: Path, content: memoryview) -> tuple[dict[str, Any], memoryview]:
    """Return the parsed header and the bytes after it."""
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    try:
        header = json.loads(bytes(content[_LENGTH_BYTES:end]))
    except ValueError:
        raise ValueError(f"{file.name} is damaged: its header is not JSON") from None
    return header, content[end:]


def _tensor(file: Path, name: str, entry: dict[str, Any], body: memoryview) -> StoredTensor:
    start, end = entry["data_offsets"]
    if end > len(body):
        raise ValueError(f"{file.name} is cut short: {name} ends after the end of the file")
    shape = tuple(entry["shape"])
    return StoredTensor(name=name, dtype=entry["dtype"], shape=shape, data=body[start:end])
