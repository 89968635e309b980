"""From numbers per prompt to values with intervals. The last place that sees numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import floor, inf, isfinite, log10
from typing import TYPE_CHECKING, Any

from pytest_circuits.errors import ClaimNotEvaluable, UndefinedSoFar
from pytest_circuits.measures.base import Absolute, Combined, Measure
from pytest_circuits.measures.composed import Listed
from pytest_circuits.readings import Draw, Read

if TYPE_CHECKING:
    from pytest_circuits.readings import Array
    from pytest_circuits.statistics.design import Design
    from pytest_circuits.statistics.influence import Value
    from pytest_circuits.statistics.intervals import Interval
    from pytest_circuits.tasks.base import Dataset

ALPHA = 0.05

# A mean of single prompts' values that is the value, but for rounding.
SAME = 1e-9


@dataclass(frozen=True, kw_only=True)
class Part:
    """One measured number: of one head, where a claim is about each, or of the whole role."""

    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A measure's numbers turned into builtins: parts, values per head, values per prompt.

    `by_prompt` are what each prompt contributes, [parts][prompts], nothing where that is
    undefined: the mean of a part's is its value. That is the prompt's own value, or if these do
    not average to the value (of a ratio) the value and the prompt's influence on it: then
    `linearised`.
    """

    parts: tuple[Part, ...]
    by_head: tuple[tuple[str, float], ...]
    by_prompt: tuple[tuple[float, ...], ...]
    linearised: bool
    n: int
    interval: str
    intervals: tuple[Interval, ...]


def sample(
    measure: Measure,
    read: Read,
    draw: Draw,
    *,
    alpha: float = ALPHA,
    design: Design | None = None,
) -> Sample:
    """Return value and interval, at level 1 - `alpha`, of every part of a measure.

    Intervals suit the quantity (see `statistics`): exact for shares, otherwise Student's t with
    the infinitesimal jackknife's standard error, corrected for skewness, along the curve of the
    quantity; paired wherever quantities share prompts. What they are for, fresh prompts of the
    same templates or of others, the `design` says (None: prompts drawn independently).
    """
    n = len(read(measure.needs(draw)[0]))
    points = measure.value(read, draw, _equal)[:, 0]
    _check_defined(measure, points)
    found = intervals_of(measure, read, draw, n, design)
    parts = tuple(
        Part(label=label, value=float(value), low=low, high=high)
        for label, value, (low, high) in zip(
            measure.labels(), points, (each.at(alpha) for each in found), strict=True
        )
    )
    contributions, linearised = _by_prompt(measure, read, draw, points)
    return Sample(
        parts=parts,
        by_head=_by_head(measure, read, draw),
        by_prompt=contributions,
        linearised=linearised,
        n=n,
        interval=interval_words(alpha, found),
        intervals=found,
    )


def design_of(dataset: Dataset, n: int, clustered: bool | None) -> Design:
    """Return how the first n rows of a dataset were drawn; `clustered` as in `Rules`.

    Raises ClaimNotEvaluable for clustered intervals of fewer than two clusters.
    """
    from pytest_circuits.statistics import design

    strata, clusters = dataset.strata[:n], dataset.clusters[:n]
    if clustered or (clustered is None and clusters and not strata):
        if len(set(clusters)) < 2:
            raise ClaimNotEvaluable(
                f"`clustered`: an interval for fresh {dataset.cluster_kind} needs two of them at "
                f"least; these {n} prompts have {len(set(clusters))}. Give the task's rows a "
                "`cluster`, or use clustered=False."
            )
        return design.clustered(clusters)
    return design.stratified(strata, clusters) if strata else design.independent(n)


def interval_words(alpha: float, intervals: Iterable[Interval]) -> str:
    """Return what intervals at level 1 - `alpha` are, in words."""
    intervals = tuple(intervals)
    over, how = (
        ", ".join(dict.fromkeys(words))
        for words in ([each.over for each in intervals], [each.method for each in intervals])
    )
    return f"{percent(alpha)} % interval over {over} ({how})"


def percent(alpha: float) -> str:
    """Return 1 - `alpha` in percent, to two digits of `alpha`: 95, 99.92, 99.9992."""
    places = max(0, 1 - floor(log10(100 * alpha)))
    text = f"{100 - 100 * alpha:.{places}f}"
    return text.rstrip("0").rstrip(".") if places else text


def intervals_of(
    measure: Measure, read: Read, draw: Draw, n: int, design: Design | None = None
) -> tuple[Interval, ...]:
    """Return what n prompts say about every part of a measure."""
    from pytest_circuits.statistics.bounded import Within
    from pytest_circuits.statistics.design import independent

    design = design if design is not None and design.n == n else independent(n)
    found = _unbounded(measure, read, draw, design)
    least, most = measure.bounds()
    return found if (least, most) == (-inf, inf) else tuple(Within(f, least, most) for f in found)


def _unbounded(measure: Measure, read: Read, draw: Draw, design: Design) -> tuple[Interval, ...]:
    from pytest_circuits.statistics.intervals import Folded, intervals
    from pytest_circuits.statistics.ratios import ratios

    n = design.n

    def values(of: Measure) -> Value:
        return lambda rows: of.value(read, draw, lambda n: rows)

    own = measure.intervals(read, draw)
    if own is not None:
        return own
    if isinstance(measure, Listed):
        parts = (intervals_of(part, read, draw, n, design) for _, part in measure.parts)
        return tuple(each for found in parts for each in found)
    if isinstance(measure, Absolute):
        return tuple(map(Folded, intervals_of(measure.inner, read, draw, n, design)))
    if design.kind != "clustered" and (counted := _of_shares(measure, values, n)):
        return counted
    if isinstance(measure, Combined) and measure.operation == "/":
        sides = measure.left, measure.right
        top, bottom = (values(side) for side in sides)
        first, second = (side.scale(read, draw) for side in sides)
        return ratios(top, bottom, n, design=design, scales=(first, second), seed=draw.seed)
    return intervals(
        values(measure),
        n,
        design=design,
        scale=measure.scale(read, draw),
        reach=_reach(measure),
        seed=draw.seed,
    )


def _reach(measure: Measure) -> tuple[float, float] | None:
    """Return the least and the most that a prompt can make of a measure, if both are finite."""
    least, most = (0.0, 1.0) if measure.kind == "share" else measure.bounds()
    return (least, most) if isfinite(least) and isfinite(most) else None


def _of_shares(
    measure: Measure, values: Callable[[Measure], Value], n: int
) -> tuple[Interval, ...]:
    """Return exact intervals of shares of prompts, of their differences and ratios, or nothing."""
    if measure.kind == "share":
        return _shares(values(measure)(_equal(n))[:, 0], n)
    if not isinstance(measure, Combined) or not measure.left.kind == measure.right.kind == "share":
        return ()
    first, second = (values(side)(_single(n)) for side in (measure.left, measure.right))
    if not (_is_yes_or_no(first) and _is_yes_or_no(second)):
        return ()  # shares averaged over heads
    return (share_differences if measure.operation == "-" else _share_ratios)(first, second)


def _is_yes_or_no(by_prompt: Array) -> bool:
    return bool(((by_prompt == 0) | (by_prompt == 1)).all())


def _shares(points: Array, n: int) -> tuple[Interval, ...]:
    from pytest_circuits.statistics.shares import Share

    return tuple(Share(hits=float(point) * n, n=n) for point in points)


def share_differences(first: Array, second: Array) -> tuple[Interval, ...]:
    """Return what prompts say about differences of shares, hits (1 or 0) [parts, prompts]."""
    from pytest_circuits.statistics.shares import ShareDifference

    return tuple(
        ShareDifference(_count(one > two), _count(two > one), len(one))
        for one, two in _paired(first, second)
    )


def _share_ratios(first: Array, second: Array) -> tuple[Interval, ...]:
    """Return what prompts say about ratios of shares, hits (1 or 0) [parts, prompts]."""
    from pytest_circuits.statistics.shares import ShareRatio

    return tuple(
        ShareRatio(_count(one > two), _count(two > one), _count(one + two > 0))
        for one, two in _paired(first, second)
    )


def _paired(first: Array, second: Array) -> Iterable[tuple[Array, Array]]:
    """Return the parts of both; a side of one part goes with every part of the other."""
    import numpy as np

    return zip(*np.broadcast_arrays(first, second), strict=True)


def _count(prompts: Any) -> int:
    return int(prompts.sum())


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


def _by_prompt(
    measure: Measure, read: Read, draw: Draw, points: Array
) -> tuple[tuple[tuple[float, ...], ...], bool]:
    """Return what each prompt contributes to each part, and whether that is its influence."""
    import numpy as np

    if not measure.per_prompt:
        return (), False
    values = measure.value(read, draw, _single)
    linearised = not np.allclose(values.mean(axis=1), points, rtol=SAME, atol=SAME)
    if linearised:
        values = _linearised(measure, read, draw, values.shape[1])
    finite = bool(np.isfinite(values).all())
    return (tuple(tuple(map(float, part)) for part in values) if finite else ()), linearised


def _linearised(measure: Measure, read: Read, draw: Draw, n: int) -> Array:
    """Return the value and the influence of each prompt on it, [parts, prompts]."""
    from pytest_circuits.statistics.influence import expand

    found = expand(lambda rows: measure.value(read, draw, lambda n: rows), n)
    contributions: Array = found.points[:, None] + found.influence
    return contributions


def _check_defined(measure: Measure, points: Any) -> None:
    import numpy as np

    if not np.isfinite(points).all():
        raise UndefinedSoFar(
            f"'{measure}' is undefined on these prompts (a denominator of zero, or a quantity that "
            "does not vary): neither a pass nor a failure."
        )
