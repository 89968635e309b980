"""One head's weights and output computed again from what a path has brought it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.blocks import Block
    from pytest_circuits.engine.frame import Columns
    from pytest_circuits.engine.puts import Put
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


def reread(
    world: World, columns: Columns, seen: Seen, what: Reread, weights: Tensor | None = None
) -> Tensor:
    """Return z of the head at its column, [batch, d_head], read with `weights` or its own."""
    import torch

    if weights is None:
        weights = reweighed(world, columns, seen, what)
    return torch.einsum("bt,btd->bd", weights, _values(world, columns, seen, what))


def reweighed(
    world: World, columns: Columns, seen: Seen, what: Reread, held: Iterable[Put] = ()
) -> Tensor:
    """Return the head's weights at its column, [batch, column].

    `held` are weights of this layer that stay as they are put, whatever a head reads.
    """
    import torch

    block, shared = _head(world, what)
    keys = _laid(world.keys(what.layer)[0][:, :, shared], columns, seen.k[:, :, shared])
    if what.k is not None:
        rotation = world.anatomy.rotation(what.layer, world.frame, what.k.columns)
        turned = block.turned_keys(what.k.value[:, :, None], rotation)[:, :, 0]
        keys = _laid(keys, what.k.columns, turned)
    raw = torch.einsum("bd,btd->bt", _query(world, columns, seen, what) * block.scaling, keys)
    raw = raw.masked_fill(~_visible(world, what), float("-inf"))
    weights = raw.softmax(dim=-1, dtype=torch.float32).to(seen.v.dtype)
    for put in held:
        if put.index == what.index:
            here = (put.column == what.column)[:, None]
            weights = torch.where(here, put.value.to(weights.dtype), weights)
    return weights


def _query(world: World, columns: Columns, seen: Seen, what: Reread) -> Tensor:
    import torch

    from pytest_circuits.engine.frame import named

    if what.q is None:
        slot, _ = columns.slot(what.column)
        return seen.q[torch.arange(len(slot), device=slot.device), slot, what.index]
    block, _ = _head(world, what)
    rotation = world.anatomy.rotation(what.layer, world.frame, named([what.column]))
    return block.turned_queries(what.q[:, None, None], rotation)[:, 0, 0]


def _values(world: World, columns: Columns, seen: Seen, what: Reread) -> Tensor:
    _, shared = _head(world, what)
    values = _laid(world.keys(what.layer)[1][:, :, shared], columns, seen.v[:, :, shared])
    return values if what.v is None else _laid(values, what.v.columns, what.v.value)


def _head(world: World, what: Reread) -> tuple[Block, int]:
    """Return the head's block, and the index of the keys and values that it shares."""
    block = world.anatomy.blocks[what.layer]
    return block, what.index * block.shared_heads // block.heads


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
