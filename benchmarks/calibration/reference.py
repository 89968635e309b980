"""The same rates on a model: suites of prompts drawn from a pool of prompts of `reference-ioi`."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pytest_circuits import (
    ABC,
    DISTRACTOR,
    END,
    IO,
    IOI,
    S2,
    attention,
    attention_logit_correlation,
    carries,
    circuit,
    faithfulness,
    foil_preferred,
    heads,
    knock_out_effect,
    load_model,
    logit_difference,
    mean,
)
from pytest_circuits.engine.engine import Engine
from pytest_circuits.estimates import intervals_of
from pytest_circuits.measures.base import Measure
from pytest_circuits.readings import Draw
from pytest_circuits.statistics.evidence import evidence

POOL = 4096
SIZES = (32, 64, 128)
TO = mean(ABC)
MOVERS = heads("6.0", "6.2", at=END, name="name movers")
INHIBITION = heads("4.3", "5.1", at=END, name="S-inhibition heads")
DETECTING = heads("2.0", "3.2", "2.3", "3.1", at=S2, name="detecting heads")
PART = circuit(MOVERS, INHIBITION, DETECTING)

MEASURES: dict[str, Measure] = {
    "mean: logit difference": logit_difference(),
    "paired difference: knock-out of name movers": knock_out_effect(MOVERS, to=TO),
    "bounded mean: attention of name movers to IO": attention(MOVERS.mean, to=IO),
    "paired ratio: faithfulness of a part of the circuit": faithfulness(PART, to=TO),
    "paired ratio: position carried by S-inhibition": carries(INHIBITION, "position"),
    "correlation: attention of 6.0 and written logit": attention_logit_correlation(
        heads("6.0", at=END)
    ),
    "rate: S preferred with the distractor": foil_preferred(on=DISTRACTOR),
}


@dataclass(frozen=True)
class OnModel:
    """Suites of n prompts: how often intervals cover, and claims at the threshold are decided."""

    name: str
    n: int
    suites: int
    truth: float
    coverage: float
    held: float
    refuted: float


def on_reference(suites: int, seed: int) -> Iterator[OnModel]:
    """Yield the rates for each measure: the truth is its value on all prompts of the pool."""
    draw = Draw(task=IOI(), n=POOL, seed=seed)
    engine = Engine(load_model("reference-ioi", progress=False))
    engine.plan(need for measure in MEASURES.values() for need in measure.needs(draw))
    for index, (name, measure) in enumerate(MEASURES.items()):
        pool = {need: engine.numbers(need) for need in measure.needs(draw)}
        truth = float(measure.value(pool.__getitem__, draw, lambda n: np.ones((1, n)))[0, 0])
        rng = np.random.default_rng([seed, 7, index])
        for n in SIZES:
            found = [
                _suite(measure, {k: v[rows] for k, v in pool.items()}, draw, n, truth)
                for rows in rng.integers(0, POOL, (suites, n))
            ]
            rates = np.mean([(cover, held, not_) for cover, held, not_ in found], axis=0)
            yield OnModel(name, n, suites, truth, *map(float, rates))


def _suite(measure, numbers, draw, n, truth) -> tuple[bool, bool, bool]:  # type: ignore[no-untyped-def]
    (found,) = intervals_of(measure, numbers.__getitem__, draw, n)
    low, high = found.at(0.05)
    decided = evidence([found], ">=", truth).decision(0.05)
    return low <= truth <= high, decided == "holds", decided == "refuted"
