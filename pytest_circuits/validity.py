"""What must be so before a claim is judged: ratios to something, references without the task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.estimates import ALPHA, intervals_of
from pytest_circuits.interventions import Reference
from pytest_circuits.measures.base import Measure
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.pieces import pieces
from pytest_circuits.readings import Draw, Read

if TYPE_CHECKING:
    from pytest_circuits.statistics.intervals import Interval

# No published value. Beyond half of the behaviour, a mean leaves more of it than it takes away.
MOST_CARRIED = 0.5


def grounds(measure: Measure) -> tuple[Measure, ...]:
    """Return what is measured besides, to know whether the measure means anything."""
    leaks = [each for reference in _references(measure) for each in _on_both(reference)]
    bottoms = [bottom for part in _parts(measure) if (bottom := part.denominator()) is not None]
    return tuple(dict.fromkeys((*bottoms, *leaks)))


def check_denominators(measure: Measure, read: Read, draw: Draw) -> None:
    """Refuse to judge a ratio to something that may as well be 0, whatever its value came to."""
    for part in _parts(measure):
        bottom = part.denominator()
        for each in () if bottom is None else _intervals(bottom, read, draw):
            low, high = each.at(ALPHA)
            if low <= 0 <= high:
                raise ClaimNotEvaluable(
                    f"'{part}' is undefined on these prompts: its denominator, {bottom}, is "
                    f"{each.point:.3g} [{low:.3g}, {high:.3g}], not told from 0. Does the model do "
                    "the task, and is what is compared different at all?"
                )


def check_references(measure: Measure, read: Read, draw: Draw) -> None:
    """Refuse means over prompts on which the model still does the task, whatever their name.

    That is: it prefers their answers by more than `MOST_CARRIED` of what it prefers the task's by.
    """
    for reference in _references(measure):
        there, here = _on_both(reference)
        ((behaviour,), (share,)) = (_intervals(each, read, draw) for each in (here, there / here))
        low, high = share.at(ALPHA)
        if behaviour.at(ALPHA)[0] > 0 and low > MOST_CARRIED:
            raise ClaimNotEvaluable(
                f"`{reference}`: {reference.over} still carries the task: the logit difference "
                f"there is {share.point:.2g} [{low:.2g}, {high:.2g}] of that on {draw.task.name}, "
                "so replacing outputs by it hides the very effect that is to be removed "
                "(Wang et al. 2022, section 2)."
            )


def _references(measure: Measure) -> tuple[Reference, ...]:
    """Return the references that average over prompts, or draw from them at random."""
    found = (each for each in pieces(measure) if isinstance(each, Reference))
    return tuple(dict.fromkeys(each for each in found if each.kind in ("mean", "resample")))


def _on_both(reference: Reference) -> tuple[Measure, Measure]:
    """Return the behaviour on what a reference is taken from, and on the task's own prompts."""
    return logit_difference(on=reference.over), logit_difference()


def _parts(measure: Measure) -> Iterator[Measure]:
    """Return a measure and those it is made of."""
    return (each for each in pieces(measure) if isinstance(each, Measure))


def _intervals(measure: Measure, read: Read, draw: Draw) -> tuple[Interval, ...]:
    return intervals_of(measure, read, draw, len(read(measure.needs(draw)[0])))
