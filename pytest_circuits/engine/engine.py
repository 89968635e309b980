"""The evaluation engine: merge what all measures need, run each distinct pass once, keep numbers.

A pass takes one distribution of prompts through the model, with every intervention on it that is
planned. Tensors live for one batch; what stays are numbers (numpy float64, a row per prompt) and
what references put in place of activations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from time import perf_counter
from typing import TYPE_CHECKING

from pytest_circuits.engine.anatomy import Anatomy
from pytest_circuits.engine.batch import Batch
from pytest_circuits.engine.blocks import Unsupported
from pytest_circuits.engine.full import FullForwards
from pytest_circuits.engine.lightcone import LightCone
from pytest_circuits.engine.memory import (
    DEFAULT_MEMORY,
    SWEEP_SHARE,
    batch_size,
    bytes_per_prompt,
    in_batches,
)
from pytest_circuits.engine.parity import check_parity
from pytest_circuits.engine.reads import (
    check_head,
    check_nodes,
    check_positions,
    check_reading,
    check_reference,
    distributions,
    reads,
)
from pytest_circuits.engine.references import Collector, References
from pytest_circuits.engine.results import Results
from pytest_circuits.engine.watch import Watch
from pytest_circuits.engine.weights import ModelWeights
from pytest_circuits.errors import ClaimNotEvaluable, in_a_line
from pytest_circuits.interventions import Ablation, Intervention, Reference
from pytest_circuits.readings import Draw, Need, Reading, Run, Site
from pytest_circuits.tasks.base import Dataset, Prompts

if TYPE_CHECKING:
    from pytest_circuits.engine.stage import Source
    from pytest_circuits.models.base import Model
    from pytest_circuits.readings import Array


@dataclass(frozen=True, kw_only=True)
class Pass:
    """A pass that was made: every prompt of a distribution, in some batches.

    `interventions` were made on it beside, or in place of, the plain run; `forwards` is what it all
    cost, in plain forward passes of these prompts, counted by multiplications. `bytes_per_prompt`
    is what the activations of a prompt are reckoned at while it is in a batch.
    """

    what: str
    prompts: int
    interventions: int
    batches: int
    seconds: float
    forwards: float
    bytes_per_prompt: int


class Engine:
    """Numbers of one model, each distinct (prompts, intervention) run once.

    `plan` all needs first, then ask for `numbers`: a pass makes all runs planned on its prompts.
    A need that comes later costs a pass of its own. Rows may be run a few at a time: those of a
    run that were made are not made again. References are always taken over all prompts.
    `memory` (bytes) bounds the activations alive at once; `notify` is told what is being run.
    """

    def __init__(
        self,
        model: Model,
        *,
        memory: int = DEFAULT_MEMORY,
        notify: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.model = model
        self.watch = Watch(model)
        self.passes: list[Pass] = []
        self._memory = memory
        self._notify = notify
        self._datasets: dict[Draw, Dataset] = {}
        self._planned: dict[Run, dict[Reading, None]] = {}
        self._references = References()
        self._numbers: dict[Need, Array | ClaimNotEvaluable] = {}
        self._made: dict[Need, int] = {}

    def plan(self, needs: Iterable[Need]) -> None:
        """Add needs to what their runs will read; raise if the model lacks a head they name."""
        needs = tuple(needs)
        for need in needs:
            for head in need.reading.heads():
                check_head(head, self.model)
            if need.run.under is not None and need.run not in self._planned:
                check_nodes(need.run.under, self.model)
                distributions(need.run)  # refuses features that the task does not know
        for need in needs:
            if need.run not in self._planned and need.run.under is not None:
                self._references.plan(need.run.draw, reads(need.run.under, self.model.n_layers))
            self._planned.setdefault(need.run, {})[need.reading] = None

    def dataset(self, draw: Draw) -> Dataset:
        """Return the prompts of a draw under this model's tokenizer."""
        if draw not in self._datasets:
            self._datasets[draw] = draw.task.draw(self.model.tokenizer, draw.n, draw.seed)
        return self._datasets[draw]

    def fitted(self, draw: Draw) -> Draw:
        """Return the draw of as many prompts as there are: a task of a few rows has no more."""
        drawn = self.dataset(draw)
        rows = len(drawn.prompts.ids)
        if rows >= draw.n:
            return draw
        whole = replace(draw, n=rows)
        self._datasets.setdefault(whole, drawn)
        return whole

    def forget_plans(self) -> None:
        """Plan nothing any more: what is planned from now on is all that passes will read."""
        self._planned.clear()

    def numbers(self, need: Need, rows: int | None = None) -> Array:
        """Return what was read on the first `rows` prompts (None: all), float64 [rows, numbers].

        Runs the model, for all that is planned on these prompts, if it was not run on them yet.
        """
        rows = self._rows(need.run, rows)
        if self._missing(need, rows):
            self.plan([need])
            self._pass(need.run.draw, need.run.distribution, rows)
        found = self._numbers[need]
        if isinstance(found, ClaimNotEvaluable):
            raise found
        return found[:rows]

    @property
    def description(self) -> str:
        """How the model is run, and whether z, a head's output, has a value bias in it."""
        words = [self._executor.description, ModelWeights(self.model).output_words]
        return "; ".join(filter(None, (*words, self.model.parity.unproven)))

    @cached_property
    def _executor(self) -> LightCone | FullForwards:
        try:
            anatomy = Anatomy(self.model)
            anatomy.prepare(1)
        except Exception as error:  # full forwards are right whatever the parts are: see parity
            return self._without_cone(error)
        # The self-check has recomputed the stream as the sum of what the parts write.
        weights = ModelWeights(self.model, heads_add_up=anatomy.writes_linearly)
        return LightCone(anatomy, weights, memory=self._memory // SWEEP_SHARE)

    def _without_cone(self, error: Exception) -> FullForwards:
        reason = str(error)
        if not isinstance(error, Unsupported):
            reason = f"not to be taken apart: {in_a_line(error)}"
        self._notify(f"full forward passes instead of the light cone: {reason}")
        return FullForwards(self.model, ModelWeights(self.model), reason=reason)

    def _prepare_executor(self, width: int) -> None:
        """Check the model on prompts as long as these; no light cone where it does not fit."""
        check_parity(self.model, width)
        try:
            self._executor.prepare(width)
        except Exception as error:
            self._executor = self._without_cone(error)

    def _rows(self, run: Run, rows: int | None) -> int:
        return run.draw.n if rows is None else min(rows, run.draw.n)

    def _missing(self, need: Need, rows: int) -> bool:
        """Return whether a need is still to be read on some of the first rows."""
        if isinstance(self._numbers.get(need), ClaimNotEvaluable):
            return False
        return self._made.get(need, 0) < rows

    def _pass(self, draw: Draw, distribution: str, rows: int) -> None:
        """Make every pending run on one distribution, and collect references on the way."""
        pending = self._pending(draw, distribution, rows)
        try:
            self.watch.check()
            prompts = self.dataset(draw).distribution(distribution)
            self._prepare_executor(max(map(len, prompts.ids)))
            for made, runs in self._by_rows_made(self._with_references(pending, draw)).items():
                self._run(draw, distribution, runs, range(made, rows))
        except ClaimNotEvaluable as error:
            self._fail(pending, error)

    def _pending(self, draw: Draw, distribution: str, rows: int) -> dict[Run, list[Reading]]:
        found = {
            run: [reading for reading in readings if self._missing(Need(run, reading), rows)]
            for run, readings in self._planned.items()
            if (run.draw, run.distribution) == (draw, distribution)
        }
        return {run: readings for run, readings in found.items() if readings}

    def _by_rows_made(self, runs: dict[Run, list[Reading]]) -> dict[int, dict[Run, list[Reading]]]:
        """Return what is to be read, by how many rows of it were read before."""
        found: dict[int, dict[Run, list[Reading]]] = {}
        for run, readings in runs.items():
            for reading in readings:
                made = self._made.get(Need(run, reading), 0)
                found.setdefault(made, {}).setdefault(run, []).append(reading)
        return found

    def _fail(self, runs: dict[Run, list[Reading]], error: ClaimNotEvaluable) -> None:
        for run, readings in runs.items():
            for reading in readings:
                self._numbers.setdefault(Need(run, reading), error)

    def _with_references(
        self, pending: dict[Run, list[Reading]], draw: Draw
    ) -> dict[Run, list[Reading]]:
        """Return the runs whose references are there, collected now if they were not."""
        ready = {}
        for run, asked in pending.items():
            readings = self._readable(run, asked)
            if not readings:
                continue
            try:
                self._prepare(run, draw)
                ready[run] = readings
            except ClaimNotEvaluable as error:
                self._fail({run: readings}, error)
        return ready

    def _readable(self, run: Run, readings: list[Reading]) -> list[Reading]:
        """Return the readings that can be made under the run's intervention; the others fail."""
        found = []
        for reading in readings:
            try:
                check_reading(reading, run.under)
                found.append(reading)
            except ClaimNotEvaluable as error:
                self._fail({run: [reading]}, error)
        return found

    def _prepare(self, run: Run, draw: Draw) -> None:
        if run.under is None:
            return
        dataset, names = self.dataset(draw), distributions(run)
        longest = max(map(len, dataset.distribution(run.distribution).ids))
        for name in names:
            check_positions(run.under, dataset.distribution(name), longest)
        self._executor.check(run.under)
        for reference in dict.fromkeys(r for r, _ in reads(run.under, self.model.n_layers)):
            for name in names:
                check_reference(reference, dataset, name)
            if not self._references.is_ready(draw, reference):
                assert reference.over is not None
                self._collect(draw, reference.over)

    def _collect(self, draw: Draw, distribution: str) -> None:
        """Run a reference's distribution plainly, with whatever claims read there."""
        plain = Run(draw=draw, distribution=distribution)
        pending = self._pending(draw, distribution, draw.n).get(plain, [])
        # A reference is made of all prompts, so that all are read, again where some were before.
        self._run(draw, distribution, {plain: pending}, range(draw.n))

    def _run(
        self, draw: Draw, distribution: str, runs: dict[Run, list[Reading]], rows: Sequence[int]
    ) -> None:
        """Take some prompts through all runs, batch by batch."""
        if not runs:
            return
        prompts = self.dataset(draw).distribution(distribution)
        collectors = self._collectors(draw, distribution, prompts, rows)
        results = self._results(runs, len(prompts))
        if collectors:
            plain = Run(draw=draw, distribution=distribution)
            results.setdefault(plain, Results(plain, {}, len(prompts)))
        work = partial(self._work, draw, prompts, results, collectors)
        interventions = sum(run.under is not None for run in results)
        self._notify(_progress(distribution, results, len(rows)))
        started, cost = perf_counter(), self._executor.cost
        need = self._bytes_per_prompt(prompts, results)
        size = self._batch_size(prompts, need, collectors)
        batches = in_batches(rows, size, work, self._notify)
        width = max(map(len, prompts.ids))
        self.passes.append(
            Pass(
                what=_what(distribution, results),
                prompts=len(rows),
                interventions=interventions,
                batches=batches,
                seconds=perf_counter() - started,
                forwards=(self._executor.cost - cost) / (len(rows) * width),
                bytes_per_prompt=need,
            )
        )
        self._references.keep(collectors)
        for each in results.values():
            self._numbers.update(each.found)
            self._made.update(dict.fromkeys(each.found, rows[-1] + 1))

    def _collectors(
        self, draw: Draw, distribution: str, prompts: Prompts, rows: Sequence[int]
    ) -> list[Collector]:
        """Return what can be collected on the way: nothing, if not all prompts are run."""
        if len(rows) < len(prompts):
            return []
        return self._references.missing(draw, distribution, prompts)

    def _results(self, runs: dict[Run, list[Reading]], prompts: int) -> dict[Run, Results]:
        return {
            run: Results(run, {r: self._numbers.get(Need(run, r)) for r in readings}, prompts)
            for run, readings in runs.items()
        }

    def _work(
        self,
        draw: Draw,
        prompts: Prompts,
        results: dict[Run, Results],
        collectors: Sequence[Collector],
        rows: Sequence[int],
    ) -> None:
        batch = self._executor.batch(prompts, rows, max(map(len, prompts.ids)))
        by_under = {run.under: each for run, each in results.items()}
        wanted: dict[Intervention | None, frozenset[Site]] = {
            under: each.sites for under, each in by_under.items()
        }
        if collectors:
            wanted[None] |= {site for each in collectors for site in each.sites}
        collected = partial(self._collected, draw)
        done = self._executor.run(batch, wanted, draw.task, self.dataset(draw), collected)
        for under, seen in done:
            by_under[under].add(seen)
            if under is None:
                for collector in collectors:
                    collector.add(seen)

    def _collected(self, draw: Draw, reference: Reference, rows: Batch) -> Source:
        return self._references.source(draw, reference, rows)

    def _bytes_per_prompt(self, prompts: Prompts, results: dict[Run, Results]) -> int:
        kept = {site for each in results.values() for site in each.sites}
        return bytes_per_prompt(self.model, max(map(len, prompts.ids)), kept, _worlds(results))

    def _batch_size(self, prompts: Prompts, need: int, collectors: Sequence[Collector]) -> int:
        held = self._references.held(collectors)
        return batch_size(self.model, prompts, need, memory=self._memory, held=held)


def _worlds(runs: Iterable[Run]) -> int:
    """Return how many runs of a batch are kept side by side while interventions are made."""
    worlds: set[object] = {None}
    for run in runs:
        under = run.under
        if under is None:
            continue
        given = getattr(under, "given", None)
        closed = (isinstance(under, Ablation) and under.outside) or not hasattr(under, "given")
        if closed:
            worlds.update((under.reference, name) for name in distributions(run))
        else:
            worlds.add(given)
        for each in (under, given):
            if each is not None and each.reference.kind == "counterpart":
                worlds.add(each.reference.over)
    return len(worlds)


def _what(distribution: str, runs: Iterable[Run]) -> str:
    under = [run for run in runs if run.under is not None]
    if len(under) == 1:
        return str(under[0])
    return distribution + (f" with {len(under)} interventions" if under else "")


def _progress(distribution: str, runs: Iterable[Run], prompts: int) -> str:
    return f"{_what(distribution, runs)}: {prompts} prompts"
