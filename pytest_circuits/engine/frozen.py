"""Paths past frozen heads and frozen MLPs: what the senders write is all that changes.

Nothing is recomputed between the senders and the end of the path, so the change of the residual
stream is the sum of the changes of what the senders write.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from pytest_circuits.engine.puts import Put, Puts
from pytest_circuits.engine.sweep import Swept, Variant
from pytest_circuits.readings import Site

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.frame import Columns
    from pytest_circuits.engine.world import World


def frozen(
    world: World, columns: Columns, variants: Sequence[Variant], sites: Collection[Site]
) -> Swept:
    """Do what `sweep` does for variants without live heads or MLPs that put only z in place."""
    layers = sorted({put.layer for each in variants for put in each.puts})
    change = columns.of(world.stream[0]).new_zeros(len(variants), *columns.index.shape, _d(world))
    kept: dict[Site, Tensor] = {}
    wanted = sorted(site.layer for site in sites if site.name == "resid")
    for layer in range(len(world.anatomy.blocks)):
        if layer in wanted:
            kept[Site("resid", layer)] = columns.of(world.stream[layer]) + change
        if layer in layers:
            for number, each in enumerate(variants):
                puts = [put for put in each.puts if put.layer == layer]
                if puts:
                    change[number] += _written(world, columns, puts)
    final = columns.of(world.stream[-1]) + change
    return Swept(columns, tuple(range(len(variants))), final, kept)


def _written(world: World, columns: Columns, puts: list[Put]) -> Tensor:
    """Return how the write of a layer's heads changes, [batch, slot, d_model]."""
    block = world.anatomy.blocks[puts[0].layer]
    z = world.z[puts[0].layer]
    if not block.writes_linearly:
        before = columns.of(z)
        after = Puts((0, put) for put in puts).on(before[None], "z", puts[0].layer, columns)[0]
        return block.write(after) - block.write(before)
    change = z.new_zeros(*columns.index.shape, _d(world))
    for put in puts:
        assert put.index is not None
        slot, present = columns.slot(put.column)
        rows = present.nonzero()[:, 0]
        before = z[rows, put.column[rows], put.index]
        change[rows, slot[rows]] += block.head_write(
            put.value[rows].to(z.dtype) - before, put.index
        )
    return change


def _d(world: World) -> int:
    return int(world.stream[0].shape[-1])
