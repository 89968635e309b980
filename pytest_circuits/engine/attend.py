"""Attention of some query columns over cached keys of the past and the keys of those columns.

Shapes: variant v, batch b, query slot s, key column t, shared head k, query heads per shared head
g. The cache is common to all variants; only the columns in hand have keys of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_circuits.engine.frame import Columns, Frame

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Masks:
    """Which keys a query slot may see: cached ones [b, s, t], and those of the slots [b, s, s]."""

    cached: Tensor
    own: Tensor


def masks(frame: Frame, columns: Columns, window: int | None) -> Masks:
    """Return causal masks, cut to a sliding window; columns in hand are not read from the cache."""
    import torch

    every = torch.arange(frame.width, device=columns.index.device)[None, None]
    query = columns.index[:, :, None]
    cached = _visible(query, every, window) & frame.real[:, None]
    cached &= ~columns.active(frame.width)[:, None]
    own = _visible(query, columns.index[:, None, :], window) & columns.valid[:, None]
    # A slot that is not in use still needs something to look at; nobody reads it.
    own |= torch.eye(columns.slots, dtype=torch.bool, device=own.device)[None]
    return Masks(cached, own)


def _visible(query: Tensor, key: Tensor, window: int | None) -> Tensor:
    seen = key <= query
    return seen if window is None else seen & (query - key < window)


def scores(q: Tensor, k: Tensor, cached_k: Tensor | None, mask: Masks, scaling: float) -> Tensor:
    """Return masked scores over cached keys, then own ones: [b, k, v, s, g, t + s].

    q [v, b, s, head, d], k [v, b, s, shared, d], cached_k [b, t, shared, d].
    """
    import torch

    v, b, s, heads, d = q.shape
    shared = k.shape[3]
    grouped = q.view(v, b, s, shared, -1, d).permute(1, 3, 0, 2, 4, 5) * scaling
    flat = grouped.reshape(b * shared, -1, d)
    own_k = k.permute(1, 3, 0, 4, 2)
    own = grouped.reshape(b, shared, v, -1, d) @ own_k
    own = own.view(b, shared, v, s, -1, s).masked_fill(
        ~mask.own[:, None, None, :, None], float("-inf")
    )
    if cached_k is None:
        return own
    past = torch.bmm(flat, cached_k.permute(0, 2, 3, 1).reshape(b * shared, d, -1))
    past = past.view(b, shared, v, s, heads // shared, -1)
    past = past.masked_fill(~mask.cached[:, None, None, :, None], float("-inf"))
    return torch.cat((past, own), dim=-1)


def mixed(pattern: Tensor, v: Tensor, cached_v: Tensor | None) -> Tensor:
    """Return z [v, b, s, head, d] from a pattern [b, k, v, s, g, t + s] and values like keys."""
    b, shared, variants, s, group, _ = pattern.shape
    d = v.shape[-1]
    own = pattern[..., -s:].reshape(b, shared, variants, s * group, s)
    z = (own @ v.permute(1, 3, 0, 2, 4)).view(b, shared, variants, s, group, d)
    if cached_v is not None:
        past = pattern[..., :-s].reshape(b * shared, variants * s * group, -1)
        values = cached_v.permute(0, 2, 1, 3).reshape(b * shared, -1, d)
        z = z + (past @ values).view(b, shared, variants, s, group, d)
    return z.permute(2, 0, 3, 1, 4, 5).reshape(variants, b, s, shared * group, d)


def spread(pattern: Tensor, columns: Columns, width: int) -> Tensor:
    """Return [v, b, head, s, t]: a pattern over cached and own keys, by column of the frame."""
    b, shared, variants, s, group, _ = pattern.shape
    own, index = (
        pattern[..., -s:],
        columns.index[:, None, None, None, None].expand(b, shared, variants, s, group, s),
    )
    full = pattern.new_zeros(b, shared, variants, s, group, width)
    if pattern.shape[-1] > s:
        full += pattern[..., :-s]
    full.scatter_add_(-1, index, own * columns.valid[:, None, None, None, None])
    return full.permute(2, 0, 1, 4, 3, 5).reshape(variants, b, shared * group, s, width)
