"""What a measure is, and the algebra that makes claims out of measures.

A measure says which readings it needs and turns the numbers read into a value. The value is a
function of *weighted means over prompts*, so one definition serves the point estimate (equal
weights), its interval (weights moved a little) and the value of a single prompt (one-hot weights).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pytest_circuits.errors import CircuitUsageError, shown
from pytest_circuits.nodes import Circuit
from pytest_circuits.readings import Draw, Need, Read, Weights
from pytest_circuits.truth import Described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_circuits.claims import Claim
    from pytest_circuits.readings import Array
    from pytest_circuits.statistics.intervals import Interval


class Measure(Described, ABC):
    """A quantity described, not computed. Compare it with a number or a measure to get a claim.

    Subclasses are frozen dataclasses. `unit` is the unit of the value; `kind` is "share" for the
    mean of something that lies in [0, 1] per prompt and is (nearly) yes or no, which decides the
    interval (see `estimates`). `per_prompt` says whether the value of a single prompt means
    anything (a correlation's does not). `looks_once`: more prompts do not make it surer, so that
    there is nothing to look at again.
    """

    unit: ClassVar[str] = ""
    per_prompt: ClassVar[bool] = True
    kind: ClassVar[Literal["mean", "share"]] = "mean"
    looks_once: ClassVar[bool] = False
    said_instead = "a claim is measure >= x, measure <= x or measure.between(low, high)."

    @abstractmethod
    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Return the readings, given the prompts the claim is about."""

    @abstractmethod
    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the value under each row of prompt weights, [parts, draws], a part per label.

        `weights` gives the rows [draws, prompts] for a number of prompts.
        """

    @abstractmethod
    def __str__(self) -> str:
        """Return the measure in words, as it stands in the sentence of a claim."""

    def refined(self, read: Read, draw: Draw) -> Measure | None:
        """Return the measure to go on with, or None if this one says all it needs.

        For measures that search: what was read so far decides what is read next.
        """
        return None

    def denominator(self) -> Measure | None:
        """Return what the value is divided by, None if it is no ratio; it must not be 0."""
        return None

    def bounds(self) -> tuple[float, float]:
        """Return the least and the most that the value can be, of whichever prompts."""
        return -inf, inf

    def scale(self, read: Read, draw: Draw) -> float:
        """Return how large the numbers are that the value is made of, on any one prompt.

        Next to them rounding counts, also where they cancel; and a difference that no prompt
        shows is taken to be no larger than that on prompts not drawn.
        """
        import numpy as np

        with np.errstate(all="ignore"):
            alone = self.value(read, draw, np.eye)
        return float(abs(alone[np.isfinite(alone)]).max(initial=0.0))

    def intervals(self, read: Read, draw: Draw) -> tuple[Interval, ...] | None:
        """Return what is known of every part, None for what `estimates` makes of its values."""
        return None

    def too_small(self, threshold: float, level: float) -> str:
        """Return why no outcome could show a value of at most `threshold`, empty if one could."""
        return ""

    def target(self) -> float | None:
        """Return the value of the full model, where more is as wrong as less; None otherwise."""
        return None

    def circuit(self) -> Circuit | None:
        """Return the circuit whose quality is measured, None if it is no measure of a circuit.

        By default the one circuit outside of which everything is replaced, in all runs that do so.
        """
        from pytest_circuits.measures.hollow import circuit_in

        return circuit_in(self)

    def hollow(self) -> Measure | None:
        """Return the same of the circuit that has no head, None if that means nothing.

        A claim that this satisfies as well says nothing about the circuit.
        """
        from pytest_circuits.measures.hollow import hollowed

        return hollowed(self)

    def labels(self) -> tuple[str, ...]:
        """Return what is measured separately: a head each, or one empty label."""
        return ("",)

    def by_head(self) -> Measure | None:
        """Return the same measure for every head of its role on its own, if it pools heads."""
        return None

    def __ge__(self, other: Measure | float) -> Claim:
        return _claim(self, ">=", other)

    def __le__(self, other: Measure | float) -> Claim:
        return _claim(self, "<=", other)

    def __gt__(self, other: Measure | float) -> Claim:
        return _claim(self, ">", other)

    def __lt__(self, other: Measure | float) -> Claim:
        return _claim(self, "<", other)

    def between(self, low: float, high: float) -> Claim:
        """Return the claim that the value lies in [low, high]."""
        from pytest_circuits.claims import Claim

        return Claim(self, "between", (low, high))

    def __sub__(self, other: Measure) -> Measure:
        return Combined(self, "-", _measure(other))

    def __truediv__(self, other: Measure) -> Measure:
        return Combined(self, "/", _measure(other))

    def __abs__(self) -> Measure:
        return Absolute(self)

    def __bool__(self) -> bool:
        raise TypeError(
            f"the measure '{self}' has no truth value: compare it with a threshold to get a claim, "
            "or evaluate it with measure(model, ...)."
        )


@dataclass(frozen=True)
class Combined(Measure):
    """Difference or ratio of two measures on the same prompts, paired prompt by prompt.

    A ratio is a ratio of means, not a mean of ratios; its interval is Fieller's. It is not
    a number where the denominator is zero, which makes the claim not evaluable.
    """

    left: Measure
    operation: Literal["-", "/"]
    right: Measure

    def __post_init__(self) -> None:
        sides = self.left, self.right
        if self.operation == "-" and self.left.unit != self.right.unit:
            raise CircuitUsageError(
                f"a difference needs one unit: '{self.left}' is in {self.left.unit or 'no unit'}, "
                f"'{self.right}' in {self.right.unit or 'no unit'}."
            )
        if len({side.labels() for side in sides if len(side.labels()) > 1}) > 1:
            raise CircuitUsageError(
                f"'{self.left}' and '{self.right}' are about each head of different roles, which "
                "do not pair: compare role.mean or role.sum."
            )

    @property
    def unit(self) -> str:  # type: ignore[override]
        """The unit of the left side for a difference, none for a ratio."""
        return self.left.unit if self.operation == "-" else ""

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Return the readings of both sides."""
        return self.left.needs(draw) + self.right.needs(draw)

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Combine both sides under the same weights, which is what pairs them."""
        import numpy as np

        left, right = self.left.value(read, draw, weights), self.right.value(read, draw, weights)
        if self.operation == "-":
            return left - right
        with np.errstate(divide="ignore", invalid="ignore"):
            return left / np.where(right == 0.0, np.nan, right)

    def denominator(self) -> Measure | None:
        """Return the right side of a ratio."""
        return self.right if self.operation == "/" else None

    def scale(self, read: Read, draw: Draw) -> float:
        """Return the scale of the larger side, of a ratio its own."""
        if self.operation == "/":
            return super().scale(read, draw)
        return max(self.left.scale(read, draw), self.right.scale(read, draw))

    def bounds(self) -> tuple[float, float]:
        """Return what the bounds of both sides allow; of a ratio its sign, if it has one."""
        (least, most), (low, high) = self.left.bounds(), self.right.bounds()
        if self.operation == "-":
            return least - high, most - low
        return (0.0, inf) if least >= 0 and low >= 0 else (-inf, inf)

    def refined(self, read: Read, draw: Draw) -> Measure | None:
        """Refine either side."""
        left, right = self.left.refined(read, draw), self.right.refined(read, draw)
        if left is None and right is None:
            return None
        return Combined(_first(left, self.left), self.operation, _first(right, self.right))

    def labels(self) -> tuple[str, ...]:
        """Return the labels of the side that has several."""
        return max(self.left.labels(), self.right.labels(), key=len)

    def by_head(self) -> Measure | None:
        """Return the combination per head, where the heads of both sides are the same."""
        left, right = self.left.by_head(), self.right.by_head()
        if left is None and right is None:
            return None
        if left is not None and right is not None and left.labels() != right.labels():
            return None
        return Combined(_first(left, self.left), self.operation, _first(right, self.right))

    def __str__(self) -> str:
        word = "minus" if self.operation == "-" else "divided by"
        return f"{_bracketed(self.left)} {word} {_bracketed(self.right)}"


@dataclass(frozen=True)
class Absolute(Measure):
    """The absolute value of a measure's mean (not the mean of absolute values)."""

    inner: Measure

    @property
    def unit(self) -> str:  # type: ignore[override]
        """The unit of the inner measure."""
        return self.inner.unit

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Return the readings of the inner measure."""
        return self.inner.needs(draw)

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the absolute value of the inner measure."""
        return abs(self.inner.value(read, draw, weights))

    def scale(self, read: Read, draw: Draw) -> float:
        """Return the scale of the inner measure."""
        return self.inner.scale(read, draw)

    def bounds(self) -> tuple[float, float]:
        """Return the bounds of the inner measure, folded at 0."""
        least, most = self.inner.bounds()
        return max(0.0, least, -most), max(-least, most)

    def refined(self, read: Read, draw: Draw) -> Measure | None:
        """Refine the inner measure."""
        inner = self.inner.refined(read, draw)
        return None if inner is None else Absolute(inner)

    def labels(self) -> tuple[str, ...]:
        """Return the labels of the inner measure."""
        return self.inner.labels()

    def by_head(self) -> Measure | None:
        """Return the absolute value per head of the inner measure."""
        alone = self.inner.by_head()
        return None if alone is None else Absolute(alone)

    def __str__(self) -> str:
        return f"|{self.inner}|"


def _first(maybe: Measure | None, otherwise: Measure) -> Measure:
    return otherwise if maybe is None else maybe


def _bracketed(measure: Measure) -> str:
    return f"({measure})" if isinstance(measure, Combined) else str(measure)


def weighted_means(columns: Sequence[Array], weights: Weights) -> Array:
    """Return the means of per-prompt columns: parts x [prompts, c] -> [parts, draws, c]."""
    import numpy as np

    rows = weights(len(columns[0]))
    totals = rows.sum(axis=1)[None, :, None]
    means: Array = np.stack([rows @ part for part in columns]) / totals
    return means


def _claim(left: Measure, relation: Literal[">=", "<=", ">", "<"], other: Any) -> Claim:
    from pytest_circuits.claims import Claim

    if isinstance(other, Measure):
        return Claim(Combined(left, "-", other), relation, 0.0)
    return Claim(left, relation, other)


def _measure(other: Any) -> Measure:
    if not isinstance(other, Measure):
        raise CircuitUsageError(f"a measure combines with measures only; got {shown(other)}.")
    return other
