"""Rows of a user's own task as a sample: none twice, none for search and claim, and clusters."""

import json

import pytest

from pytest_circuits import END, IOI, circuit, completeness, heads, load_model, measure, minimality
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.interventions import zero
from pytest_circuits.measures.composed import search_draw
from pytest_circuits.readings import Draw
from pytest_circuits.tasks.ioi_stock import read_words
from pytest_circuits.tasks.own import PromptTask, prompt_task
from pytest_circuits.tasks.repeated import RepeatedTokens

NAMES = read_words("names")
PART = circuit(
    heads("6.0", "6.2", at=END, name="name movers"), heads("4.3", "5.1", at=END, name="inhibition")
)


def text(i, other):
    return f"One morning, {NAMES[i]} and {other} met near the lake. Mary offered a book to"


def row(i, **fields):
    return {
        "text": text(i, "Mary"),
        "answer": f" {NAMES[i]}",
        "foil": " Mary",
        "counterparts": {"ABC": {"text": text(i, "Adam")}},
        **fields,
    }


def rows(n):
    return [row(i) for i in range(n)]


# Searches and claims.


def drawn(draw, words):
    return set(draw.task.draw(words, draw.n, draw.seed).prompts.texts)


@pytest.mark.parametrize("seed", range(5))
def test_a_search_sees_none_of_the_claims_rows(words, seed):
    draw = Draw(task=prompt_task("own", rows(40)), n=32, seed=seed)
    searched = drawn(search_draw(draw, 8), words)
    assert len(searched) == 8
    assert not searched & drawn(draw, words)
    again = drawn(search_draw(search_draw(draw, 4), 4), words)
    assert not again & (drawn(draw, words) | drawn(search_draw(draw, 4), words))


def test_what_is_drawn_for_a_search_says_so(words):
    draw = search_draw(Draw(task=prompt_task("own", rows(40)), n=32, seed=0), 8)
    description = draw.task.draw(words, draw.n, draw.seed).description
    assert "n=8 (beyond the first 32), seed=0" in description


@pytest.mark.parametrize("task", [IOI(), RepeatedTokens(length=6)], ids=lambda task: task.name)
def test_prompts_made_as_they_are_asked_for_come_from_another_seed(words, task):
    draw = Draw(task=task, n=32, seed=0)
    other = search_draw(draw, 32)
    assert other.task == task
    assert other.seed != draw.seed
    assert not drawn(other, words) & drawn(draw, words)


@pytest.fixture(scope="module")
def model():
    return load_model("reference-ioi", progress=False)


@pytest.mark.parametrize(
    "what",
    [minimality(PART, to=zero()), completeness(PART, to=zero(), over="greedy", steps=1)],
    ids=["minimality", "greedy"],
)
def test_too_few_rows_for_claim_and_search_cannot_be_evaluated(model, what):
    with pytest.raises(ClaimNotEvaluable) as error:
        measure(model, what, task=prompt_task("own", rows(40)), prompts=30)
    assert str(error.value) == (
        "own (Python) has 40 different rows that can be used: the claim takes 30, and 32 others "
        "are searched on, so that the search does not see the claim's; 10 are left: "
        "write more rows, or let the claim take at most 8 (`prompts`), or search on at most 10 "
        "(`search_prompts`)"
    )
    with pytest.raises(ClaimNotEvaluable, match=r"the claim takes 40, .* 0 are left: write more"):
        measure(model, what, task=prompt_task("own", rows(40)), prompts=128)


def test_enough_rows_can_be_searched_on(model):
    found = measure(
        model,
        minimality(PART, to=zero(), search_prompts=10),
        task=prompt_task("own", rows(40)),
        prompts=30,
    )
    assert found.n == 30


# Repeated rows.


def test_repeated_rows_count_once(words):
    data = prompt_task("own", rows(8) * 5).draw(words, 40, 0)
    assert len(data.prompts) == len(set(data.prompts.texts)) == 8
    assert data.left_out == ("32 rows repeat others, the first of them row 8: row 0 again",)
    assert "n=8 (all usable rows; 40 asked for)" in data.description
    (one,) = prompt_task("own", [row(0), row(0), row(1)]).draw(words, 9, 0).left_out
    assert one == "1 row repeats another, row 1: row 0 again"


def test_whatever_is_written_differently_is_the_same_in_tokens(words):
    spaced = row(0, text=row(0)["text"].replace(" met", "  met"), group="lake")
    assert len(prompt_task("own", [row(0), spaced]).draw(words, 9, 0).prompts) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"foil": " Adam"},
        {"counterparts": {"ABC": {"text": text(0, "Adam"), "foil": " Anna"}}},
    ],
    ids=["foil", "counterpart"],
)
def test_rows_of_one_prompt_that_differ_elsewhere_stay_and_are_told(words, other):
    data = prompt_task("own", [row(0), row(0, **other), row(1)]).draw(words, 9, 0)
    assert len(data.prompts) == 3
    assert data.left_out == ()
    assert "2 rows share their prompt with others (give them a `cluster`)" in data.description
    apart = [row(0, cluster="a"), row(0, cluster="a", **other), row(1, cluster="b")]
    assert "share" not in prompt_task("own", apart).draw(words, 9, 0).description


# Clusters.


def clustered(n):
    return [row(i, cluster=f"name {NAMES[i][0]}") for i in range(n)]


def test_clusters_go_with_their_rows(words, tmp_path):
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(map(json.dumps, clustered(20))), encoding="utf-8")
    for task in (prompt_task("own", clustered(20)), PromptTask.from_jsonl(path)):
        data = task.draw(words, 12, 3)
        initials = tuple(
            f"name {words.decode([answer]).strip()[0]}" for answer in data.prompts.answers
        )
        assert data.clusters == initials
        assert data.cluster_kind == "clusters"
        assert data.strata == ()
        assert f", {len(set(initials))} clusters" in data.description


def test_without_clusters_there_are_none(words):
    data = prompt_task("own", rows(3)).draw(words, 3, 0)
    assert (data.clusters, data.strata) == ((), ())
    assert "clusters" not in data.description


@pytest.mark.parametrize("wrong", ["", 3, ["a"]])
def test_a_cluster_is_a_label(wrong):
    with pytest.raises(CircuitUsageError) as error:
        prompt_task("own", [row(0, cluster=wrong)])
    assert f"row 0, `cluster`: must be a string, not empty; got {wrong!r}" in str(error.value)


def test_all_rows_have_a_cluster_or_none():
    with pytest.raises(CircuitUsageError) as error:
        prompt_task("own", [row(0), row(1, cluster="a")])
    assert (
        "row 1, `cluster`: must be given in all rows or in none; row 0 has none, row 1 'a'"
    ) in str(error.value)
    with pytest.raises(CircuitUsageError, match="row 0 has 'a', row 1 none"):
        prompt_task("own", [row(0, cluster="a"), row(1)])
