"""End to end on a model: a fresh seed per suite, so that everything a draw shares is drawn anew.

Suites drawn from one pool of prompts cannot show what the prompts of one draw have in common: means
that ablations put in place, partners, anything that moves in step. Here each suite is what a user
would have, the interval of `Evaluation.estimate` on prompts of its own seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from unittest.mock import patch

import numpy as np
from reference import DETECTING, INHIBITION, MOVERS, PART, TO

from pytest_circuits import (
    ABC,
    DISTRACTOR,
    DISTRACTOR_CONTROL,
    END,
    IO,
    IOI,
    LOGITS,
    answer_probability,
    attention,
    attention_logit_correlation,
    carries,
    completeness,
    counterpart,
    direct_effect,
    direct_logit_attribution,
    edges,
    faithfulness,
    foil_preferred,
    heads,
    hypothesis,
    knock_out_effect,
    load_model,
    logit_difference,
    minimality_of,
    path_effect,
    resample,
    scrubbed_performance,
    zero,
)
from pytest_circuits.estimates import Part
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.measures.base import Measure
from pytest_circuits.models.base import Model
from pytest_circuits.readings import Draw
from pytest_circuits.statistics.special import student_quantile
from pytest_circuits.tasks import ioi

# The truth is the value on these prompts, of a seed that no suite has.
TRUTH = Draw(task=IOI(), n=2048, seed=1_000_000)
# How many strata n prompts are drawn from: 16 templates, or each of them in both orders.
STRATA = {32: 16, 64: 32, 128: 32}
# Suites of n prompts, as shares of those asked for: large ones cost most.
SIZES = {32: 1.0, 64: 1.0, 128: 0.5}

WIRING = hypothesis(
    edges(DETECTING, INHIBITION.k),
    edges(DETECTING, INHIBITION.v),
    edges(INHIBITION, MOVERS.q),
    edges(MOVERS, LOGITS),
    carries={DETECTING: "position", INHIBITION: "S", MOVERS: ("IO", "S")},
    name="S-inhibition carries S alone",
)

MEASURES: dict[str, Measure] = {
    "mean: logit difference": logit_difference(),
    "bounded mean: attention to IO": attention(MOVERS.mean, to=IO),
    "bounded mean: probability": answer_probability(),
    "share: S preferred with the distractor": foil_preferred(on=DISTRACTOR),
    "difference of shares: that less its control": (
        foil_preferred(on=DISTRACTOR) - foil_preferred(on=DISTRACTOR_CONTROL)
    ),
    "direct logit attribution": direct_logit_attribution(MOVERS.sum),
    "correlation: attention and written logit": attention_logit_correlation(heads("6.0", at=END)),
    "knock-out to mean(ABC)": knock_out_effect(MOVERS, to=TO),
    "knock-out to zero()": knock_out_effect(MOVERS, to=zero()),
    "knock-out to resample(ABC)": knock_out_effect(MOVERS, to=resample(ABC)),
    "direct effect to mean(ABC)": direct_effect(MOVERS, to=TO),
    "direct effect to counterpart(ABC)": direct_effect(MOVERS, to=counterpart(ABC)),
    "path effect to mean(ABC)": path_effect(INHIBITION, MOVERS.q, to=TO),
    "path effect to counterpart(ABC)": path_effect(INHIBITION, MOVERS.q, to=counterpart(ABC)),
    "ratio: faithfulness": faithfulness(PART, to=TO),
    "absolute difference: faithfulness": faithfulness(PART, to=TO, form="difference"),
    "per prompt: faithfulness": faithfulness(PART, to=TO, form="per prompt"),
    "ratio: position carried by S-inhibition": carries(INHIBITION, "position"),
    "ratio: performance when scrubbed": scrubbed_performance(WIRING, to=TO),
    "completeness by class, K =": completeness(PART, to=TO),
    "minimality of a name mover": minimality_of(heads("6.0", at=END), PART, to=TO),
}


@dataclass(frozen=True)
class Fresh:
    """Suites of n prompts, each of its own seed: what they spread by, and what they say of it."""

    name: str
    n: int
    suites: int
    truth: float
    spread: float  # standard deviation of the values between seeds
    stated: float  # root mean square of the standard errors that the intervals come to
    above: float
    below: float

    @property
    def coverage(self) -> float:
        return 1 - self.above - self.below

    @property
    def ratio(self) -> float:
        return self.spread / self.stated if self.stated else float("inf")


def fresh(suites: int, seed: int) -> Iterator[Fresh]:
    """Yield what suites of seeds of their own say of each quantity."""
    model = load_model("reference-ioi", progress=False)
    # Which words are one token depends on no seed, and is a third of the time of 32 prompts.
    with patch.object(ioi, "take_stock", cache(ioi.take_stock)):
        truth = {name: part.value for name, part in _measured(model, TRUTH).items()}
        for n, share in SIZES.items():
            # Other seeds for each n, as fewer prompts of one seed are the first of more. Neighbours
            # are no closer than other seeds: `Random` hashes them, as text.
            first = 1000 * (1000 * seed + n)
            seeds = range(first, first + round(share * suites))
            found = [_measured(model, Draw(task=IOI(), n=n, seed=each)) for each in seeds]
            for name in truth:
                yield _row(name, n, truth[name], [each[name] for each in found])


def _measured(model: Model, draw: Draw) -> dict[str, Part]:
    """Return every quantity on one draw, by name; a measure of several parts has one for each."""
    evaluation = Evaluation(model, [(measure, draw) for measure in MEASURES.values()])
    return {
        f"{name} {part.label}".strip(): part
        for name, measure in MEASURES.items()
        for part in evaluation.estimate(measure, draw).parts
    }


def _row(name: str, n: int, truth: float, parts: list[Part]) -> Fresh:
    ends = np.array([(part.low, part.high) for part in parts])
    errors = (ends[:, 1] - ends[:, 0]) / 2 / student_quantile(0.025, n - STRATA[n])
    return Fresh(
        name=name,
        n=n,
        suites=len(parts),
        truth=truth,
        spread=float(np.std([part.value for part in parts], ddof=1)),
        stated=float(np.sqrt(np.mean(errors**2))),
        above=float(np.mean(ends[:, 0] > truth)),
        below=float(np.mean(ends[:, 1] < truth)),
    )
