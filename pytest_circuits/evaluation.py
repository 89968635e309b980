"""The one way from claims to verdicts, shared by the plugin and by library users."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pytest_circuits.claims import Claim, check_prompts
from pytest_circuits.engine.engine import Engine, Pass
from pytest_circuits.engine.memory import DEFAULT_MEMORY
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.estimates import Sample, sample
from pytest_circuits.measures.base import Measure
from pytest_circuits.readings import Draw, Need
from pytest_circuits.tasks.base import Task
from pytest_circuits.tasks.ioi import IOI
from pytest_circuits.verdicts import Estimate, Method, Verdict, judge

if TYPE_CHECKING:
    from pytest_circuits.models.base import Model


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
        for measure, draw in planned:
            self._plan(measure, draw)

    @property
    def passes(self) -> tuple[Pass, ...]:
        """The forward passes made so far."""
        return tuple(self._engine.passes)

    def estimate(self, measure: Measure, draw: Draw) -> Estimate:
        """Return the estimate of a measure on the prompts of `draw`."""
        measure = self._searched(measure, draw)
        found = sample(measure, self._engine.numbers, draw)
        texts = self._texts(measure.needs(draw)[0])
        return Estimate(
            measure=measure,
            parts=found.parts,
            unit=measure.unit,
            n=found.n,
            by_head=found.by_head,
            by_prompt=tuple(zip(texts, found.by_prompt, strict=False)),
            method=self._method(measure, draw, found),
        )

    def verdict(self, claim: Claim, draw: Draw) -> Verdict:
        """Return the verdict on a claim."""
        return judge(claim, self.estimate(claim.measure, draw))

    def _plan(self, measure: Measure, draw: Draw) -> None:
        try:
            self._engine.plan(measure.needs(draw))
        except ClaimNotEvaluable:
            return  # said again, to whom it concerns, when this one is asked for

    def _searched(self, measure: Measure, draw: Draw) -> Measure:
        """Return the measure that is left when all searching is done, its needs planned."""
        while True:
            self._engine.plan(measure.needs(draw))
            refined = measure.refined(self._engine.numbers, draw)
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
    memory: int = DEFAULT_MEMORY,
) -> Estimate:
    """Return the estimate of one measure: `assert measure(model, copy_score(role)) >= 0.95`.

    `task` is IOI() unless given; `prompts` are drawn from it with `seed`. Raises
    `ClaimNotEvaluable` if it cannot be measured on this model. Each call runs the model anew: to
    share forward passes between several claims, use `check_all`.
    """
    if isinstance(measure, Claim):
        raise CircuitUsageError(f"`measure`: '{measure}' is a claim; use check(claim, model).")
    draw = _draw(task, prompts, seed)
    return Evaluation(model, [(measure, draw)], memory=memory).estimate(measure, draw)


def check(
    claim: Claim,
    model: Model,
    *,
    task: Task | None = None,
    prompts: int = 128,
    seed: int = 0,
    memory: int = DEFAULT_MEMORY,
) -> Verdict:
    """Return the verdict on one claim; see `check_all`."""
    return check_all([claim], model, task=task, prompts=prompts, seed=seed, memory=memory)[0]


def check_all(
    claims: Iterable[Claim],
    model: Model,
    *,
    task: Task | None = None,
    prompts: int = 128,
    seed: int = 0,
    memory: int = DEFAULT_MEMORY,
) -> tuple[Verdict, ...]:
    """Return the verdicts on claims about the same prompts, sharing forward passes.

    `task` is IOI() unless given; `memory` (bytes) bounds the activations kept at once. Raises
    `ClaimNotEvaluable` if one of them cannot be evaluated.
    """
    claims = tuple(claims)
    for each in claims:
        if not isinstance(each, Claim):
            raise CircuitUsageError(
                f"`claim` must be a measure compared with a threshold; got {each!r}."
            )
    draw = _draw(task, prompts, seed)
    evaluation = Evaluation(model, [(claim.measure, draw) for claim in claims], memory=memory)
    return tuple(evaluation.verdict(claim, draw) for claim in claims)


def _draw(task: Task | None, prompts: int, seed: int) -> Draw:
    check_prompts(prompts, seed)
    return Draw(task=task if task is not None else IOI(), n=prompts, seed=seed)
