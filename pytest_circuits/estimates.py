"""From numbers per prompt to values with 95 % intervals. The last place that sees numpy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.measures.base import Measure
from pytest_circuits.readings import Draw, Read

if TYPE_CHECKING:
    from pytest_circuits.readings import Array

RESAMPLES = 2000
LEVEL = 0.95
Z = 1.959964  # standard normal quantile of a two-sided 95 % interval


@dataclass(frozen=True, kw_only=True)
class Part:
    """One measured number: of one head, where a claim is about each, or of the whole role."""

    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A measure's numbers turned into builtins: parts, values per head, values per prompt."""

    parts: tuple[Part, ...]
    by_head: tuple[tuple[str, float], ...]
    by_prompt: tuple[float, ...]
    n: int
    interval: str


def sample(measure: Measure, read: Read, draw: Draw) -> Sample:
    """Return value and interval of every part of a measure.

    Interval: Wilson's score interval for shares; otherwise the percentile bootstrap over prompts
    (2,000 draws, seeded by the prompts' seed), paired wherever quantities share prompts. It
    covers fresh prompts of the same templates, not other templates.
    """
    n = len(read(measure.needs(draw)[0]))
    points = measure.value(read, draw, _equal)[:, 0]
    _check_defined(measure, points)
    intervals = _wilson(points, n) if measure.kind == "share" else _bootstrap(measure, read, draw)
    parts = tuple(
        Part(label=label, value=float(value), low=float(low), high=float(high))
        for label, value, (low, high) in zip(measure.labels(), points, intervals, strict=True)
    )
    return Sample(
        parts=parts,
        by_head=_by_head(measure, read, draw),
        by_prompt=_by_prompt(measure, read, draw),
        n=n,
        interval=_interval_name(measure),
    )


def _interval_name(measure: Measure) -> str:
    if measure.kind == "share":
        return "95 % Wilson interval over prompts"
    return f"95 % bootstrap over prompts ({RESAMPLES} resamples)"


def _equal(n: int) -> Array:
    import numpy as np

    return np.ones((1, n))


def _single(n: int) -> Array:
    import numpy as np

    return np.eye(n)


def _resampled(seed: int, n: int) -> Array:
    """Return how often each prompt is drawn in each resample, [resamples, n]."""
    import numpy as np

    return (
        np.random.default_rng([seed, n]).multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(float)
    )


def _bootstrap(measure: Measure, read: Read, draw: Draw) -> list[tuple[float, float]]:
    import numpy as np

    # Drawn once, for both sides of a difference or ratio: the same draws are what pairs them.
    weights = cache(partial(_resampled, draw.seed))
    values = measure.value(read, draw, weights)
    # A resample in which the quantity is undefined leaves the interval unbounded, not narrower.
    defined = [bool(np.isfinite(part).all()) for part in values]
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(np.where(np.isfinite(values), values, 0.0), tails, axis=1)
    return [
        (float(a), float(b)) if ok else (-np.inf, np.inf)
        for a, b, ok in zip(low, high, defined, strict=True)
    ]


def _wilson(shares: Array, n: int) -> list[tuple[float, float]]:
    """Return Wilson's score interval; it keeps a width at 0 and 1, where the bootstrap has none."""
    import numpy as np

    centre = (shares + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(shares * (1 - shares) / n + Z**2 / (4 * n**2))
    low = np.where(shares <= 0, 0.0, centre - half)
    high = np.where(shares >= 1, 1.0, centre + half)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _by_head(measure: Measure, read: Read, draw: Draw) -> tuple[tuple[str, float], ...]:
    alone = measure.by_head()
    if alone is None:
        return ()
    values = alone.value(read, draw, _equal)[:, 0]
    return tuple(zip(alone.labels(), map(float, values), strict=True))


def _by_prompt(measure: Measure, read: Read, draw: Draw) -> tuple[float, ...]:
    """Return the value of each prompt alone, or nothing where that is undefined."""
    import numpy as np

    if not measure.per_prompt:
        return ()
    values = measure.value(read, draw, _single).mean(axis=0)
    return tuple(map(float, values)) if np.isfinite(values).all() else ()


def _check_defined(measure: Measure, points: Any) -> None:
    import numpy as np

    if not np.isfinite(points).all():
        raise ClaimNotEvaluable(
            f"'{measure}' is undefined on these prompts (a denominator of zero, or a quantity that "
            "does not vary): neither a pass nor a failure."
        )
