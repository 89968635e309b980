"""Random circuits of a circuit's shape, and its rank among them."""

import pytest
from fake_worlds import DRAW, HEADS_PER_LAYER, World, additive
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_circuits import ABC, CircuitUsageError, ClaimNotEvaluable, circuit, heads, mean
from pytest_circuits.measures.baselines import matched, necessity_p, sufficiency_p
from pytest_circuits.nodes import Circuit, Head, Node, mlps

TO = mean(ABC)
ALL = [Node(Head(layer, i), at) for layer in range(3) for i in range(4) for at in ("END", "S2")]
TRUE = circuit(heads("0.1", "1.2", "2.3", at="END", name="true"))

some_nodes = st.lists(st.sampled_from(ALL), min_size=1, max_size=9, unique=True)


def shape(what):
    return sorted((node.head.layer, node.at) for node in what.nodes)


@settings(max_examples=50, deadline=None)
@given(nodes=some_nodes, seed=st.integers(0, 5))
def test_a_random_circuit_has_the_shape_of_the_circuit_and_others_where_there_are(nodes, seed):
    what = Circuit.of(nodes)
    try:
        drawn = matched(what, HEADS_PER_LAYER, 5, seed)
    except ClaimNotEvaluable:
        own = [shape(what).count(each) for each in shape(what)]
        assert set(own) <= {2, HEADS_PER_LAYER}  # the only other heads, or none: no choice
        return
    for each in drawn:
        assert shape(each) == shape(what)
        for place in set(shape(what)):
            at = [node for node in what.nodes if (node.head.layer, node.at) == place]
            assert len(set(at) & set(each.nodes)) == max(2 * len(at) - HEADS_PER_LAYER, 0)


def test_random_circuits_depend_on_the_seed_alone_and_keep_the_mlps():
    what = circuit(*TRUE.roles, mlps=mlps(1, at="END"))
    assert matched(what, 4, 5, 1) == matched(what, 4, 5, 1) != matched(what, 4, 5, 2)
    assert all(each.mlps == what.mlps for each in matched(what, 4, 5, 1))


def test_every_other_head_is_drawn_about_equally_often():
    drawn = matched(circuit(heads("0.1", at="END")), 4, 3000, 0)
    times = [sum(each.nodes[0].head.index == i for each in drawn) for i in range(4)]
    assert times[1] == 0
    assert all(900 < times[i] < 1100 for i in (0, 2, 3))


def test_no_random_circuit_does_as_well_as_the_best_and_most_needed_one():
    world = additive({node: float(node in TRUE.nodes) for node in ALL})
    for measure in (sufficiency_p, necessity_p):
        assert world.values(measure(TRUE, to=TO, count=19)) == {"": 0}


def test_all_do_as_well_as_an_idle_circuit_and_ties_count_against_it():
    world = additive({node: float(node in TRUE.nodes) for node in ALL})
    idle = circuit(heads("0.0", "1.0", "2.0", at="S2"))
    for measure in (sufficiency_p, necessity_p):
        assert world.values(measure(idle, to=TO, count=19)) == {"": 1}


def test_what_is_sufficient_need_not_be_necessary():
    # Any head of the last layer does it: alone it is enough, and without it another is.
    world = World(ALL, lambda live: float(any(node.head.layer == 2 for node in live)))
    one = circuit(heads("2.0", "0.0", at="END"))
    assert world.values(necessity_p(one, to=TO, count=9)) == {"": 1}


def test_it_is_the_share_of_those_that_do_as_well():
    # The score of a circuit of one head is the head's index: two of three others beat 0.1.
    world = additive({node: float(node.head.index) for node in ALL})
    drawn = matched(circuit(heads("0.1", at="END")), 4, 50, 0)
    better = sum(each.nodes[0].head.index > 1 for each in drawn)
    p = world.values(sufficiency_p(circuit(heads("0.1", at="END")), to=TO, count=50))
    assert p == {"": better / 50}


def test_its_interval_is_over_circuits_and_exact():
    world = additive({node: float(node in TRUE.nodes) for node in ALL})
    found = world.searched(sufficiency_p(TRUE, to=TO, count=19))
    (interval,) = found.intervals(world.read, DRAW)
    assert interval.at(0.05) == pytest.approx((0, 1 - 0.025 ** (1 / 19)))
    assert interval.over == "19 random circuits"
    assert interval.p_below(0.05) == pytest.approx(2 * 0.95**19)  # 0.75: 19 circuits show nothing


@pytest.mark.parametrize(("threshold", "level"), [(0.05, 0.05), (0.1, 0.0005), (0.5, 0.01)])
def test_too_few_circuits_are_said_to_be_with_how_many_it_takes(threshold, level):
    message = sufficiency_p(TRUE, to=TO, count=1).too_small(threshold, level)
    needed = int(message.rpartition(": ")[2].split()[0])
    assert "1 random circuits cannot show a share" in message
    assert 2 * (1 - threshold) ** needed <= level < 2 * (1 - threshold) ** (needed - 1)
    assert sufficiency_p(TRUE, to=TO, count=needed).too_small(threshold, level) == ""


def test_scores_within_rounding_are_ties():
    world = additive({node: 1.0 + 5e-5 * (node == TRUE.nodes[0]) for node in ALL})
    assert world.values(sufficiency_p(TRUE, to=TO, count=9)) == {"": 1}


def test_a_layer_that_is_too_small_is_said_to_be():
    world = additive(dict.fromkeys(ALL, 1.0))
    what = circuit(heads("0.0", "0.1", "0.2", at="END"))
    label = "(random circuits share 2 of 3 nodes)"
    assert list(world.values(sufficiency_p(what, to=TO, count=9))) == [label]


def test_a_circuit_without_alternatives_cannot_be_compared():
    world = additive(dict.fromkeys(ALL, 1.0))
    everything = circuit(heads("0.0", "0.1", "0.2", "0.3", at="END"))
    with pytest.raises(ClaimNotEvaluable, match="leaves its layers no choice of 4 heads"):
        world.values(sufficiency_p(everything, to=TO))


def test_it_is_measured_on_few_of_the_prompts():
    world = additive({node: float(node in TRUE.nodes) for node in ALL})
    found = world.searched(sufficiency_p(TRUE, to=TO, count=9, prompts=4))
    assert {need.run.draw.n for need in found.needs(DRAW)} == {4}
    assert {need.run.draw.seed for need in found.needs(DRAW)} == {DRAW.seed}
    at_most_all = world.searched(sufficiency_p(TRUE, to=TO, count=9))
    assert {need.run.draw for need in at_most_all.needs(DRAW)} == {DRAW}


def test_the_sentence():
    assert str(necessity_p(TRUE, to=TO, seed=3)) == (
        "share as good in necessity as circuit (3 heads), of 99 random circuits of its shape "
        "(seed 3) [mean over ABC per template and position]"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "`count` must be a whole number of at least 1; got 0"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0; got -1"),
        (
            {"prompts": 1},
            "`prompts` must be a whole number of at least 2 .*; got 1",
        ),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, message):
    with pytest.raises(CircuitUsageError, match=message):
        sufficiency_p(TRUE, to=TO, **arguments)
