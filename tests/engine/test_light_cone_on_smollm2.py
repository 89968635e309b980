"""The engine against the slow truth on a real model, whose products are large enough for oneDNN."""

import numpy as np
import pytest
from hooked_oracle import HookedOracle
from interventions_oracle import Truth

from pytest_circuits import ABC, END, FLIP, IOI, S1_NEXT, S2, circuit, heads, load_model, mean
from pytest_circuits.engine import onednn
from pytest_circuits.engine.engine import Engine
from pytest_circuits.interventions import (
    counterpart,
    keep_edges,
    keep_only,
    knock_out,
    path_patch,
    resample,
    zero,
)
from pytest_circuits.measures.behaviour import AnswerLogits
from pytest_circuits.models.source import find_source
from pytest_circuits.nodes import LOGITS, keys, mlps, patterns, queries, residual
from pytest_circuits.readings import Draw, Need, Run
from pytest_circuits.wiring import edges

pytestmark = pytest.mark.slow

DRAW = Draw(task=IOI(), n=2, seed=3)
FELT = 0.02  # logits: what every intervention here moves at least, a hundred times the tolerance
TOLERANCE = 2e-4  # logits, of up to 20: 1e-5 relative

movers = heads("23.0", "23.1", "23.2", "23.7", at=END)
inhibition = heads("19.2", "20.0", at=END)
detecting = heads("14.3", "15.6", "15.7", "17.4", at=S2)
previous = heads("16.0", at=S1_NEXT)
induction = heads("17.3", "17.4", "17.5", "18.6", at=S2)
to_abc, to_mean = counterpart(over=ABC), mean(over=ABC)

UNDER = {
    "heads, mean": knock_out(inhibition, to=to_mean),
    "heads, zero": knock_out(detecting, to=zero()),
    "heads, resampled": knock_out(detecting, to=resample(over=ABC)),
    "queries": knock_out(queries("23.0", "23.3", at=END), to=to_abc),
    "keys of a group": knock_out(keys("20.0", "20.1", "20.2", at=S2), to=to_abc),
    "patterns": knock_out(patterns("23.3", at=END), to=to_abc),
    "MLPs": knock_out(mlps(0, 8, at=S2), to=to_abc),
    "stream": knock_out(residual(19, at=S2), to=counterpart(over=FLIP)),
    "a circuit kept": keep_only(circuit(detecting, inhibition, movers), to=to_mean),
    "path to the logits, MLPs live": path_patch(movers, LOGITS, to=to_abc),
    "path to the logits, MLPs frozen": path_patch(movers, LOGITS, to=to_abc, mlps="frozen"),
    "path to queries, MLPs live": path_patch(inhibition, movers.q, to=to_abc),
    "path to queries, MLPs frozen": path_patch(inhibition, movers.q, to=to_abc, mlps="frozen"),
    "path to keys": path_patch(previous, induction.k, to=to_abc),
    "path to values": path_patch(detecting, inhibition.v, to=to_abc),
    "edges": keep_edges(
        edges(detecting, inhibition.v),
        edges(inhibition, movers.q),
        edges(movers, LOGITS),
        to=to_mean,
    ),
}


@pytest.fixture(scope="module")
def model():
    return load_model("smollm2-135m", progress=False)


@pytest.fixture(scope="module")
def truth(model):
    oracle = HookedOracle(find_source("smollm2-135m", cache_dir=None, progress=False).folder)
    return Truth(oracle, DRAW.task.draw(model.tokenizer, DRAW.n, DRAW.seed), DRAW.seed)


@pytest.fixture(scope="module")
def engine(model):
    engine = Engine(model)
    engine.plan(need(under) for under in UNDER.values())
    return engine


def need(under):
    return Need(Run(draw=DRAW, distribution="IOI", under=under), AnswerLogits())


@pytest.mark.parametrize("name", UNDER)
def test_every_kind_of_intervention_agrees_with_the_oracle(engine, truth, name):
    under = UNDER[name]
    plain, true = (
        np.array([truth.answers(i, each) for i in range(DRAW.n)]) for each in (None, under)
    )
    assert np.abs(true - plain).max() > FELT
    np.testing.assert_allclose(engine.numbers(need(under)), true, rtol=0, atol=TOLERANCE)


@pytest.mark.skipif(not onednn._offered(), reason="this processor does not gain by oneDNN")
def test_products_are_onednns(monkeypatch, model):
    taken, product = [], onednn._product
    monkeypatch.setattr(onednn, "_product", lambda *given: taken.append(1) or product(*given))
    Engine(model).numbers(need(UNDER["path to queries, MLPs live"]))
    assert len(taken) > 7 * 30  # seven matrices in every layer
