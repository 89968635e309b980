"""What must be so before a claim is judged: ratios to something, references without the task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_circuits.errors import UndefinedSoFar
from pytest_circuits.estimates import ALPHA, intervals_of
from pytest_circuits.interventions import Reference
from pytest_circuits.measures.base import Measure
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.pieces import pieces
from pytest_circuits.readings import Draw, Need, Read, Weights

if TYPE_CHECKING:
    from pytest_circuits.readings import Array
    from pytest_circuits.statistics.design import Design
    from pytest_circuits.statistics.intervals import Interval

# No published value. Beyond half of the behaviour, a mean leaves more of it than it takes away.
MOST_CARRIED = 0.5


def denominators(measure: Measure) -> tuple[Measure, ...]:
    """Return what a measure, or something inside it, is divided by."""
    found = (part.denominator() for part in _parts(measure))
    return tuple(dict.fromkeys(bottom for bottom in found if bottom is not None))


def check_denominators(
    measure: Measure, read: Read, draw: Draw, alpha: float, design: Design
) -> None:
    """Refuse to judge a ratio to something that may as well be 0, whatever its value came to."""
    for part in _parts(measure):
        bottom = part.denominator()
        for each in () if bottom is None else _intervals(bottom, read, draw, design):
            low, high = each.at(alpha)
            if low <= 0 <= high:
                raise UndefinedSoFar(
                    f"'{part}' is undefined on these prompts: its denominator, {bottom}, is "
                    f"{each.point:.3g} [{low:.3g}, {high:.3g}], not told from 0. Does the model do "
                    "the task, and is what is compared different at all?"
                )


def references(measure: Measure) -> tuple[Reference, ...]:
    """Return the references that average over prompts, or draw from them at random."""
    found = (each for each in pieces(measure) if isinstance(each, Reference))
    return tuple(dict.fromkeys(each for each in found if each.kind in ("mean", "resample")))


def carries_task(over: str, read: Read, draw: Draw, design: Design) -> str:
    """Return how much of the task a distribution carries, in words; "" if not too much.

    That is too much: the model does the task, and prefers the answers there, or their foils, by
    more than `MOST_CARRIED` of what it prefers the task's answers by. A preference turned round is
    a preference: a mean over it would not take the behaviour away, but bring its opposite.
    """
    there, here = (_intervals(each, read, draw, design)[0] for each in on_both(over))
    beyond = (_intervals(_Beyond(over, sign), read, draw, design)[0] for sign in (1, -1))
    if here.at(ALPHA)[0] <= 0 or not any(each.at(ALPHA)[0] > 0 for each in beyond):
        return ""
    return f"the logit difference there is {_words(there)}, on {draw.task.name} {_words(here)}"


def on_both(over: str) -> tuple[Measure, Measure]:
    """Return the behaviour on what a reference is taken from, and on the task's own prompts."""
    return logit_difference(on=over), logit_difference()


@dataclass(frozen=True)
class _Beyond(Measure):
    """By how much the preference on a distribution, in one direction, is more than may be carried.

    sign * F(there) - MOST_CARRIED * F(here): no ratio, so that nothing depends on a small F(here).
    """

    unit: ClassVar[str] = "logits"
    over: str
    sign: int

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read the answer logits on both."""
        return tuple(need for each in on_both(self.over) for need in each.needs(draw))

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the excess, [1, draws]."""
        there, here = (each.value(read, draw, weights) for each in on_both(self.over))
        excess: Array = self.sign * there - MOST_CARRIED * here
        return excess

    def __str__(self) -> str:
        return f"logit difference on {self.over} beyond {MOST_CARRIED:g} of the task's"


def _words(found: Interval) -> str:
    low, high = found.at(ALPHA)
    return f"{found.point:.3g} [{low:.3g}, {high:.3g}]"


def _parts(measure: Measure) -> Iterator[Measure]:
    """Return a measure and those it is made of."""
    return (each for each in pieces(measure) if isinstance(each, Measure))


def _intervals(measure: Measure, read: Read, draw: Draw, design: Design) -> tuple[Interval, ...]:
    return intervals_of(measure, read, draw, len(read(measure.needs(draw)[0])), design)
