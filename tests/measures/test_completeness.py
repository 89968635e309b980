"""Completeness in worlds whose every node is known."""

import pytest
from fake_worlds import DRAW, World, additive, of_names
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_circuits import ABC, CircuitUsageError, circuit, faithfulness, heads, mean
from pytest_circuits.measures.completeness import completeness
from pytest_circuits.nodes import mlps

TO = mean(ABC)
A, B, C, D = of_names("0.1", "0.2", "1.1", "1.2")
AB, CD = heads("0.1", "0.2", at="END", name="first"), heads("1.1", "1.2", at="END", name="second")
WHOLE = circuit(AB, CD)
OVERS = [{"over": "classes"}, {"over": "random", "count": 4}, {"over": "greedy", "steps": 2}]
weights = st.tuples(*[st.floats(0.1, 3)] * 6)


@settings(max_examples=20, deadline=None)
@given(given_weights=weights, over=st.sampled_from(OVERS))
def test_a_circuit_that_has_all_nodes_is_complete(given_weights, over):
    world = additive(dict(zip((A, B, C, D), given_weights, strict=False)))
    assert all(
        value == pytest.approx(0, abs=1e-9)
        for value in world.values(completeness(WHOLE, to=TO, **over)).values()
    )


@settings(max_examples=20, deadline=None)
@given(given_weights=weights, over=st.sampled_from(OVERS))
def test_where_nodes_add_up_the_gap_is_what_lies_outside_whatever_is_removed(given_weights, over):
    nodes = (A, B, C, D, *of_names("2.0", "2.1"))
    world = additive(dict(zip(nodes, given_weights, strict=True)))
    outside = sum(given_weights[4:])
    values = world.values(completeness(WHOLE, to=TO, **over))
    assert list(values.values()) == pytest.approx([outside] * len(values))


def test_the_gap_without_anything_removed_is_faithfulness_as_a_difference():
    world = additive({A: 2.0, B: 1.0, C: 0.5, D: 0.5})
    part = circuit(AB, name="part")
    gap = world.values(completeness(part, to=TO))["nothing"]
    assert gap == world.values(faithfulness(part, to=TO, form="difference"))[""]


def stands_in(live):
    """A does the task; C and D, outside `circuit(AB)`, stand in for it; B is idle."""
    return 3.0 if A in live else 2.0 if C in live else 1.0 if D in live else 0.0


def test_a_backup_that_is_missing_shows_only_where_what_it_backs_up_is_removed():
    world = World((A, B, C, D), stands_in)
    lacking = circuit(heads("0.1", at="END", name="main"), heads("0.2", at="END", name="idle"))
    values = world.values(completeness(lacking, to=TO))
    assert values == pytest.approx({"nothing": 0, "main": 2, "idle": 0})


def test_greedy_search_finds_the_worst_set_and_names_it():
    world = World((A, B, C, D), stands_in)
    measure = completeness(circuit(AB), to=TO, over="greedy")
    assert world.values(measure) == pytest.approx({"greedy: 0.1@END": 2})


def test_greedy_search_stops_after_its_steps_and_where_nothing_is_worse():
    # Each of A, B, C hides one of what only the model has: the gap is how many are removed.
    missing = of_names("2.0", "2.1", "2.2")
    pairs = dict(zip((A, B, C), missing, strict=True))
    world = World(
        (A, B, C, D, *missing),
        lambda live: float(sum(b in live and a not in live for a, b in pairs.items())),
    )
    short = world.searched(completeness(WHOLE, to=TO, over="greedy", steps=2))
    enough = world.searched(completeness(WHOLE, to=TO, over="greedy", steps=4))
    assert short.labels() == ("greedy: 0.1@END, 0.2@END",)
    assert enough.labels() == ("greedy: 0.1@END, 0.2@END, 1.1@END",)
    complete = additive({A: 1.0, B: 1.0, C: 1.0, D: 1.0})
    ended = complete.searched(completeness(WHOLE, to=TO, over="greedy"))
    assert ended.labels() == ("greedy: nothing",)


def test_the_search_sees_other_prompts_than_the_claim():
    world = World((A, B, C, D), stands_in)
    measure = completeness(circuit(AB), to=TO, over="greedy", search_prompts=9)
    found = world.searched(measure)
    searched = {need.run.draw for need in world.asked}
    assert {(draw.n, draw.seed) for draw in searched} == {(9, DRAW.seed + 1_000_003)}
    assert {need.run.draw for need in found.needs(DRAW)} == {DRAW}


def test_the_search_takes_at_most_the_runs_it_states():
    nodes = (A, B, C, D)
    world = World((*nodes, *of_names("2.0")), lambda live: len(live) ** 0.5)
    measure = completeness(WHOLE, to=TO, over="greedy", steps=3)
    world.searched(measure)
    runs = {need.run for need in world.asked}
    assert "at most 20 runs" in str(measure)
    assert len(runs) == 20


def test_labels_are_the_classes_or_numbers():
    assert completeness(WHOLE, to=TO).labels() == ("nothing", "first", "second")
    unnamed = circuit(heads("0.1", at="END"), heads("1.1", at="END"))
    assert completeness(unnamed, to=TO).labels() == ("nothing", "0.1", "1.1")
    twins = circuit(*(heads(name, at="END", name="twin") for name in ("0.1", "1.1")))
    assert completeness(twins, to=TO).labels() == ("nothing", "twin (0.1)", "twin (1.1)")
    mlp = circuit(AB, mlps=mlps(0, at="END"))
    assert completeness(mlp, to=TO).labels() == ("nothing", "first", "MLPs")
    assert completeness(WHOLE, to=TO, over="random", count=2).labels() == ("random 1", "random 2")


def test_random_sets_depend_on_the_seed_alone_and_are_never_empty():
    sets = [completeness(WHOLE, to=TO, over="random", count=30, seed=s) for s in (1, 1, 2)]
    assert sets[0] == sets[1] != sets[2]
    removed = [need.run.under.nodes for need in sets[0].needs(DRAW) if not need.run.under.given]
    assert all(removed)
    assert len({len(nodes) for nodes in removed}) > 1


def test_the_sentence():
    assert str(completeness(WHOLE, to=TO)) == (
        "incompleteness |F(C\\K) - F(M\\K)| of circuit (4 heads), K each class "
        "[mean over ABC per template and position]"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"over": "clases"}, r"`over`: unknown choice of K 'clases'. Did you mean 'classes'\?"),
        ({"over": "random", "count": 0}, "`count` must be a whole number of at least 1; got 0"),
        ({"over": "greedy", "steps": 1.5}, "`steps` must be a whole number"),
        ({"over": "greedy", "search_prompts": 1}, "`search_prompts`.*at least 2 .*; got 1"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, message):
    with pytest.raises(CircuitUsageError, match=message):
        completeness(WHOLE, to=TO, **arguments)
