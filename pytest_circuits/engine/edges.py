"""Edge-level circuits: every receiver has a residual stream of its own, of its own senders."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_circuits.engine.outcome import Outcome, outcomes
from pytest_circuits.engine.puts import Put, Puts
from pytest_circuits.engine.reread import Brought, Reread, Seen, reread
from pytest_circuits.engine.sweep import Swept
from pytest_circuits.interventions import EdgeCircuit, Reference
from pytest_circuits.nodes import Edge, Node, Receiver
from pytest_circuits.readings import Site
from pytest_circuits.tasks.positions import END

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from pytest_circuits.engine.frame import Columns
    from pytest_circuits.engine.stage import Stage
    from pytest_circuits.engine.world import World

Senders = frozenset[Node]


@dataclass(frozen=True, eq=False)
class Streams:
    """Which senders each receiver has; receivers with the same senders share a stream."""

    senders: Mapping[Receiver | None, Senders]

    @property
    def distinct(self) -> tuple[Senders, ...]:
        """The distinct sets of senders, the stream of each at its place."""
        return tuple(dict.fromkeys((self.of(None), *self.senders.values(), frozenset())))

    def of(self, receiver: Receiver | None) -> Senders:
        """Return the senders of a receiver, none if no edge names it."""
        return self.senders.get(receiver, frozenset())

    def number(self, receiver: Receiver | None) -> int:
        """Return the place of a receiver's stream."""
        return self.distinct.index(self.of(receiver))


def streams(edges: Iterable[Edge]) -> Streams:
    """Return the streams that some edges need."""
    senders: dict[Receiver | None, set[Node]] = defaultdict(set)
    for edge in edges:
        senders[edge.receiver].add(edge.sender)
    return Streams({receiver: frozenset(named) for receiver, named in senders.items()})


def edge_circuit(under: EdgeCircuit, stage: Stage) -> Outcome:
    """Run a batch with only these edges live; z and streams are those that the logits read."""
    nodes = {edge.sender for edge in under.edges}
    nodes |= {edge.receiver.node for edge in under.edges if edge.receiver is not None}
    going = started(under.edges, nodes, under.reference, stage)
    for layer in range(len(going.world.anatomy.blocks)):
        for node in sorted(node for node in nodes if node.head.layer == layer):
            going.z[node] = going.live(node)
        going.step(layer)
    return read_by_logits(going)


def started(
    edges: Iterable[Edge], nodes: Iterable[Node], reference: Reference, stage: Stage
) -> Running:
    """Return the streams that edges need, before the first block, at the nodes' positions."""
    world = stage.world(stage.closed(reference))
    columns = stage.columns({*(node.at for node in nodes), END})
    return Running(world, columns, streams(edges), stage)


def read_by_logits(going: Running) -> Outcome:
    """Return the outcome of streams that have come to the end."""
    swept = Swept(going.columns, (0,), going.stream[going.streams.number(None)][None], going.kept)
    return next(outcome for _, outcome in outcomes(going.stage, going.world, swept))


@dataclass(eq=False)
class Running:
    """Streams [stream, batch, slot, d_model] under way; `z` [batch, d_head] is what they read.

    The z of a layer's senders must be there before its `step`.
    """

    world: World
    columns: Columns
    streams: Streams
    stage: Stage
    z: dict[Node, Tensor] = field(default_factory=dict)
    stream: Tensor = field(init=False)
    kept: dict[Site, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        start = self.columns.of(self.world.stream[0])[None]
        self.stream = start.expand(len(self.streams.distinct), *start.shape[1:])

    def live(self, node: Node) -> Tensor:
        """Return z of a node, [batch, d_head], each channel read from its own stream."""
        layer, index = node.head.layer, node.head.index
        block = self.world.anatomy.blocks[layer]
        shared = index * block.shared_heads // block.heads
        column = self.stage.column(node.at)
        slot, _ = self.columns.slot(column)
        rows = self.stage.batch.rows
        q = block.queries(self._read(node, "q", layer)[rows, slot])[:, index]
        k = block.keys(self._read(node, "k", layer))[:, :, shared]
        v = block.values(self._read(node, "v", layer))[:, :, shared]
        what = Reread(layer, index, column, q, Brought(self.columns, k), Brought(self.columns, v))
        return reread(self.world, self.columns, self._seen(layer), what)

    def step(self, layer: int) -> None:
        """Take every stream through a layer: its senders' z live, all others the reference."""
        block = self.world.anatomy.blocks[layer]
        puts = Puts(
            (number, Put("z", layer, node.head.index, self.stage.column(node.at), self.z[node]))
            for number, senders in enumerate(self.streams.distinct)
            for node in sorted(senders)
            if node.head.layer == layer
        )
        z = self.columns.of(self.world.z[layer])[None].expand(len(self.stream), -1, -1, -1, -1)
        z = puts.on(z, "z", layer, self.columns)
        last = self.streams.number(None)
        self.kept[Site("z", layer)] = z[last : last + 1]
        middle = self.stream + block.write(z)
        self.stream = middle + block.feed(middle)

    def _read(self, node: Node, channel: str, layer: int) -> Tensor:
        receiver = Receiver(node, channel)  # type: ignore[arg-type]
        normed: Tensor = self.world.anatomy.blocks[layer].read(
            self.stream[self.streams.number(receiver)]
        )
        return normed

    def _seen(self, layer: int) -> Seen:
        """Return queries, keys and values of the world: all that matter are brought."""
        keys, values = self.world.keys(layer)
        queries = self.world.projected(layer, "q")
        return Seen(*(self.columns.of(each) for each in (queries, keys, values)))
