"""Hooks held to what must be so: no-ops, causality, what belongs to whom."""

import pytest
import torch
from hooked_oracle import EVERYWHERE, Put
from small_circuit import changed, same

KINDS = ["z", "q", "k", "v", "pattern", "mlp", "resid"]


def test_hooks_leave_the_model_as_it_is(oracle, plain, ids):
    with torch.no_grad():
        out = oracle.model(torch.tensor([ids]), output_attentions=True, output_hidden_states=True)
    assert torch.equal(plain.logits, out.logits[0])
    for layer in range(oracle.n_layers):
        assert torch.equal(plain.pattern[layer], out.attentions[layer][0])
        assert torch.equal(plain.resid[layer], out.hidden_states[layer][0])


def test_prompts_are_of_two_lengths_in_two_orders(truth):
    prompts = truth.dataset.prompts
    assert len(set(map(len, prompts.ids))) == 2
    assert len(set(prompts.strata)) == 4


def index(oracle, kind, pos, head=0):
    """Where to put an activation of one head."""
    return {
        "z": (pos, head),
        "q": (pos, head),
        "k": (pos, head // oracle.group),
        "v": (pos, head // oracle.group),
        "pattern": (head, pos),
        "mlp": (pos,),
        "resid": (pos,),
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_putting_an_activation_to_its_own_value_changes_nothing(oracle, plain, ids, kind):
    for layer in range(oracle.n_layers):
        for pos in range(len(ids)):
            where = index(oracle, kind, pos)
            run = oracle.run(ids, [Put(kind, layer, where, plain.at(kind, layer)[where])])
            assert same(run.logits, plain.logits)
    everywhere = Put(kind, 1, EVERYWHERE, plain.at(kind, 1))
    if kind != "pattern":  # put row by row
        assert torch.equal(oracle.run(ids, [everywhere]).logits, plain.logits)


@pytest.mark.parametrize("kind", KINDS)
def test_putting_it_to_another_value_is_felt_from_there_on(oracle, plain, ids, kind):
    pos = len(ids) - 2
    where = index(oracle, kind, pos)
    value = plain.at(kind, 1)[where]
    run = oracle.run(ids, [Put(kind, 1, where, value.flip(0))])
    assert same(run.logits[:pos], plain.logits[:pos])
    assert changed(run, plain, pos) > 1e-3
    assert changed(run, plain) > 1e-4


def felt_by(run, plain, layer):
    gap = (run.attended[layer] - plain.attended[layer]).abs().amax(dim=(0, 2))
    return {head for head, moved in enumerate(gap) if moved > 1e-6}


def test_a_query_belongs_to_one_head_and_a_key_to_its_group(oracle, plain, ids):
    pos, head = len(ids) - 1, oracle.n_heads - 1
    group = set(range(oracle.n_heads - oracle.group, oracle.n_heads))
    for kind, heads_ in [("q", {head}), ("k", group), ("v", group), ("pattern", {head})]:
        where = index(oracle, kind, pos, head)
        run = oracle.run(ids, [Put(kind, 1, where, plain.at(kind, 1)[where].flip(0))])
        assert felt_by(run, plain, 1) == heads_, kind


def test_a_projection_is_what_comes_before_norm_and_rotation(oracle, plain, ids):
    """Where queries are normed, a query twice as long is the same query."""
    normed = hasattr(oracle.attention_of(1), "q_norm")
    for kind, indifferent in [("q", normed), ("k", normed), ("v", False)]:
        run = oracle.run(ids, [Put(kind, 1, EVERYWHERE, 2 * plain.at(kind, 1))])
        assert same(run.attended[1], plain.attended[1]) == indifferent


def test_all_weight_on_one_position_reads_its_value(oracle, plain, ids):
    pos, key, head = len(ids) - 1, 3, oracle.n_heads - 1
    row = torch.eye(len(ids))[key]
    run = oracle.run(ids, [Put("pattern", 1, (head, pos), row)])
    assert same(run.z[1][pos, head], plain.v[1][key, head // oracle.group])
    assert torch.equal(run.pattern[1][head, pos], row)


def test_mlp_is_what_is_added_to_the_stream(oracle, plain, ids):
    pos = len(ids) - 1
    run = oracle.run(ids, [Put("mlp", 1, (pos,), torch.zeros_like(plain.mlp[1][pos]))])
    assert same(run.resid[2][pos], plain.resid[2][pos] - plain.mlp[1][pos])


def test_a_small_window_cuts_some_layers(oracle, plain, ids):
    if not hasattr(oracle.model.config, "layer_types"):
        pytest.skip("every layer of this family sees everything")
    seen = [(plain.pattern[layer][:, -1] > 0).sum(-1).tolist() for layer in range(3)]
    assert seen == [[5] * 4, [len(ids)] * 4, [5] * 4]
