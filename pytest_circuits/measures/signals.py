"""The signals in the output of heads: the table of their combinations, and its additive fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from pytest_circuits.arguments import check_made_by, check_name
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable, unknown_name
from pytest_circuits.interventions import patch
from pytest_circuits.measures.base import Measure
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.measures.effects import mean_differences
from pytest_circuits.nodes import Activations, Role
from pytest_circuits.readings import Draw, Need, Read, Weights
from pytest_circuits.tasks.base import Task

if TYPE_CHECKING:
    from pytest_circuits.readings import Array

ROUNDING = 1e-12  # a fit is one minus a quotient near one, and no finer than that in float64


@dataclass(frozen=True, kw_only=True)
class Signals(Measure):
    """The logit difference with `what` patched from each row of the task's signal table."""

    unit: ClassVar[str] = "logits"
    what: Role | Activations

    def __post_init__(self) -> None:
        check_made_by("what", self.what, Role | Activations, "heads(...)")
        if isinstance(self.what, Role) and self.what.pool is not None:
            raise CircuitUsageError(
                f"`what`: the heads are patched together: give the role, not role.{self.what.pool}."
            )

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read the answer logits under each row's patch; the task's own prompts need none."""
        rows = [name for name, _ in table_of(draw.task)]
        unders = (None if each == draw.task.name else patch(self.what, over=each) for each in rows)
        return tuple(need for each in unders for need in logit_difference(under=each).needs(draw))

    def rows(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return F under each row's patch: [rows, draws]."""
        return mean_differences(self.needs(draw), read, weights)


@dataclass(frozen=True, kw_only=True)
class SignalTable(Signals):
    """See `two_signals`. `names` are the rows in words, known once the task is."""

    per_prompt: ClassVar[bool] = False
    names: tuple[str, ...] = ("",)

    def refined(self, read: Read, draw: Draw) -> Measure | None:
        """Return the table with its rows named."""
        names = tuple(_row_name(draw.task.signals, signs) for _, signs in table_of(draw.task))
        return None if self.names == names else replace(self, names=names)

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return F by row."""
        return self.rows(read, draw, weights)

    def labels(self) -> tuple[str, ...]:
        """Return the rows in words."""
        return self.names

    def __str__(self) -> str:
        return f"logit difference by the signals in the output of {self.what}"


@dataclass(frozen=True, kw_only=True)
class SignalWeight(Signals):
    """See `signal_weight`."""

    feature: str

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name("feature", self.feature, "position")

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read the table, if it has the feature."""
        check_known(draw.task, self.feature)
        return super().needs(draw)

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return the feature's coefficient, [1, draws]."""
        fitted = _least_squares(_signs(draw.task), self.rows(read, draw, weights))
        place = draw.task.signals.index(self.feature)
        return fitted[place : place + 1]

    def __str__(self) -> str:
        return f"weight of the {self.feature} signal in the output of {self.what}"


@dataclass(frozen=True, kw_only=True)
class SignalFit(Signals):
    """See `signal_fit`."""

    unit: ClassVar[str] = ""

    def bounds(self) -> tuple[float, float]:
        """Return 0 and 1: no signs at all would explain nothing, and fit no better."""
        return 0.0, 1.0

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return one minus the unexplained share of the sum of squares, [1, draws]."""
        import numpy as np

        signs, rows = _signs(draw.task), self.rows(read, draw, weights)
        missed = ((rows - signs @ _least_squares(signs, rows)) ** 2).sum(axis=0, keepdims=True)
        total = (rows**2).sum(axis=0, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            fit: Array = 1 - missed / np.where(total == 0.0, np.nan, total)
        fit[abs(fit) <= ROUNDING] = 0.0  # heads that carry nothing, on whichever prompts
        return fit

    def __str__(self) -> str:
        return f"fit of additive signals in the output of {self.what}"


def two_signals(what: Role | Activations) -> SignalTable:
    """Measure the logit difference with each combination of signals put into the heads' output.

    A value per row of the task's `signal_table`, labelled "position +, token -": + the prompt's
    own signal, - the inverted one, 0 an unrelated one. The output of all heads together is
    taken from the counterpart prompt that has the combination; the row of pluses is F(M). Unit
    logits; a claim about it is about every row. Source: Wang et al. 2022, appendix.

    Outputs are exchanged at the same token index. A role should act where the prompts agree on
    the position (S2, END): at S1, inverting the position puts in what stood at the other's IO.
    """
    return SignalTable(what=what)


def signal_weight(what: Role | Activations, feature: str) -> SignalWeight:
    """Measure w of the least-squares fit F = sum of w * sign over the rows of `two_signals`.

    One weight per signal of the task, no constant, signs +1, -1 or 0 as in the table. Unit
    logits. Source: Wang et al. 2022, appendix (GPT-2 small: 2.31 for position, 0.99 for
    token). A weight means little where the fit is bad: see `signal_fit`.
    """
    return SignalWeight(what=what, feature=feature)


def signal_fit(what: Role | Activations) -> SignalFit:
    """Measure how well added signals explain `two_signals`: 1 - squared error / sum of squares.

    0 to 1, over the rows of the table, about 0 as the fit has no constant: heads that carry
    nothing leave every row at F(M), which no signs explain, and score 0.
    """
    return SignalFit(what=what)


def table_of(task: Task) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the task's distributions with their signs; refuse a task that has none."""
    if not task.signal_table:
        raise ClaimNotEvaluable(f"the task {task.name} does not say which signals it carries.")
    return task.signal_table


def check_known(task: Task, feature: str) -> None:
    """Refuse a signal that the task does not have."""
    if table_of(task) and feature not in task.signals:
        raise ClaimNotEvaluable(unknown_name(f"signal of {task.name}", feature, task.signals))


def _row_name(signals: tuple[str, ...], signs: tuple[int, ...]) -> str:
    marks = {1: "+", -1: "-", 0: "0"}
    return ", ".join(f"{name} {marks[sign]}" for name, sign in zip(signals, signs, strict=True))


def _signs(task: Task) -> Array:
    """Return the signs, [rows, signals]; refuse a table whose signals cannot be told apart."""
    import numpy as np

    signs = np.array([signs for _, signs in table_of(task)], dtype=float)
    if np.linalg.matrix_rank(signs) < len(task.signals):
        raise ClaimNotEvaluable(f"the signals of the task {task.name} never vary on their own.")
    return signs


def _least_squares(signs: Array, rows: Array) -> Array:
    """Return the weights that fit each column of rows [rows, draws]: [signals, draws]."""
    import numpy as np

    fitted: Array = np.linalg.pinv(signs) @ rows
    return fitted
