"""Causal scrubbing: every output is computed on prompts of its own; see `Scrub`.

Whom a node reads on some prompts is computed on variations of these prompts, so that the streams
of one distribution wait for outputs on others. Outputs come from lower layers only: all
distributions go through the layers side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_circuits.engine.edges import Running, read_by_logits, started
from pytest_circuits.engine.outcome import Outcome
from pytest_circuits.engine.stage import Stage
from pytest_circuits.interventions import Scrub
from pytest_circuits.nodes import Edge, Node

if TYPE_CHECKING:
    from torch import Tensor

Varied = Callable[[str, frozenset[str]], str]


def asked(under: Scrub, distribution: str, varied: Varied) -> Mapping[str, frozenset[Node]]:
    """Return, per distribution, the nodes whose outputs are read of it, from the logits down.

    `distribution` is that of the logits. Raises what `varied` raises.
    """
    found: dict[str, set[Node]] = {distribution: set()}
    todo: list[tuple[str, Node | None]] = [(distribution, None)]
    while todo:
        name, reader = todo.pop()
        for sender in {edge.sender for edge in under.edges if _reader(edge) == reader}:
            other = varied(name, under.kept(sender))
            if sender not in found.setdefault(other, set()):
                found[other].add(sender)
                todo.append((other, sender))
    return {name: frozenset(nodes) for name, nodes in found.items()}


def scrubbed(under: Scrub, stage: Stage) -> Outcome:
    """Run a batch under a hypothesis; z and streams are those that the logits read."""
    base = stage.batch.prompts.name
    wanted = asked(under, base, stage.varied)
    scenes = {
        name: _scene(under, nodes, stage.on(name), logits=name == base)
        for name, nodes in wanted.items()
    }
    outputs: dict[tuple[str, Node], Tensor] = {}
    for layer in range(len(stage.anatomy.blocks)):
        for name, scene in scenes.items():
            for node in _of_layer(layer, scene.wanted):
                outputs[name, node] = scene.going.live(node)
        for name, scene in scenes.items():
            for node in _of_layer(layer, scene.senders):
                scene.going.z[node] = outputs[stage.varied(name, under.kept(node)), node]
            if layer < scene.top:
                scene.going.step(layer)
    return read_by_logits(scenes[base].going)


@dataclass(frozen=True, eq=False)
class _Scene:
    """One distribution: what is `wanted` of it, whom that reads, and the layer where it ends.

    `going.z` is what the streams here read, computed on other prompts; a node may be both.
    """

    wanted: frozenset[Node]
    senders: frozenset[Node]
    top: int
    going: Running


def _scene(under: Scrub, wanted: frozenset[Node], stage: Stage, *, logits: bool) -> _Scene:
    readers = {*wanted, *([None] if logits else [])}
    edges = [edge for edge in under.edges if _reader(edge) in readers]
    senders = frozenset(edge.sender for edge in edges)
    top = len(stage.anatomy.blocks) if logits else max(node.head.layer for node in wanted)
    return _Scene(wanted, senders, top, started(edges, wanted | senders, under.reference, stage))


def _reader(edge: Edge) -> Node | None:
    return None if edge.receiver is None else edge.receiver.node


def _of_layer(layer: int, nodes: Iterable[Node]) -> list[Node]:
    return sorted(node for node in nodes if node.head.layer == layer)
