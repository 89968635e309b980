"""What a model in hand was when it was fingerprinted, to see later whether it still is that."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_circuits.models.bridge import tensors_of

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Held:
    """A weight as it was; `checksum` is the CRC-32 of its bytes, and misses 1 edit in 4e9."""

    shape: tuple[int, ...]
    dtype: str
    device: str
    checksum: int


def held(bridge: Any) -> dict[str, Held]:
    """Return every weight of a bridge as it is now, under its Hugging Face name.

    Reads all bytes: a quarter of a second for SmolLM2's 538 MB. Buffers that are not saved with
    a model (rotary frequencies) and what is no tensor (an epsilon) are left out.
    """
    return {name: _held(value) for name, value in weights_of(bridge).items()}


def weights_of(bridge: Any) -> dict[str, Tensor]:
    """Return the tensors whose bytes are a bridge's weights, each byte once, under their HF names.

    Those that are views of others are left out: a bridge splits queries, keys and values so.
    """
    found: dict[str, Tensor] = {}
    whole: set[tuple[str, int]] = set()
    tensors = tensors_of(getattr(bridge, "original_model", bridge))
    for name, value in sorted(tensors.items(), key=lambda each: -each[1].nbytes):
        storage = value.untyped_storage()
        place = str(value.device), storage.data_ptr()
        if place in whole:
            continue
        found[name] = value
        if value.nbytes == storage.nbytes():
            whole.add(place)
    return found


def differences(before: Mapping[str, Held], now: Mapping[str, Held]) -> list[str]:
    """Return in words how weights differ, one entry per weight that does."""
    return [
        f"{name} ({_difference(before.get(name), now.get(name))})"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]


def _difference(before: Held | None, now: Held | None) -> str:
    if before is None or now is None:
        return "new" if before is None else "gone"
    for what in ("shape", "dtype", "device"):
        was, is_ = getattr(before, what), getattr(now, what)
        if was != is_:
            return f"{was}, now {is_}"
    return "values edited"


def _held(value: Tensor) -> Held:
    return Held(
        shape=tuple(value.shape),
        dtype=str(value.dtype).removeprefix("torch."),
        device=str(value.device),
        checksum=0 if value.is_meta else zlib.crc32(bytes_of(value)),
    )


def bytes_of(value: Tensor) -> memoryview:
    """Return a tensor's bytes, without a copy where it lies in one piece in this memory."""
    import torch

    flat: Any = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return memoryview(flat.numpy())
