"""One full forward pass in parts: what every activation is, and what interventions start from.

A world is the run of a batch as it is, or under an ablation that everything else is relative to.
It keeps the residual stream and z of every layer; the rest is recomputed from them when wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_circuits.engine.attend import Masks, masks, mixed, scores, spread
from pytest_circuits.engine.frame import Columns, suffix
from pytest_circuits.engine.puts import Puts

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.anatomy import Anatomy
    from pytest_circuits.engine.frame import Frame
    from pytest_circuits.readings import Site


@dataclass(frozen=True, eq=False)
class Rule:
    """What holds in a world: which heads are live, which MLPs, and what is put in place.

    `live_heads` per layer gives [batch, column, head], True where a head is computed; where it is
    not, its z is `closed_z` of the layer. None: all are computed. MLPs likewise.
    """

    live_heads: Callable[[int], Tensor] | None = None
    closed_z: Callable[[int], Tensor] | None = None
    live_mlps: Callable[[int], Tensor] | None = None
    closed_mlp: Callable[[int], Tensor] | None = None
    puts: Puts = field(default_factory=Puts)


@dataclass(eq=False)
class World:
    """The activations of one batch. `stream` has an entry more than there are layers."""

    anatomy: Anatomy
    frame: Frame
    every: Columns
    stream: list[Tensor]
    z: list[Tensor]
    patterns: dict[int, Tensor] = field(default_factory=dict)
    _keys: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    _projected: dict[tuple[int, str], Tensor] = field(default_factory=dict)

    def keys(self, layer: int) -> tuple[Tensor, Tensor]:
        """Return rotated keys and values of a layer, [batch, column, shared head, d_head]."""
        if layer not in self._keys:
            block = self.anatomy.blocks[layer]
            normed = block.read(self.stream[layer])
            rotation = self.anatomy.rotation(layer, self.frame)
            self._keys[layer] = (
                block.turned_keys(block.keys(normed), rotation),
                block.values(normed),
            )
        return self._keys[layer]

    def projected(self, layer: int, channel: str) -> Tensor:
        """Return q, k or v [batch, column, head, d_head], before norm and rotation."""
        if (layer, channel) not in self._projected:
            self._projected[layer, channel] = self._project(layer, channel)
        return self._projected[layer, channel]

    def _project(self, layer: int, channel: str) -> Tensor:
        block = self.anatomy.blocks[layer]
        project = {"q": block.queries, "k": block.keys, "v": block.values}[channel]
        return project(block.read(self.stream[layer]))

    def pattern(self, layer: int) -> Tensor:
        """Return the attention pattern of a layer, [batch, head, query, key]."""
        import torch

        if layer not in self.patterns:
            block = self.anatomy.blocks[layer]
            rotation = self.anatomy.rotation(layer, self.frame)
            q = block.turned_queries(self.projected(layer, "q"), rotation)
            mask = masks(self.frame, self.every, block.window)
            raw = scores(q[None], self.keys(layer)[0][None], None, mask, block.scaling)
            pattern = raw.softmax(dim=-1, dtype=torch.float32).to(q.dtype)
            self.patterns[layer] = spread(pattern, self.every, self.frame.width)[0]
        return self.patterns[layer]

    def act(self, site: Site) -> Tensor:
        """Return the activation at a site, [batch, column, ...]; patterns [batch, head, ., .]."""
        layer = site.layer
        if site.name in ("q", "k", "v"):
            return self.projected(layer, site.name)
        if site.name == "pattern":
            return self.pattern(layer)
        if site.name == "mlp":
            return self.mlp(layer)
        if site.name == "z":
            return self.z[layer]
        return self.stream[{"resid": layer, "resid_post": layer + 1, "resid_final": -1}[site.name]]

    def mlp(self, layer: int) -> Tensor:
        """Return what the layer's MLP wrote, [batch, column, d_model]."""
        return self.stream[layer + 1] - self.stream[layer] - self.written(layer)

    def written(self, layer: int) -> Tensor:
        """Return what the layer's heads wrote, [batch, column, d_model]."""
        return self.anatomy.blocks[layer].write(self.z[layer])


def full_world(
    anatomy: Anatomy, frame: Frame, rule: Rule | None = None, patterns: Iterable[int] = ()
) -> World:
    """Run a batch from the first block to the last, keeping the patterns of some layers."""
    rule = rule or Rule()
    every = suffix(frame, frame.shift * 0)
    world = World(anatomy, frame, every, [anatomy.embedded(frame)], [])
    seen = _MasksOfWindows(frame, every)
    wanted = set(patterns)
    for layer in range(len(anatomy.blocks)):
        _step(world, layer, rule, seen, wanted)
    world.stream[-1] = rule.puts.on(world.stream[-1][None], "resid", len(anatomy.blocks), every)[0]
    return world


class _MasksOfWindows:
    """Masks over all columns, made once per kind of window."""

    def __init__(self, frame: Frame, columns: Columns) -> None:
        self._frame, self._columns = frame, columns
        self._made: dict[int | None, Masks] = {}

    def of(self, window: int | None) -> Masks:
        if window not in self._made:
            self._made[window] = masks(self._frame, self._columns, window)
        return self._made[window]


def _step(world: World, layer: int, rule: Rule, seen: _MasksOfWindows, patterns: set[int]) -> None:
    """Compute one layer; leaves its z, and the stream after it, in the world."""
    import torch

    block, every = world.anatomy.blocks[layer], world.every
    stream = rule.puts.on(world.stream[layer][None], "resid", layer, every)[0]
    world.stream[layer] = stream
    live = None if rule.live_heads is None else rule.live_heads(layer)
    if live is None or bool(live.any()) or layer in patterns:
        z = _attended(world, layer, rule, seen.of(block.window), layer in patterns)
    if live is not None:
        assert rule.closed_z is not None
        closed = rule.closed_z(layer)
        z = torch.where(live[..., None], z, closed) if bool(live.any()) else closed
    z = rule.puts.on(z[None], "z", layer, every)[0].to(stream.dtype)
    world.z.append(z)
    middle = stream + block.write(z)
    world.stream.append(middle + _fed(block.feed, middle, layer, rule, every))


def _attended(world: World, layer: int, rule: Rule, mask: Masks, keep: bool) -> Tensor:
    import torch

    block, every, puts = world.anatomy.blocks[layer], world.every, rule.puts
    normed = block.read(world.stream[layer])
    rotation = world.anatomy.rotation(layer, world.frame)
    q = puts.on(block.queries(normed)[None], "q", layer, every)
    k = puts.on(block.keys(normed)[None], "k", layer, every)
    v = puts.on(block.values(normed)[None], "v", layer, every)
    for channel, value in (("q", q), ("k", k), ("v", v)):
        if puts.at(channel, layer):
            world._projected[layer, channel] = value[0]
    q, k = block.turned_queries(q, rotation), block.turned_keys(k, rotation)
    world._keys[layer] = (k[0], v[0])
    pattern = scores(q, k, None, mask, block.scaling).softmax(dim=-1, dtype=torch.float32)
    pattern = puts.on_pattern(pattern.to(q.dtype), layer, every, None)
    if keep:
        world.patterns[layer] = spread(pattern, every, world.frame.width)[0]
    return mixed(pattern, v, None)[0]


def _fed(
    feed: Callable[[Tensor], Tensor], middle: Tensor, layer: int, rule: Rule, every: Columns
) -> Tensor:
    import torch

    live = None if rule.live_mlps is None else rule.live_mlps(layer)
    if live is None:
        fed = feed(middle)
    else:
        assert rule.closed_mlp is not None
        closed = rule.closed_mlp(layer).to(middle.dtype)
        fed = torch.where(live[..., None], feed(middle), closed) if bool(live.any()) else closed
    return rule.puts.on(fed[None], "mlp", layer, every)[0]
