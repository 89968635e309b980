"""Other intervals for means, and ours at levels far beyond 95 %."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from populations import Array, Population, populations

from pytest_circuits.statistics.special import student_quantile

ALPHA = 0.05
RESAMPLES = 1000
Ends = tuple[Array, Array]


@dataclass(frozen=True)
class Alternative:
    """The coverage of one way of making 95 % intervals."""

    name: str
    n: int
    suites: int
    method: str
    coverage: float


def alternatives(suites: int, seed: int) -> Iterator[Alternative]:
    """Yield the coverage of other intervals for the means of populations of one column."""
    single = [population for population in populations() if population.kind.endswith("mean")]
    for index, population in enumerate(single):
        for n in (64, 128):
            rng = np.random.default_rng([seed, 5, index, n])
            numbers = population.draw(rng, suites, n)[..., 0]
            weights = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) / n
            for method, (low, high) in _all(population, numbers, weights).items():
                covered = float(((low <= population.truth) & (population.truth <= high)).mean())
                yield Alternative(
                    f"{population.kind}: {population.name}", n, suites, method, covered
                )


def _all(population: Population, numbers: Array, weights: Array) -> dict[str, Ends]:
    mean = numbers.mean(axis=1)
    error = numbers.std(axis=1, ddof=1) / sqrt(numbers.shape[1])
    t = student_quantile(ALPHA / 2, numbers.shape[1] - 1)
    draws, errors = _resampled(numbers, weights)
    centred = (draws - mean[:, None]) / errors
    short, long = np.quantile(centred, [ALPHA / 2, 1 - ALPHA / 2], axis=1)
    ours = np.array([population.interval(each[:, None]).at(ALPHA) for each in numbers])
    return {
        "ours": (ours[:, 0], ours[:, 1]),
        "Student's t": (mean - t * error, mean + t * error),
        "bootstrap-t": (mean - long * error, mean - short * error),
        "BCa": _bca(numbers, mean, draws),
        "percentile": tuple(np.quantile(draws, [ALPHA / 2, 1 - ALPHA / 2], axis=1)),
    }


def _resampled(numbers: Array, weights: Array) -> Ends:
    """Return the mean of every resample and its standard error, [suites, resamples]."""
    means = numbers @ weights.T
    squares = numbers**2 @ weights.T
    return means, np.sqrt((squares - means**2) / (numbers.shape[1] - 1))


def _bca(numbers: Array, mean: Array, draws: Array) -> Ends:
    """Return the ends of Efron's (1987) interval."""
    normal = NormalDist()
    centred = numbers - mean[:, None]
    skewed = (centred**3).sum(axis=1) / 6 / (centred**2).sum(axis=1) ** 1.5
    below = (draws < mean[:, None]).mean(axis=1)
    ends = []
    for z in (normal.inv_cdf(ALPHA / 2), normal.inv_cdf(1 - ALPHA / 2)):
        bias = np.array([normal.inv_cdf(share) for share in below])
        moved = bias + (bias + z) / (1 - skewed * (bias + z))
        shares = [normal.cdf(each) for each in moved]
        ends.append(np.array([np.quantile(*each) for each in zip(draws, shares, strict=True)]))
    return ends[0], ends[1]


@dataclass(frozen=True)
class Tail:
    """Errors on either side of the interval at 1 - alpha, as multiples of alpha / 2."""

    name: str
    n: int
    suites: int
    alpha: float
    above: float
    below: float


def tails(suites: int, seed: int) -> Iterator[Tail]:
    """Yield the errors at levels that suites of many claims and first looks are decided at."""
    wanted = ("normal", "t, 3 df", "exponential", "Beta(5, 0.5)")
    for index, population in enumerate(populations()):
        if population.name in wanted:
            for n in (32, 128):
                rng = np.random.default_rng([seed, 6, index, n])
                yield from _tails(population, n, suites, rng)


def _tails(population: Population, n: int, suites: int, rng: np.random.Generator) -> Iterator[Tail]:
    ps = []
    for _ in range(suites):
        interval = population.interval(population.draw(rng, 1, n)[0])
        ps.append((interval.p_above(population.truth), interval.p_below(population.truth)))
    for alpha in (0.05, 0.01, 0.001):
        above, below = (np.array(ps) <= alpha).mean(axis=0) / (alpha / 2)
        name = f"{population.kind}: {population.name}"
        yield Tail(name, n, suites, alpha, float(above), float(below))
