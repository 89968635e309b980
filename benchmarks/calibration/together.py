"""Suites of claims that are all at their thresholds: how often any of them is decided wrongly."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from math import exp, sqrt

import numpy as np
from populations import Array

from pytest_circuits.statistics.design import independent
from pytest_circuits.statistics.intervals import intervals
from pytest_circuits.statistics.looks import looks
from pytest_circuits.statistics.shares import Share, ShareDifference
from pytest_circuits.statistics.skewness import skewness
from pytest_circuits.statistics.special import student_tail

ALPHA = 0.05
SCHEDULE = looks(32, 256)
SIZES = (1, 10, 100)
Draw = Callable[[np.random.Generator, tuple[int, int]], Array]
# Both p-values of the first n numbers lying above, and below, the truth.
Ps = Callable[[Array, float], tuple[float, float]]


@dataclass(frozen=True)
class Together:
    """How often a suite of `claims` at their thresholds has a wrong verdict, on the worse side."""

    name: str
    claims: int
    suites: int  # claims simulated: those of a suite are independent
    wrong: float
    error: float


def together(claims: int, seed: int) -> Iterator[Together]:
    """Yield the error of suites under Holm, with looks, from so many simulated claims.

    Holm decides none of m claims unless the smallest p-value is at most alpha / m; of independent
    claims some is then decided wrongly with probability 1 - (1 - q)^m, q that of one.
    """
    for index, (name, draw, truth, ps) in enumerate(_quantities()):
        rng = np.random.default_rng([seed, 8, index])
        least = np.array([_least(row, truth, ps) for row in _in_chunks(draw, rng, claims)])
        for size in SIZES:
            q = (least <= ALPHA / size).mean(axis=0).max()
            error = size * sqrt(q * (1 - q) / claims)
            yield Together(name, size, claims, float(1 - (1 - q) ** size), float(error))


def _in_chunks(draw: Draw, rng: np.random.Generator, claims: int) -> Iterator[Array]:
    for start in range(0, claims, 1000):
        yield from draw(rng, (min(1000, claims - start), SCHEDULE[-1].n))


def _least(numbers: Array, truth: float, ps: Ps) -> tuple[float, float]:
    """Return the least p / share of all looks, on either side."""
    spent = [[p / look.share for p in ps(numbers[: look.n], truth)] for look in SCHEDULE]
    above, below = map(min, zip(*spent, strict=True))
    return above, below


def _quantities() -> Iterator[tuple[str, Draw, float, Ps]]:
    yield "mean, normal", lambda rng, size: rng.normal(size=size), 0.0, of_mean
    yield "mean, t, 3 df", lambda rng, size: rng.standard_t(3, size), 0.0, of_mean
    yield "mean, gamma(3): skewness 1.2", lambda rng, size: rng.gamma(3, size=size), 3.0, of_mean
    yield (
        "mean, exponential: skewness 2",
        lambda rng, size: rng.exponential(size=size),
        1.0,
        of_mean,
    )
    yield (
        "mean, lognormal, sigma 0.5: skewness 1.8",
        lambda rng, size: rng.lognormal(0, 0.5, size),
        exp(0.125),
        of_mean,
    )
    yield (
        "mean, lognormal, sigma 1: skewness 6.2",
        lambda rng, size: rng.lognormal(0, 1, size),
        exp(0.5),
        of_mean,
    )
    for rate in (0.5, 0.9, 0.98):
        yield f"share, {rate:g}", _yes_or_no(rate), rate, _of_share
    for first, second in ((0.1, 0.02), (0.01, 0.0)):
        yield (
            f"difference of shares, {first:g} only the first, {second:g} only the second",
            _discordant(first, second),
            first - second,
            _of_difference,
        )


def _yes_or_no(rate: float) -> Draw:
    return lambda rng, size: (rng.random(size) < rate).astype(float)


def _discordant(first: float, second: float) -> Draw:
    def draw(rng: np.random.Generator, size: tuple[int, int]) -> Array:
        u = rng.random(size)
        return (u < first).astype(float) - (u > 1 - second)

    return draw


def of_mean(numbers: Array, truth: float) -> tuple[float, float]:
    """Return what `intervals` makes of a mean, in the few steps that are left for it."""
    n = len(numbers)
    influence = numbers - numbers.mean()
    t = (numbers.mean() - truth) / float(independent(n).errors(influence))
    skew = skewness(influence)
    above, below = skew.symmetric(t, "low"), -skew.symmetric(t, "high")
    return min(1.0, 2 * student_tail(above, n - 1)), min(1.0, 2 * student_tail(below, n - 1))


def agrees(seed: int = 0) -> bool:
    """Return whether `of_mean` is what the library says."""
    numbers = np.random.default_rng(seed).exponential(size=64)
    (found,) = intervals(lambda rows: (rows @ numbers / rows.sum(axis=1))[None], 64)
    pair = found.p_above(0.9), found.p_below(0.9)
    return np.allclose(pair, of_mean(numbers, 0.9), rtol=1e-3)


def _of_share(numbers: Array, truth: float) -> tuple[float, float]:
    return _share(int(numbers.sum()), len(numbers), truth)


@cache
def _share(hits: int, n: int, truth: float) -> tuple[float, float]:
    found = Share(hits, n)
    return found.p_above(truth), found.p_below(truth)


def _of_difference(numbers: Array, truth: float) -> tuple[float, float]:
    return _difference(int((numbers > 0).sum()), int((numbers < 0).sum()), len(numbers), truth)


@cache
def _difference(first: int, second: int, n: int, truth: float) -> tuple[float, float]:
    found = ShareDifference(first, second, n)
    return found.p_above(truth), found.p_below(truth)
