"""What holds of every model, or of none, is no claim; nor is more than the full model faithful."""

import pytest

from pytest_circuits import (
    ABC,
    END,
    IO,
    S1,
    CircuitUsageError,
    answer_preferred,
    answer_probability,
    attention,
    attention_logit_correlation,
    circuit,
    cmd,
    completeness,
    copy_score,
    cpr,
    duplicate_token_score,
    edges,
    faithfulness,
    foil_preferred,
    heads,
    keep_edges,
    keep_only,
    knock_out,
    logit_difference,
    mean,
    minimality,
    minimality_of,
    necessity_p,
    negative_copy_score,
    path_effect,
    signal_fit,
    sufficiency_p,
    zero,
)
from pytest_circuits.claims import Claim
from pytest_circuits.evaluation import Evaluation, measure
from pytest_circuits.nodes import LOGITS
from pytest_circuits.readings import Draw
from pytest_circuits.tasks.ioi import IOI

TO = mean(ABC)
movers = heads("6.0", "6.2", at=END, name="name movers")
inhibition = heads("4.3", "5.1", at=END, name="S-inhibition heads")
one = heads("6.0", at=END)
whole = circuit(movers, inhibition, name="IOI circuit")
look, other = attention(one, to=IO), attention(one, to=S1)
gap = faithfulness(whole, to=TO, form="difference")

EVERY = {
    "attention": lambda: look >= 0,
    "of a sum": lambda: attention(movers.sum, to=IO) <= 2,
    "probability": lambda: answer_probability() <= 1,
    "share": lambda: answer_preferred() >= 0,
    "foil": lambda: foil_preferred() <= 1.5,
    "absolute": lambda: abs(logit_difference()) >= 0,
    "faithfulness, difference": lambda: gap >= 0,
    "faithfulness, per prompt": lambda: faithfulness(whole, to=TO, form="per prompt") >= -1,
    "difference": lambda: (look - other) <= 1,
    "absolute difference": lambda: abs(look - other) <= 1,
    "strictly above what is below all": lambda: gap > -1,
    "ratio": lambda: answer_preferred(on=ABC) / answer_preferred() >= 0,
    "between": lambda: look.between(0, 1),
    "correlation": lambda: attention_logit_correlation(movers.each) >= -1,
    "copy score": lambda: copy_score(movers.each) <= 1,
    "negative copy score": lambda: negative_copy_score(movers.sum) <= 2,
    "token score": lambda: duplicate_token_score(movers.each) < 1.1,
    "fit": lambda: signal_fit(movers) >= 0,
    "completeness": lambda: completeness(whole, to=TO) >= 0,
    "completeness, greedy": lambda: completeness(whole, to=TO, over="greedy") >= 0,
    "minimality of a node": lambda: abs(minimality_of(one, whole, to=TO)) > -0.1,
    "distance of areas": lambda: cmd(whole, to=TO) >= 0,
    "p": lambda: sufficiency_p(whole, to=TO) <= 1,
}
NONE = {
    "attention": lambda: look > 1,
    "share": lambda: answer_preferred() >= 1.2,
    "below all": lambda: look < 0,
    "absolute": lambda: abs(logit_difference()) <= -0.1,
    "between": lambda: answer_probability().between(1.1, 2),
    "p": lambda: necessity_p(whole, to=TO) < 0,
    "difference": lambda: (look - other) >= 1.5,
}
SAYS_SOMETHING = {
    "more than no attention": lambda: look > 0,
    "less than all": lambda: look < 1,
    "none at all": lambda: look <= 0,
    "always": lambda: answer_preferred() >= 1,
    "half open": lambda: look.between(0, 0.3),
    "sum": lambda: attention(movers.sum, to=IO) >= 1.2,
    "unbounded": lambda: logit_difference() >= -100,
    "ratio": lambda: logit_difference(on=ABC) / logit_difference() >= 0,
    "area": lambda: cpr(whole, to=TO) >= 0,
    "flagship": lambda: faithfulness(whole, to=TO) >= 0.85,
    "around the model": lambda: faithfulness(whole, to=TO).between(0.9, 1.1),
    "not too much": lambda: faithfulness(whole, to=TO) <= 1.2,
}


@pytest.mark.parametrize("claim", EVERY.values(), ids=EVERY)
def test_what_holds_of_every_model_is_refused(claim):
    with pytest.raises(CircuitUsageError, match=r"`threshold`: '.*' holds of every model"):
        claim()


@pytest.mark.parametrize("claim", NONE.values(), ids=NONE)
def test_what_holds_of_no_model_is_refused(claim):
    with pytest.raises(CircuitUsageError, match=r"`threshold`: '.*' holds of no model"):
        claim()


@pytest.mark.parametrize("claim", SAYS_SOMETHING.values(), ids=SAYS_SOMETHING)
def test_what_a_model_can_miss_and_reach_is_a_claim(claim):
    assert isinstance(claim(), Claim)


def test_the_error_names_measure_bounds_threshold_and_what_to_do():
    with pytest.raises(CircuitUsageError) as caught:
        attention(movers.sum, to=IO) <= 2  # noqa: B015
    assert str(caught.value) == (
        "`threshold`: 'attention of name movers (6.0, 6.2), sum from END to IO <= 2' holds of "
        "every model: the measure is always from 0 to 2. Claim a threshold that a model can miss "
        "and can reach."
    )
    with pytest.raises(CircuitUsageError, match="the measure is never below 0"):
        gap >= 0  # noqa: B015


def test_a_claim_put_together_by_hand_is_refused_as_well():
    with pytest.raises(CircuitUsageError, match="holds of every model"):
        Claim(look, ">=", 0.0)


@pytest.mark.parametrize("claim", [lambda f: f >= 1, lambda f: f > 1.2], ids=["1", "above"])
def test_more_than_the_full_model_is_not_faithful(claim):
    with pytest.raises(CircuitUsageError, match=r"above it is as far off as below.*between\(low"):
        claim(faithfulness(whole, to=TO))


def test_a_claim_from_below_that_holds_far_above_the_model_is_remarked_upon():
    claim = faithfulness(whole, to=TO) >= 0.85
    assert claim.remark(1.33) == (
        "1.33 is above 1, the full model, by more than >= 0.85 allows below it, which is as far "
        "from the model as less would be: claim .between(0.85, 1.15)"
    )
    assert claim.remark(1.1) == claim.remark(0.9) == claim.remark(0.2) == ""
    assert faithfulness(whole, to=TO).between(0.85, 1.5).remark(1.4) == ""
    assert (logit_difference() >= 0.85).remark(9.0) == ""


# What of a circuit is measured, and what the circuit without heads makes of it.


def values(model, measure):
    estimate = Evaluation(model, []).estimate(measure, Draw(task=IOI(), n=16, seed=0))
    return {part.label: part.value for part in estimate.parts}


OF_CIRCUIT = {
    "ratio": faithfulness(whole, to=TO),
    "difference": gap,
    "per prompt": faithfulness(whole, to=TO, form="per prompt"),
    "classes": completeness(whole, to=TO),
    "random": completeness(whole, to=TO, over="random"),
    "greedy": completeness(whole, to=TO, over="greedy"),
    "minimality": minimality(whole, to=TO),
    "cpr": cpr(whole, to=TO),
    "cmd": cmd(whole, to=TO),
    "sufficiency": sufficiency_p(whole, to=TO),
    "necessity": necessity_p(whole, to=TO),
    "by hand": logit_difference(under=keep_only(whole, to=TO)) / logit_difference(),
    "edges": logit_difference(
        under=keep_edges(edges(inhibition, movers.q), edges(movers, LOGITS), to=TO)
    )
    / logit_difference(),
    "attention": attention(movers.mean, to=IO, under=keep_only(whole, to=TO)),
}


@pytest.mark.parametrize("measure", OF_CIRCUIT.values(), ids=OF_CIRCUIT)
def test_measures_know_the_circuit_they_are_about(measure):
    assert measure.circuit().nodes == whole.nodes


@pytest.mark.parametrize(
    "measure",
    [
        look,
        logit_difference(under=knock_out(movers, to=TO)),
        faithfulness(whole, to=TO) - faithfulness(circuit(movers), to=TO),
    ],
    ids=["attention", "knock-out", "two circuits"],
)
def test_others_know_none(measure):
    assert measure.circuit() is None
    assert measure.hollow() is None


def test_without_heads_there_is_nothing_to_be_minimal():
    for each in ("minimality", "cpr", "cmd"):
        assert OF_CIRCUIT[each].hollow() is None


def test_where_a_path_leads_to_nothing_there_is_no_empty_form():
    given = keep_only(circuit(movers, inhibition), to=TO)
    along = path_effect(inhibition, movers.q, to=zero(), given=given)
    assert along.circuit() is not None
    assert along.hollow() is None


@pytest.fixture(scope="module")
def reference():
    from pytest_circuits import load_model

    return load_model("reference-ioi", progress=False)


def test_the_empty_circuit_scores_nothing(reference):
    """By construction: with every head at a value of ABC prompts, no name is preferred much."""
    full = measure(reference, logit_difference(), prompts=16).value
    nothing = measure(reference, faithfulness(whole, to=TO).hollow(), prompts=16).value
    assert abs(nothing) < 0.2
    (distance,) = values(reference, gap.hollow()).values()
    assert distance == pytest.approx(full * (1 - nothing), rel=1e-4)
    for name in ("edges", "by hand"):
        (found,) = values(reference, OF_CIRCUIT[name].hollow()).values()
        assert found == pytest.approx(nothing, abs=1e-4)
    assert (gap <= 6).decide(distance, distance) == "holds"  # a bound above F(M) says nothing


def test_the_empty_circuit_is_incomplete_by_what_the_model_has(reference):
    by_class = values(reference, completeness(whole, to=TO).hollow())
    without = measure(reference, logit_difference(under=knock_out(movers, to=TO)), prompts=16)
    empty = measure(reference, logit_difference(under=keep_only(whole, to=TO)).hollow(), prompts=16)
    assert by_class["name movers"] == pytest.approx(abs(empty.value - without.value), rel=1e-4)
    assert len(by_class) == 3
    (worst,) = values(
        reference, completeness(whole, to=TO, over="greedy", steps=1, search_prompts=4).hollow()
    ).values()
    assert worst >= max(by_class["nothing"], 0) - 0.5


def test_no_circuit_among_random_ones(reference):
    """All is lost with any two heads a layer, so nothing at all does no worse: far from small."""
    few = {"to": TO, "count": 19, "prompts": 8}
    (p,) = values(reference, sufficiency_p(whole, **few).hollow()).values()
    assert p > 0.2
    (p,) = values(reference, necessity_p(whole, **few).hollow()).values()
    assert p > 0.2
