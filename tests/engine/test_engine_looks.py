"""Looks at a part of the prompts run that part alone, searches and baselines among them."""

import pytest

from pytest_circuits import ABC, END, IOI, circuit, heads, logit_difference, mean, sufficiency_p
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.measures.completeness import completeness
from pytest_circuits.measures.minimality import minimality
from pytest_circuits.readings import Draw

DRAW = Draw(task=IOI(), n=24, seed=0)
WHOLE = circuit(heads("2.1", "1.3", at=END))
SEARCHING = [
    sufficiency_p(WHOLE, to=mean(ABC), count=19),
    completeness(WHOLE, to=mean(ABC), over="greedy", steps=1, search_prompts=4),
    minimality(WHOLE, to=mean(ABC), search_prompts=4),
]


@pytest.mark.parametrize("measure", SEARCHING, ids=["baseline", "greedy", "minimality"])
def test_a_look_runs_no_more_of_the_claims_prompts_than_it_looks_at(model, measure):
    evaluation = Evaluation(model, [(logit_difference(), DRAW), (measure, DRAW)])
    evaluation.look(measure, DRAW, 8, 0.05)
    # Whether the reference carries the task is asked of all prompts, run plainly.
    own = [each for each in evaluation.passes if each.what.startswith("IOI")]
    own = [each for each in own if each.interventions]
    assert max(each.prompts for each in own) == 8
