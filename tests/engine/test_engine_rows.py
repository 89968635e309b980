"""Prompts run a few at a time: as all at once, and none twice."""

import numpy as np
import pytest

from pytest_circuits import ABC, END, FLIP, IO, IOI, heads
from pytest_circuits.engine.engine import Engine
from pytest_circuits.interventions import keep_only, knock_out, mean, patch, resample
from pytest_circuits.measures.attention import attention
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.readings import Draw

MOVERS = heads("2.1", "1.3", at=END)
DRAW = Draw(task=IOI(), n=24, seed=0)
MEASURES = [
    logit_difference(),
    attention(MOVERS.each, to=IO),
    logit_difference(on=ABC),
    logit_difference(under=knock_out(MOVERS, to=mean(ABC))),
    logit_difference(under=keep_only(MOVERS, to=resample(ABC))),
    logit_difference(under=patch(MOVERS, over=FLIP)),
]
NEEDS = tuple(dict.fromkeys(need for each in MEASURES for need in each.needs(DRAW)))


def planned(model, needs=NEEDS):
    engine = Engine(model)
    engine.plan(needs)
    return engine


@pytest.fixture(scope="module")
def at_once(model):
    engine = planned(model)
    return {need: engine.numbers(need) for need in NEEDS}


def test_a_few_rows_at_a_time_are_what_all_are_at_once(model, at_once):
    engine = planned(model)
    for rows in (5, 6, 17, 24):
        for need in NEEDS:
            found = engine.numbers(need, rows)
            assert found.shape[0] == rows
            np.testing.assert_allclose(found, at_once[need][:rows], rtol=1e-4, atol=1e-5)


def test_no_row_is_run_twice_on_the_tasks_own_prompts(model):
    engine = planned(model)
    for rows in (5, 17, 24):
        for need in NEEDS:
            engine.numbers(need, rows)
            engine.numbers(need, 3)
    own = [each for each in engine.passes if each.what.startswith("IOI")]
    assert [each.prompts for each in own] == [5, 12, 7]
    assert {each.interventions for each in own} == {3}


def test_references_are_of_all_prompts_from_the_start(model):
    engine = planned(model, NEEDS[-2:])
    engine.numbers(NEEDS[-2], 5)
    first = engine.passes[0]
    assert (first.what, first.prompts) == ("ABC", 24)


def test_what_is_forgotten_is_read_no_further(model):
    engine = planned(model)
    for need in NEEDS:
        engine.numbers(need, 5)
    engine.forget_plans()
    engine.plan(NEEDS[:1])
    engine.numbers(NEEDS[0], 24)
    last = engine.passes[-1]
    assert (last.what, last.prompts, last.interventions) == ("IOI", 19, 0)
    # Asked for after all, it is read from where it was left.
    engine.numbers(NEEDS[-1], 24)
    assert (engine.passes[-1].prompts, engine.passes[-1].interventions) == (19, 1)
