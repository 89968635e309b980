"""One head's output computed again with queries, keys or values that a path has brought it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.frame import Columns
    from pytest_circuits.engine.world import World


@dataclass(frozen=True, eq=False)
class Brought:
    """Projections of one shared head [batch, slot, d_head], at columns of their own."""

    columns: Columns
    value: Tensor


@dataclass(frozen=True, eq=False)
class Reread:
    """A head at a column [batch] that reads other queries [batch, d_head], keys or values.

    Keys and values are replaced only as this head sees them from this column. All are projections
    before norm and rotation.
    """

    layer: int
    index: int
    column: Tensor
    q: Tensor | None = None
    k: Brought | None = None
    v: Brought | None = None


@dataclass(frozen=True, eq=False)
class Seen:
    """Queries and keys as they enter the scores, and values, of the columns in hand."""

    q: Tensor
    k: Tensor
    v: Tensor

    def of(self, variant: int) -> Seen:
        """Return those of one variant, [batch, slot, head, d_head]."""
        return Seen(self.q[variant], self.k[variant], self.v[variant])


def reread(world: World, columns: Columns, seen: Seen, what: Reread) -> Tensor:
    """Return z of the head at its column, [batch, d_head]."""
    import torch

    block = world.anatomy.blocks[what.layer]
    shared = what.index * block.shared_heads // block.heads
    slot, _ = columns.slot(what.column)
    rows = torch.arange(len(slot), device=slot.device)
    query = seen.q[rows, slot, what.index]
    if what.q is not None:
        query = _turned_query(world, what)
    past_k, past_v = world.keys(what.layer)
    keys = _laid(past_k[:, :, shared], columns, seen.k[:, :, shared])
    values = _laid(past_v[:, :, shared], columns, seen.v[:, :, shared])
    if what.k is not None:
        rotation = world.anatomy.rotation(what.layer, world.frame, what.k.columns)
        turned = block.turned_keys(what.k.value[:, :, None], rotation)[:, :, 0]
        keys = _laid(keys, what.k.columns, turned)
    if what.v is not None:
        values = _laid(values, what.v.columns, what.v.value)
    raw = torch.einsum("bd,btd->bt", query * block.scaling, keys)
    raw = raw.masked_fill(~_visible(world, what), float("-inf"))
    pattern = raw.softmax(dim=-1, dtype=torch.float32).to(values.dtype)
    return torch.einsum("bt,btd->bd", pattern, values)


def _turned_query(world: World, what: Reread) -> Tensor:
    from pytest_circuits.engine.frame import named

    assert what.q is not None
    rotation = world.anatomy.rotation(what.layer, world.frame, named([what.column]))
    block = world.anatomy.blocks[what.layer]
    return block.turned_queries(what.q[:, None, None], rotation)[:, 0, 0]


def _laid(base: Tensor, columns: Columns, value: Tensor) -> Tensor:
    """Return base [batch, column, d] with value [batch, slot, d] laid over it."""
    import torch

    laid = base.clone()
    rows = torch.arange(len(base), device=base.device)[:, None].expand_as(columns.index)
    laid[rows[columns.valid], columns.index[columns.valid]] = value[columns.valid].to(base.dtype)
    return laid


def _visible(world: World, what: Reread) -> Tensor:
    import torch

    every = torch.arange(world.frame.width, device=what.column.device)[None]
    column = what.column[:, None]
    window = world.anatomy.blocks[what.layer].window
    seen = (every <= column) & world.frame.real
    return seen if window is None else seen & (column - every < window)
