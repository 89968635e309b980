"""Measures made of measures: several under one claim, and searches that end in a measure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.measures.base import Measure
from pytest_circuits.readings import Draw, Need, Read, Weights
from pytest_circuits.tasks.base import Finite

if TYPE_CHECKING:
    from pytest_circuits.readings import Array

# Added to the seed of the claim's prompts: a search that looked at those would flatter itself.
SEARCH_SEED = 1_000_003

# Scores this close are the same: float32 logits of one value, reached by two ways, differ by 1e-5.
TIE = 1e-4

# Of random circuits or sets, which are made one by one and take a run or two each.
MOST_DRAWN = 10_000

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Listed(Measure):
    """Several measures of one unit under one claim, which must hold for each, by its label.

    `words` is what `str` makes the sentence of: data that holds the references it names, not a
    finished text, so that another reference in their place (`Claim.over`) is also what is said.
    """

    words: object
    parts: tuple[tuple[str, Measure], ...]

    @property
    def unit(self) -> str:  # type: ignore[override]
        """The unit of the parts."""
        return self.parts[0][1].unit

    @property
    def per_prompt(self) -> bool:  # type: ignore[override]
        """Whether the value of a single prompt means anything for every part."""
        return all(part.per_prompt for _, part in self.parts)

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Return the readings of all parts, each once."""
        return tuple(dict.fromkeys(need for _, part in self.parts for need in part.needs(draw)))

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the values of the parts under the same weights, one below the other."""
        import numpy as np

        return np.concatenate([part.value(read, draw, weights) for _, part in self.parts])

    def bounds(self) -> tuple[float, float]:
        """Return the least and the most that any part can be."""
        least, most = zip(*(part.bounds() for _, part in self.parts), strict=True)
        return min(least), max(most)

    def labels(self) -> tuple[str, ...]:
        """Return the label of each part, before those it has itself."""
        return tuple(
            f"{label} {inner}".strip() for label, part in self.parts for inner in part.labels()
        )

    def __str__(self) -> str:
        return str(self.words)


class Search(Measure):
    """A measure that reads first and then says what it measures: `refined` returns that."""

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Refuse: there is no value before the search has ended."""
        raise ClaimNotEvaluable(f"'{self}' has no value before it is refined: see Evaluation.")


def search_draw(draw: Draw, prompts: int) -> Draw:
    """Return other prompts of the same task, for choosing what to measure.

    Those of a finite task are rows that `draw` leaves over: none is in both. Where prompts are
    made as they are asked for they come from another seed, and are the same only by chance: 32 of
    IOI share one with 128 of a claim once in 200,000 draws (0 in 400 drawn), and often only if
    its templates are your own and have neither place nor object.
    """
    if isinstance(draw.task, Finite):
        return Draw(task=draw.task.beyond(draw.n), n=prompts, seed=draw.seed)
    return Draw(task=draw.task, n=prompts, seed=draw.seed + SEARCH_SEED)


def point(measure: Measure, read: Read, draw: Draw) -> float:
    """Return the value of a measure of one part, all prompts weighted alike."""
    import numpy as np

    return float(measure.value(read, draw, lambda n: np.ones((1, n)))[0, 0])


def largest(candidates: Iterable[T], value: Callable[[T], float]) -> T:
    """Return the candidate of the largest value; one must be clearly larger to beat an earlier."""
    best, *others = [(value(each), each) for each in candidates]
    for found in others:
        if found[0] > best[0] + TIE:
            best = found
    return best[1]
