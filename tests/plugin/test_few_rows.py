"""A task of fewer rows than prompts are asked for: all of them are taken, and it is said."""

import json

import pytest
from ioi_as_rows import as_rows

from pytest_circuits import (
    END,
    ClaimNotEvaluable,
    PromptTask,
    Rules,
    check,
    check_all,
    circuit,
    heads,
    knock_out_effect,
    load_model,
    logit_difference,
    mean,
    measure,
    minimality,
    non_inferior,
)
from pytest_circuits.deciding import Entry
from pytest_circuits.forecast import forecast
from pytest_circuits.mutation.mutants import KnockedOut
from pytest_circuits.mutation.survey import survey
from pytest_circuits.readings import Draw

ROWS = 40
MOVERS = heads("6.0", "6.2", at=END, name="name movers")


@pytest.fixture(scope="module")
def model():
    return load_model("reference-ioi", progress=False)


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    """The task as a user writes it: a file of 40 prompts and their ABC counterparts."""
    path = tmp_path_factory.mktemp("few") / "own.jsonl"
    header = {"task": "own", "neutral": ["ABC"]}
    path.write_text(
        "\n".join(json.dumps(each) for each in [header, *as_rows(model.tokenizer, ROWS)])
    )
    return path


@pytest.fixture(scope="module")
def few(path):
    return PromptTask.from_jsonl(path)


def test_a_measure_takes_all(model, few):
    found = measure(model, logit_difference(), task=few)
    assert found.n == ROWS
    assert "(all usable rows; 128 asked for)" in found.method.task
    whole = measure(model, logit_difference(), task=few, prompts=ROWS)
    assert (found.value, found.low, found.high) == (whole.value, whole.low, whole.high)


@pytest.mark.parametrize("first", [8, 32, None])
def test_looks_end_with_the_rows(model, few, first):
    claim = knock_out_effect(MOVERS, to=mean("ABC")).between(2.0, 2.1)
    rules = Rules(first=first)
    found = check(claim, model, task=few, rules=rules)
    whole = check(claim, model, task=few, prompts=ROWS, rules=rules)
    assert found.status == whole.status == "undecided"
    assert found.decision == whole.decision
    assert (found.decision.prompts, found.decision.budget) == (ROWS, ROWS)


def test_several_claims_of_different_budgets(model, few):
    claims = [logit_difference() >= 1, logit_difference() >= 5.5]
    found = check_all(claims, model, task=few, rules=Rules(first=16))
    assert [each.estimate.n for each in found] == [16, ROWS]


def test_two_models_are_compared_on_all(model, few):
    other = load_model("reference-ioi:without=backup name mover", progress=False)
    found, whole = (
        non_inferior(logit_difference(), other, model, by=0.1, task=few, **asked)
        for asked in ({}, {"prompts": ROWS})
    )
    assert (found.low, found.high) == (whole.low, whole.high)


def test_a_search_is_told_that_no_row_is_left(model, few):
    searched = minimality(circuit(MOVERS), to=mean("ABC"), search_prompts=4)
    with pytest.raises(ClaimNotEvaluable, match=f"the claim takes {ROWS}, .* 0 are left"):
        measure(model, searched, task=few)
    assert measure(model, searched, task=few, prompts=ROWS - 4).n == ROWS - 4


def test_the_cost_is_of_the_rows(model, few):
    entry = Entry(claim=logit_difference() >= 1, draw=Draw(task=few, n=128, seed=0), rules=Rules())
    (alone, _) = forecast(model, [("a", entry)], memory=2**30)
    assert alone.budget == ROWS


def test_mutants_are_put_to_all(model, few):
    claims = {"a": (logit_difference() >= 5, Draw(task=few, n=128, seed=0))}
    (trial,) = survey("x.py", model, claims, [KnockedOut(heads=MOVERS.heads)]).trials
    assert trial.statuses == {"a": "refuted"}
    assert 3 < trial.behaviour < 4.5


def test_a_suite_of_such_a_task(model, path, claims, provider, run, pytester):
    provider.model = model
    claims(
        "from pytest_circuits import PromptTask\n"
        f"suite = Suite(model='reference-ioi', task=PromptTask.from_jsonl({str(path)!r}))\n"
        "a = logit_difference() >= 1\n"
    )
    result = run("--circuit-json=x.json")
    result.stdout.fnmatch_lines(["a * 40  holds"])
    (row,) = json.loads((pytester.path / "x.json").read_text())["claims"]
    assert "n=40 (all usable rows; 128 asked for)" in row["method"]["task"]
