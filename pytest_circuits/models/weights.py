"""The tensors of a folder's safetensors files, as names, shapes and bytes; no torch needed.

Every header is checked against its file before anything is made of it: what it says is then no
more than what the file holds.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from pytest_circuits.errors import shown
from pytest_circuits.models.files import parse_json, read_json

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
SUFFIX = ".safetensors"
_LENGTH_BYTES = 8  # a safetensors file starts with the length of its JSON header
_BITS = {"BOOL": 8, "U8": 8, "I8": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16}
_BITS |= {"I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64}
_BITS |= {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8}
_BITS |= {"F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8}
FLOATS = frozenset({"F16", "BF16", "F32", "F64"})
_LARGEST = 1 << 63
_PACKED = 4  # bits that a number may take in tensors of other types, at least


@dataclass(frozen=True, kw_only=True)
class StoredTensor:
    """One tensor as it lies in a file: `dtype` is the safetensors code ("F32", "BF16")."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: memoryview = field(repr=False)

    @property
    def numbers(self) -> int:
        """How many numbers it can stand for, those packed into others counted."""
        return prod(self.shape) if self.dtype in FLOATS else len(self.data) * 8 // _PACKED


def weight_files(folder: Path) -> list[Path]:
    """Return the files transformers would load: `model.safetensors`, or the shards of its index.

    Returns an empty list if there are none; raises ValueError if the index is damaged, or names
    anything but safetensors files in the folder.
    """
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if not (folder / INDEX).is_file():
        return []
    names = read_json(folder / INDEX).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise ValueError(f"{INDEX} has no `weight_map` from tensors to files")
    for name in names.values():
        if not _is_shard(name):
            raise ValueError(
                f"{INDEX} must name {SUFFIX} files in its own folder; it names {shown(name)}"
            )
    return sorted({folder / name for name in names.values()})


def _is_shard(name: object) -> bool:
    plain = isinstance(name, str) and not set(name) & set("/\\:\0")
    return plain and str(name).endswith(SUFFIX)


def stored_tensors(folder: Path) -> Iterator[StoredTensor]:
    """Yield every tensor of the folder's weight files, mapped into memory, not copied.

    Raises FileNotFoundError without weight files, ValueError if a file is damaged or cut short, or
    if a tensor is in two of them.
    """
    files = weight_files(folder)
    if not files:
        raise FileNotFoundError(f"no {SINGLE} in {folder}")
    seen: set[str] = set()
    for file in files:
        for tensor in _tensors_of(file):
            if tensor.name in seen:
                raise ValueError(f"the tensor {shown(tensor.name)} is in two weight files")
            seen.add(tensor.name)
            yield tensor


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
    if not _LENGTH_BYTES < end <= len(content):
        raise ValueError(f"{file.name} is damaged: its header does not fit into the file")
    return parse_json(bytes(content[_LENGTH_BYTES:end]), f"the header of {file.name}"), content[
        end:
    ]


def _tensor(file: Path, name: str, entry: Any, body: memoryview) -> StoredTensor:
    try:
        (start, end), shape, dtype = entry["data_offsets"], tuple(entry["shape"]), entry["dtype"]
        whole = all(type(each) is int and 0 <= each < _LARGEST for each in (start, end, *shape))
        bits = prod(shape) * _BITS[dtype] if whole else 0
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise ValueError(f"{file.name} is damaged: what it says of {shown(name)} is no tensor")
    if end > len(body):
        raise ValueError(f"{file.name} is cut short: {shown(name)} ends after the end of the file")
    if (end - start) * 8 != bits:
        raise ValueError(
            f"{file.name} is damaged: {shown(name)} has {end - start:,} bytes, which its shape "
            f"{shown(list(shape))} of {dtype} does not take"
        )
    return StoredTensor(name=name, dtype=dtype, shape=shape, data=body[start:end])
