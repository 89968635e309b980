"""The one way from claims to verdicts, shared by the plugin and by library users."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from pytest_circuits.claims import Claim
from pytest_circuits.deciding import Entry, Outcome, decide
from pytest_circuits.engine.engine import Engine, Pass
from pytest_circuits.engine.memory import DEFAULT_MEMORY
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.estimates import ALPHA, Sample, design_of, sample
from pytest_circuits.measures.base import Measure
from pytest_circuits.notes import size_in_words, value_in_words
from pytest_circuits.readings import Draw, Need
from pytest_circuits.rules import DEFAULT_RULES, Rules, check_prompts
from pytest_circuits.tasks.base import Task
from pytest_circuits.tasks.ioi import IOI
from pytest_circuits.validity import (
    carries_task,
    check_denominators,
    denominators,
    on_both,
    references,
)
from pytest_circuits.verdicts import Estimate, Method, Verdict, Verdicts, judge

if TYPE_CHECKING:
    from pytest_circuits.models.base import Model
    from pytest_circuits.readings import Array
    from pytest_circuits.statistics.design import Design
    from pytest_circuits.statistics.intervals import Interval


class Evaluation:
    """Claims and measures on one model, sharing every forward pass they can.

    Give all of them at once: a run then reads what all of them need from it. A claim that cannot
    be evaluated raises `ClaimNotEvaluable` when it is asked for, and costs the others nothing.
    """

    def __init__(
        self,
        model: Model,
        planned: Iterable[tuple[Measure, Draw]],
        *,
        memory: int = DEFAULT_MEMORY,
        notify: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.model = model
        self._engine = Engine(model, memory=memory, notify=notify)
        self._wanted: tuple[tuple[Measure, Draw], ...] = ()
        self._carried: dict[tuple[str, Draw, bool | None], str] = {}
        self.focus(planned)

    @property
    def passes(self) -> tuple[Pass, ...]:
        """The forward passes made so far."""
        return tuple(self._engine.passes)

    def focus(self, wanted: Iterable[tuple[Measure, Draw]]) -> None:
        """Read for these only from now on; what was read is kept."""
        self._wanted = tuple((measure, self.fitted(draw)) for measure, draw in wanted)
        self._replan()

    def fitted(self, draw: Draw) -> Draw:
        """Return the draw of as many prompts as the task has; what cannot be drawn as it is."""
        try:
            return self._engine.fitted(draw)
        except Exception:
            return draw  # said again when it is looked at

    def estimate(self, measure: Measure, draw: Draw, *, clustered: bool | None = None) -> Estimate:
        """Return the estimate of a measure on the prompts of `draw`; `clustered` as in `Rules`."""
        draw = self.fitted(draw)
        measure = self._searched(measure, draw, draw.n)
        design = self.design(measure, draw, draw.n, clustered)
        found = sample(measure, self._engine.numbers, draw, design=design)
        return self._estimate(measure, draw, found)

    def look(
        self,
        measure: Measure,
        draw: Draw,
        prompts: int,
        alpha: float,
        *,
        clustered: bool | None = None,
    ) -> tuple[Estimate, tuple[Interval, ...]]:
        """Return the estimate on the first prompts of `draw`, and its intervals at any level.

        Raises `UndefinedSoFar` where a denominator is not told from 0 at level 1 - `alpha`, and
        `ClaimNotEvaluable` where a reference still carries the task.
        """
        draw = self.fitted(draw)
        measure = self._searched(measure, draw, prompts)
        read = partial(self._engine.numbers, rows=prompts)
        design = self.design(measure, draw, prompts, clustered)
        found = sample(measure, read, draw, design=design)
        self._check_references(measure, draw, clustered)
        check_denominators(measure, read, draw, alpha, design)
        return self._estimate(measure, draw, found), found.intervals

    def notes(self, claim: Claim, draw: Draw, prompts: int) -> tuple[str, ...]:
        """Return what is to be known of a claim about a circuit, whatever comes of it.

        That is the circuit's size, and that the claim is true of no circuit as well, if it is.
        """
        circuit, hollow = claim.measure.circuit(), claim.measure.hollow()
        draw = self.fitted(draw)
        said = [] if circuit is None else [size_in_words(circuit, self.model)]
        if hollow is not None:
            try:
                empty = self._searched(hollow, draw, prompts)
                read = partial(self._engine.numbers, rows=prompts)
                said.append(value_in_words(claim, empty, read, draw))
            except ClaimNotEvaluable:
                pass  # then the empty circuit does not satisfy the claim
        return tuple(filter(None, said))

    def design(self, measure: Measure, draw: Draw, prompts: int, clustered: bool | None) -> Design:
        """Return how the first prompts that a measure is over were drawn."""
        own = measure.needs(draw)[0].run.draw
        return design_of(self._engine.dataset(own), min(prompts, own.n), clustered)

    def _estimate(self, measure: Measure, draw: Draw, found: Sample) -> Estimate:
        texts = self._texts(measure.needs(draw)[0])
        return Estimate(
            measure=measure,
            parts=found.parts,
            unit=measure.unit,
            n=found.n,
            by_head=found.by_head,
            texts=texts[: found.n],
            contributions=found.by_prompt,
            linearised=found.linearised,
            level=1 - ALPHA,
            method=self._method(measure, draw, found),
        )

    def weighted(self, measure: Measure, draw: Draw, rows: Array) -> Array:
        """Return a measure's value under each row of prompt weights, [parts, draws]."""
        draw = self.fitted(draw)
        measure = self._searched(measure, draw, draw.n)
        return measure.value(self._engine.numbers, draw, lambda n: rows)

    def verdict(self, claim: Claim, draw: Draw) -> Verdict:
        """Return the verdict on a claim."""
        return judge(claim, self.look(claim.measure, draw, draw.n, ALPHA)[0])

    def _replan(self) -> None:
        self._engine.forget_plans()
        for measure, draw in self._wanted:
            # What cannot be planned is said again, to whom it concerns, when it is asked for.
            with suppress(Exception):
                self._plan_with_checks(measure, draw)

    def _plan_with_checks(self, measure: Measure, draw: Draw) -> None:
        checked = {over for over, of, _ in self._carried if of == draw}
        unchecked = {each.over for each in references(measure)} - checked
        there = [on_both(str(over))[0] for over in unchecked]
        for each in (measure, *denominators(measure), *there):
            with suppress(Exception):
                self._engine.plan(each.needs(draw))

    def _check_references(self, measure: Measure, draw: Draw, clustered: bool | None) -> None:
        """Refuse means over prompts on which the model still does the task, whatever their name."""
        for reference in references(measure):
            carried = self._carries(str(reference.over), draw, clustered)
            if carried:
                raise ClaimNotEvaluable(
                    f"`{reference}`: {reference.over} still carries the task: {carried}, so that "
                    "replacing outputs by it hides the very effect that is to be removed, or "
                    "brings its opposite (Wang et al. 2022, section 2)."
                )

    def _carries(self, over: str, draw: Draw, clustered: bool | None) -> str:
        """Return how a distribution carries the task, found once, on all of the prompts.

        All else that is planned waits: it may need fewer.
        """
        asked = over, draw, clustered
        if asked not in self._carried:
            self._engine.forget_plans()
            try:
                design = self.design(on_both(over)[1], draw, draw.n, clustered)
                self._carried[asked] = carries_task(over, self._engine.numbers, draw, design)
            finally:
                self._replan()
        return self._carried[asked]

    def _searched(self, measure: Measure, draw: Draw, prompts: int) -> Measure:
        """Return the measure that is left when all searching is done, its needs planned.

        Searches read all of the prompts they have for themselves, and the first of the claim's.
        """

        def read(need: Need) -> Array:
            return self._engine.numbers(need, prompts if need.run.draw == draw else None)

        while True:
            self._engine.plan(measure.needs(draw))
            refined = measure.refined(read, draw)
            if refined is None:
                return measure
            measure = refined

    def _texts(self, need: Need) -> tuple[str, ...]:
        return self._engine.dataset(need.run.draw).distribution(need.run.distribution).texts

    def _method(self, measure: Measure, draw: Draw, found: Sample) -> Method:
        needs = measure.needs(draw)
        dataset = self._engine.dataset(needs[0].run.draw)
        return Method(
            task=dataset.description,
            left_out=dataset.left_out,
            prompts_digest=dataset.digest(),
            n=found.n,
            seed=draw.seed,
            runs=tuple(dict.fromkeys(str(need.run) for need in needs)),
            interval=found.interval,
            clusters=len(set(dataset.clusters[: found.n])),
            cluster_kind=dataset.cluster_kind if dataset.clusters else "",
            model=self.model.spec,
            fingerprint=self.model.fingerprint,
            provenance=self.model.provenance,
            dtype=self.model.dtype,
            device=self.model.device,
            engine=self._engine.description,
        )


def measure(
    model: Model,
    measure: Measure,
    *,
    task: Task | None = None,
    prompts: int = 128,
    seed: int = 0,
    clustered: bool | None = None,
    memory: int = DEFAULT_MEMORY,
) -> Estimate:
    """Return the estimate of one measure: `assert measure(model, copy_score(role)) >= 0.95`.

    `task` is IOI() unless given; `prompts` are drawn from it with `seed`; `clustered` says what the
    interval is for, as in `Rules`. Raises
    `ClaimNotEvaluable` if it cannot be measured on this model. Each call runs the model anew: to
    share forward passes between several claims, use `check_all`.
    """
    if isinstance(measure, Claim):
        raise CircuitUsageError(f"`measure`: '{measure}' is a claim; use check(claim, model).")
    draw = draw_of(task, prompts, seed)
    return Evaluation(model, [(measure, draw)], memory=memory).estimate(
        measure, draw, clustered=clustered
    )


def check(
    claim: Claim,
    model: Model,
    *,
    task: Task | None = None,
    prompts: int = 128,
    seed: int = 0,
    rules: Rules = DEFAULT_RULES,
    memory: int = DEFAULT_MEMORY,
) -> Verdict:
    """Return the verdict on one claim; see `check_all`."""
    return check_all(
        [claim], model, task=task, prompts=prompts, seed=seed, rules=rules, memory=memory
    )[0]


def check_all(
    claims: Iterable[Claim],
    model: Model,
    *,
    task: Task | None = None,
    prompts: int = 128,
    seed: int = 0,
    rules: Rules = DEFAULT_RULES,
    memory: int = DEFAULT_MEMORY,
) -> Verdicts:
    """Return the verdicts on claims decided together, a tuple, sharing forward passes.

    `task` is IOI() unless given; up to `prompts` of it are used, as few as decide a claim under
    `rules`, which keep the error of all of them together; `memory` (bytes) bounds the activations
    kept at once. Raises `ClaimNotEvaluable` if one of them cannot be evaluated.
    """
    claims = tuple(claims)
    for each in claims:
        if not isinstance(each, Claim):
            raise CircuitUsageError(
                f"`claim` must be a measure compared with a threshold; got {each!r}."
            )
    draw = draw_of(task, prompts, seed)
    entries = [Entry(claim=claim, draw=draw, rules=rules) for claim in claims]
    evaluation = Evaluation(model, [(claim.measure, draw) for claim in claims], memory=memory)
    found = decide(evaluation, entries)
    return Verdicts(_verdict(found[each]) for each in entries)


def _verdict(outcome: Outcome) -> Verdict:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def draw_of(task: Task | None, prompts: int, seed: int) -> Draw:
    """Return the prompts of a task, IOI() if none is given, after checking the numbers."""
    check_prompts(prompts, seed)
    return Draw(task=task if task is not None else IOI(), n=prompts, seed=seed)
