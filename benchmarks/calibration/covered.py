"""How often a 95 % interval covers the truth, by kind of quantity and number of prompts."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb, sqrt

import numpy as np
from populations import Array, Population, populations

from pytest_circuits.statistics.shares import Share, ShareDifference, ShareRatio

SIZES = (32, 64, 128)
ALPHA = 0.05
# The percentile bootstrap, for comparison: resamples, and suites at most.
RESAMPLES = 1000
BOOTSTRAPPED = 2000


@dataclass(frozen=True)
class Row:
    """The shares of suites whose interval covers, lies above, lies below the truth."""

    kind: str
    name: str
    n: int
    suites: int  # 0: summed over all outcomes, no simulation
    above: float
    below: float
    percentile: float | None

    @property
    def coverage(self) -> float:
        return 1 - self.above - self.below

    @property
    def error(self) -> float:
        """The Monte Carlo standard error of the coverage."""
        missed = self.above + self.below
        return sqrt(missed * (1 - missed) / self.suites) if self.suites else 0.0

    @property
    def error_of_side(self) -> float:
        """The Monte Carlo standard error of 2.5 % on one side."""
        return sqrt(0.025 * 0.975 / self.suites) if self.suites else 0.0


def coverage(suites: int, seed: int) -> Iterator[Row]:
    """Yield the coverage of everything."""
    for index, population in enumerate(populations()):
        for n in SIZES:
            rng = np.random.default_rng([seed, index, n])
            yield _simulated(population, population.draw(rng, suites, n), rng)
    for n in SIZES:
        yield from _rates(n)
        yield from _pairs(n, suites, np.random.default_rng([seed, n]))


def _simulated(population: Population, columns: Array, rng: np.random.Generator) -> Row:
    suites, n, _ = columns.shape
    found = [population.interval(suite) for suite in columns]
    # The interval lies above the truth exactly where the p-value of that is at most alpha.
    above = np.mean([interval.p_above(population.truth) <= ALPHA for interval in found])
    below = np.mean([interval.p_below(population.truth) <= ALPHA for interval in found])
    percentile = _percentile(population, columns[:BOOTSTRAPPED], rng)
    kind, name = population.kind, population.name
    return Row(kind, name, n, suites, float(above), float(below), percentile)


def _percentile(population: Population, columns: Array, rng: np.random.Generator) -> float:
    """Return the coverage of the percentile bootstrap, all suites under the same resamples."""
    n = columns.shape[1]
    weights = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) / n
    chunks = np.split(columns, range(50, len(columns), 50))
    parts = (population.percentile(chunk, weights, ALPHA) for chunk in chunks)
    low, high = np.concatenate(list(parts), axis=1)
    return float(((low <= population.truth) & (population.truth <= high)).mean())


def _rates(n: int) -> Iterator[Row]:
    """Yield the exact coverage of rates: for some, and on average over 0.005, 0.006, ... 0.995."""
    ends = np.array([Share(hits, n).at(ALPHA) for hits in range(n + 1)])
    for rate in (0.5, 0.9, 0.95, 0.98):
        yield _rate("rate", f"p = {rate:g}", n, ends, np.array([rate]))
    yield _rate("rate", "average over p", n, ends, np.linspace(0.005, 0.995, 991))


def _rate(kind: str, name: str, n: int, ends: Array, rates: Array) -> Row:
    hits = np.arange(n + 1)
    ways = np.array([float(comb(n, int(k))) for k in hits])
    mass = ways * rates[:, None] ** hits * (1 - rates[:, None]) ** (n - hits)
    above = (mass * (ends[:, 0] > rates[:, None])).sum(axis=1).mean()
    below = (mass * (ends[:, 1] < rates[:, None])).sum(axis=1).mean()
    return Row(kind, name, n, 0, float(above), float(below), percentile=None)


def _pairs(n: int, suites: int, rng: np.random.Generator) -> Iterator[Row]:
    """Yield the coverage of differences and ratios of shares of the same prompts."""
    for first, second in ((0.2, 0.2), (0.1, 0.02), (0.05, 0.01), (0.03, 0.0)):
        drawn = rng.multinomial(n, [first, second, 1 - first - second], suites)[:, :2].tolist()
        words = f"{first:g} only the first, {second:g} only the second"
        for kind, of, truth in (
            ("difference of shares", ShareDifference, first - second),
            ("ratio of shares", ShareRatio, (1 - second) / (1 - first)),
        ):
            found = {tuple(pair): of(*pair, n).at(ALPHA) for pair in drawn}
            ends = np.array([found[tuple(pair)] for pair in drawn])
            above, below = (ends[:, 0] > truth).mean(), (ends[:, 1] < truth).mean()
            yield Row(kind, words, n, suites, float(above), float(below), percentile=None)
