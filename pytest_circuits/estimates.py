"""From numbers per prompt to values with 95 % intervals. The last place that sees numpy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.measures.base import Absolute, Combined, Measure
from pytest_circuits.measures.composed import Listed
from pytest_circuits.readings import Draw, Read

if TYPE_CHECKING:
    from pytest_circuits.readings import Array
    from pytest_circuits.statistics.influence import Value
    from pytest_circuits.statistics.intervals import Interval

ALPHA = 0.05


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
    intervals: tuple[Interval, ...]


def sample(measure: Measure, read: Read, draw: Draw, *, alpha: float = ALPHA) -> Sample:
    """Return value and interval, at level 1 - `alpha`, of every part of a measure.

    Intervals suit the quantity (see `statistics`): mid-p for shares, otherwise Student's t with
    the infinitesimal jackknife's standard error, corrected for skewness, along the curve of the
    quantity; paired wherever quantities share prompts. They cover fresh prompts of the same
    templates, not other templates.
    """
    n = len(read(measure.needs(draw)[0]))
    points = measure.value(read, draw, _equal)[:, 0]
    _check_defined(measure, points)
    found = intervals_of(measure, read, draw, n)
    parts = tuple(
        Part(label=label, value=float(value), low=low, high=high)
        for label, value, (low, high) in zip(
            measure.labels(), points, (each.at(alpha) for each in found), strict=True
        )
    )
    return Sample(
        parts=parts,
        by_head=_by_head(measure, read, draw),
        by_prompt=_by_prompt(measure, read, draw),
        n=n,
        interval=f"{100 * (1 - alpha):g} % interval over prompts ({_how(found)})",
        intervals=found,
    )


def _how(intervals: Iterable[Interval]) -> str:
    return ", ".join(dict.fromkeys(each.method for each in intervals))


def intervals_of(measure: Measure, read: Read, draw: Draw, n: int) -> tuple[Interval, ...]:
    """Return what n prompts say about every part of a measure."""
    from pytest_circuits.statistics.bounded import Within

    found = _unbounded(measure, read, draw, n)
    least, most = measure.bounds()
    return found if (least, most) == (-inf, inf) else tuple(Within(f, least, most) for f in found)


def _unbounded(measure: Measure, read: Read, draw: Draw, n: int) -> tuple[Interval, ...]:
    from pytest_circuits.statistics.intervals import Folded, intervals
    from pytest_circuits.statistics.ratios import ratios

    def values(of: Measure) -> Value:
        return lambda rows: of.value(read, draw, lambda n: rows)

    if isinstance(measure, Listed):
        parts = (intervals_of(part, read, draw, n) for _, part in measure.parts)
        return tuple(each for found in parts for each in found)
    if isinstance(measure, Absolute):
        return tuple(map(Folded, intervals_of(measure.inner, read, draw, n)))
    if measure.kind == "share":
        return _shares(values(measure)(_equal(n))[:, 0], n)
    if isinstance(measure, Combined) and measure.operation == "/":
        return ratios(values(measure.left), values(measure.right), n, seed=draw.seed)
    if isinstance(measure, Combined) and measure.left.kind == measure.right.kind == "share":
        return share_differences(values(measure)(_single(n)), n)
    return intervals(values(measure), n, seed=draw.seed)


def _shares(points: Array, n: int) -> tuple[Interval, ...]:
    from pytest_circuits.statistics.shares import Share

    return tuple(Share(hits=float(point) * n, n=n) for point in points)


def share_differences(by_prompt: Array, n: int) -> tuple[Interval, ...]:
    """Return what n prompts say about differences of shares, [parts, prompts]: -1, 0 or 1 each."""
    from pytest_circuits.statistics.shares import ShareDifference

    return tuple(
        ShareDifference(
            first_only=float(part.clip(min=0).sum()),
            second_only=float(-part.clip(max=0).sum()),
            n=n,
        )
        for part in by_prompt
    )


def _equal(n: int) -> Array:
    import numpy as np

    return np.ones((1, n))


def _single(n: int) -> Array:
    import numpy as np

    return np.eye(n)


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
