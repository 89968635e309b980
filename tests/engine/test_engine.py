"""How many passes are made at what cost, and what is refused instead of measured wrongly."""

import re

import pytest
import torch
from tiny import save_gemma2

from pytest_circuits import (
    ABC,
    DISTRACTOR,
    END,
    FLIP,
    IO,
    IOI,
    S1,
    S2,
    ClaimNotEvaluable,
    PromptTask,
    answer_preferred,
    answer_probability,
    attention,
    attention_logit_correlation,
    circuit,
    copy_score,
    direct_logit_attribution,
    faithfulness,
    heads,
    knock_out,
    knock_out_effect,
    load_model,
    logit_difference,
    mean,
    measure,
    negative_copy_score,
    prompt_task,
    resample,
    wrap_model,
    zero,
)
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.interventions import keep_edges, keep_only, path_patch
from pytest_circuits.nodes import LOGITS
from pytest_circuits.readings import Draw
from pytest_circuits.wiring import edges

N = 24
MOVERS = heads("2.1", "1.3", at=END)
DRAW = Draw(task=IOI(), n=N, seed=0)


def evaluated(model, claims):
    """Return the evaluation of claims that have all been asked for."""
    evaluation = Evaluation(model, [(claim.measure, DRAW) for claim in claims])
    for claim in claims:
        evaluation.estimate(claim.measure, DRAW)
    return evaluation


def made(evaluation):
    return [(each.what, each.interventions, each.forwards) for each in evaluation.passes]


_TEN = [
    logit_difference() >= 0,
    answer_preferred() >= 0.5,
    answer_probability() >= 0.001,
    attention(MOVERS.mean, to=IO) >= 0.001,
    attention(MOVERS.each, to=S1) >= 0.001,
    attention(heads("0.1", at=S2), to=S1) >= 0.001,
    direct_logit_attribution(MOVERS.sum) >= 0,
    attention_logit_correlation(MOVERS.mean) >= 0,
    copy_score(MOVERS.mean) >= 0.001,
    negative_copy_score(MOVERS.mean, reads="own input") >= 0.001,
]
_REFERRING = [
    knock_out_effect(MOVERS, to=mean(ABC)) >= 0,
    knock_out_effect(MOVERS, to=resample(ABC)) >= 0,
    faithfulness(circuit(MOVERS), to=mean(ABC)) >= 0,
]


def test_ten_claims_over_one_cache_cost_one_forward(model, worlds):
    evaluation = evaluated(model, _TEN)
    assert made(evaluation) == [("IOI", 0, pytest.approx(1.0, rel=1e-6))]
    assert evaluation.passes[0].prompts == N
    assert worlds == [N]


def test_one_more_intervention_costs_what_it_can_change(model, worlds):
    under = knock_out(MOVERS, to=zero())
    more = [logit_difference(under=under) >= 0, attention(MOVERS.mean, to=IO, under=under) >= 0.001]
    (only,) = evaluated(model, [*_TEN, *more]).passes
    assert only.interventions == 1
    # One token of at least 16, in less than two layers of three.
    assert 1.0 < only.forwards < 1.0 + 2 / 3 / 16
    assert worlds == [N]


def test_a_reference_is_collected_in_the_pass_its_distribution_makes_anyway(model, worlds):
    # ABC is asked for first, so that it runs before it is needed.
    first, second = evaluated(model, [logit_difference(on=ABC) >= 0, *_REFERRING]).passes
    assert (first.what, first.interventions, first.forwards) == (ABC, 0, pytest.approx(1.0))
    assert (second.what, second.interventions) == ("IOI with 3 interventions", 3)
    assert second.forwards < 2  # every head closed costs the MLPs
    assert worlds == [N, N, N]  # ABC, IOI, and IOI with every head closed


def test_a_reference_is_collected_once_whoever_comes_first(model, worlds):
    evaluation = evaluated(model, [*_REFERRING, logit_difference(on=ABC) >= 0])
    assert [each.what for each in evaluation.passes] == [ABC, "IOI with 3 interventions"]
    assert worlds == [N, N, N]


def test_what_was_read_is_not_read_again(model, worlds):
    claims = [answer_probability() >= 0.001, knock_out_effect(MOVERS, to=zero()) >= 0]
    evaluation = evaluated(model, claims)
    for claim in (*claims, logit_difference() >= 0):  # the effect is one of logit differences
        evaluation.estimate(claim.measure, DRAW)
    assert len(evaluation.passes) == len(worlds) == 1
    evaluation.estimate(attention(MOVERS.mean, to=IO), DRAW)
    assert len(evaluation.passes) == len(worlds) == 2, "what was not planned costs a pass"


CALLED = heads("2.1", "1.3", at=END, name="movers")
SAME = {
    "knocked out": lambda role: knock_out(role, to=zero()),
    "kept": lambda role: keep_only(role, to=zero()),
    "path": lambda role: path_patch(role, LOGITS, to=zero()),
    "edges": lambda role: keep_edges(edges(role, LOGITS), to=zero(), name=str(role)),
    "given": lambda role: knock_out(
        heads("0.1", at=S2), to=zero(), given=knock_out(role, to=zero())
    ),
}


@pytest.mark.parametrize("sort", SAME)
def test_interventions_that_differ_in_words_alone_are_one_run(model, sort):
    one, other = SAME[sort](MOVERS), SAME[sort](CALLED)
    assert one == other
    assert str(one) != str(other)
    claims = [logit_difference(under=under) >= 0 for under in (one, other)]
    evaluation = evaluated(model, claims)
    assert [each.interventions for each in evaluation.passes] == [1]
    runs = [evaluation.estimate(claim.measure, DRAW).method.runs for claim in claims]
    assert ["movers" in run for (run,) in runs] == [False, True], "each is told in its own words"


def of_edges(role):
    return keep_edges(edges(role, LOGITS), to=zero())


NOT_EVALUABLE = {
    "a reading of a lost position": attention(MOVERS.mean, to="S3"),
    "an intervention at one": logit_difference(under=knock_out(heads("1.1", at="S3"), to=zero())),
    "a head the model lacks": attention(heads("40.0", at=END), to=IO),
    "a reference that leaks": logit_difference(under=knock_out(MOVERS, to=mean(FLIP))),
    "an unknown reference": logit_difference(under=knock_out(MOVERS, to=mean("ABD"))),
    "an unknown distribution": attention(MOVERS.mean, to=IO, on="ABD"),
    "no one stream to read": attention(MOVERS.mean, to=IO, under=of_edges(MOVERS)),
}


@pytest.mark.parametrize("bad", NOT_EVALUABLE)
@pytest.mark.parametrize("asked", ["first", "last"])
def test_a_claim_that_cannot_be_evaluated_costs_the_others_nothing(model, bad, asked):
    good = [*_TEN, *_REFERRING]
    alone = evaluated(model, good)
    evaluation = Evaluation(
        model, [(m, DRAW) for m in (NOT_EVALUABLE[bad], *(c.measure for c in good))]
    )
    if asked == "first":
        refused(evaluation, NOT_EVALUABLE[bad])
    for claim in good:
        got, expected = (each.estimate(claim.measure, DRAW) for each in (evaluation, alone))
        assert got.parts == expected.parts
    if asked == "last":
        refused(evaluation, NOT_EVALUABLE[bad])
    assert made(evaluation) == made(alone)


def refused(evaluation, measure):
    with pytest.raises(ClaimNotEvaluable):
        evaluation.estimate(measure, DRAW)


@pytest.mark.parametrize(("role", "named"), [("40.0", "40.0"), ("0.6", "0.6")])
def test_a_head_the_model_lacks_is_refused(model, role, named):
    lacking = heads(role, at=END)
    measures = (
        attention(lacking, to=IO),
        logit_difference(under=knock_out(lacking, to=zero())),
    )
    for each in measures:
        with pytest.raises(ClaimNotEvaluable, match=f"no head {named}: .* layers 0 to 2"):
            measure(model, each, prompts=N)


def test_a_position_nobody_knows_is_refused_with_the_known_ones(model):
    lost = heads("1.1", at="S3")
    for each in (
        attention(MOVERS.mean, to="S3"),
        logit_difference(under=knock_out(lost, to=zero())),
    ):
        with pytest.raises(ClaimNotEvaluable, match=r"'S3'.*Known: IO, S1, S1\+1, S2, END"):
            measure(model, each, prompts=N)


@pytest.mark.parametrize("over", ["IOI", FLIP])
@pytest.mark.parametrize("reference", [mean, resample], ids=["mean", "resample"])
def test_a_reference_that_still_carries_the_task_is_refused(model, over, reference):
    with pytest.raises(ClaimNotEvaluable, match=f"{over} still carries the task.*: ABC"):
        measure(model, knock_out_effect(MOVERS, to=reference(over)), prompts=N)


def test_a_reference_that_does_not_align_is_refused(model):
    under = knock_out(MOVERS, to=mean(ABC))
    with pytest.raises(ClaimNotEvaluable, match="do not align token for token"):
        measure(model, logit_difference(on=DISTRACTOR, under=under), prompts=N)


def test_an_unknown_distribution_lists_the_known_ones(model):
    with pytest.raises(
        ClaimNotEvaluable, match=r"'ABD'. Did you mean 'ABC'\? Known: IOI, ABC, FLIP"
    ):
        measure(model, logit_difference(on="ABD"), prompts=N)


def test_logits_that_are_not_finite_are_an_error(folder):
    broken = load_model(str(folder), progress=False)
    with torch.no_grad():
        broken.bridge.blocks[1].attn.o.original_component.weight[0, 0] = float("nan")
    broken = wrap_model(broken.bridge, broken.tokenizer)
    with pytest.raises(ClaimNotEvaluable, match=f"not finite .* on {N} of {N} prompts of IOI"):
        measure(broken, attention(MOVERS.mean, to=IO), prompts=N)


def test_a_bos_token_shifts_every_position_and_no_meaning(model):
    with_bos = measure(model, attention(MOVERS.mean, to=IO), task=IOI(bos="default"), prompts=N)
    without = measure(model, attention(MOVERS.mean, to=IO), prompts=N)
    assert "bos=default" in with_bos.method.task
    assert with_bos.value != without.value


def test_a_users_own_task_is_measured_like_any_other(model):
    rows = [
        {
            "text": f"One morning, {a} and {b} met near the lake. {b} offered a book to",
            "answer": f" {a}",
            "foil": f" {b}",
            "positions": {"IO": f"{a}#1", "S1": f"{b}#1", "S2": f"{b}#2"},
        }
        for a, b in [("Mary", "John"), ("Anna", "Peter"), ("Laura", "David")]
    ]
    task = prompt_task("calls", rows)
    assert isinstance(task, PromptTask)
    found = measure(model, attention(heads("1.1", at=S2), to=S1), task=task, prompts=3)
    assert found.n == 3
    assert "calls" in found.method.task
    with pytest.raises(ClaimNotEvaluable, match=r"'ABC'. Known: calls"):
        measure(
            model, logit_difference(under=knock_out(MOVERS, to=mean(ABC))), task=task, prompts=3
        )


def test_the_method_says_everything(model):
    found = measure(model, knock_out_effect(MOVERS, to=mean(ABC)), prompts=N, seed=7)
    method = found.method
    assert (method.n, method.seed, method.dtype, method.device) == (N, 7, "float32", "cpu")
    assert method.fingerprint == model.fingerprint
    assert "seed=7" in method.task
    assert "n=24" in method.task
    assert method.runs[0] == "IOI"
    assert "2.1, 1.3 -> mean over ABC per template and position" in method.runs[1]
    assert method.interval.startswith("95 % interval over prompts")
    assert re.fullmatch(
        r"light cone \(recomputed logits within \de-0\d of a full forward\); no value bias in head "
        "outputs",
        method.engine,
    )
    assert method.engine in str(method)


def test_the_method_says_why_the_light_cone_was_not_taken(tmp_path):
    model = load_model(str(save_gemma2(tmp_path)), progress=False)
    method = measure(model, logit_difference(), prompts=2).method
    assert method.engine.startswith("full forward passes (logits are capped); ")
    assert method.as_dict()["engine"] == method.engine
