"""What must be so before a claim is judged: seen on the reference model."""

from statistics import median

import pytest
from ioi_as_rows import as_rows

from pytest_circuits import (
    ABC,
    END,
    FLIP,
    IOI,
    ClaimNotEvaluable,
    Rules,
    check,
    check_all,
    counterpart,
    heads,
    knock_out_effect,
    knock_out_share,
    load_model,
    logit_difference,
    mean,
    prompt_task,
    resample,
    zero,
)
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.interventions import knock_out
from pytest_circuits.readings import Draw
from pytest_circuits.validity import denominators, references

MOVERS = heads("6.0", "6.2", at=END, name="name movers")


@pytest.fixture(scope="module")
def model():
    return load_model("reference-ioi", progress=False)


@pytest.fixture(scope="module")
def rows(model):
    """IOI's prompts as rows of one's own, with FLIP as a counterpart, which carries the task.

    So does TURNED, FLIP with its answer for the foil: as strong a preference, and against.
    """
    rows = as_rows(model.tokenizer, 24, counterparts=(FLIP, ABC))
    for row in rows:
        flip = row["counterparts"]["FLIP"]
        row["counterparts"]["TURNED"] = flip | {"answer": flip["foil"], "foil": flip["answer"]}
    return rows


@pytest.fixture(scope="module")
def own(rows):
    """A task of these rows, in which what carries the task is declared neutral."""
    return prompt_task("own", rows, neutral=["FLIP", "TURNED", "ABC"])


@pytest.mark.parametrize("to", [mean("FLIP"), resample("FLIP")], ids=str)
def test_a_reference_that_carries_the_task_is_noticed_whatever_it_is_declared(model, own, to):
    claim = knock_out_effect(MOVERS, to=to) >= 0
    said = r"FLIP still carries the task: the logit difference there is .*\], on own .*\]"
    with pytest.raises(ClaimNotEvaluable, match=said):
        check(claim, model, task=own, prompts=24)


@pytest.mark.parametrize("first", [8, None])
def test_a_preference_turned_round_is_a_preference(model, own, first):
    claim = knock_out_effect(MOVERS, to=mean("TURNED")) >= 0
    said = r"TURNED still carries the task: the logit difference there is -.* on own "
    with pytest.raises(ClaimNotEvaluable, match=said):
        check(claim, model, task=own, prompts=24, rules=Rules(first=first))


@pytest.fixture(scope="module")
def halves(model, rows, own):
    """The same rows in two clusters, which differ as much as can be: one has the better half."""
    draw = Draw(task=own, n=24, seed=0)
    found = Evaluation(model, ()).estimate(logit_difference(), draw)
    (values,) = found.contributions
    middle = median(values)
    half = {text: str(it > middle) for text, it in zip(found.texts, values, strict=True)}
    labelled = [row | {"cluster": half[row["text"]]} for row in rows]
    return prompt_task("halves", labelled, neutral=["FLIP", "TURNED", "ABC"])


def test_what_is_divided_by_is_told_from_0_over_clusters(model, halves):
    """5.4 on two clusters that differ by a logit may be anything; on 24 prompts it may not."""
    claim = knock_out_share(MOVERS, to=zero()) <= 0.9
    assert check(claim, model, task=halves, prompts=24, rules=Rules(clustered=False))
    with pytest.raises(ClaimNotEvaluable, match="not told from 0"):
        check(claim, model, task=halves, prompts=24)


def test_two_clusters_do_not_convict_a_reference(model, halves):
    claim = knock_out_effect(MOVERS, to=mean("FLIP")) >= 0
    check(claim, model, task=halves, prompts=24)
    with pytest.raises(ClaimNotEvaluable, match="FLIP still carries the task"):
        check(claim, model, task=halves, prompts=24, rules=Rules(clustered=False))


def test_references_are_asked_once_on_all_prompts(model, own, monkeypatch):
    asked = []

    def carries(over, read, draw, design):
        asked.append((over, len(read(logit_difference(on=over).needs(draw)[0]))))
        return ""

    monkeypatch.setattr("pytest_circuits.evaluation.carries_task", carries)
    claims = [knock_out_effect(MOVERS, to=mean("ABC")) >= at for at in (1, 2, 2.1, 2.2)]
    claims += [knock_out_effect(MOVERS, to=resample("ABC")) >= 0]
    found = check_all(claims, model, task=own, prompts=24, rules=Rules(first=6))
    assert {each.decision.looks for each in found} != {1}
    assert asked == [("ABC", 24)]


def test_to_ask_runs_no_intervention_on_more_prompts_than_are_looked_at(model):
    draw = Draw(task=IOI(), n=24, seed=0)
    effect = knock_out_effect(MOVERS, to=mean(ABC))
    evaluation = Evaluation(model, [(effect, draw)])
    evaluation.look(effect, draw, 8, 0.05)
    assert {each.prompts for each in evaluation.passes if each.interventions} == {8}
    assert sum(each.what.startswith("ABC") for each in evaluation.passes) == 1


def test_one_that_does_not_is_not(model, own):
    claims = [
        knock_out_effect(MOVERS, to=mean("ABC")) >= 0,
        knock_out_effect(MOVERS, to=zero()) >= 0,
        logit_difference(under=knock_out(MOVERS, to=counterpart("FLIP"))) >= -10,
    ]
    assert {each.status for each in check_all(claims, model, task=own, prompts=24)} == {"holds"}


def test_a_model_without_the_behaviour_is_not_blamed_on_the_reference(own):
    """Its preference is the same on all prompts: there is no task to carry."""
    other = load_model("reference-ioi:without=S-inhibition", progress=False)
    assert check(logit_difference() <= 0, other, task=own, prompts=24).status == "holds"
    check(knock_out_effect(MOVERS, to=mean("FLIP")) <= 0, other, task=own, prompts=24)


def test_what_is_measured_besides():
    share = knock_out_effect(MOVERS, to=mean(ABC)) / logit_difference()
    assert denominators(share) == (logit_difference(),)
    assert references(share) == (mean(ABC),)
    assert references(knock_out_effect(MOVERS, to=zero())) == ()
