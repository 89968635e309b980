"""What ablations put in place of z: template means, other prompts' outputs, zeros.

A reference is collected while its distribution runs without intervention, whoever asked for that
run, so that one pass serves the readings of claims and all ablations that refer to it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pytest_circuits.engine.ablate import Replacement
from pytest_circuits.engine.batch import Batch
from pytest_circuits.interventions import Reference
from pytest_circuits.readings import Draw, Run, Site
from pytest_circuits.tasks.base import Prompts

if TYPE_CHECKING:
    from torch import Tensor

Key = tuple[Draw, Reference]


class Collected(Protocol):
    """Something made of the z of a whole distribution, batch by batch."""

    def add(self, batch: Batch, layer: int) -> None:
        """Take in the rows of a batch at a layer."""

    def replacement(self, rows: Batch, width: int) -> Replacement:
        """Return, per layer, what replaces z of those rows, cut to `width` tokens."""

    def rows_held(self) -> int:
        """How many [pos, head_index, d_head] rows are held per layer, for the memory budget."""


@dataclass(frozen=True)
class Collector:
    """A reference being collected, at these layers."""

    key: Key
    layers: frozenset[int]
    collected: Collected

    def add(self, batch: Batch) -> None:
        """Take in a batch at all layers."""
        for layer in self.layers:
            self.collected.add(batch, layer)


class References:
    """The references of all planned ablations, collected or still to be."""

    def __init__(self) -> None:
        self._planned: dict[Key, set[int]] = defaultdict(set)
        self._ready: dict[Key, Collector] = {}

    def plan(self, run: Run, layers: tuple[int, ...]) -> None:
        """Say that a run's ablation will want its reference at these layers."""
        if run.under and run.under.reference.over:
            self._planned[run.draw, run.under.reference].update(layers)

    def is_ready(self, run: Run) -> bool:
        """Return whether the run's ablation has all it needs."""
        assert run.under is not None
        return self._is_collected((run.draw, run.under.reference))

    def missing(self, run: Run, prompts: Prompts) -> list[Collector]:
        """Return collectors for what can be collected while `run` runs."""
        if run.under is not None:
            return []
        return [
            Collector((draw, reference), frozenset(layers), _new(reference, prompts, draw.seed))
            for (draw, reference), layers in self._planned.items()
            if (draw, reference.over) == (run.draw, run.distribution)
            and not self._is_collected((draw, reference))
        ]

    def _is_collected(self, key: Key) -> bool:
        return key in self._ready and self._planned[key] <= self._ready[key].layers

    def keep(self, collectors: list[Collector]) -> None:
        """Take over collectors whose distribution has run to its end."""
        self._ready.update({each.key: each for each in collectors})

    def replacement(self, run: Run, rows: Batch, width: int) -> Replacement:
        """Return what replaces z in a batch of an ablated run."""
        assert run.under is not None
        if run.under.reference.kind == "zero":
            return lambda layer: rows.rows.new_zeros(())
        return self._ready[run.draw, run.under.reference].collected.replacement(rows, width)

    def layer_rows_held(self, collecting: Sequence[Collector]) -> int:
        """Return how many [pos, head_index, d_head] rows of z are held, for the memory budget."""
        held = [*self._ready.values(), *collecting]
        return sum(len(each.layers) * each.collected.rows_held() for each in held)


def _new(reference: Reference, prompts: Prompts, seed: int) -> Collected:
    return TemplateMeans(prompts) if reference.kind == "mean" else Resampled(prompts, seed)


class TemplateMeans:
    """Mean of z per group of aligned prompts and token position, summed up batch by batch."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self._labels = {label: i for i, label in enumerate(dict.fromkeys(prompts.groups))}
        self._sizes = [prompts.groups.count(label) for label in self._labels]
        self._sums: dict[int, Tensor] = {}
        self._added: dict[int, set[int]] = defaultdict(set)

    def add(self, batch: Batch, layer: int) -> None:
        """Add the rows of a batch, z [batch, pos, head_index, d_head], in float32.

        A row counts once, also when a batch comes again because memory ran out half-way.
        """
        new = [k for k, row in enumerate(batch.index) if row not in self._added[layer]]
        z = batch.act(Site("z", layer))[new].float()
        if layer not in self._sums:
            longest = max(map(len, self._prompts.ids))
            self._sums[layer] = z.new_zeros(len(self._sizes), longest, *z.shape[2:])
        self._sums[layer][:, : z.shape[1]].index_add_(0, self._groups(batch)[new], z)
        self._added[layer].update(batch.index)

    def replacement(self, rows: Batch, width: int) -> Replacement:
        """Return, per layer, each row's template mean, cut to the batch's token width.

        `rows` may be of another distribution: row i takes the mean of the group of row i here.
        """
        groups = self._groups(rows)
        sizes = groups.new_tensor(self._sizes)[groups][:, None, None, None]
        return lambda layer: self._sums[layer][groups, :width] / sizes

    def rows_held(self) -> int:
        """How many rows of z are held per layer, for the memory budget."""
        return len(self._sizes)

    def _groups(self, batch: Batch) -> Tensor:
        return batch.rows.new_tensor([self._labels[self._prompts.groups[i]] for i in batch.index])


class Resampled:
    """z of every prompt, given to another prompt of the same group (drawn with `seed`)."""

    def __init__(self, prompts: Prompts, seed: int) -> None:
        self._prompts = prompts
        self._partners = partners(prompts, seed)
        self._z: dict[int, Tensor] = {}

    def add(self, batch: Batch, layer: int) -> None:
        """Keep the rows of a batch, z [batch, pos, head_index, d_head]."""
        z = batch.act(Site("z", layer))
        if layer not in self._z:
            longest = max(map(len, self._prompts.ids))
            self._z[layer] = z.new_zeros(len(self._prompts), longest, *z.shape[2:])
        self._z[layer][list(batch.index), : z.shape[1]] = z

    def replacement(self, rows: Batch, width: int) -> Replacement:
        """Return, per layer, z of each row's partner, cut to the batch's token width."""
        chosen = [self._partners[i] for i in rows.index]
        return lambda layer: self._z[layer][chosen, :width]

    def rows_held(self) -> int:
        """How many rows of z are held per layer, for the memory budget."""
        return len(self._prompts)


def partners(prompts: Prompts, seed: int) -> tuple[int, ...]:
    """Return, per row, another row of the same group, drawn at random; itself if it is alone."""
    rng = random.Random(f"resample {seed}")
    members: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(prompts.groups):
        members[label].append(row)
    return tuple(
        rng.choice([other for other in members[label] if other != row] or [row])
        for row, label in enumerate(prompts.groups)
    )
