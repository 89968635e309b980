"""Claims and suites: frozen, hashable values; declaring them imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isinf
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_circuits.arguments import check_text, is_number
from pytest_circuits.errors import CircuitUsageError, shown
from pytest_circuits.measures.base import Measure
from pytest_circuits.rules import DEFAULT_RULES, Rules, check_prompts
from pytest_circuits.tasks.base import Task
from pytest_circuits.tasks.ioi import IOI
from pytest_circuits.truth import Described, word

if TYPE_CHECKING:
    from pytest_circuits.interventions import Reference
    from pytest_circuits.readings import Draw
    from pytest_circuits.sweeps import Sweep

Relation = Literal[">=", "<=", ">", "<", "between"]
Status = Literal["holds", "refuted", "undecided"]


@dataclass(frozen=True)
class Claim(Described):
    """A measure compared with a threshold; made by comparing, evaluated by `check`.

    Comparing two measures makes a claim about their paired difference and 0. `source` says who
    says so.
    """

    said_instead: ClassVar[str] = (
        "it is a claim already. For another threshold write measure.between(low, high)."
    )

    measure: Measure
    relation: Relation
    threshold: float | tuple[float, float]
    source: str = ""

    def __post_init__(self) -> None:
        bounds = self.threshold if isinstance(self.threshold, tuple) else (self.threshold,)
        for bound in bounds:
            if not is_number(bound):
                raise CircuitUsageError(
                    f"`threshold`: compare '{self.measure}' with a finite number or another "
                    f"measure; got {shown(bound)}."
                )
        check_text("source", self.source)
        if list(bounds) != sorted(bounds):
            raise CircuitUsageError(f"`between`: the bounds are the wrong way round; got {bounds}.")
        self._check_says_something()

    def _check_says_something(self) -> None:
        """Refuse what holds of every model, or of none, and more than the full model's score."""
        least, most = self.measure.bounds()
        holds = self._satisfied(least) and self._satisfied(most)
        if holds or not self._overlaps(least, most):
            raise CircuitUsageError(
                f"`threshold`: '{self}' holds of {'every' if holds else 'no'} model: the measure "
                f"is {_range(least, most)}. Claim a threshold that a model can miss and can reach."
            )
        target, floor = self.measure.target(), self._floor()
        if target is not None and floor is not None and floor >= target:
            raise CircuitUsageError(
                f"`threshold`: '{self}' calls more than the full model faithful: {target:g} is the "
                "full model, and above it is as far off as below (without the heads that work "
                "against the task, say). Claim .between(low, high) around it."
            )

    def cite(self, source: str) -> Claim:
        """Return the claim with its source: a paper's section, an equation, a URL."""
        check_text("source", source)
        return replace(self, source=source)

    def over(
        self,
        *,
        ablations: Sequence[Reference] = (),
        seeds: Sequence[int] = (),
        templates: Sequence[Sequence[str]] = (),
    ) -> Sweep:
        """Return the claim that this holds under every method: all combinations of those given.

        `ablations` are put for every mean, zero or resampled value in the measure (counterparts
        stay); `seeds` and `templates` (sets of templates, each a method) choose other prompts. It
        holds if it does for each, which needs no correction; the report says which method
        flips it.
        """
        from pytest_circuits.sweeps import sweep

        return sweep(self, ablations=ablations, seeds=seeds, templates=templates)

    def ways(self, draw: Draw) -> tuple[tuple[str, Claim, Draw], ...]:
        """Return what is to be evaluated: the claim on its prompts, without a label."""
        return (("", self, draw),)

    def decide(self, low: float, high: float) -> Status:
        """Return the verdict on one measured interval [low, high].

        Holds if the whole interval satisfies the claim, refuted if none of it does, undecided
        otherwise.
        """
        if self._satisfied(low) and self._satisfied(high):
            return word("holds")
        return word("undecided" if self._overlaps(low, high) else "refuted")

    def margin(self, value: float) -> float:
        """Return by how much a value satisfies the claim; negative if it does not."""
        if isinstance(self.threshold, tuple):
            return min(value - self.threshold[0], self.threshold[1] - value)
        return value - self.threshold if self.relation in (">=", ">") else self.threshold - value

    def remark(self, value: float) -> str:
        """Return what must be said of a value beside the verdict, empty if nothing must be.

        A claim from below on what has a target holds also of a value that lies further above the
        target than the claim allows below it.
        """
        target, floor = self.measure.target(), self._floor()
        if target is None or floor is None or value <= 2 * target - floor:
            return ""
        return (
            f"{value:.3g} is above {target:g}, the full model, by more than {self.required()} "
            "allows below it, which is as far from the model as less would be: claim "
            f".between({floor:g}, {2 * target - floor:g})"
        )

    def required(self) -> str:
        """Return the requirement in words, e.g. `>= 0.95`."""
        if isinstance(self.threshold, tuple):
            return f"between {self.threshold[0]:g} and {self.threshold[1]:g}"
        return f"{self.relation} {self.threshold:g}"

    def _floor(self) -> float | None:
        """Return the threshold of a claim that sets no upper end."""
        one_sided = self.relation in (">=", ">") and not isinstance(self.threshold, tuple)
        return self.threshold if one_sided else None  # type: ignore[return-value]

    def _satisfied(self, value: float) -> bool:
        margin = self.margin(value)
        return margin > 0 or (margin == 0 and self.relation not in (">", "<"))

    def _overlaps(self, low: float, high: float) -> bool:
        if isinstance(self.threshold, tuple):
            return low <= self.threshold[1] and high >= self.threshold[0]
        return self._satisfied(low) or self._satisfied(high)

    def __str__(self) -> str:
        return f"{self.measure} {self.required()}"

    def __bool__(self) -> bool:
        raise TypeError(
            f"the claim '{self}' was not evaluated yet and has no truth value: use "
            "check(claim, model), or `assert measure(model, ...) >= threshold`. A chained "
            "comparison a <= x <= b loses a bound: write x.between(a, b)."
        )


def _range(least: float, most: float) -> str:
    """Return in words where a number lies that has an end somewhere."""
    if isinf(most):
        return f"never below {least:g}"
    return f"never above {most:g}" if isinf(least) else f"always from {least:g} to {most:g}"


@dataclass(frozen=True, kw_only=True)
class Suite:
    """What all claims of a file speak about: the model, the prompts, and who says so.

    `model` is a spec for `load_model`, a string: a packaged model's name or a folder; `prompts` and
    `seed` say how many prompts of `task` may be drawn; `source` is the citation of claims that
    carry none of their own; `rules` say how sure verdicts must be, and over what.
    """

    model: str | None = None
    task: Task = field(default_factory=IOI)
    prompts: int = 128
    seed: int = 0
    source: str = ""
    rules: Rules = DEFAULT_RULES

    def __post_init__(self) -> None:
        check_prompts(self.prompts, self.seed)
        _check_spec(self.model)
        _check_task(self.task)
        check_text("source", self.source)
        if not isinstance(self.rules, Rules):
            raise CircuitUsageError(f"`rules` must be Rules(...); got {shown(self.rules)}.")


def _check_spec(model: object) -> None:
    if model is None or (isinstance(model, str) and model.strip()):
        return
    hint = " Of a path write str(path)." if hasattr(model, "__fspath__") else ""
    raise CircuitUsageError(
        "`model` must be a string, a packaged model's name or a folder, or left out to name it "
        f"with --circuit-model; got {shown(model)}.{hint}"
    )


def _check_task(task: object) -> None:
    if isinstance(task, type) or not (hasattr(task, "name") and hasattr(task, "draw")):
        raise CircuitUsageError(
            "`task` must be a task, such as IOI() or what prompt_task(...) returns; got "
            f"{shown(task)}."
        )
    try:
        hash(task)
    except TypeError:
        raise CircuitUsageError(
            "`task` must be hashable, as it stands for the prompts drawn from it: make its class "
            f"a frozen dataclass of tuples; got {shown(task)}."
        ) from None
