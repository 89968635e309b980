"""The parts of a transformer block, taken from TransformerBridge, callable on any positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_circuits.engine.norms import Norm, fused
from pytest_circuits.engine.onednn import by_onednn

if TYPE_CHECKING:
    from torch import Tensor

_ROWS = 1024  # tokens through an MLP at once: what it makes in between stays in the CPU's cache


class Unsupported(Exception):
    """A block that is not put together in a way that is known here; says which and why."""


@dataclass(frozen=True, eq=False)
class Rotation:
    """Rotary position embedding: cosines and sines, [batch, column, rotated dimensions]."""

    cos: Tensor
    sin: Tensor

    def turn(self, x: Tensor) -> Tensor:
        """Rotate [..., batch, column, head, d_head], halves paired as in Llama."""
        import torch

        size = self.cos.shape[-1]
        part, rest = x[..., :size], x[..., size:]
        cos, sin = self.cos[:, :, None], self.sin[:, :, None]
        half = size // 2
        turned = torch.cat((-part[..., half:], part[..., :half]), dim=-1)
        return torch.cat((part * cos + turned * sin, rest), dim=-1)


class Meter:
    """Counts the multiplications by weight matrices, the bulk of what a model costs."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, rows: Tensor, weights: int) -> None:
        """Count the passage of rows [..., d] through so many weights."""
        self.count += rows[..., 0].numel() * weights


class Block:
    """One block: x + attention(norm(x)), then x + MLP(norm(x)), each with an optional second norm.

    Tensors have any leading dimensions: x [..., d_model], q and z [..., head, d_head], k and v
    [..., shared head, d_head]. Nothing is changed in the bridge.
    """

    def __init__(self, bridge: Any, layer: int, meter: Meter) -> None:
        self._meter = meter
        block = bridge.blocks[layer]
        self._attn = _part(block, "attn", layer)
        self._refuse_unknown(bridge.cfg, block, layer)
        original = self._attn.original_component
        self.d_head = int(bridge.cfg.d_head)
        self.heads = int(bridge.cfg.n_heads)
        self.shared_heads = int(self._attn.W_K.shape[0])
        self.scaling = float(getattr(original, "scaling", self.d_head**-0.5))
        self.window: int | None = getattr(original, "sliding_window", None)
        self._q, self._k, self._v, self._o = (
            by_onednn(_inner(_part(self._attn, name, layer))) for name in "qkvo"
        )
        mlp: Any = _inner(_part(block, "mlp", layer))
        self._mlp = by_onednn(mlp)
        self._mlp_weights: int = sum(p.numel() for p in mlp.parameters() if p.dim() > 1)
        self._qkv_weights = int(bridge.cfg.d_model) * self.d_head
        self.read = fused(_inner(_part(block, "ln1", layer)))
        self._read_mlp = fused(_inner(_part(block, "ln2", layer)))
        self._after_attn = _optional_norm(block, "ln1_post")
        self._after_mlp = _optional_norm(block, "ln2_post")
        self._q_norm = _optional_norm(self._attn, "q_norm")
        self._k_norm = _optional_norm(self._attn, "k_norm")

    def queries(self, normed: Tensor) -> Tensor:
        """Return the projections q of the normed stream, before norm and rotation."""
        self._meter.add(normed, self._qkv_weights * self.heads)
        return self._split(self._q(normed))

    def keys(self, normed: Tensor) -> Tensor:
        """Return the projections k of the normed stream, before norm and rotation."""
        self._meter.add(normed, self._qkv_weights * self.shared_heads)
        return self._split(self._k(normed))

    def values(self, normed: Tensor) -> Tensor:
        """Return the values v of the normed stream."""
        self._meter.add(normed, self._qkv_weights * self.shared_heads)
        return self._split(self._v(normed))

    def turned_queries(self, q: Tensor, rotation: Rotation | None) -> Tensor:
        """Return q as it enters the scores: normed, rotated."""
        return _turned(q, self._q_norm, rotation)

    def turned_keys(self, k: Tensor, rotation: Rotation | None) -> Tensor:
        """Return k as it enters the scores: normed, rotated."""
        return _turned(k, self._k_norm, rotation)

    def write(self, z: Tensor) -> Tensor:
        """Return what the heads together add to the stream."""
        self._meter.add(z[..., 0], self._qkv_weights * self.heads)
        written: Tensor = self._o(z.flatten(-2).contiguous())
        return written if self._after_attn is None else self._after_attn(written)

    @property
    def cost_of_a_token(self) -> int:
        """Multiplications by weights for one token."""
        return self._mlp_weights + 2 * self._qkv_weights * (self.heads + self.shared_heads)

    @property
    def writes_linearly(self) -> bool:
        """Whether what a head adds does not depend on the other heads."""
        return self._after_attn is None

    def head_write(self, z: Tensor, head: int) -> Tensor:
        """Return z W_O of one head, [..., d_head] -> [..., d_model]; only if writes are linear."""
        self._meter.add(z, self._qkv_weights)
        write: Tensor = z @ self._out_weight[head]
        return write

    def feed(self, stream: Tensor) -> Tensor:
        """Return what the MLP adds to the stream it is given."""
        import torch

        self._meter.add(stream, self._mlp_weights)
        rows = stream.reshape(-1, stream.shape[-1])
        parts = [self._feed(part) for part in torch.split(rows, _ROWS)]
        return torch.cat(parts).view_as(stream)

    def _feed(self, rows: Tensor) -> Tensor:
        fed: Tensor = self._mlp(self._read_mlp(rows))
        return fed if self._after_mlp is None else self._after_mlp(fed)

    @cached_property
    def _out_weight(self) -> Tensor:
        weight: Tensor = self._attn.W_O.detach()
        return weight

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:-1], -1, self.d_head)

    def _refuse_unknown(self, cfg: Any, block: Any, layer: int) -> None:
        original = self._attn.original_component
        if getattr(cfg, "parallel_attn_mlp", False):
            raise Unsupported("attention and MLP run in parallel")
        if getattr(original, "attn_logit_softcapping", None):
            raise Unsupported(f"attention scores are capped in layer {layer}")
        known = {"ln1", "ln1_post", "ln2", "ln2_post", "attn", "mlp"}
        others = {
            name
            for name, _ in block.named_children()
            if not name.startswith(("hook_", "_")) and name not in known
        }
        if others:
            raise Unsupported(
                f"layer {layer} has parts not known here: {', '.join(sorted(others))}"
            )


def _turned(x: Tensor, norm: Norm | None, rotation: Rotation | None) -> Tensor:
    normed = x if norm is None else norm(x)
    return normed if rotation is None else rotation.turn(normed)


def _part(parent: Any, name: str, layer: int) -> Any:
    part = dict(parent.named_children()).get(name)
    if part is None:
        raise Unsupported(f"layer {layer} has no {name}")
    return part


def _inner(part: Any) -> Any:
    return getattr(part, "original_component", part)


def _optional_norm(parent: Any, name: str) -> Norm | None:
    part = dict(parent.named_children()).get(name)
    return None if part is None else fused(_inner(part))
