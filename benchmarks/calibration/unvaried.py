"""Claims at their thresholds where nothing varies on most samples: is that taken for certainty?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from populations import Array

from pytest_circuits.statistics.evidence import evidence
from pytest_circuits.statistics.intervals import Folded, Interval, intervals
from pytest_circuits.statistics.looks import anytime, looks
from pytest_circuits.statistics.shares import ShareDifference, ShareRatio

ALPHA = 0.05
SCHEDULE = looks(32, 256)
Of = Callable[[Array], Interval]


@dataclass(frozen=True)
class Unvaried:
    """How often a claim at its threshold held, or was refuted, and how often nothing varied."""

    name: str
    suites: int
    constant: float
    holds: float
    refuted: float


def unvaried(suites: int, seed: int) -> Iterator[Unvaried]:
    """Yield the errors with looks, of values most of whose samples do not vary at 32 prompts."""
    for index, (name, columns, truth, of) in enumerate(_quantities()):
        rng = np.random.default_rng([seed, 9, index])
        drawn = [columns(rng, SCHEDULE[-1].n) for _ in range(suites)]
        decided = [_decided(each, truth, of) for each in drawn]
        constant = np.mean([len(np.unique(each[:32], axis=0)) == 1 for each in drawn])
        shares = (decided.count(status) / suites for status in ("holds", "refuted"))
        yield Unvaried(name, suites, float(constant), *shares)


def _decided(columns: Array, truth: float, of: Of) -> str:
    found = [evidence([of(columns[: look.n])], ">=", truth) for look in SCHEDULE]
    return anytime(found, SCHEDULE).decision(ALPHA)


Quantity = tuple[str, Callable[[np.random.Generator, int], Array], float, Of]


def _quantities() -> Iterator[Quantity]:
    for truth in (0.95, 0.98, 0.99):
        lost = 1 - truth
        yield f"ratio of shares, {truth:g}", _hits(1.0, truth), truth, _ratio
        yield f"difference of shares, {-lost:.2g}", _hits(truth, 1.0), -lost, _difference
    for rare in (0.01, 0.02):
        yield (
            f"difference of differences of shares, {rare:g}",
            _hits(rare, 0.0, 1.0, 1.0),
            rare,
            _bounded(-2, 2, (1, -1, -1, 1)),
        )
        yield (
            f"sum of three shares, {3 - 3 * rare:g}",
            _hits(1 - rare, 1 - rare, 1 - rare),
            3 - 3 * rare,
            _bounded(0, 3, (1, 1, 1)),
        )
        yield f"bounded mean, {rare:g}", _hits(rare), rare, _bounded(0, 1, (1,))
        yield f"bounded mean, {1 - rare:g}", _hits(1 - rare), 1 - rare, _bounded(0, 1, (1,))
        yield f"absolute value of a bounded mean, {rare:g}", _hits(rare), rare, _absolute
        yield f"mean of an effect, {rare:g} of its terms", _hits(rare), rare, _effect
        yield f"mean, bounds and terms unknown, {rare:g}", _hits(rare), rare, _unknown


def _hits(*rates: float) -> Callable[[np.random.Generator, int], Array]:
    return lambda rng, n: (rng.random((n, len(rates))) < np.array(rates)).astype(float)


def _ratio(columns: Array) -> Interval:
    second, first = columns.T
    only = (first > second).sum(), (second > first).sum(), (first + second > 0).sum()
    return ShareRatio(*map(int, only))


def _difference(columns: Array) -> Interval:
    first, second = columns.T
    return ShareDifference(int((first > second).sum()), int((second > first).sum()), len(columns))


def _mean(columns: Array, signs: Sequence[int] = (1,), **known: object) -> Interval:
    numbers = columns @ np.array(signs, dtype=float)
    (found,) = intervals(
        lambda rows: (rows @ numbers / rows.sum(axis=1))[None],
        len(numbers),
        **known,  # type: ignore[arg-type]
    )
    return found


def _bounded(least: float, most: float, signs: Sequence[int]) -> Of:
    return lambda columns: _mean(columns, signs, reach=(least, most))


def _absolute(columns: Array) -> Interval:
    return Folded(_mean(columns, reach=(-1.0, 1.0)))


def _effect(columns: Array) -> Interval:
    return _mean(columns, scale=1.0)


def _unknown(columns: Array) -> Interval:
    return _mean(columns)
