"""Many interventions on one batch in one pass over the layers: only what they can change.

A variant joins the sweep at the first layer it touches and brings only the columns it can reach;
everything else is read from the world it is made in. From there on the variants go through each
layer together, as one batch of (variant, prompt) rows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_circuits.engine.attend import Masks, masks, mixed, scores, spread
from pytest_circuits.engine.puts import Put, Puts, numbered
from pytest_circuits.engine.reread import Reread, Seen, reread, reweighed
from pytest_circuits.readings import Site

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.frame import Columns
    from pytest_circuits.engine.world import World

MLPs = Literal["live", "frozen", "some"]
_BEFORE_HEADS = ("resid", "q", "k", "v", "pattern")


@dataclass(frozen=True, eq=False)
class Live:
    """A head (or, index None, an MLP) that is computed, at a column [batch] of each row."""

    layer: int
    index: int | None
    column: Tensor


@dataclass(frozen=True, eq=False)
class Variant:
    """One intervention on a batch: what it puts in place, and what is computed anew.

    `live` None: every head is computed. Otherwise the heads in `live` are, and all others stay
    as they are in the world. `fresh`: the live heads are not live in the world, so that they alone
    make a difference. `kept` are puts that hold in the world already. MLPs are all live, all
    frozen to the world, or `some`: those of `live` with index None.
    """

    puts: tuple[Put, ...] = ()
    kept: tuple[Put, ...] = ()
    rereads: tuple[Reread, ...] = ()
    live: tuple[Live, ...] | None = None
    fresh: bool = False
    mlps: MLPs = "live"

    @property
    def first(self) -> tuple[int, bool]:
        """The first layer touched, and whether only after its heads are computed."""
        starts = [(put.layer, put.kind not in _BEFORE_HEADS) for put in self.puts]
        starts += [(each.layer, False) for each in self.rereads]
        if self.fresh:
            starts += [(each.layer, False) for each in self.live or ()]
        return min(starts, default=(1 << 30, False))


@dataclass(frozen=True, eq=False)
class Swept:
    """What a sweep leaves: the final stream [variant, batch, slot, d], and what was asked for.

    `end` is the former, None if the sweep was not to go that far. `order` lists the variants as
    they lie in the tensors; a kept tensor begins with the first `len(tensor)` of them: the others
    had not joined, and are there as in the world.
    """

    columns: Columns
    order: tuple[int, ...]
    end: Tensor | None
    kept: dict[Site, Tensor]

    @property
    def final(self) -> Tensor:
        """The final stream."""
        assert self.end is not None, "the sweep was not to go to the end"
        return self.end


def sweep(
    world: World,
    columns: Columns,
    variants: Sequence[Variant],
    sites: Collection[Site],
    *,
    to_the_end: bool = True,
) -> Swept:
    """Run variants that share world, columns, kind of MLPs, and whether all heads are live.

    Unless they go `to_the_end`, they go as far as the last of `sites`.
    """
    order = tuple(sorted(range(len(variants)), key=lambda each: variants[each].first))
    going = _Sweep(world, columns, [variants[each] for each in order], frozenset(sites))
    if to_the_end:
        return Swept(columns, order, going.run(), going.kept)
    going.run_to_sites()
    return Swept(columns, order, None, going.kept)


class _Sweep:
    def __init__(
        self, world: World, columns: Columns, variants: list[Variant], sites: frozenset[Site]
    ) -> None:
        self.world, self.columns, self.sites = world, columns, sites
        self.variants = variants
        self.puts = Puts(numbered((*each.kept, *each.puts) for each in variants))
        self.kept: dict[Site, Tensor] = {}
        self._masks: dict[int | None, Masks] = {}

    def run(self) -> Tensor:
        """Go through all layers; return the final stream of all variants."""
        layers = len(self.world.anatomy.blocks)
        stream = self._with(self._before(layers), len(self.variants), layers)
        return self.puts.on(stream, "resid", layers, self.columns)

    def run_to_sites(self) -> None:
        """Go as far as there is something to keep."""
        last = max(site.layer for site in self.sites)
        stream = self._joined(last, self._before(last))
        if all(site.name == "resid" for site in self.sites if site.layer == last):
            self._entered(last, stream)
        else:
            self._layer(last, stream)

    def _before(self, end: int) -> Tensor:
        """Return the stream before a layer, of the variants that begin below it."""
        stream = self._world(self.world.stream[0])[:0]
        for layer in range(end):
            stream = self._layer(layer, self._joined(layer, stream))
        return stream

    def _joined(self, layer: int, stream: Tensor) -> Tensor:
        """Return the stream with the variants that begin at a layer."""
        return self._with(stream, sum(each.first[0] <= layer for each in self.variants), layer)

    def _with(self, stream: Tensor, variants: int, layer: int) -> Tensor:
        import torch

        new = self._world(self.world.stream[layer], variants - len(stream))
        return torch.cat((stream, new)) if len(new) else stream

    def _entered(self, layer: int, stream: Tensor) -> Tensor:
        stream = self.puts.on(stream, "resid", layer, self.columns)
        self._keep("resid", layer, stream)
        return stream

    def _layer(self, layer: int, stream: Tensor) -> Tensor:
        if not len(stream):
            return stream
        stream = self._entered(layer, stream)
        middle = stream + self._written(layer, stream)
        after = middle + self._fed(layer, middle)
        self._keep("resid_post", layer, after)
        return after

    def _written(self, layer: int, stream: Tensor) -> Tensor:
        """Return what the heads write, [variant, batch, slot, d_model]."""
        import torch

        block = self.world.anatomy.blocks[layer]
        # Those that join only after the heads of this layer have the world's z here.
        early = sum(each.first < (layer, True) for each in self.variants[: len(stream)])
        world_z = self.world.z[layer]
        computed = self._needs_heads(layer, early)
        if not computed and not self.puts.at("z", layer) and Site("z", layer) not in self.sites:
            return block.write(self._world(world_z, 1)).expand_as(stream)
        z = self._world(world_z, len(stream) - (early if computed else 0))
        if computed:
            z = (
                torch.cat((self._attended(layer, stream[:early]), z))
                if len(z)
                else (self._attended(layer, stream[:early]))
            )
        z = self.puts.on(z, "z", layer, self.columns)
        self._keep("z", layer, z)
        return block.write(z)

    def _needs_heads(self, layer: int, early: int) -> bool:
        if early == 0:
            return False
        wanted = any(Site(name, layer) in self.sites for name in ("pattern", "q", "k", "v"))
        return wanted or any(
            each.live is None
            or any(one.layer == layer and one.index is not None for one in each.live)
            for each in self.variants[:early]
        )

    def _attended(self, layer: int, stream: Tensor) -> Tensor:
        """Return z of the variants in `stream`, live heads computed, others as in the world."""
        import torch

        block, puts, columns = self.world.anatomy.blocks[layer], self.puts, self.columns
        normed = block.read(stream)
        q = puts.on(block.queries(normed), "q", layer, columns)
        k = puts.on(block.keys(normed), "k", layer, columns)
        v = puts.on(block.values(normed), "v", layer, columns)
        for name, value in (("q", q), ("k", k), ("v", v)):
            self._keep(name, layer, value)
        rotation = self.world.anatomy.rotation(layer, self.world.frame, columns)
        q, k = block.turned_queries(q, rotation), block.turned_keys(k, rotation)
        past_k, past_v = self.world.keys(layer)
        raw = scores(q, k, past_k, self._mask(layer), block.scaling)
        pattern = raw.softmax(dim=-1, dtype=torch.float32).to(q.dtype)
        width = self.world.frame.width
        pattern = puts.on_pattern(pattern, layer, columns, width)
        if Site("pattern", layer) in self.sites:
            self.kept[Site("pattern", layer)] = spread(pattern, columns, width)
        z = self._reread(layer, mixed(pattern, v, past_v), Seen(q, k, v))
        return self._only_live(layer, z)

    def _only_live(self, layer: int, z: Tensor) -> Tensor:
        import torch

        if all(each.live is None for each in self.variants[: len(z)]):
            return z
        mask = torch.zeros(z.shape[:-1], dtype=torch.bool, device=z.device)
        for number, each in enumerate(self.variants[: len(z)]):
            for one in each.live or ():
                if one.layer == layer and one.index is not None:
                    slot, present = self.columns.slot(one.column)
                    rows = present.nonzero()[:, 0]
                    mask[number, rows, slot[rows], one.index] = True
        return torch.where(mask[..., None], z, self._world(self.world.z[layer], 1))

    def _reread(self, layer: int, z: Tensor, seen: Seen) -> Tensor:
        shown = self.kept.get(Site("pattern", layer))
        for number, each in enumerate(self.variants[: len(z)]):
            held = [put for variant, put in self.puts.at("pattern", layer) if variant == number]
            for one in each.rereads:
                if one.layer == layer:
                    slot, present = self.columns.slot(one.column)
                    rows = present.nonzero()[:, 0]
                    here = self.world, self.columns, seen.of(number), one
                    weights = reweighed(*here, held)
                    z[number, rows, slot[rows], one.index] = reread(*here, weights)[rows].to(z)
                    if shown is not None:
                        shown[number, rows, one.index, slot[rows]] = weights[rows].to(shown)
        return z

    def _fed(self, layer: int, middle: Tensor) -> Tensor:
        """Return what the MLP writes, [variant, batch, slot, d_model]."""
        import torch

        kind = self.variants[0].mlps
        block = self.world.anatomy.blocks[layer]
        wanted = Site("mlp", layer) in self.sites
        if kind == "live":
            fed = block.feed(middle)
        else:
            fed = self._world(self.world.mlp(layer), len(middle))
            mask = self._live_mlps(layer, middle) if kind == "some" else None
            if mask is not None and bool(mask.any()):
                fed = torch.where(mask[..., None], block.feed(middle), fed)
        fed = self.puts.on(fed, "mlp", layer, self.columns)
        if wanted:
            self._keep("mlp", layer, fed)
        return fed

    def _live_mlps(self, layer: int, middle: Tensor) -> Tensor:
        import torch

        mask = torch.zeros(middle.shape[:-1], dtype=torch.bool, device=middle.device)
        for number, each in enumerate(self.variants[: len(middle)]):
            for one in each.live or ():
                if one.layer == layer and one.index is None:
                    slot, present = self.columns.slot(one.column)
                    rows = present.nonzero()[:, 0]
                    mask[number, rows, slot[rows]] = True
        return mask

    def _world(self, tensor: Tensor, variants: int = 1) -> Tensor:
        """Return the world's value at the columns, [variants, batch, slot, ...]."""
        here = self.columns.of(tensor)[None]
        return here.expand(variants, *here.shape[1:])

    def _keep(self, name: str, layer: int, value: Tensor) -> None:
        site = Site(name, layer)  # type: ignore[arg-type]
        if site in self.sites:
            self.kept[site] = value

    def _mask(self, layer: int) -> Masks:
        window = self.world.anatomy.blocks[layer].window
        if window not in self._masks:
            self._masks[window] = masks(self.world.frame, self.columns, window)
        return self._masks[window]
