import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_circuits import CircuitUsageError, circuit, heads
from pytest_circuits.nodes import LOGITS, Activation, Circuit, Edge, Head, Node, Receiver, mlps
from pytest_circuits.wiring import edges

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
    with pytest.raises(CircuitUsageError, match="`at` must be a string, not empty, such as END"):
        heads("9.6", at="")


def test_a_circuit_is_made_of_roles():
    with pytest.raises(CircuitUsageError, match="one or more roles"):
        circuit("9.6")


some_nodes = st.builds(
    Node, st.builds(Head, st.integers(0, 9), st.integers(0, 9)), st.sampled_from(["S2", "END"])
)


@given(
    st.sets(
        some_nodes
        | st.builds(Activation, st.just("mlp"), st.integers(0, 3), st.none(), st.just("END"))
    )
)
def test_a_circuit_of_nodes_has_exactly_these(nodes):
    what = Circuit.of(nodes)
    assert {*what.nodes, *(what.mlps or ())} == nodes
    assert what == Circuit.of(sorted(nodes, key=str, reverse=True))


def test_a_circuit_of_nodes_is_named_by_them():
    nodes = (Node(Head(10, 0), "END"), Node(Head(9, 9), "END"))
    assert str(Circuit.of(nodes)) == "9.9@END, 10.0@END (2 heads)"
    assert str(Circuit.of(nodes, "K")) == "K (2 heads)"


def test_a_circuit_without_some_of_its_nodes():
    first, second = (
        heads("1.1", "1.2", at="S2", name="first"),
        heads("3.1", at="END", name="second"),
    )
    whole = circuit(first, second, name="whole", mlps=mlps(0, at="END"))
    without = whole.without(heads("1.1", at="S2"))
    assert without.roles == (heads("1.2", at="S2", name="first"), second)
    assert without.mlps == whole.mlps
    assert str(without) == "whole without 1.1 (2 heads, 1 MLPs)"
    assert whole.without(first).roles == (second,)
    assert whole.without(first, second).nodes == ()
    with pytest.raises(
        CircuitUsageError, match=r"`without`: whole \(3 heads, 1 MLPs\) has no 3.1@S2"
    ):
        whole.without(heads("3.1", at="S2"))


EARLY = heads("1.0", "1.1", at="END", name="early")
LATE = heads("3.0", "4.2", at="END", name="late")


@pytest.mark.parametrize("channel", ["q", "k", "v"])
def test_edges_that_lead_back_are_refused_and_both_ends_named(channel):
    with pytest.raises(
        CircuitUsageError,
        match=rf"`edges`: 3\.0@END .* every receiver \({channel} of 1\.0@END, {channel} of 1\.1@END"
        r"\).*from a lower layer to a higher",
    ):
        edges(LATE, getattr(EARLY, channel))


def test_a_head_of_a_role_that_no_edge_is_left_of_is_named():
    mixed = heads("1.0", "5.0", at="END")
    with pytest.raises(CircuitUsageError, match=r"5\.0@END .* every receiver"):
        edges(mixed, LATE.q)
    with pytest.raises(CircuitUsageError, match=r"v of 1\.0@END .* every sender"):
        edges(EARLY, mixed.v)


def test_heads_of_one_layer_do_not_read_each_other():
    with pytest.raises(CircuitUsageError, match=r"1\.0@END"):
        edges(EARLY, EARLY.q)


def test_pairs_in_which_the_sender_is_not_below_are_no_edges_where_each_head_has_one():
    one, other = heads("1.0", "3.1", at="END"), heads("2.0", "4.0", at="END")
    assert [str(edge) for edge in edges(one, other.q)] == [
        "1.0@END -> q of 2.0@END",
        "1.0@END -> q of 4.0@END",
        "3.1@END -> q of 4.0@END",
    ]


@pytest.mark.parametrize("receiver", [LOGITS, LATE.q])
def test_an_edge_of_an_mlp_is_refused_where_it_is_written(receiver):
    with pytest.raises(CircuitUsageError, match=r"`sender`.*MLPs are live"):
        edges(mlps(0, at="END"), receiver)


@pytest.mark.parametrize("receiver", [mlps(4, at="END"), LATE, "4.2"])
def test_an_edge_into_what_is_no_input_of_heads_is_refused(receiver):
    with pytest.raises(CircuitUsageError, match=r"`receiver` must be role\.q, role\.k, role\.v or"):
        edges(EARLY, receiver)


def test_nor_can_such_an_edge_be_made_by_hand():
    mlp = mlps(0, at="END").nodes[0]
    head = EARLY.nodes[0]
    for sender, receiver in [(mlp, None), (head, mlp), (head, Receiver(mlp, "q")), (head, head)]:
        with pytest.raises(CircuitUsageError, match="an edge is from a head's output"):
            Edge(sender, receiver)
    with pytest.raises(CircuitUsageError, match=r"1\.0@END -> v of 1\.1@END"):
        Edge(head, Receiver(EARLY.nodes[1], "v"))
