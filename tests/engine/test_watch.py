"""A model object that is no longer what was fingerprinted: the next evaluation says so."""

import pytest
import torch
from tiny import TWO_LENGTHS, save_gpt2, save_llama

from pytest_circuits import (
    ClaimNotEvaluable,
    answer_preferred,
    check_all,
    load_model,
    logit_difference,
    measure,
    wrap_model,
)
from pytest_circuits.engine.engine import Engine
from pytest_circuits.evaluation import Evaluation, draw_of
from pytest_circuits.mutation.mutants import KnockedOut
from pytest_circuits.mutation.sabotage import applied
from pytest_circuits.nodes import Head


@pytest.fixture
def model(tmp_path):
    return load_model(save_gpt2(tmp_path / "m"), progress=False)


def value(model):
    return measure(model, logit_difference(), task=TWO_LENGTHS, prompts=4).value


def hf(model):
    return model.bridge.original_model


def edit_in_place(model):
    with torch.no_grad():
        hf(model).transformer.h[1].mlp.c_fc.weight[3, 5] += 1e-6


def edit_data(model):
    """Which torch's version counters do not see."""
    hf(model).transformer.h[1].mlp.c_fc.weight.data[3, 5] += 1e-6


def edit_the_bridge(model):
    model.bridge.blocks[1].attn.W_O.data[0, 0, 0] += 1e-6


def replace_a_weight(model):
    norm = hf(model).transformer.h[0].ln_1
    norm.weight = torch.nn.Parameter(torch.ones_like(norm.weight))


def exchange_rows(model):
    weight = hf(model).transformer.wte.weight.data
    weight[[3, 4]] = weight[[4, 3]]


def noise(model):
    model.bridge.add_hook("blocks.0.hook_mlp_out", lambda x, hook: x + torch.randn_like(x))


def a_permanent_hook(model):
    model.bridge.add_perma_hook("blocks.0.hook_mlp_out", lambda x, hook: 2 * x)


def a_hook_of_torch(model):
    hf(model).transformer.drop.register_forward_hook(lambda module, args, output: output + 1)


def double_precision(model):
    model.bridge.to(torch.float64)


def training(model):
    model.bridge.train()


def training_in_part(model):
    hf(model).transformer.drop.train()


CHANGES = {
    edit_in_place: "1 of its 41 weights | c_fc.weight (values edited)",
    edit_data: "1 of its 41 weights | c_fc.weight (values edited)",
    edit_the_bridge: "(values edited)",
    replace_a_weight: "h.0.ln_1.weight (values edited)",
    exchange_rows: "wte.weight (values edited)",
    double_precision: "(float32, now float64)",
    training: "in training mode",
    training_in_part: "in training mode, transformer.drop",
    noise: "blocks.0.mlp.hook_out (<lambda>)",
    a_permanent_hook: "blocks.0.mlp.hook_out (<lambda>)",
    a_hook_of_torch: "transformer.drop (<lambda>)",
}


@pytest.mark.parametrize("wrapped", [False, True], ids=["loaded", "wrapped"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_said_and_nothing_measured(change, wrapped, model):
    if wrapped:
        model = wrap_model(model.bridge, model.tokenizer)
    change(model)
    with pytest.raises(ClaimNotEvaluable) as caught:
        value(model)
    for part in CHANGES[change].split(" | "):
        assert part in str(caught.value)


def test_so_it_is_between_two_evaluations(model):
    first = value(model)
    assert value(model) == first
    edit_data(model)
    with pytest.raises(ClaimNotEvaluable, match=r"no longer the model .* wrap_model"):
        value(model)
    assert value(wrap_model(model.bridge, model.tokenizer)) != 0


def test_and_between_two_passes_of_one_evaluation(model):
    draws = [draw_of(TWO_LENGTHS, 4, seed) for seed in (0, 1)]
    evaluation = Evaluation(model, [(logit_difference(), draw) for draw in draws])
    evaluation.estimate(logit_difference(), draws[0])
    edit_in_place(model)
    with pytest.raises(ClaimNotEvaluable, match="values edited"):
        evaluation.estimate(logit_difference(), draws[1])


def test_an_edit_that_was_undone_is_none(model):
    weight = hf(model).transformer.h[1].mlp.c_fc.weight
    before, first = weight.clone(), value(model)
    edit_in_place(model)
    weight.copy_(before)
    assert value(model) == first


def test_every_claim_errs_and_says_so(model):
    edit_data(model)
    claims = [logit_difference() > -100, answer_preferred() >= 0.01]
    with pytest.raises(ClaimNotEvaluable, match="values edited"):
        check_all(claims, model, task=TWO_LENGTHS, prompts=4)


def test_a_tied_weight_is_told_once(tmp_path):
    model = load_model(save_llama(tmp_path / "m"), progress=False)
    hf(model).lm_head.weight = hf(model).model.embed_tokens.weight
    with pytest.raises(ClaimNotEvaluable, match=r"1 of its \d+ weights .*lm_head\.weight"):
        value(model)


def test_a_mutant_is_what_its_own_fingerprint_says_and_nothing_else(model):
    first = value(model)
    with applied(KnockedOut(heads=(Head(0, 0), Head(1, 2))), model) as sabotaged:
        value(sabotaged)
        with pytest.raises(ClaimNotEvaluable, match="values edited"):
            value(model)
        edit_data(sabotaged)
        with pytest.raises(ClaimNotEvaluable, match="values edited"):
            value(sabotaged)
        hf(model).transformer.h[1].mlp.c_fc.weight.data[3, 5] -= 1e-6
    del first


def test_the_model_is_whole_again_after_a_mutant(model):
    engine_made_before = Engine(model)
    first = value(model)
    with applied(KnockedOut(heads=(Head(0, 0),)), model) as sabotaged:
        assert value(sabotaged) != first
    assert value(model) == first
    engine_made_before.watch.check()


def test_the_bytes_are_read_once_where_nothing_was_written(model, monkeypatch):
    from pytest_circuits.engine import watch

    read = []
    monkeypatch.setattr(watch, "held", lambda bridge: read.append(1) or model.weights)
    engine = Engine(model)
    for _ in range(3):
        engine.watch.check()
    assert len(read) == 1
    edit_in_place(model)
    engine.watch.check()
    assert len(read) == 2
