"""One claim under several methods: what is put where, and which method flips it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_circuits import (
    ABC,
    END,
    FLIP,
    IOI,
    CircuitUsageError,
    ClaimNotEvaluable,
    attention,
    check,
    circuit,
    completeness,
    cpr,
    heads,
    hypothesis,
    interchange_effect,
    knock_out,
    knock_out_effect,
    load_model,
    logit_difference,
    mean,
    minimality,
    path_effect,
    resample,
    scrubbed_performance,
    self_repair,
    self_repair_parts,
    sufficiency_p,
    zero,
)
from pytest_circuits.nodes import LOGITS
from pytest_circuits.readings import Draw
from pytest_circuits.report.text import failure_text
from pytest_circuits.tasks.repeated import RepeatedTokens
from pytest_circuits.tasks.templates import TEMPLATES
from pytest_circuits.wiring import edges

INHIBITION = heads("4.3", "5.1", at=END, name="S-inhibition heads")
MOVERS = heads("6.0", "6.2", at=END, name="name movers")
DRAW = Draw(task=IOI(), n=16, seed=0)
TO = mean(ABC)
REFERENCES = st.sampled_from([TO, zero(), resample(ABC)])


def ways(claim, draw=DRAW):
    return {label: (str(way.measure), drawn) for label, way, drawn in claim.ways(draw)}


def test_a_claim_by_itself_has_one_way():
    claim = logit_difference() >= 0
    assert claim.ways(DRAW) == (("", claim, DRAW),)


def test_every_ablation_is_put_for_the_one_in_the_claim():
    claim = knock_out_effect(INHIBITION, to=TO) >= 3
    found = ways(claim.over(ablations=[TO, zero(), resample(ABC)]))
    for to in (TO, zero(), resample(ABC)):
        assert found[str(to)] == (str(knock_out_effect(INHIBITION, to=to)), DRAW)


def test_words_of_a_measure_name_the_ablation_that_is_made():
    claim = completeness(circuit(MOVERS, INHIBITION), to=TO) <= 1
    (label, (words, _)), *_ = ways(claim.over(ablations=[zero()])).items()
    assert label == "zero"
    assert "zero" in words
    assert "mean over" not in words


# What a claim calls its parts is the user's; some of it may be words that references use too.
NAMES = st.sampled_from(["nonzero heads", "zero", str(TO), "resampled from ABC", "x zero y"])
MADE = {
    "knock-out": lambda role, to: knock_out_effect(role, to=to),
    "completeness": lambda role, to: completeness(circuit(role, name=role.name), to=to),
    "random sets": lambda role, to: completeness(circuit(role), to=to, over="random", count=2),
    "greedy": lambda role, to: completeness(circuit(role), to=to, over="greedy"),
    "minimality": lambda role, to: minimality(circuit(role, name=role.name), to=to),
    "path": lambda role, to: path_effect(INHIBITION, role.q, to=to),
    "repair": lambda role, to: self_repair(INHIBITION, role, to=to),
    "parts of repair": lambda role, to: self_repair_parts(INHIBITION, role, to=to),
    "area": lambda role, to: cpr(circuit(role, name=role.name), to=to),
    "chance": lambda role, to: sufficiency_p(circuit(role, name=role.name), to=to),
    "attention": lambda role, to: attention(role.mean, to="zero", under=knock_out(role, to=to)),
    "scrubbing": lambda role, to: scrubbed_performance(
        hypothesis(edges(role, LOGITS), carries={role: ()}, name=role.name), to=to
    ),
}


@settings(max_examples=60, deadline=None)
@given(made=st.sampled_from(sorted(MADE)), name=NAMES, old=REFERENCES, new=REFERENCES)
def test_only_references_are_replaced_whatever_the_parts_are_called(made, name, old, new):
    role = heads("6.0", "6.2", at=END, name=name)
    swept = (MADE[made](role, old) > 0).over(ablations=[new])
    ((_, way, _),) = swept.ways(DRAW)
    assert way.measure == MADE[made](role, new)
    assert str(way.measure) == str(MADE[made](role, new))
    assert way.measure.labels() == MADE[made](role, new).labels()


@pytest.mark.parametrize("at", ["zero digit", str(TO)])
def test_positions_keep_their_names(at):
    role = heads("2.0", at=at, name="nonzero heads")
    swept = (knock_out_effect(role, to=zero()) >= 0).over(ablations=[TO])
    ((_, way, _),) = swept.ways(DRAW)
    assert way.measure.what == role


def test_counterparts_stay():
    mixed = knock_out_effect(INHIBITION, to=TO) - interchange_effect(INHIBITION, over=FLIP) >= 0
    (words, _) = ways(mixed.over(ablations=[zero()]))["zero"]
    assert FLIP in words
    assert "zero" in words


def test_seeds_and_templates_choose_the_prompts():
    claim = (logit_difference() >= 0).over(seeds=[3, 4], templates=[TEMPLATES[:8], TEMPLATES[8:]])
    found = ways(claim)
    assert list(found) == [
        "seed 3, template set 1",
        "seed 3, template set 2",
        "seed 4, template set 1",
        "seed 4, template set 2",
    ]
    drawn = found["seed 4, template set 2"][1]
    assert (drawn.seed, drawn.n, drawn.task.templates) == (4, 16, TEMPLATES[8:])


def test_the_source_and_the_words_stay():
    claim = (knock_out_effect(INHIBITION, to=TO) >= 3).cite("here").over(ablations=[TO, zero()])
    assert claim.source == "here"
    assert str(claim).endswith(">= 3, over 2 ablations")
    assert claim.cite("there").source == "there"


@pytest.fixture(scope="module")
def model():
    return load_model("reference-ioi", progress=False)


def test_it_holds_only_if_it_holds_under_every_method(model):
    every = [TO, zero(), resample(ABC)]
    holds = (knock_out_effect(INHIBITION, to=TO) >= 5).over(ablations=every, seeds=[0, 1])
    verdict = check(holds, model, prompts=24)
    assert verdict
    assert len(verdict.ways) == 6
    assert all(way for _, way in verdict.ways)


def test_the_method_that_flips_it_is_named(model):
    claim = (knock_out_effect(INHIBITION, to=TO) >= 6.45).over(
        templates=[TEMPLATES[:2], TEMPLATES[2:4]], ablations=[TO, zero()]
    )
    verdict = check(claim, model, prompts=24)
    worst = min((way for _, way in verdict.ways), key=lambda way: way.margin)
    assert verdict.worst == worst.worst
    text = " ".join("\n".join(failure_text(verdict)).split())
    assert all(f"{way.status}: {label}" in text for label, way in verdict.ways)


def test_a_task_without_templates_says_so():
    claim = (logit_difference() >= 0).over(templates=[TEMPLATES[:2]])
    with pytest.raises(ClaimNotEvaluable, match="has none to choose from"):
        claim.ways(Draw(task=RepeatedTokens(length=6), n=8, seed=0))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda c: c.over(), "name `ablations`, `seeds` or `templates`"),
        (lambda c: c.over(ablations=["zero"]), "`ablations` are mean"),
        (lambda c: c.over(seeds=[1, 1]), "`seeds`: the same method is listed twice"),
    ],
)
def test_sweeps_that_make_no_sense_are_refused(make, said):
    with pytest.raises(CircuitUsageError, match=said):
        make(knock_out_effect(INHIBITION, to=TO) >= 3)


def test_ablations_of_what_ablates_nothing_are_refused():
    with pytest.raises(CircuitUsageError, match="replaces nothing"):
        (attention(MOVERS.mean, to="IO") >= 0.5).over(ablations=[zero()])
