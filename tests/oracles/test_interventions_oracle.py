"""The slow truth of ablations held to what must be so: no-ops, two ways to one run."""

from dataclasses import replace

import pytest
import torch
from interventions_oracle import Row
from oracle import Oracle, knocked_out, template_means
from small_circuit import EARLY, LAST, LATE, MIDDLE, ROW, WHOLE, end_logits, same

from pytest_circuits.interventions import (
    Ablation,
    Reference,
    counterpart,
    keep_edges,
    keep_only,
    knock_out,
    mean,
    patch,
    path_patch,
    resample,
    zero,
)
from pytest_circuits.nodes import (
    LOGITS,
    Activation,
    Head,
    Node,
    circuit,
    heads,
    keys,
    mlps,
    patterns,
    queries,
    residual,
    values,
)
from pytest_circuits.tasks.ioi import ABC, FLIP
from pytest_circuits.tasks.positions import END, S1_NEXT, S2
from pytest_circuits.wiring import edges


def mixed(oracle):
    """One activation of every kind, each in a group of its own."""
    shared = [str(Head(1, i)) for i in range(oracle.group)]
    return frozenset(
        (
            Node(Head(0, 0), S2),
            *queries("1.0", at=END).nodes,
            *keys(*shared, at=S2).nodes,
            *values(*shared, at=S1_NEXT).nodes,
            *patterns("2.1", at=END).nodes,
            *mlps(0, 2, at=END).nodes,
            *residual(1, at=S2).nodes,
            *residual(3, at=END).nodes,
        )
    )


OWN = Reference("counterpart", "IOI")


def test_an_activation_taken_from_the_same_prompt_changes_nothing(truth, plain, oracle):
    nodes = mixed(oracle)
    every = [
        Ablation(nodes, OWN),
        Ablation(nodes, OWN, outside=True, mlps_outside=True),
        Ablation(nodes, OWN, given=Ablation(frozenset(WHOLE.nodes), OWN, outside=True)),
        path_patch(EARLY, LATE.k, LATE.v, MIDDLE.q, to=OWN),
        path_patch(LAST, LOGITS, to=OWN, mlps="frozen"),
        keep_edges(edges(EARLY, LATE.k), edges(LATE, LOGITS), to=OWN),
    ]
    for under in every:
        assert same(truth.run(ROW, under).logits, plain.logits), str(under)


def test_a_replaced_activation_is_its_reference(truth, plain, oracle):
    row = Row(truth, "IOI", ROW)
    for node in mixed(oracle):
        kind, layer, where = row.place(node)
        for to in (mean(ABC), zero(), resample(ABC), counterpart(ABC)):
            run = truth.run(ROW, Ablation(frozenset({node}), to))
            assert torch.equal(run.at(kind, layer)[where], row.reference(to, kind, layer)[where])
            assert not torch.equal(run.at(kind, layer), plain.at(kind, layer)), (node, to)


def test_references_are_what_they_are_called(truth):
    where = truth.dataset.prompts.positions[S2][ROW], 1
    source = truth.dataset.distribution(ABC)
    group = [j for j in range(4) if source.groups[j] == source.groups[ROW]]
    others = [j for j in group if j != ROW]
    assert len(group) == 2  # so that there is one other to draw

    def put(to):
        return truth.run(ROW, knock_out(heads("0.1", at=S2), to=to)).z[0][where]

    z = {j: truth.run(j, distribution=ABC).z[0][where] for j in group}
    assert same(put(mean(ABC)), (z[group[0]] + z[group[1]]) / 2)
    assert torch.equal(put(resample(ABC)), z[others[0]])
    assert torch.equal(put(counterpart(ABC)), z[ROW])
    assert not put(zero()).any()


def test_a_stream_patched_at_its_end_is_the_other_prompt(truth):
    moved = patch(residual(3, at=END), over=FLIP)
    assert torch.equal(end_logits(truth, moved), end_logits(truth, distribution=FLIP))


def test_knock_outs_agree_with_the_first_oracle(truth, folder):
    first_oracle, source = Oracle(folder), truth.dataset.distribution(ABC)
    means = template_means(first_oracle, source)[source.groups[ROW]]
    nodes = {(node.head.layer, node.head.index, node.at) for node in WHOLE.nodes}
    for outside, under in [
        (False, knock_out(WHOLE, to=mean(ABC))),
        (True, keep_only(WHOLE, to=mean(ABC))),
    ]:
        first = knocked_out(first_oracle, truth.dataset.prompts, ROW, nodes, means, outside=outside)
        assert same(truth.run(ROW, under).logits, first.logits)


def test_mlps_outside_are_replaced_too(truth):
    run = truth.run(ROW, keep_only(circuit(LATE, mlps=mlps(1, at=END)), to=mean(ABC)))
    kept = truth.run(ROW, keep_only(circuit(LATE), to=mean(ABC)))
    end = len(run.logits) - 1
    for layer in range(3):
        put = truth.reference(mean(ABC), "mlp", layer, "IOI", ROW)
        alike = (run.mlp[layer] == put).all(-1)
        assert alike.tolist() == [True] * end + [layer != 1]
        assert not torch.equal(kept.mlp[layer], put)
    assert torch.equal(run.z[2][end, 1], kept.z[2][end, 1])
    assert not same(run.z[2][end, 0], kept.z[2][end, 0])


@pytest.mark.parametrize("to", [mean(ABC), zero(), resample(ABC)], ids=str)
def test_knocked_out_given_a_circuit_is_the_smaller_circuit(truth, to):
    given = keep_only(WHOLE, to=to)
    smaller = keep_only(circuit(EARLY, LAST, LATE), to=to)
    under = knock_out(MIDDLE, to=to, given=given)
    assert same(end_logits(truth, under), end_logits(truth, smaller))
    other = replace(under, reference=counterpart(FLIP))
    assert not torch.equal(end_logits(truth, other), end_logits(truth, under))


def test_an_activation_names_a_place_of_the_prompt(truth, plain):
    run = truth.run(ROW, Ablation(frozenset({Activation("resid", 1, None, S2)}), zero()))
    pos = truth.dataset.prompts.positions[S2][ROW]
    assert not run.resid[1][pos].any()
    assert torch.equal(run.resid[1][:pos], plain.resid[1][:pos])
