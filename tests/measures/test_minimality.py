"""Minimality in worlds whose every node is known."""

import pytest
from fake_worlds import DRAW, World, additive, of_names
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_circuits import ABC, CircuitUsageError, circuit, heads, logit_difference, mean
from pytest_circuits.measures.composed import TIE
from pytest_circuits.measures.minimality import minimality, minimality_of
from pytest_circuits.nodes import mlps

TO = mean(ABC)
A, B, C, D = of_names("0.1", "0.2", "1.1", "1.2")
AB, CD = heads("0.1", "0.2", at="END", name="first"), heads("1.1", "1.2", at="END", name="second")
WHOLE = circuit(AB, CD)
NAMES = ["0.1@END", "0.2@END", "1.1@END", "1.2@END"]


@settings(max_examples=20, deadline=None)
@given(
    weights=st.tuples(*[st.floats(-3, 3)] * 5),
    witnesses=st.sampled_from(["classes", "class pairs"]),
)
def test_where_nodes_add_up_a_node_matters_by_its_weight_and_needs_no_witness(weights, witnesses):
    world = additive(dict(zip((A, B, C, D, *of_names("2.0")), weights, strict=True)))
    values = world.values(minimality(WHOLE, to=TO, witnesses=witnesses))
    said = ["; works against" if weight < -TIE else "" for weight in weights[:4]]
    assert list(values) == [
        f"{name} (K: nothing{each})" for name, each in zip(NAMES, said, strict=True)
    ]
    assert list(values.values()) == pytest.approx(weights[:4], abs=1e-9)


def test_a_head_that_works_against_the_circuit_does_not_matter_in_silence():
    world = additive({A: 1.0, B: 1.0, C: 1.0, D: -0.14})
    signed, absolute = minimality(WHOLE, to=TO), abs(minimality(WHOLE, to=TO))
    name = "1.2@END (K: nothing; works against)"
    assert world.values(signed)[name] == pytest.approx(-0.14)
    assert world.values(absolute)[name] == pytest.approx(0.14)  # as in the paper, and said
    named = minimality_of(heads("1.2", at="END"), WHOLE, to=TO)
    assert world.values(named) == pytest.approx({"": -0.14})
    assert world.values(abs(named)) == pytest.approx({"": 0.14})
    assert str(absolute).startswith("|minimality F(C")


def test_the_witness_is_where_a_node_does_most_good_or_harm():
    # D helps by 0.2 where the other class is gone, and harms by 1 as long as it is there.
    def score(live):
        return 3.0 * (A in live) + (-1.0 if A in live else 0.2) * (D in live)

    values = World((A, B, C, D), score).values(minimality(WHOLE, to=TO))
    assert values["1.2@END (K: nothing; works against)"] == pytest.approx(-1)


def test_the_witness_is_what_stands_in_for_a_node():
    # A and B stand in for each other; C matters only without them; D not at all.
    def score(live):
        return 2.0 if A in live or B in live else 1.0 if C in live else 0.0

    values = World((A, B, C, D), score).values(minimality(WHOLE, to=TO))
    assert values == pytest.approx(
        {
            "0.1@END (K: other first)": 1,
            "0.2@END (K: other first)": 1,
            "1.1@END (K: first)": 1,
            "1.2@END (K: nothing)": 0,
        }
    )


def test_some_witnesses_are_pairs_of_classes():
    # D matters only where its fellow C and the other class are all gone.
    world = World((A, B, C, D), lambda live: 1.0 if live & {A, B, C} else 0.5 * (D in live))
    assert world.values(minimality(WHOLE, to=TO))["1.2@END (K: nothing)"] == 0
    paired = world.values(minimality(WHOLE, to=TO, witnesses="class pairs"))
    assert paired["1.2@END (K: other second and first)"] == pytest.approx(0.5)


def test_the_witness_is_chosen_on_other_prompts_and_the_value_is_not():
    world = additive({A: 1.0, B: 1.0, C: 1.0, D: 1.0})
    found = world.searched(minimality(WHOLE, to=TO, search_prompts=9))
    searched = {need.run.draw for need in world.asked}
    assert {(draw.n, draw.seed) for draw in searched} == {(9, DRAW.seed + 1_000_003)}
    assert {need.run.draw for need in found.needs(DRAW)} == {DRAW}


@pytest.mark.parametrize(("witnesses", "runs"), [("classes", 11), ("class pairs", 12)])
def test_the_sentence_states_the_runs_of_the_search(witnesses, runs):
    # Nothing, 4 nodes, 2 classes, 4 classes with a node of the other; with pairs, everything.
    measure = minimality(WHOLE, to=TO, witnesses=witnesses)
    assert len({need.run for need in measure.needs(DRAW)}) == runs
    assert f"{runs} runs" in str(measure)


def test_a_named_witness_needs_no_search():
    world = World((A, B, C, D), lambda live: 2.0 if A in live or B in live else 0.0)
    alone, other = heads("0.1", at="END"), heads("0.2", at="END")
    assert world.values(minimality_of(alone, WHOLE, to=TO)) == {"": 0}
    assert world.values(minimality_of(alone, WHOLE, to=TO, without=other)) == pytest.approx({"": 2})
    assert world.values(minimality_of(AB, WHOLE, to=TO, without=CD)) == pytest.approx({"": 2})


def test_a_share_of_the_models_score():
    world = additive({A: 1.0, B: 1.0, C: 1.0, D: 1.0})
    values = world.values(minimality(WHOLE, to=TO) / logit_difference())
    assert list(values.values()) == pytest.approx([0.25] * 4)
    assert list(values) == [f"{name} (K: nothing)" for name in NAMES]


def test_labels_before_the_search_are_the_nodes():
    assert minimality(WHOLE, to=TO).labels() == tuple(NAMES)
    with_mlp = circuit(AB, mlps=mlps(0, at="END"))
    assert minimality(with_mlp, to=TO).labels() == ("0.1@END", "0.2@END", "MLP 0@END")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"witnesses": "pairs"}, "`witnesses`: unknown witnesses 'pairs'"),
        (
            {"search_prompts": 0},
            "`search_prompts` must be a whole number of at least 2 .*; got 0",
        ),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, message):
    with pytest.raises(CircuitUsageError, match=message):
        minimality(WHOLE, to=TO, **arguments)


@pytest.mark.parametrize(
    ("node", "without", "message"),
    [
        (heads("3.3", at="END"), None, r"`node`: 3\.3@END is no part of circuit \(4 heads\)"),
        (heads("0.1", at="S2"), None, r"`node`: 0\.1@S2 is no part"),
        (AB, heads("3.3", at="END"), r"`without`: 3\.3@END is no part"),
        (AB, heads("0.2", at="END"), r"`without`: the witness must not contain first \(0\.1, 0"),
        (AB, "0.2", r"`without` must be made by heads.*; got '0\.2'"),
        ("0.1", None, r"`node` must be made by heads"),
    ],
)
def test_node_and_witness_are_parts_of_the_circuit(node, without, message):
    with pytest.raises(CircuitUsageError, match=message):
        minimality_of(node, WHOLE, to=TO, without=without)
