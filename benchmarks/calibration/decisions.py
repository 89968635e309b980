"""How often claims are decided wrongly, and what it costs to decide them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import log, sqrt
from statistics import NormalDist

import numpy as np
from populations import Array, Population, populations

from pytest_circuits.statistics.equivalence import equivalence
from pytest_circuits.statistics.evidence import Evidence, evidence
from pytest_circuits.statistics.families import Correction, corrected
from pytest_circuits.statistics.intervals import Interval
from pytest_circuits.statistics.looks import Look, anytime, looks
from pytest_circuits.statistics.shares import Share

ALPHA = 0.05
SCHEDULE = looks(32, 512)


@dataclass(frozen=True)
class Wrong:
    """How often "value >= threshold" was decided though the value is the threshold."""

    name: str
    looks: str
    suites: int
    holds: float
    refuted: float


def at_the_threshold(suites: int, seed: int) -> Iterator[Wrong]:
    """Yield the errors of looking repeatedly, spending alpha and not."""
    for index, (name, draw, interval, truth) in enumerate(_quantities()):
        columns = draw(np.random.default_rng([seed, 1, index]), suites, SCHEDULE[-1].n)
        found = [
            [evidence([interval(suite[: look.n])], ">=", truth) for look in SCHEDULE]
            for suite in columns
        ]
        naive = [Look(look.n, 1.0) for look in SCHEDULE]
        for words, schedule in (("spending", SCHEDULE), ("5 % at each", naive)):
            decided = [anytime(each, schedule).decision(ALPHA) for each in found]
            yield Wrong(name, words, suites, *_shares(decided, "holds", "refuted"))


Quantity = tuple[str, Callable[..., Array], Callable[[Array], Interval], float]


def _quantities() -> Iterator[Quantity]:
    wanted = ("normal", "t, 3 df", "exponential", "F(C) / F(M): gamma(3), 0.75 of it")
    for population in populations():
        if population.name in wanted:
            yield _smooth(population)
    for rate in (0.5, 0.95):
        yield _rate(rate)


def _smooth(population: Population) -> Quantity:
    name = f"{population.kind}, {population.name}"
    return name, population.draw, population.interval, population.truth


def _rate(rate: float) -> Quantity:
    @cache
    def share(hits: int, n: int) -> Interval:
        return Share(hits, n)

    return (
        f"rate, p = {rate:g}",
        lambda rng, *size: rng.random(size) < rate,
        lambda hits: share(int(hits.sum()), len(hits)),
        rate,
    )


def _shares(decided: Sequence[str], *kinds: str) -> list[float]:
    return [sum(each == kind for each in decided) / len(decided) for kind in kinds]


@dataclass(frozen=True)
class Cost:
    """Prompts spent on a claim whose value is `away` standard deviations above its threshold."""

    rule: str
    away: float
    suites: int
    prompts: float
    holds: float
    refuted: float


def cost(suites: int, seed: int) -> Iterator[Cost]:
    """Yield prompts spent and claims decided: by looks, and with fixed numbers of prompts."""
    sizes = [look.n for look in SCHEDULE]
    rules = {
        "looks, spending by prompts": SCHEDULE,
        "looks, spending equally": [Look(n, 1 / len(sizes)) for n in sizes],
        "asymptotic confidence sequence": [Look(n, _sequence_alpha(n) / ALPHA) for n in sizes],
        "128 prompts": looks(128, 128),
        "512 prompts": looks(512, 512),
    }
    for index, away in enumerate((0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)):
        numbers = np.random.default_rng([seed, 2, index]).normal(away, 1, (suites, sizes[-1]))
        found = [{n: evidence([mean(each[:n])], ">=", 0.0) for n in sizes} for each in numbers]
        for rule, schedule in rules.items():
            ends = [_run(each, schedule) for each in found]
            spent = float(np.mean([n for n, _ in ends]))
            decided = [decision for _, decision in ends]
            yield Cost(rule, away, suites, spent, *_shares(decided, "holds", "refuted"))


def _run(found: dict[int, Evidence], schedule: Sequence[Look]) -> tuple[int, str]:
    """Return after how many prompts a claim is decided, and how."""
    so_far: list[Evidence] = []
    for look in schedule:
        so_far.append(found[look.n])
        decision = anytime(so_far, schedule).decision(ALPHA)
        if decision != "undecided":
            return look.n, decision
    return schedule[-1].n, "undecided"


def mean(numbers: Array) -> Interval:
    """Return the interval of a mean."""
    return populations()[0].interval(numbers[:, None])


def _sequence_alpha(n: int, best_at: int = 128) -> float:
    """Return the alpha of a normal interval as wide as the asymptotic confidence sequence at n.

    Waudby-Smith et al. 2024 (arXiv 2103.06476), theorem 2.2, narrowest at `best_at` prompts.
    """

    def margin(t: int, rho2: float) -> float:
        return sqrt(2 * (t * rho2 + 1) * log(sqrt(t * rho2 + 1) / ALPHA) / (t**2 * rho2))

    rho2 = min(np.geomspace(1e-4, 1, 400), key=lambda each: margin(best_at, each))
    return 2 * NormalDist().cdf(-margin(n, rho2) * sqrt(n))


@dataclass(frozen=True)
class Family:
    """What a correction does to a suite of ten false claims (at the threshold) and ten true."""

    correction: str
    suites: int
    any_false: float
    false_share: float
    power: float


def families(suites: int, seed: int) -> Iterator[Family]:
    """Yield the errors of suites of 20 claims on the same 128 prompts, correlated by half."""
    rng = np.random.default_rng([seed, 3])
    found = [_suite(rng) for _ in range(suites)]
    corrections: tuple[Correction, ...] = ("none", "holm", "benjamini-hochberg")
    for correction in corrections:
        held = np.array([[c.holds <= ALPHA for c in corrected(each, correction)] for each in found])
        false, true = held[:, :10].sum(axis=1), held[:, 10:].sum(axis=1)
        share = false / np.maximum(1, false + true)
        numbers = ((false > 0).mean(), share.mean(), true.mean() / 10)
        yield Family(correction, suites, *map(float, numbers))


def _suite(rng: np.random.Generator) -> list[Evidence]:
    shared, own = rng.normal(size=(128, 1)), rng.normal(size=(128, 20))
    numbers = (shared + own) / sqrt(2)
    numbers[:, 10:] += 0.3
    return [evidence([mean(column)], ">=", 0.0) for column in numbers.T]


@dataclass(frozen=True)
class Equivalent:
    """How often a difference is found equivalent within 0.2 sd, or refuted, by its true size."""

    truth: float
    n: int
    suites: int
    holds: float
    refuted: float


def equivalents(suites: int, seed: int) -> Iterator[Equivalent]:
    """Yield the errors and power of equivalence within 0.2, for a paired skewed difference."""
    for n in (64, 128, 512):
        for index, truth in enumerate((0.0, 0.1, 0.2, 0.4)):
            rng = np.random.default_rng([seed, 4, n, index])
            decided = [_equivalent(rng, n, truth).decision(ALPHA) for _ in range(suites)]
            yield Equivalent(truth, n, suites, *_shares(decided, "holds", "refuted"))


def _equivalent(rng: np.random.Generator, n: int, truth: float) -> Evidence:
    model = rng.gamma(3, size=n)
    circuit = model + rng.exponential(size=n) - 1 + truth
    return equivalence(circuit, model, within=0.2).evidence
