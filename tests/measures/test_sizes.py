"""Areas under faithfulness over sizes, in worlds whose every node is known."""

import pytest
from fake_worlds import World, additive, of_names
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_circuits import ABC, CircuitUsageError, ClaimNotEvaluable, circuit, heads, mean
from pytest_circuits.measures.sizes import cmd, cpr

TO = mean(ABC)
NAMES = [f"{layer}.{i}" for layer in range(2) for i in range(5)]
NODES = of_names(*NAMES)
WHOLE = circuit(heads(*NAMES, at="END"))
ALL_SIZES = [i / 10 for i in range(11)]


def value(world, measure):
    return world.values(measure)[""]


def test_equal_weights_make_a_straight_line():
    world = additive(dict.fromkeys(NODES, 1.0))
    assert value(world, cpr(WHOLE, to=TO)) == pytest.approx(0.5)
    assert value(world, cmd(WHOLE, to=TO)) == pytest.approx(0.5)


def test_one_node_that_does_it_all_first_or_last():
    world = World(NODES, lambda live: float(NODES[0] in live))
    first = circuit(heads(*NAMES, at="END"))
    last = circuit(heads(*reversed(NAMES), at="END"))
    # f is 0 at 0 and 1 from 0.1 on, or 1 at 1 only; straight lines in between.
    assert value(world, cpr(first, to=TO)) == pytest.approx(0.95)
    assert value(world, cmd(first, to=TO)) == pytest.approx(0.05)
    assert value(world, cpr(last, to=TO)) == pytest.approx(0.25)
    assert value(world, cpr(last, to=TO, sizes=ALL_SIZES)) == pytest.approx(0.05)


@settings(max_examples=20, deadline=None)
@given(weights=st.tuples(*[st.floats(0.1, 3)] * 10))
def test_the_two_areas_add_up_to_one_where_nothing_exceeds_the_model(weights):
    world = additive(dict(zip(NODES, weights, strict=True)))
    area, distance = (value(world, m(WHOLE, to=TO, sizes=ALL_SIZES)) for m in (cpr, cmd))
    assert area + distance == pytest.approx(1)
    kept = [sum(weights[:k]) / sum(weights) for k in range(11)]
    assert area == pytest.approx((sum(kept) - (kept[0] + kept[-1]) / 2) / 10)


def test_a_negative_node_left_out_raises_one_and_not_the_other():
    world = additive({**dict.fromkeys(NODES, 1.0), NODES[-1]: -4.0})
    sizes = (0.9, 1.0)
    # f is 9 / 5 without the negative node, 1 with it.
    assert value(world, cpr(WHOLE, to=TO, sizes=sizes)) == pytest.approx(1.4)
    assert value(world, cmd(WHOLE, to=TO, sizes=sizes)) == pytest.approx(0.4)


def test_what_is_left_without_any_head_is_no_faithfulness():
    # Without any head 1 of 3; two heads add 1.5 and 0.5.
    world = World(NODES, lambda live: 1.0 + 1.5 * (NODES[0] in live) + 0.5 * (NODES[9] in live))
    # f is 0 with no head, 0.75 from the first on, 1 with all of them.
    assert value(world, cpr(WHOLE, to=TO, sizes=(0, 1))) == pytest.approx(0.5)
    assert value(world, cpr(WHOLE, to=TO, sizes=(0.1, 0.9))) == pytest.approx(0.75)
    assert value(world, cmd(WHOLE, to=TO, sizes=(0.1, 0.9))) == pytest.approx(0.25)


def test_a_circuit_of_few_nodes_has_fewer_sizes_by_default_and_says_so():
    five = circuit(heads(*NAMES[:5], at="END"))
    assert "its first 0, 1, 3, 5 nodes kept" in str(cpr(five, to=TO))
    with pytest.raises(CircuitUsageError, match=r"0\.1, 0\.2 all make 1"):
        cpr(five, to=TO, sizes=(0, 0.1, 0.2, 1))


def test_roles_are_taken_in_their_order_and_each_node_once():
    world = World(NODES, lambda live: float(NODES[7] in live))
    twice = circuit(heads("1.2", at="END"), heads(*NAMES, at="END"))
    assert value(world, cpr(twice, to=TO)) == pytest.approx(0.95)


def test_without_any_score_there_is_no_share_of_it():
    world = World(NODES, lambda live: 0.0)
    with pytest.raises(ClaimNotEvaluable, match="undefined"):
        value(world, cpr(WHOLE, to=TO))


def test_the_sentence():
    assert str(cmd(WHOLE, to=TO)) == (
        "CMD of circuit (10 heads), its first 0, 1, 2, 5, 10 nodes kept, 0 = no head "
        "[mean over ABC per template and position]"
    )


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0, 1.5), "`sizes` must be shares from 0 to 1"),
        ((0, True), "`sizes` must be shares from 0 to 1"),
        ((0.5,), "an area needs two sizes"),
        ((0.5, 0.51), r"of 10 nodes, 0\.5, 0\.51 all make 5\. Give .* such as k / 10"),
        ((0, 0.01, 0.3, 0.98, 1), r"0, 0\.01 all make 0; 0\.98, 1 all make 10"),
    ],
)
def test_sizes_that_cannot_be_meant(sizes, message):
    with pytest.raises(CircuitUsageError, match=message):
        cpr(WHOLE, to=TO, sizes=sizes)
