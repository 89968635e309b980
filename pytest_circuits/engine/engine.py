"""The evaluation engine: merge what all measures need, run each distinct pass once, keep numbers.

Full forward passes with plain hooks. Tensors live for one batch; what stays are numbers (numpy
float64, a row per prompt) and what ablations put in place of z.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from time import perf_counter
from typing import TYPE_CHECKING

from pytest_circuits.engine.ablate import ablated_layers, check_reference, edits
from pytest_circuits.engine.batch import Batch, Edit, forward, padded
from pytest_circuits.engine.memory import DEFAULT_MEMORY, batch_size, in_batches
from pytest_circuits.engine.references import Collector, References
from pytest_circuits.engine.weights import ModelWeights
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.nodes import Head
from pytest_circuits.readings import Draw, Need, Reading, Run, Site
from pytest_circuits.tasks.base import Dataset, Prompts
from pytest_circuits.tasks.positions import END

if TYPE_CHECKING:
    from pytest_circuits.models.base import Model
    from pytest_circuits.readings import Array


@dataclass(frozen=True, kw_only=True)
class Pass:
    """A forward pass that was made: every prompt of a distribution once, in some batches."""

    what: str
    prompts: int
    batches: int
    seconds: float


class Engine:
    """Numbers of one model, each distinct (prompts, intervention) run once.

    `plan` all needs first, then ask for `numbers`: a run reads everything planned for it. A need
    that comes later costs a run of its own. `memory` (bytes) bounds the activations alive at
    once; `notify` is told what is being run.
    """

    def __init__(
        self,
        model: Model,
        *,
        memory: int = DEFAULT_MEMORY,
        notify: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.model = model
        self.passes: list[Pass] = []
        self._memory = memory
        self._notify = notify
        self._datasets: dict[Draw, Dataset] = {}
        self._planned: dict[Run, dict[Reading, None]] = {}
        self._references = References()
        self._numbers: dict[Need, Array | ClaimNotEvaluable] = {}

    def plan(self, needs: Iterable[Need]) -> None:
        """Add needs to what their runs will read; raise if the model lacks a head they name."""
        needs = tuple(needs)
        for need in needs:
            self._check_heads(need)
        for need in needs:
            self._planned.setdefault(need.run, {})[need.reading] = None
            if need.run.under:
                self._references.plan(need.run, ablated_layers(need.run.under, self.model))

    def dataset(self, draw: Draw) -> Dataset:
        """Return the prompts of a draw under this model's tokenizer."""
        if draw not in self._datasets:
            self._datasets[draw] = draw.task.draw(self.model.tokenizer, draw.n, draw.seed)
        return self._datasets[draw]

    def numbers(self, need: Need) -> Array:
        """Return what was read, float64 [prompts, numbers]; run the model if it was not yet."""
        if need not in self._numbers:
            self.plan([need])
            self._run(need.run)
        found = self._numbers[need]
        if isinstance(found, ClaimNotEvaluable):
            raise found
        return found

    @cached_property
    def _weights(self) -> ModelWeights:
        return ModelWeights(self.model)

    def _check_heads(self, need: Need) -> None:
        ablated = need.run.under.nodes if need.run.under else ()
        for head in (*need.reading.heads(), *(node.head for node in ablated)):
            _check_head(head, self.model)

    def _run(self, run: Run) -> None:
        """Read everything pending for a run; what cannot be evaluated is kept as the reason."""
        pending = self._pending(run)
        try:
            self._numbers.update(self._pass(run, pending))
        except ClaimNotEvaluable as error:
            self._numbers.update({Need(run, reading): error for reading in pending})

    def _pending(self, run: Run) -> list[Reading]:
        return [r for r in self._planned.get(run, {}) if Need(run, r) not in self._numbers]

    def _pass(self, run: Run, readings: Sequence[Reading]) -> dict[Need, Array | ClaimNotEvaluable]:
        """Make one forward pass over all prompts of a run."""
        prompts = self.dataset(run.draw).distribution(run.distribution)
        self._prepare_reference(run)
        collectors = self._references.missing(run, prompts)
        results = Results(run, readings, len(prompts))
        work = partial(self._work, run, prompts, results, collectors)
        self._notify(f"{run}: {len(prompts)} prompts")
        started = perf_counter()
        size = self._batch_size(prompts, results.sites, collectors)
        batches = in_batches(range(len(prompts)), size, work, self._notify)
        took = perf_counter() - started
        self.passes.append(Pass(what=str(run), prompts=len(prompts), batches=batches, seconds=took))
        self._references.keep(collectors)
        return results.found

    def _work(
        self,
        run: Run,
        prompts: Prompts,
        results: Results,
        collectors: Sequence[Collector],
        rows: Sequence[int],
    ) -> None:
        sites = results.sites | _z_sites(collectors)
        batch = self._forward(run, prompts, rows, sites)
        results.add(batch)
        for collector in collectors:
            collector.add(batch)

    def _batch_size(
        self, prompts: Prompts, sites: frozenset[Site], collectors: Sequence[Collector]
    ) -> int:
        return batch_size(
            self.model,
            prompts,
            sites | _z_sites(collectors),
            memory=self._memory,
            held_rows=self._references.layer_rows_held(collectors),
        )

    def _prepare_reference(self, run: Run) -> None:
        """Run the reference's distribution, with whatever claims read there, if not yet done."""
        if run.under is None or run.under.reference.over is None:
            return
        check_reference(run.under, self.dataset(run.draw), run.distribution)
        if not self._references.is_ready(run):
            source = Run(draw=run.draw, distribution=run.under.reference.over)
            self._numbers.update(self._pass(source, self._pending(source)))

    def _forward(
        self, run: Run, prompts: Prompts, rows: Sequence[int], sites: Iterable[Site]
    ) -> Batch:
        import torch

        tokens = padded([prompts.ids[i] for i in rows], self.model.device)
        batch = Batch(prompts, tuple(rows), {}, self._weights, self.model.device)
        changes = self._edits(run, batch, tokens.shape[1])
        batch.acts.update(forward(self.model, tokens, batch.at(END), sites, changes))
        both = torch.stack([batch.answers, batch.foils], dim=1)
        batch.acts[Site("answers")] = batch.act(Site("logits")).gather(1, both)
        _check_finite(batch, run)
        return batch

    def _edits(self, run: Run, batch: Batch, width: int) -> dict[int, Edit]:
        if run.under is None:
            return {}
        by = self._references.replacement(run, batch, width)
        return edits(run.under, self.model, batch, width, by)


class Results:
    """The numbers of one pass, filled batch by batch; a reading that cannot be read says why."""

    def __init__(self, run: Run, readings: Sequence[Reading], prompts: int) -> None:
        self._run = run
        self._readings = readings
        self._prompts = prompts
        self.sites = frozenset(site for reading in readings for site in reading.sites())
        self.found: dict[Need, Array | ClaimNotEvaluable] = {}

    def add(self, batch: Batch) -> None:
        """Read a batch. This is where numbers leave torch."""
        for reading in self._readings:
            need = Need(self._run, reading)
            if isinstance(self.found.get(need), ClaimNotEvaluable):
                continue
            try:
                read = reading.numbers(batch).double().cpu().numpy()
            except ClaimNotEvaluable as error:
                self.found[need] = error
                continue
            self._rows(need, read.shape[1])[list(batch.index)] = read

    def _rows(self, need: Need, width: int) -> Array:
        import numpy as np

        if need not in self.found:
            self.found[need] = np.full((self._prompts, width), np.nan)
        found = self.found[need]
        assert not isinstance(found, ClaimNotEvaluable)
        return found


def _z_sites(collectors: Iterable[Collector]) -> frozenset[Site]:
    return frozenset(Site("z", layer) for each in collectors for layer in each.layers)


def _check_head(head: Head, model: Model) -> None:
    if head.layer >= model.n_layers or head.index >= model.n_heads:
        raise ClaimNotEvaluable(
            f"{model.spec} has no head {head}: it has layers 0 to {model.n_layers - 1} with heads "
            f"0 to {model.n_heads - 1} each. Is the suite meant for another model?"
        )


def _check_finite(batch: Batch, run: Run) -> None:
    bad = int((~batch.act(Site("logits")).isfinite()).any(dim=1).sum())
    if bad:
        raise ClaimNotEvaluable(
            f"the model's logits are not finite (NaN or infinite) on {bad} of {len(batch.index)} "
            f"prompts of {run}: damaged weights, or a dtype too narrow for this model."
        )
