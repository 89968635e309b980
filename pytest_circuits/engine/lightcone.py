"""Runs batches under interventions, recomputing only what each can change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from pytest_circuits.engine.batch import Batch
from pytest_circuits.engine.cone import intervene
from pytest_circuits.engine.frame import Frame, framed
from pytest_circuits.engine.outcome import plain
from pytest_circuits.engine.stage import Source, Stage
from pytest_circuits.interventions import Intervention, Reference
from pytest_circuits.readings import Site
from pytest_circuits.tasks.base import Dataset, Prompts, Task

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.anatomy import Anatomy
    from pytest_circuits.engine.weights import ModelWeights

Wanted = Mapping[Intervention | None, frozenset[Site]]
Collected = Callable[[Reference, Batch], Source]


class LightCone:
    """Executes on a model that was taken apart; `memory` (bytes) bounds what a sweep works on."""

    def __init__(self, anatomy: Anatomy, weights: ModelWeights, *, memory: int) -> None:
        self._anatomy, self._weights, self._memory = anatomy, weights, memory

    @property
    def description(self) -> str:
        """How runs are made, with the error of the self-check."""
        return f"light cone (recomputed logits within {self._anatomy.error:.0e} of a full forward)"

    @property
    def cost(self) -> float:
        """Tokens taken through all blocks so far, counted by multiplications."""
        return self._anatomy.meter.count / self._anatomy.cost_of_a_token

    def prepare(self, width: int) -> None:
        """Make sure that prompts this long are recomputed exactly; raise `Unsupported` if not."""
        self._anatomy.prepare(width)

    def check(self, under: Intervention) -> None:
        """Refuse interventions that cannot be made: none."""

    def batch(self, prompts: Prompts, rows: Sequence[int], width: int) -> Batch:
        """Return rows of a distribution in a frame `width` columns wide, not yet run."""
        shift = tuple(width - len(prompts.ids[i]) for i in rows)
        return Batch(prompts, tuple(rows), shift, self._weights, self._anatomy.model.device)

    def run(
        self, batch: Batch, wanted: Wanted, task: Task, dataset: Dataset, collected: Collected
    ) -> Iterator[tuple[Intervention | None, Batch]]:
        """Yield the batch under every intervention wanted; None is none."""
        import torch

        def rows_of(distribution: str) -> Batch:
            prompts = dataset.distribution(distribution)
            return self.batch(prompts, batch.index, max(map(len, prompts.ids)))

        stages = _Stages(self._anatomy, rows_of, task.varied, collected)
        patterns = {site.layer for site in wanted.get(None, ()) if site.name == "pattern"}
        with torch.no_grad(), closing(stages):
            stage = stages.add(batch, frozenset(patterns))
            if None in wanted:
                yield None, batch.seen(plain(stage).act)
            under = {each: sites for each, sites in wanted.items() if each is not None}
            for each, outcome in intervene(stage, under, memory=self._memory):
                yield each, batch.seen(outcome.act)


class _Stages:
    """The same rows of several distributions, each staged when it is first asked for."""

    def __init__(
        self,
        anatomy: Anatomy,
        rows_of: Callable[[str], Batch],
        varied: Callable[[str, frozenset[str]], str],
        collected: Collected,
    ) -> None:
        self._anatomy, self._rows_of = anatomy, rows_of
        self._varied, self._collected = varied, collected
        self._made: dict[str, Stage] = {}

    def on(self, distribution: str) -> Stage:
        """Return the stage of a distribution."""
        return self._made.get(distribution) or self.add(self._rows_of(distribution))

    def add(self, batch: Batch, patterns: frozenset[int] = frozenset()) -> Stage:
        """Return the stage of a batch, from now on that of its distribution."""
        width = max(map(len, batch.prompts.ids))
        frame = framed([batch.prompts.ids[i] for i in batch.index], width, batch.device)
        source = partial(self._source, batch, frame)
        stage = Stage(self._anatomy, batch, frame, source, self.on, self._varied, patterns)
        self._made[batch.prompts.name] = stage
        return stage

    def close(self) -> None:
        """Let go of all stages: they know one another, and would wait for the garbage collector."""
        self._made.clear()

    def _source(self, batch: Batch, frame: Frame, reference: Reference) -> Source:
        if reference.kind == "zero":
            return lambda site: self._zeros(site, frame.tokens)
        if reference.kind != "counterpart":
            return self._collected(reference, batch)
        assert reference.over is not None
        return self.on(reference.over).world(None).act

    def _zeros(self, site: Site, like: Tensor) -> Tensor:
        import torch

        shape = self._anatomy.shape(site.name, like.shape[1])
        return torch.zeros(len(like), *shape, device=like.device)
