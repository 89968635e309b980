"""What ablations put in place: template means, other prompts' values, zeros.

A reference is collected while its distribution runs without intervention, whoever asked for that
run, so that one pass serves the readings of claims and all interventions that refer to it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pytest_circuits.engine.batch import Batch
from pytest_circuits.engine.memory import Held
from pytest_circuits.interventions import Reference
from pytest_circuits.readings import Draw, Site
from pytest_circuits.tasks.base import Prompts

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.stage import Source

Key = tuple[Draw, Reference]


class Collected(Protocol):
    """Something made of the activations of a whole distribution, batch by batch."""

    def add(self, batch: Batch, site: Site) -> None:
        """Take in the rows of a batch at a site."""

    def source(self, rows: Batch) -> Source:
        """Return, per site, what those rows take from the reference."""

    def rows_held(self) -> int:
        """How many rows of each site are held, for the memory budget."""


@dataclass(frozen=True)
class Collector:
    """A reference being collected, at these sites, of prompts up to `length` tokens."""

    key: Key
    sites: frozenset[Site]
    collected: Collected
    length: int

    def add(self, batch: Batch) -> None:
        """Take in a batch at all sites."""
        for site in self.sites:
            self.collected.add(batch, site)


class References:
    """The references of all planned interventions, collected or still to be."""

    def __init__(self) -> None:
        self._planned: dict[Key, set[Site]] = defaultdict(set)
        self._ready: dict[Key, Collector] = {}

    def plan(self, draw: Draw, sites: Iterable[tuple[Reference, Site]]) -> None:
        """Say which sites of which references an intervention will want."""
        for reference, site in sites:
            if reference.kind in ("mean", "resample"):
                self._planned[draw, reference].add(site)

    def is_ready(self, draw: Draw, reference: Reference) -> bool:
        """Return whether everything planned of a reference is collected."""
        if reference.kind not in ("mean", "resample"):
            return True
        key = (draw, reference)
        return key in self._ready and self._planned[key] <= self._ready[key].sites

    def missing(self, draw: Draw, distribution: str, prompts: Prompts) -> list[Collector]:
        """Return collectors for what can be collected while a distribution runs."""
        return [
            Collector(
                (each, reference),
                frozenset(sites),
                _new(reference, prompts, draw.seed),
                max(map(len, prompts.ids)),
            )
            for (each, reference), sites in self._planned.items()
            if (each, reference.over) == (draw, distribution) and not self.is_ready(each, reference)
        ]

    def keep(self, collectors: list[Collector]) -> None:
        """Take over collectors whose distribution has run to its end."""
        self._ready.update({each.key: each for each in collectors})

    def source(self, draw: Draw, reference: Reference, rows: Batch) -> Source:
        """Return what rows of a batch take from a collected reference."""
        return self._ready[draw, reference].collected.source(rows)

    def held(self, collecting: Sequence[Collector]) -> list[Held]:
        """Return what is held meanwhile, for the memory budget."""
        every = [*self._ready.values(), *collecting]
        return [
            Held(site, each.collected.rows_held(), each.length)
            for each in every
            for site in each.sites
        ]


def _new(reference: Reference, prompts: Prompts, seed: int) -> Collected:
    return TemplateMeans(prompts) if reference.kind == "mean" else Resampled(prompts, seed)


class TemplateMeans:
    """Mean per group of aligned prompts and token position, summed up batch by batch."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self._labels = {label: i for i, label in enumerate(dict.fromkeys(prompts.groups))}
        self._sizes = [prompts.groups.count(label) for label in self._labels]
        self._sums: dict[Site, Tensor] = {}
        self._added: dict[Site, set[int]] = defaultdict(set)

    def add(self, batch: Batch, site: Site) -> None:
        """Add the rows of a batch, [batch, ...], in float32.

        A row counts once, also when a batch comes again because memory ran out half-way.
        """
        new = [k for k, row in enumerate(batch.index) if row not in self._added[site]]
        value = batch.act(site)[new].float()
        if site not in self._sums:
            self._sums[site] = value.new_zeros(len(self._sizes), *value.shape[1:])
        self._sums[site].index_add_(0, self._groups(batch)[new], value)
        self._added[site].update(batch.index)

    def source(self, rows: Batch) -> Source:
        """Return, per site, each row's template mean.

        `rows` may be of another distribution: row i takes the mean of the group of row i here.
        """
        groups = self._groups(rows)
        sizes = groups.new_tensor(self._sizes)[groups]
        return lambda site: _divided(self._sums[site][groups], sizes)

    def rows_held(self) -> int:
        """How many rows of each site are held, for the memory budget."""
        return len(self._sizes)

    def _groups(self, batch: Batch) -> Tensor:
        return batch.rows.new_tensor([self._labels[self._prompts.groups[i]] for i in batch.index])


class Resampled:
    """The activations of every prompt, given to one other of the same group (drawn with `seed`)."""

    def __init__(self, prompts: Prompts, seed: int) -> None:
        self._prompts = prompts
        self._partners = partners(prompts, seed)
        self._values: dict[Site, Tensor] = {}

    def add(self, batch: Batch, site: Site) -> None:
        """Keep the rows of a batch, [batch, ...]."""
        value = batch.act(site)
        if site not in self._values:
            self._values[site] = value.new_zeros(len(self._prompts), *value.shape[1:])
        self._values[site][list(batch.index)] = value

    def source(self, rows: Batch) -> Source:
        """Return, per site, the value of each row's partner."""
        chosen = [self._partners[i] for i in rows.index]
        return lambda site: self._values[site][chosen]

    def rows_held(self) -> int:
        """How many rows of each site are held, for the memory budget."""
        return len(self._prompts)


def partners(prompts: Prompts, seed: int) -> tuple[int, ...]:
    """Return, per row, another row of the same group, drawn at random; itself if it is alone.

    Each row is the partner of one: what several are given moves them together, which no error
    over prompts can see.
    """
    rng = random.Random(f"resample {seed}")
    members: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(prompts.groups):
        members[label].append(row)
    found: dict[int, int] = {}
    for rows in members.values():
        circle = rng.sample(rows, len(rows))
        found |= zip(circle, [*circle[1:], circle[0]], strict=True)
    return tuple(found[row] for row in range(len(prompts)))


def _divided(sums: Tensor, sizes: Tensor) -> Tensor:
    return sums / sizes.view(-1, *[1] * (sums.dim() - 1))
