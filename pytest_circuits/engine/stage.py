"""One batch of prompts and all that is known of it: its worlds, what references put in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_circuits.engine.frame import Columns, Frame, named, suffix
from pytest_circuits.engine.puts import Put, Puts, numbered
from pytest_circuits.engine.world import Rule, World, full_world
from pytest_circuits.interventions import Ablation, Reference
from pytest_circuits.nodes import Activation, Node
from pytest_circuits.readings import Site
from pytest_circuits.tasks.positions import END

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.anatomy import Anatomy
    from pytest_circuits.engine.batch import Batch

# For a site, what a reference has there: [batch, column, ...] (patterns [batch, head, ., .]).
Source = Callable[[Site], "Tensor"]


@dataclass(eq=False)
class Stage:
    """A batch in its frame. Worlds are run when first asked for, and kept.

    `patterns` are the layers whose attention is kept while the plain world runs. `on` returns the
    stage of another distribution, row by row of the same dataset; `varied` is `Task.varied`.
    """

    anatomy: Anatomy
    batch: Batch
    frame: Frame
    source: Callable[[Reference], Source]
    on: Callable[[str], Stage]
    varied: Callable[[str, frozenset[str]], str]
    patterns: frozenset[int] = frozenset()
    _worlds: dict[Ablation | None, World] = field(default_factory=dict)
    _columns: dict[object, Columns] = field(default_factory=dict)

    def column(self, position: str) -> Tensor:
        """Return the column of a named position in each row, [batch]."""
        return self.batch.at(position)

    def columns(self, positions: Iterable[str]) -> Columns:
        """Return the columns of some named positions."""
        key = tuple(sorted(set(positions)))
        if key not in self._columns:
            self._columns[key] = named([self.column(each) for each in key])
        return self._columns[key]

    def suffix(self, positions: Iterable[str]) -> Columns:
        """Return all columns from the first of some named positions on."""
        key = frozenset(positions)
        if key not in self._columns:
            import torch

            start = torch.stack([self.column(each) for each in sorted(key)]).min(dim=0).values
            first = int(start.min())
            self._columns[key] = self._columns.setdefault(first, suffix(self.frame, start))
        return self._columns[key]

    def world(self, given: Ablation | None) -> World:
        """Return the world that an ablation leaves, or the plain one."""
        if given not in self._worlds:
            patterns = self.patterns if given is None else frozenset()
            self._worlds[given] = full_world(self.anatomy, self.frame, self._rule(given), patterns)
        return self._worlds[given]

    def puts(self, nodes: Iterable[Node | Activation], reference: Reference) -> tuple[Put, ...]:
        """Return what a reference puts in place of some activations."""
        source = self.source(reference)
        # Query heads that share a key or value have one put between them.
        found = [(node.at, self._put(node, source)) for node in nodes]
        return tuple({(put.kind, put.layer, put.index, at): put for at, put in found}.values())

    def closed(self, reference: Reference, *, mlps: bool = False) -> Ablation:
        """Return the ablation that closes every head, the ground on which circuits are opened."""
        return Ablation(frozenset(), reference, outside=True, mlps_outside=mlps)

    def kept(self, given: Ablation | None) -> tuple[Put, ...]:
        """Return the puts that hold in an ablation's world, beside its closed heads."""
        if given is None or given.outside:
            return ()
        return self.puts(given.nodes, given.reference)

    def _put(self, node: Node | Activation, source: Source) -> Put:
        import torch

        column = self.column(node.at)
        rows = torch.arange(len(column), device=column.device)
        if isinstance(node, Node):
            layer, index, kind = node.head.layer, node.head.index, "z"
            value = source(Site("z", layer))[rows, column, index]
            return Put(kind, layer, index, column, value)
        values = source(site_of(node, len(self.anatomy.blocks)))
        if node.index is None:
            return Put(node.kind, node.layer, None, column, values[rows, column])
        index = self._shared(node)
        value = (
            values[rows, index, column] if node.kind == "pattern" else values[rows, column, index]
        )
        return Put(node.kind, node.layer, index, column, value)

    def _shared(self, node: Activation) -> int:
        assert node.index is not None
        block = self.anatomy.blocks[0]
        if node.kind in ("k", "v"):
            return node.index * block.shared_heads // block.heads
        return node.index

    def _rule(self, given: Ablation | None) -> Rule | None:
        if given is None:
            return None
        if not given.outside:
            return Rule(puts=Puts(numbered([self.kept(given)])))
        source = self.source(given.reference)
        return Rule(
            live_heads=lambda layer: self._live_heads(given, layer),
            closed_z=lambda layer: source(Site("z", layer)),
            live_mlps=(lambda layer: self._live_mlps(given, layer)) if given.mlps_outside else None,
            closed_mlp=lambda layer: source(Site("mlp", layer)),
        )

    def _live_heads(self, given: Ablation, layer: int) -> Tensor:
        import torch

        shape = (*self.frame.tokens.shape, self.anatomy.blocks[layer].heads)
        mask = torch.zeros(shape, dtype=torch.bool, device=self.frame.tokens.device)
        for node in given.nodes:
            if isinstance(node, Node) and node.head.layer == layer:
                mask[self.batch.rows, self.column(node.at), node.head.index] = True
        return mask

    def _live_mlps(self, given: Ablation, layer: int) -> Tensor:
        import torch

        mask = torch.zeros_like(self.frame.tokens, dtype=torch.bool)
        for node in given.nodes:
            if isinstance(node, Activation) and node.kind == "mlp" and node.layer == layer:
                mask[self.batch.rows, self.column(node.at)] = True
        return mask

    @property
    def end(self) -> Tensor:
        """The column of END in each row."""
        return self.column(END)


def site_of(node: Node | Activation, layers: int) -> Site:
    """Return where a node's value is read, in a model of so many layers."""
    if isinstance(node, Node):
        return Site("z", node.head.layer)
    if node.kind == "resid" and node.layer == layers:
        return Site("resid_final")
    return Site(node.kind, node.layer)
