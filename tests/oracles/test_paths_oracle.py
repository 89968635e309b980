"""The slow truth of paths and edges held to what must be so: two ways to one run, by hand."""

from dataclasses import replace

import pytest
import torch
from hooked_oracle import EVERYWHERE, Put
from small_circuit import EARLY, LAST, LATE, MIDDLE, ROW, WHOLE, changed, end_logits, same

from pytest_circuits.interventions import (
    Ablation,
    EdgeCircuit,
    PathPatch,
    counterpart,
    keep_edges,
    keep_only,
    knock_out,
    mean,
    path_patch,
    resample,
    zero,
)
from pytest_circuits.nodes import LOGITS, Edge, Head, Node, Receiver, circuit, heads
from pytest_circuits.tasks.ioi import ABC, FLIP
from pytest_circuits.tasks.positions import END, S2
from pytest_circuits.wiring import edges

REFERENCES = [mean(ABC), zero(), resample(ABC), counterpart(FLIP)]


@pytest.mark.parametrize("to", REFERENCES, ids=str)
@pytest.mark.parametrize("mlps", ["live", "frozen"])
def test_a_path_from_the_last_layer_to_the_logits(truth, plain, to, mlps):
    """With MLPs live it is the knock-out; frozen, the last MLP does not see it."""
    run = truth.run(ROW, path_patch(LATE, LOGITS, to=to, mlps=mlps))
    knocked = truth.run(ROW, knock_out(LATE, to=to))
    assert same(run.logits, knocked.logits) == (mlps == "live")
    assert same(run.resid[3] - run.mlp[2], knocked.resid[3] - knocked.mlp[2])
    assert changed(run, plain) > 1e-3


def test_a_direct_path_moves_the_stream_by_what_the_heads_write(truth, plain, oracle):
    if hasattr(oracle.blocks[0], "post_feedforward_layernorm"):
        pytest.skip("a norm after attention: what heads write is not a sum")
    run = truth.run(ROW, path_patch(LAST, LOGITS, to=zero(), mlps="frozen"))
    written = sum(plain.z[1][-1, head] @ oracle.w_o(1, head) for head in (1, 2))
    assert same(run.resid[3][-1], plain.resid[3][-1] - written)


def test_a_path_with_live_mlps_freezes_the_heads_on_it(truth, plain):
    # From S2, so that nothing of it is seen at END: path_patch refuses to ask for that.
    run = truth.run(ROW, PathPatch(frozenset(EARLY.nodes), frozenset(), mean(ABC)))
    end = truth.dataset.prompts.positions[S2][ROW]
    for layer in range(3):
        moved = (run.z[layer] - plain.z[layer]).abs().amax(-1).nonzero().tolist()
        assert moved == ([[end, 1], [end, 2]] if layer == 0 else [])
    assert not torch.equal(run.mlp[1][end], plain.mlp[1][end])


def test_all_channels_of_the_next_layer_are_all_it_reads(truth, oracle):
    """Heads of layer 2 see of a change in layer 1 what paths into q, k and v carry, no more."""
    receivers = frozenset(
        Receiver(Node(Head(2, i), END), channel) for i in range(oracle.n_heads) for channel in "qkv"
    )
    for senders in (LAST, MIDDLE):
        under = PathPatch(frozenset(senders.nodes), receivers, resample(ABC))
        knocked = truth.run(ROW, knock_out(senders, to=resample(ABC)))
        assert same(truth.run(ROW, under).z[2][-1], knocked.z[2][-1])


def test_only_the_receiver_reads_the_sender(truth, plain):
    receiver = heads("2.0", at=END)
    for channel in "qkv":
        under = path_patch(LAST, getattr(receiver, channel), to=zero())
        run = truth.run(ROW, under)
        moved = (run.z[2] - plain.z[2]).abs().amax(-1).nonzero().tolist()
        assert moved == [[len(plain.logits) - 1, 0]], channel
        assert torch.equal(run.z[1], plain.z[1])


def test_a_path_reaches_a_second_receiver_only_as_far_as_its_channels_are_live(truth, plain):
    first, second = heads("1.0", at=END), heads("2.0", at=END)
    sender = heads("0.1", "0.2", at=END)
    one = truth.run(ROW, path_patch(sender, first.q, first.k, first.v, to=zero()))
    both = truth.run(ROW, path_patch(sender, first.v, first.q, first.k, second.q, to=zero()))
    assert torch.equal(one.z[1], both.z[1])
    assert not same(one.z[2][-1, 0], both.z[2][-1, 0])
    assert same(one.z[2][-1, 1:], both.z[2][-1, 1:])
    assert not same(one.z[2][-1, 1], plain.z[2][-1, 1])


def test_a_receiver_reads_with_the_query_it_had_in_the_recorded_run(truth):
    """The path into q: the head's weights are those of the recorded run's query."""
    sender, receiver = heads("1.1", at=END), heads("2.0", at=END)
    recorded = truth.run(ROW, path_patch(sender, LOGITS, to=zero()))
    row, ids = Put("q", 2, (-1, 0), recorded.q[2][-1, 0]), truth.dataset.prompts.ids[ROW]
    by_hand = truth.oracle.run(ids, [row])
    assert same(truth.run(ROW, path_patch(sender, receiver.q, to=zero())).logits, by_hand.logits)


def test_a_receiver_shows_the_weights_it_reads_with(truth, plain):
    """Those of the recorded run if query and keys are, its own if only the values are."""
    sender, receiver = heads("1.1", at=END), heads("2.0", at=END)
    recorded = truth.run(ROW, path_patch(sender, LOGITS, to=zero())).pattern[2][0, -1]
    for ends, expected in [
        ((receiver.q, receiver.k), recorded),
        ((receiver.v,), plain.pattern[2][0, -1]),
    ]:
        run = truth.run(ROW, path_patch(sender, *ends, to=zero()))
        assert same(run.pattern[2][0, -1], expected)
        assert torch.equal(run.pattern[2][1], plain.pattern[2][1])
    assert not same(recorded, plain.pattern[2][0, -1])


@pytest.mark.parametrize("receivers", [(LATE.q, LATE.k), (LOGITS,)], ids=["heads", "logits"])
@pytest.mark.parametrize("mlps", ["live", "frozen"])
def test_a_path_inside_a_circuit_leaves_the_outside_at_its_reference(truth, receivers, mlps):
    given = keep_only(WHOLE, to=mean(ABC))
    base = truth.run(ROW, given)
    run = truth.run(ROW, path_patch(LAST, *receivers, to=zero(), mlps=mlps, given=given))
    inside = {(node.head.layer, node.head.index) for node in WHOLE.nodes}
    for layer in range(3):
        for head in range(truth.oracle.n_heads):
            if (layer, head) not in inside:
                assert torch.equal(run.z[layer][:, head], base.z[layer][:, head])
    assert changed(run, base) > 1e-4


def test_a_path_into_a_head_outside_a_circuit_leads_nowhere(truth):
    given = keep_only(WHOLE, to=mean(ABC))
    outside = heads("2.1", at=END)
    # Which path_patch refuses to ask for.
    under = replace(path_patch(LAST, outside.q, outside.v, to=zero()), given=given)
    assert torch.equal(end_logits(truth, under), end_logits(truth, given))


def all_edges(whole):
    roles = whole.roles
    pairs = [(a, b) for a in roles for b in roles if a.heads[0].layer < b.heads[0].layer]
    within = [edges(a, getattr(b, channel)) for a, b in pairs for channel in "qkv"]
    return [*within, *(edges(role, LOGITS) for role in whole.roles)]


@pytest.mark.parametrize("to", REFERENCES, ids=str)
def test_all_edges_are_the_circuit(truth, to):
    complete = end_logits(truth, keep_edges(*all_edges(WHOLE), to=to))
    assert same(complete, end_logits(truth, keep_only(WHOLE, to=to)))


def test_every_edge_counts(truth):
    complete = keep_edges(*all_edges(WHOLE), to=zero())
    for lost in [
        Edge(Node(Head(1, 1), END), Receiver(Node(Head(2, 0), END), "q")),
        Edge(Node(Head(1, 1), END), Receiver(Node(Head(2, 0), END), "v")),
        Edge(Node(Head(1, 2), END), Receiver(Node(Head(2, 3), END), "k")),
        Edge(Node(Head(1, 2), END), None),
        Edge(Node(Head(0, 2), S2), Receiver(Node(Head(1, 1), END), "k")),
    ]:
        assert lost in complete.edges
        fewer = EdgeCircuit(complete.edges - {lost}, zero())
        assert not same(end_logits(truth, fewer), end_logits(truth, complete)), str(lost)


def test_without_edges_to_the_logits_nothing_is_live(truth):
    nothing = Ablation(frozenset(), mean(ABC), outside=True)
    under = keep_edges(edges(EARLY, LATE.v), edges(LAST, LATE.q), to=mean(ABC))
    assert same(end_logits(truth, under), end_logits(truth, nothing))


def test_a_sender_that_reads_nothing_live_reads_the_reference(truth):
    """Its output is what it makes in the run in which every head's output is the reference."""
    dead = truth.run(ROW, Ablation(frozenset(), mean(ABC), outside=True))
    run = truth.run(ROW, keep_edges(edges(LATE, LOGITS), to=mean(ABC)))
    for head in range(truth.oracle.n_heads):
        expected = (dead.attended if head in (0, 3) else dead.z)[2][-1, head]
        assert same(run.z[2][-1, head], expected)


def test_one_edge_by_hand(truth):
    """Only 1.1 -> q of 2.0 -> logits, step by step through the model."""
    to, end = mean(ABC), len(truth.dataset.prompts.ids[ROW]) - 1
    ids = truth.dataset.prompts.ids[ROW]
    dead = [
        Put("z", layer, EVERYWHERE, truth.reference(to, "z", layer, "IOI", ROW))
        for layer in range(3)
    ]
    nothing = truth.oracle.run(ids, dead)
    sender = Put("z", 1, (end, 1), nothing.attended[1][end, 1])
    with_sender = truth.oracle.run(ids, [*dead, sender])
    reads = Put("q", 2, (end, 0), with_sender.q[2][end, 0])
    receiver = truth.oracle.run(ids, [*dead, reads]).attended[2][end, 0]
    by_hand = truth.oracle.run(ids, [*dead, Put("z", 2, (end, 0), receiver)])
    a, b = heads("1.1", at=END), heads("2.0", at=END)
    under = keep_edges(edges(a, b.q), edges(b, LOGITS), to=to)
    assert same(end_logits(truth, under), by_hand.logits[-1])
    assert not same(end_logits(truth, under), end_logits(truth, keep_only(circuit(b), to=to)))
