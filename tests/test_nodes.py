import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_circuits import CircuitUsageError, circuit, heads
from pytest_circuits.nodes import Head, Node

head_names = st.builds("{}.{}".format, st.integers(0, 99), st.integers(0, 99))


@given(head_names)
def test_a_head_prints_as_it_is_written(name):
    assert str(Head.parse(name)) == name


@given(st.lists(head_names, min_size=1, unique=True))
def test_a_circuit_names_each_node_once_in_any_order_of_roles(names):
    one, other = heads(*names, at="END"), heads(*reversed(names), at="END")
    assert circuit(one, other).nodes == circuit(other).nodes
    assert len(circuit(one, other).nodes) == len(names)


def test_the_same_head_at_two_positions_is_two_nodes_and_one_head():
    both = circuit(heads("3.1", at="S2"), heads("3.1", at="END"))
    assert both.nodes == (Node(Head(3, 1), "END"), Node(Head(3, 1), "S2"))
    assert both.heads == (Head(3, 1),)


@pytest.mark.parametrize("wrong", ["9", "9.", "a.b", "9.6.1", "-1.2", "9,6", ""])
def test_a_head_that_is_not_layer_dot_head_is_refused(wrong):
    with pytest.raises(CircuitUsageError, match=r"'layer\.head' such as '9\.6'"):
        heads(wrong, at="END")


def test_a_head_written_as_a_number_is_told_why_not():
    with pytest.raises(CircuitUsageError, match=r"9\.10 as a number is 9\.1"):
        heads(9.1, at="END")


def test_a_role_needs_heads_each_once_and_a_position():
    with pytest.raises(CircuitUsageError, match="at least one head"):
        heads(at="END")
    with pytest.raises(CircuitUsageError, match=r"9\.6 is named twice"):
        heads("9.6", "9.6", at="END")
    with pytest.raises(CircuitUsageError, match="`at` must be a named position"):
        heads("9.6", at="")


def test_a_circuit_is_made_of_roles():
    with pytest.raises(CircuitUsageError, match="one or more roles"):
        circuit("9.6")
