"""How a value depends on its prompts: derivatives in their weights, taken numerically.

A measure is a function of weighted means over prompts, and so is defined for any weights. All
that an interval needs is read off that function near equal weights, as in the infinitesimal
jackknife (Jaeckel 1972; Efron and Tibshirani 1993, chapter 22).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_circuits.statistics.design import Design, independent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_circuits.readings import Array

    BoolArray = NDArray[np.bool_]
    IntArray = NDArray[np.intp]

# From rows of weights over prompts, [draws, prompts], to values, [parts, draws].
Value = Callable[["Array"], "Array"]

# How far one prompt's weight is moved, in units of its own: small against 1, large enough that
# rounding (1e-16) stays small in a second difference.
NUDGE = 0.01

# Numbers at once, so that neither rows of weights nor the values of all parts exceed 8 MB.
CELLS = 2**20

# A standard error below this share of what the value is made of is rounding: nothing moves it.
ROUNDING = 1e-11

# Prompts that differ by less than this share of what their numbers are made of differ by the
# rounding of float32 alone: a few units in its last place.
SINGLE = 1e-6

# A reweighting moves a mean by what its influence says, to this share of a standard error.
CURVED = 1e-6


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """A value near equal weights, for each part.

    `influence` [parts, prompts] is the first derivative of the value when weight moves to one
    prompt; its mean is 0. `errors` [parts] are the standard errors that this amounts to under
    the `design` of the draw, exactly 0 where only rounding moves the value. `bias` is what
    curvature adds to the expected value. `straight` says which parts are means, under any weights
    what influence says.
    """

    points: Array
    influence: Array
    errors: Array
    bias: Array
    straight: BoolArray
    design: Design

    @property
    def n(self) -> int:
        """The number of prompts."""
        return int(self.influence.shape[1])


def expand(value: Value, n: int, design: Design | None = None, scale: float = 0.0) -> Expansion:
    """Return the expansion of a value, from 2 n + 3 rows of weights.

    `scale` is how large the numbers are that the value is made of: next to them rounding counts,
    also where they cancel.
    """
    import numpy as np

    design = independent(n) if design is None else design
    points = value(np.ones((1, n)))[:, 0]
    more, less = _nudged(value, n, len(points), NUDGE), _nudged(value, n, len(points), -NUDGE)
    influence = (more - less) / (2 * NUDGE / n)
    influence -= influence.mean(axis=1, keepdims=True)
    design = _fitting(design, influence, SINGLE * scale)
    errors = design.errors(influence)
    unvaried = influence.std(axis=1) <= SINGLE * scale
    errors[unvaried | (errors <= ROUNDING * abs(points))] = 0.0
    second = (more + less - 2 * points[:, None]).sum(axis=1) / NUDGE**2
    return Expansion(
        points=points,
        influence=influence,
        errors=errors,
        bias=second / 2 * _share_of_independent(errors, influence),
        straight=_straight(value, points, influence),
        design=design,
    )


def _fitting(design: Design, influence: Array, rounding: float) -> Design:
    """Return the design, or independent prompts' if something varies between strata alone."""
    import numpy as np

    whole = independent(design.n)
    if design.kind != "stratified":
        return design
    within, over = (each.errors(influence) * np.sqrt(design.n) for each in (design, whole))
    flat = (within <= np.maximum(rounding, ROUNDING * over)) & (over > rounding)
    return whole if flat.any() else design


def _share_of_independent(errors: Array, influence: Array) -> Array:
    """Return the variance as a share of that of independent prompts: of which `bias` speaks."""
    import numpy as np

    plain = independent(influence.shape[1]).errors(influence)
    share: Array = (errors / np.where(plain > 0, plain, 1.0)) ** 2
    return share


def _nudged(value: Value, n: int, parts: int, nudge: float) -> Array:
    """Return the value with the weight of each prompt in turn moved by about `nudge` of it."""
    import numpy as np

    def rows(prompts: IntArray) -> Array:
        weights = np.full((len(prompts), n), 1 - nudge / n)
        weights[np.arange(len(prompts)), prompts] += nudge
        return weights

    size = max(1, CELLS // max(n, parts))
    chunks = np.split(np.arange(n), range(size, n, size))
    return np.concatenate([value(rows(chunk)) for chunk in chunks], axis=1)


def _straight(value: Value, points: Array, influence: Array) -> BoolArray:
    """Return for which parts reweighting all prompts at random does what influence says."""
    import numpy as np

    n = influence.shape[1]
    rows = np.random.default_rng(0).uniform(0.5, 1.5, (2, n))
    rows /= rows.mean(axis=1, keepdims=True)
    expected = points[:, None] + influence @ (rows.T - 1) / n
    gaps = abs(value(rows) - expected).max(axis=1)
    straight: BoolArray = gaps <= CURVED * np.sqrt((influence**2).mean(axis=1) / n)
    return straight


def curves(value: Value, expansion: Expansion) -> Array:
    """Return each part's value along its own influence, [parts, steps]; see `steps`.

    Step t gives prompt i the weight 1 + t w_i, w the reweighting of `Design.along`: the direction
    in which the value changes most (Efron's least favourable family). To first order the value
    there is t standard errors from the point; of a mean, exactly.
    """
    import numpy as np

    along: Array = expansion.points[:, None] + expansion.errors[:, None] * np.asarray(steps())
    bent = np.flatnonzero(~expansion.straight & (expansion.errors > 0))
    together = max(1, CELLS // (len(steps()) * max(expansion.n, len(along))))
    for i in range(0, len(bent), together):
        own = bent[i : i + together]
        along[own] = _bent(value, expansion, own)
    return along


def _bent(value: Value, expansion: Expansion, own: IntArray) -> Array:
    """Return the values of some parts, each along its own influence."""
    import numpy as np

    directions = expansion.design.along(expansion.influence[own])
    rows = 1 + directions[:, None, :] * np.asarray(steps())[:, None]
    with np.errstate(all="ignore"):  # far out a value may be undefined; `Studentised` stops there
        values = value(rows.reshape(-1, expansion.n))
    of_each: Array = values.reshape(len(values), len(own), -1)[own, np.arange(len(own))]
    return of_each


@lru_cache(maxsize=1)
def steps() -> tuple[float, ...]:
    """Return the steps of `curves`: dense near 0, so that a straight line between two is exact
    to a thousandth of a standard error, and as far out as Student's t goes with few prompts.
    """
    near = [0.25 * i for i in range(1, 25)]
    far = [6.0 * 1.25**i for i in range(1, 24)]
    right = near + far
    return (*(-t for t in reversed(right)), 0.0, *right)
