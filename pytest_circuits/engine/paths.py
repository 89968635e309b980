"""Path patching: what the senders bring to the receivers, and a run in which they read it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_circuits.engine.outcome import Outcome
from pytest_circuits.engine.puts import Put
from pytest_circuits.engine.reread import Brought, Reread
from pytest_circuits.engine.resolve import Placed, in_world
from pytest_circuits.engine.sweep import Variant
from pytest_circuits.interventions import PathPatch
from pytest_circuits.nodes import Node
from pytest_circuits.readings import Site

if TYPE_CHECKING:
    from torch import Tensor


def receiver_sites(under: PathPatch) -> set[Site]:
    """Return the streams that the receivers read."""
    return {Site("resid", end.node.head.layer) for end in under.receivers}


def received(under: PathPatch, brought: Outcome, *, wide: bool = False) -> Placed:
    """Return the second half of a path patch: a variant whose receivers read what was brought."""
    channels: dict[Node, set[str]] = defaultdict(set)
    for end in under.receivers:
        channels[end.node].add(end.channel)
    kept = brought.stage.kept(under.given)
    puts: list[Put] = []
    rereads: list[Reread] = []
    for node, named in channels.items():
        made = _reread(node, named, brought, kept)
        if made.k is None and made.v is None:
            assert made.q is not None
            puts.append(Put("q", made.layer, made.index, made.column, made.q))
        else:
            rereads.append(made)
    variant = Variant(puts=tuple(puts), rereads=tuple(rereads))
    positions = {node.at for node in channels}
    return in_world(under.given, positions, brought.stage, variant, wide=wide)


def _reread(node: Node, channels: set[str], brought: Outcome, kept: tuple[Put, ...]) -> Reread:
    import torch

    stage, layer, index = brought.stage, node.head.layer, node.head.index
    column = stage.column(node.at)
    q = None
    if "q" in channels:
        block = stage.anatomy.blocks[layer]
        q = block.queries(block.read(_stream_at(brought, layer, column)))[:, index]
        for put in _puts_of("q", layer, index, kept):
            q = torch.where((put.column == column)[:, None], put.value.to(q.dtype), q)
    return Reread(
        layer=layer,
        index=index,
        column=column,
        q=q,
        k=_brought(node, "k", brought, kept) if "k" in channels else None,
        v=_brought(node, "v", brought, kept) if "v" in channels else None,
    )


def _stream_at(brought: Outcome, layer: int, column: Tensor) -> Tensor:
    """Return the stream before a layer at a column of each row, [batch, d_model]."""
    import torch

    rows = torch.arange(len(column), device=column.device)
    base = brought.world.stream[layer][rows, column]
    kept = brought.swept.kept.get(Site("resid", layer))
    if kept is None or len(kept) <= brought.number:
        return base
    slot, present = brought.swept.columns.slot(column)
    return torch.where(present[:, None], kept[brought.number][rows, slot], base)


def _puts_of(kind: str, layer: int, index: int, kept: tuple[Put, ...]) -> list[Put]:
    """Return the puts of a world, which stay whatever a path brings."""
    return [p for p in kept if (p.kind, p.layer, p.index) == (kind, layer, index)]


def _brought(node: Node, channel: str, brought: Outcome, kept: tuple[Put, ...]) -> Brought:
    """Return the keys or values of all columns, recomputed where the senders stand."""
    import torch

    layer, world = node.head.layer, brought.world
    block = world.anatomy.blocks[layer]
    shared = node.head.index * block.shared_heads // block.heads
    base = world.projected(layer, channel)[:, :, shared].clone()
    streams = brought.swept.kept.get(Site("resid", layer))
    if streams is not None and len(streams) > brought.number:
        normed = block.read(streams[brought.number])
        new: Tensor = (block.keys if channel == "k" else block.values)(normed)[:, :, shared]
        columns = brought.swept.columns
        rows = torch.arange(len(base), device=base.device)[:, None].expand_as(columns.index)
        base[rows[columns.valid], columns.index[columns.valid]] = new[columns.valid]
    for put in _puts_of(channel, layer, shared, kept):
        base[brought.stage.batch.rows, put.column] = put.value.to(base.dtype)
    return Brought(world.every, base)
