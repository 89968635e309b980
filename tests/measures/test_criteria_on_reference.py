"""The criteria for whole circuits on the model whose circuit is known, in both directions."""

import pytest

from pytest_circuits import (
    ABC,
    END,
    IOI,
    S1_NEXT,
    S2,
    circuit,
    heads,
    load_model,
    logit_difference,
    mean,
    measure,
    zero,
)
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.measures.baselines import necessity_p, sufficiency_p
from pytest_circuits.measures.completeness import completeness
from pytest_circuits.measures.minimality import minimality, minimality_of
from pytest_circuits.measures.sizes import cmd, cpr
from pytest_circuits.readings import Draw

DRAW = Draw(task=IOI(), n=32, seed=3)
FEW = {"search_prompts": 16}
TO = mean(ABC)

PREVIOUS = heads("0.3", "1.0", at=S1_NEXT, name="previous token")
DUPLICATE = heads("2.0", "3.2", at=S2, name="duplicate token")
INDUCTION = heads("2.3", "3.1", at=S2, name="induction")
INHIBITION = heads("4.3", "5.1", at=END, name="S-inhibition")
MOVERS = heads("6.0", "6.2", at=END, name="name mover")
BACKUPS = heads("7.0", "7.2", at=END, name="backup name mover")
NEGATIVE = heads("7.1", "7.3", at=END, name="negative name mover")
TRUE = circuit(PREVIOUS, DUPLICATE, INDUCTION, INHIBITION, MOVERS, BACKUPS, NEGATIVE, name="true")
LACKING = TRUE.without(INDUCTION)
DECOYS = circuit(heads("0.0", at=S1_NEXT), heads("4.0", "6.3", at=END), name="decoys")
PADDED = circuit(*TRUE.roles, *DECOYS.roles, name="padded")


@pytest.fixture(scope="module")
def reference():
    return load_model("reference-ioi", progress=False)


@pytest.fixture(scope="module")
def evaluation(reference):
    return Evaluation(reference, [])


@pytest.fixture(scope="module")
def decided(evaluation):
    """Return a function from a claim to its verdict."""
    return lambda claim: evaluation.verdict(claim, DRAW)


@pytest.fixture(scope="module")
def parts(evaluation):
    """Return a function that measures and returns the parts as label -> value."""

    def by_label(what):
        return {part.label: part.value for part in evaluation.estimate(what, DRAW).parts}

    return by_label


WAYS = [
    {"over": "classes"},
    {"over": "random", "count": 5},
    {"over": "greedy", "steps": 2, **FEW},
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way["over"])
def test_the_true_circuit_is_complete_whatever_is_removed(decided, way):
    assert decided(completeness(TRUE, to=TO, **way) <= 0.01)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way["over"])
def test_without_its_induction_heads_it_is_not(decided, way):
    verdict = decided(completeness(LACKING, to=TO, **way) <= 0.5)
    assert verdict.status == "refuted"


def test_where_it_is_incomplete(parts):
    gaps = parts(completeness(LACKING, to=TO))
    # Without induction heads the model has 1.4 of 5.4 left, and without negative ones more to lose.
    assert gaps["nothing"] == pytest.approx(4.1, abs=0.4)
    assert gaps["negative name mover"] > gaps["nothing"] + 0.5
    # What reads nothing any more, or all that reads, removed: nothing is left to differ.
    assert gaps["previous token"] < 0.01
    assert gaps["S-inhibition"] < 0.01


def test_greedy_search_finds_worse_than_any_class(parts):
    (label, worst), *_ = parts(completeness(LACKING, to=TO, **WAYS[2])).items()
    assert label.startswith("greedy: ")
    assert "7.1@END" in label
    assert worst > max(parts(completeness(LACKING, to=TO)).values()) + 0.5


def test_every_node_of_the_true_circuit_matters(decided):
    verdict = decided(abs(minimality(TRUE, to=TO, **FEW)) >= 0.3)
    assert verdict, verdict
    assert len(verdict.estimate.parts) == 14


def test_negative_heads_matter_by_working_against_it(parts, decided):
    assert decided(minimality(TRUE, to=TO, **FEW) >= 0.4).status == "refuted"
    values = parts(minimality(TRUE, to=TO, **FEW))
    negative = {label for label, value in values.items() if value < 0}
    assert negative == {label for label in values if label.endswith("works against)")}
    assert {label.split(" ")[0] for label in negative} == {"7.1@END", "7.3@END"}


def test_padding_is_found_node_by_node(parts):
    values = parts(abs(minimality(PADDED, to=TO, **FEW)))
    idle = {label.split(" ")[0] for label, value in values.items() if value < 0.01}
    assert idle == {"0.0@S1+1", "4.0@END", "6.3@END"}
    assert min(value for value in values.values() if value >= 0.01) > 0.4


def test_heads_that_read_what_nobody_writes_any_more_are_idle(parts):
    values = parts(abs(minimality(LACKING, to=TO, **FEW)))
    idle = {label.split(" ")[0] for label, value in values.items() if value < 0.01}
    assert idle == {"0.3@S1+1", "1.0@S1+1"}


def test_backups_matter_where_the_name_movers_are_gone(parts):
    values = parts(minimality(TRUE, to=TO, **FEW))
    # By construction 3.1 and 2.2 logits, in the whole model 0.0 and 0.3.
    assert values["7.0@END (K: name mover)"] == pytest.approx(3.0, abs=0.4)
    assert values["7.2@END (K: name mover)"] == pytest.approx(2.1, abs=0.4)
    backup = heads("7.0", at=END)
    alone, given_movers = (
        parts(minimality_of(backup, TRUE, to=TO, without=without))[""] for without in (None, MOVERS)
    )
    assert alone < 0.2
    assert given_movers == pytest.approx(values["7.0@END (K: name mover)"], abs=1e-4)


def test_minimality_as_a_share_of_the_models_score(decided):
    share = abs(minimality(TRUE, to=TO, **FEW)) / logit_difference()
    assert decided(share >= 0.05)


def test_random_circuits_are_worse_than_the_true_one(parts):
    assert list(parts(sufficiency_p(TRUE, to=TO, count=19)).values()) == [0]
    assert list(parts(necessity_p(TRUE, to=TO, count=19)).values()) == [0]


def test_decoys_are_no_better_than_random_circuits(decided):
    for p in (sufficiency_p(DECOYS, to=TO, count=19), necessity_p(DECOYS, to=TO, count=19)):
        assert decided(p <= 0.05).status == "refuted"


def test_a_circuit_that_is_not_faithful_may_still_beat_chance(parts):
    assert list(parts(sufficiency_p(LACKING, to=TO, count=19)).values()) == [0]


def test_the_same_random_circuits_are_run_once(reference):
    evaluation = Evaluation(reference, [])
    evaluation.estimate(sufficiency_p(TRUE, to=TO, count=5), DRAW)
    passes = len(evaluation.passes)
    evaluation.estimate(sufficiency_p(TRUE, to=TO, count=4), DRAW)
    assert len(evaluation.passes) == passes


def test_areas_over_sizes(parts):
    none_or_all = {"sizes": (0, 1)}  # on so few prompts, the empty circuit has -0.1 of 5.4
    assert parts(cpr(TRUE, to=TO, **none_or_all))[""] == pytest.approx(0.5, abs=0.03)
    assert parts(cmd(TRUE, to=TO, **none_or_all))[""] == pytest.approx(0.5, abs=0.03)
    padding_last = {"sizes": (14 / 17, 1)}
    assert parts(cpr(PADDED, to=TO, **padding_last))[""] == pytest.approx(1, abs=0.01)
    assert parts(cmd(PADDED, to=TO, **padding_last))[""] == pytest.approx(0, abs=0.01)
    # The last two nodes are the negative name movers: without them 7.2 of 5.4.
    assert parts(cpr(TRUE, to=TO, sizes=(12 / 14, 1)))[""] == pytest.approx(1.17, abs=0.04)
    assert parts(cmd(TRUE, to=TO, sizes=(12 / 14, 1)))[""] == pytest.approx(0.17, abs=0.04)


def test_the_order_of_roles_decides_the_area(parts):
    order = (NEGATIVE, BACKUPS, PREVIOUS, INHIBITION, MOVERS, DUPLICATE, INDUCTION)
    late, early = circuit(*order), circuit(INHIBITION, MOVERS, DUPLICATE, INDUCTION, *order[:3])
    assert parts(cpr(early, to=TO))[""] > parts(cpr(late, to=TO))[""] + 0.1


def test_criteria_under_zero_ablation(decided):
    assert decided(completeness(TRUE, to=zero()) <= 0.2)
    assert decided(completeness(LACKING, to=zero()) <= 0.5).status == "refuted"


def test_a_claimed_role_that_a_model_lacks_is_idle_there():
    model = load_model("reference-ioi:without=name mover", progress=False)
    estimate = measure(model, abs(minimality(TRUE, to=TO, **FEW)), prompts=32)
    idle = {part.label.split(" ")[0] for part in estimate.parts if part.value < 0.01}
    assert idle == {"6.0@END", "6.2@END"}
