"""Two models on the same prompts: is the new one as good, but for a margin?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytest_circuits.arguments import is_number
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable, shown
from pytest_circuits.estimates import ALPHA, share_differences
from pytest_circuits.evaluation import Evaluation, draw_of
from pytest_circuits.measures.base import Measure
from pytest_circuits.statistics.equivalence import Comparison
from pytest_circuits.statistics.evidence import Evidence, evidence
from pytest_circuits.statistics.intervals import intervals

if TYPE_CHECKING:
    from pytest_circuits.models.base import Model
    from pytest_circuits.readings import Array
    from pytest_circuits.statistics.design import Design
    from pytest_circuits.statistics.influence import Value
    from pytest_circuits.statistics.intervals import Interval
    from pytest_circuits.tasks.base import Task


def non_inferior(
    measure: Measure,
    new: Model,
    old: Model,
    *,
    by: float,
    task: Task | None = None,
    prompts: int = 128,
    seed: int = 0,
    clustered: bool | None = None,
) -> Comparison:
    """Compare a measure of one part on two checkpoints: is the new at least the old less `by`?

    Paired prompt by prompt, so that what makes a prompt hard for both cancels; `clustered` says
    what the interval is for, as in `Rules`. Not inferior where
    the interval of the difference new - old lies above -by: `evidence.decision(alpha)` then says
    "holds". That is no sameness: the new model may be better, or reach the value in another way.
    The same weights differ on no prompt, and for certain; of others that do not differ on those
    drawn, others may. Raises ClaimNotEvaluable if the two do not read the same tokens.
    """
    if not is_number(by) or by <= 0:
        raise CircuitUsageError(
            f"`by` must be more than 0, in the measure's unit; got {shown(by)}."
        )
    if not isinstance(measure, Measure):
        raise CircuitUsageError(f"`measure` must be a measure; got {shown(measure)}.")
    if len(measure.labels()) > 1:
        raise CircuitUsageError(
            f"`measure` must be one number to compare; '{measure}' has {len(measure.labels())} "
            "parts: give one head, or pool them with role.mean."
        )
    draw = draw_of(task, prompts, seed)
    sides = [Evaluation(model, [(measure, draw)]) for model in (new, old)]
    draw = sides[0].fitted(draw)
    seen = [side.look(measure, draw, draw.n, ALPHA, clustered=clustered)[0] for side in sides]
    if len({estimate.method.prompts_digest for estimate in seen}) > 1:
        raise ClaimNotEvaluable(
            f"`new` and `old`: {new.spec} and {old.spec} do not tokenize the prompts alike, so "
            "that they do not pair."
        )
    if _are_one(new, old):
        return _nothing_to_compare(by)

    new_values, old_values = (partial(side.weighted, measure, draw) for side in sides)
    design = sides[0].design(measure, draw, draw.n, clustered)
    found = _interval(measure, new_values, old_values, design, draw.seed)
    low, high = found.at(ALPHA)
    return Comparison(
        difference=found.point,
        low=low,
        high=high,
        allowed=(-by, float("inf")),
        evidence=evidence([found], ">=", -by),
    )


def _are_one(new: Model, old: Model) -> bool:
    """Return whether both are the same weights, run alike: then no prompt can tell them apart."""
    mine, its = ((each.fingerprint, each.dtype, each.device) for each in (new, old))
    return mine == its


def _nothing_to_compare(by: float) -> Comparison:
    allowed = (-by, float("inf"))
    return Comparison(
        difference=0.0, low=0.0, high=0.0, allowed=allowed, evidence=Evidence(0.0, 1.0)
    )


def _interval(measure: Measure, new: Value, old: Value, design: Design, seed: int) -> Interval:
    import numpy as np

    first, second = (side(np.eye(design.n)) for side in (new, old))
    if measure.kind == "share" and design.kind != "clustered":
        return share_differences(first, second)[0]
    scale = float(max(abs(side).max() for side in (first, second)))

    def difference(rows: Array) -> Array:
        return new(rows) - old(rows)

    return intervals(difference, design.n, design=design, scale=scale, seed=seed)[0]
