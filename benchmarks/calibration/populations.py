"""Where the truth is known: what suites are drawn from, and the value each is to cover."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, sqrt

import numpy as np

from pytest_circuits.statistics.design import Design, clustered, stratified
from pytest_circuits.statistics.intervals import Folded, Interval, intervals
from pytest_circuits.statistics.ratios import ratios

Array = np.ndarray

UNIT = (0.0, 1.0)


@dataclass(frozen=True)
class Population:
    """Columns of numbers per prompt, a function of their means, and its true value.

    `draw` gives columns [suites, prompts, columns]. `folded`: the function has a sign that the
    quantity of interest, whose truth is `truth`, has not. `reach` bounds the number of a prompt;
    `groups` are the strata or clusters of prompts in turn, and `design` which of the two they are.
    """

    kind: str
    name: str
    draw: Callable[[np.random.Generator, int, int], Array]
    truth: float
    of_means: Callable[[Array], Array] = lambda means: means[..., 0]
    folded: bool = False
    ratio: bool = False
    reach: tuple[float, float] | None = None
    groups: int = 0
    design: Callable[[Sequence[str]], Design] | None = None

    def interval(self, columns: Array) -> Interval:
        """Return the interval of one suite, [prompts, columns]."""
        n = len(columns)
        labels = [str(i % self.groups) for i in range(n)] if self.groups else []
        design = self.design(labels) if self.design else None
        if self.ratio:
            return ratios(_mean(columns[:, 0]), _mean(columns[:, 1]), n, design=design)[0]

        def value(weights: Array) -> Array:
            return self.of_means(weights @ columns / weights.sum(axis=1)[:, None])[None]

        (interval,) = intervals(value, n, design=design, reach=self.reach)
        return Folded(interval) if self.folded else interval

    def percentile(self, columns: Array, weights: Array, alpha: float) -> tuple[Array, Array]:
        """Return the ends of the percentile bootstrap of all suites, under the same resamples."""
        values = self.of_means(np.stack([weights @ suite for suite in columns]))
        values = abs(values) if self.folded else values
        low, high = np.quantile(values, [alpha / 2, 1 - alpha / 2], axis=1)
        return low, high


def _mean(column: Array) -> Callable[[Array], Array]:
    return lambda weights: (weights @ column / weights.sum(axis=1))[None]


def populations() -> tuple[Population, ...]:
    """Return everything that is simulated, in the order of the table."""
    return (
        *_means(),
        *_wordings(),
        *_differences(),
        *_absolutes(),
        *_ratios(),
        *_correlations(),
    )


def _one(kind: str, name: str, draw: Callable[..., Array], truth: float, **more) -> Population:
    return Population(kind, name, lambda rng, *size: draw(rng, size)[..., None], truth, **more)


def _means() -> tuple[Population, ...]:
    bounded, heavy, skewed = "bounded mean", "heavy-tailed mean", "skewed mean"
    return (
        _one("mean", "normal", lambda rng, size: rng.normal(size=size), 0.0),
        _one(bounded, "Beta(2, 8)", lambda rng, size: rng.beta(2, 8, size), 0.2, reach=UNIT),
        _one(
            bounded, "Beta(5, 0.5)", lambda rng, size: rng.beta(5, 0.5, size), 5 / 5.5, reach=UNIT
        ),
        _one(
            bounded, "Beta(0.5, 0.5)", lambda rng, size: rng.beta(0.5, 0.5, size), 0.5, reach=UNIT
        ),
        _one(bounded, "Beta(0.3, 0.1), nearly yes or no", _nearly_yes_or_no, 0.75, reach=UNIT),
        _one(bounded, "0.9, on one prompt in ten 0.2", _attention, 0.83, reach=UNIT),
        _one(heavy, "t, 5 df", lambda rng, size: rng.standard_t(5, size), 0.0),
        _one(heavy, "t, 3 df", lambda rng, size: rng.standard_t(3, size), 0.0),
        _one(heavy, "Laplace", lambda rng, size: rng.laplace(size=size), 0.0),
        _one(skewed, "exponential", lambda rng, size: rng.exponential(size=size), 1.0),
        _one(
            skewed,
            "lognormal, sigma 0.5",
            lambda rng, size: rng.lognormal(0, 0.5, size),
            exp(0.125),
        ),
        _one(skewed, "lognormal, sigma 1", lambda rng, size: rng.lognormal(0, 1, size), exp(0.5)),
        _one(skewed, "normal(3), one in twenty normal(-3)", _rare_failures, 2.7),
        Population("sum over heads", "three gamma(3), correlated 0.5", _three_heads, 9.0),
    )


def _wordings() -> tuple[Population, ...]:
    """Values that differ between 16 wordings: those of the suite, or wordings drawn anew."""
    fixed = np.random.default_rng(0).normal(size=16)

    def same(rng: np.random.Generator, size: tuple[int, int]) -> Array:
        return fixed[np.arange(size[1]) % 16] + rng.normal(size=size)

    def fresh(rng: np.random.Generator, size: tuple[int, int]) -> Array:
        drawn = rng.normal(size=(size[0], 16))
        return drawn[:, np.arange(size[1]) % 16] + rng.normal(size=size)

    truth = float(fixed.mean())
    return (
        _one("wordings", "the same, as strata", same, truth, groups=16, design=stratified),
        _one("wordings", "the same, prompts as independent", same, truth),
        _one("wordings", "fresh, as clusters", fresh, 0.0, groups=16, design=clustered),
        _one("wordings", "fresh, prompts as independent", fresh, 0.0),
    )


def _nearly_yes_or_no(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    return rng.beta(0.3, 0.1, size)


def _attention(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    return np.where(rng.random(size) < 0.1, rng.beta(2, 8, size), rng.beta(18, 2, size))


def _rare_failures(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    return rng.normal(size=size) + np.where(rng.random(size) < 0.05, -3, 3)


def _three_heads(rng: np.random.Generator, suites: int, n: int) -> Array:
    shared = rng.gamma(1.5, size=(suites, n, 1))
    return (shared + rng.gamma(1.5, size=(suites, n, 3))).sum(axis=-1, keepdims=True)


def _differences() -> tuple[Population, ...]:
    def draw(noise: Callable[..., Array]) -> Callable[..., Array]:
        def pairs(rng: np.random.Generator, suites: int, n: int) -> Array:
            hard = rng.gamma(3, size=(suites, n))
            first = hard + noise(rng, (suites, n))
            return np.stack([first, 0.8 * hard], axis=-1)

        return pairs

    kind = "paired difference"
    heavy = draw(lambda rng, size: rng.standard_t(4, size))
    skewed = draw(lambda rng, size: rng.exponential(size=size))
    return (
        Population(kind, "gamma(3) + t, 4 df, less 0.8 of it", heavy, 0.6, _less),
        Population(kind, "gamma(3) + exponential, less 0.8 of it", skewed, 1.6, _less),
    )


def _less(means: Array) -> Array:
    return means[..., 0] - means[..., 1]


def _absolutes() -> tuple[Population, ...]:
    kind = "absolute value"
    return tuple(
        _one(
            kind,
            f"of the mean of {name}, truth {truth:g} sd",
            _shifted(draw, truth),
            truth,
            folded=True,
        )
        for name, draw in (
            ("normal", lambda rng, size: rng.normal(size=size)),
            ("exponential", lambda rng, size: rng.exponential(size=size) - 1),
        )
        for truth in (0.0, 0.1, 0.5)
    )


def _shifted(draw: Callable[..., Array], by: float) -> Callable[..., Array]:
    return lambda rng, size: draw(rng, size) + by


def _quotient(means: Array) -> Array:
    return means[..., 0] / means[..., 1]


def _ratios() -> tuple[Population, ...]:
    def ratio(name: str, draw: Callable[..., tuple[Array, Array]], truth: float) -> Population:
        return Population(
            "paired ratio",
            name,
            lambda rng, *size: np.stack(draw(rng, size), axis=-1),
            truth,
            _quotient,
            ratio=True,
        )

    return (
        ratio("F(C) / F(M): gamma(3), 0.75 of it", _gamma_share, 0.75),
        ratio("F(C) / F(M): normal(3.5, 1.5), 0.9 of it and noise", _noisy_share, 0.9),
        ratio("lognormals, sigma 0.7, correlated", _lognormals, 1.0),
        ratio("two exponentials, independent", _exponentials, 1.0),
        ratio("weak denominator: normal(0.5, 1)", _weak_denominator, 0.5),
    )


def _gamma_share(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Array, Array]:
    model = rng.gamma(3, size=size)
    return model * rng.beta(6, 2, size), model


def _noisy_share(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Array, Array]:
    model = 3.5 + 1.5 * rng.normal(size=size)
    return 0.9 * model + rng.normal(size=size), model


def _lognormals(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Array, Array]:
    shared, own = rng.normal(size=size), rng.normal(size=size)
    return np.exp(0.7 * (0.8 * shared + 0.6 * own)), np.exp(0.7 * shared)


def _exponentials(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Array, Array]:
    return rng.exponential(size=size), rng.exponential(size=size)


def _weak_denominator(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Array, Array]:
    model = 0.5 + rng.normal(size=size)
    return 0.5 * model + 0.5 * rng.normal(size=size), model


def _correlation(means: Array) -> Array:
    x, y, xx, yy, xy = np.moveaxis(means, -1, 0)
    return (xy - x * y) / np.sqrt((xx - x**2) * (yy - y**2))


def _correlations() -> tuple[Population, ...]:
    def pair(name: str, draw: Callable[..., tuple[Array, Array]], truth: float) -> Population:
        def columns(rng: np.random.Generator, *size: int) -> Array:
            x, y = draw(rng, size)
            return np.stack([x, y, x * x, y * y, x * y], axis=-1)

        return Population("correlation", name, columns, truth, _correlation)

    gaussian = tuple(pair(f"normal, rho {rho:g}", _normal_pair(rho), rho) for rho in (0, 0.5, 0.9))
    # Beta(2, 2) has variance 1/20.
    attention = 3 / sqrt(20) / sqrt(9 / 20 + 0.25)
    return (
        *gaussian,
        pair("t, 5 df, rho 0.5", _heavy_pair, 0.5),
        pair("attention and logit, rho 0.8", _attention_and_logit, attention),
    )


def _normal_pair(rho: float) -> Callable[..., tuple[Array, Array]]:
    def draw(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Array, Array]:
        x, noise = rng.normal(size=size), rng.normal(size=size)
        return x, rho * x + sqrt(1 - rho**2) * noise

    return draw


def _heavy_pair(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Array, Array]:
    x, noise = rng.standard_t(5, size), rng.standard_t(5, size)
    return x, 0.5 * x + sqrt(0.75) * noise


def _attention_and_logit(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Array, Array]:
    attention = rng.beta(2, 2, size)
    return attention, 3 * attention + 0.5 * rng.normal(size=size)
