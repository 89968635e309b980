"""z has the value bias in it: what that means for zero, mean and attribution, and who says so."""

import pytest
import torch
from oracle import Oracle, difference, mean_over
from tiny import save_gpt2, save_llama
from transformer_lens.model_bridge import TransformerBridge
from transformers import AutoModelForCausalLM

from pytest_circuits import (
    ABC,
    END,
    IOI,
    direct_logit_attribution,
    heads,
    knock_out_effect,
    load_model,
    logit_difference,
    mean,
    measure,
    wrap_model,
    zero,
)
from pytest_circuits.engine.engine import Engine

HEAD = heads("2.1", at=END)
N = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_gpt2(tmp_path_factory.mktemp("gpt2"))


@pytest.fixture(scope="module")
def model(folder):
    return load_model(str(folder), progress=False)


@pytest.fixture(scope="module")
def folded(folder, model):
    """The same function in TransformerLens's compatibility mode: b_V is folded into b_O."""
    bridge = TransformerBridge.boot_transformers(
        "gpt2",
        hf_model=AutoModelForCausalLM.from_pretrained(folder),
        tokenizer=model.tokenizer,
        device="cpu",
        dtype=torch.float32,
    )
    bridge.enable_compatibility_mode()
    return wrap_model(bridge, model.tokenizer)


def test_what_was_processed_says_that_it_was_not_compared(model, folded):
    engines = [
        measure(each, logit_difference(), prompts=4).method.engine for each in (model, folded)
    ]
    said = ["compatibility mode, not compared with Hugging Face" in each for each in engines]
    assert said == [False, True]


def found(model, what):
    return measure(model, what, prompts=N).value


@pytest.fixture(scope="module")
def oracle(folder):
    return Oracle(folder)


@pytest.fixture(scope="module")
def prompts(model):
    return IOI().draw(model.tokenizer, N, 0).prompts


def test_zero_takes_the_value_bias_away_too(model, oracle, prompts):
    """The pattern times the values without bias is z minus b_V; zero is neither of the two."""

    def without(i, put):
        def edit(layer, z):
            if layer == 2:
                z[prompts.positions[END][i], 1] = put
            return z

        return difference(oracle.run(prompts.ids[i], edit), prompts, i)

    bias = oracle.value(2, 1, torch.zeros(oracle.model.config.n_embd))
    plain = mean_over(difference(oracle.run(ids), prompts, i) for i, ids in enumerate(prompts.ids))
    to_zero, to_bias = (
        plain - mean_over(without(i, put) for i in range(N))
        for put in (torch.zeros_like(bias), bias.detach())
    )
    got = found(model, knock_out_effect(HEAD, to=zero()))
    assert got == pytest.approx(to_zero, rel=1e-3, abs=1e-5)
    assert abs(to_zero - to_bias) > 1e-3


def test_attribution_counts_the_value_bias_as_the_heads(model, oracle, prompts):
    ends = prompts.positions[END]
    traces = [oracle.run(ids) for ids in prompts.ids]
    bias = oracle.value(2, 1, torch.zeros(oracle.model.config.n_embd))

    def written(i, z):
        residual = traces[i].resid[-1][ends[i]]
        logits = (
            oracle.frozen_logit(z @ oracle.w_o(2, 1), residual, tokens[i])
            for tokens in (prompts.answers, prompts.foils)
        )
        return next(logits) - next(logits)

    with torch.no_grad():
        whole = mean_over(written(i, traces[i].z[2][ends[i], 1]) for i in range(N))
        biased = mean_over(written(i, bias) for i in range(N))
    got = found(model, direct_logit_attribution(HEAD))
    assert got == pytest.approx(whole, rel=1e-3, abs=1e-5)
    assert abs(biased) > 1e-3


def test_a_bias_that_was_folded_is_no_part_of_z_and_a_mean_does_not_care(model, folded):
    assert found(folded, logit_difference()) == pytest.approx(
        found(model, logit_difference()), abs=1e-4
    )
    by_mean, by_zero = (knock_out_effect(HEAD, to=to) for to in (mean(ABC), zero()))
    assert found(folded, by_mean) == pytest.approx(found(model, by_mean), abs=1e-4)
    assert abs(found(folded, by_zero) - found(model, by_zero)) > 1e-3
    attribution = direct_logit_attribution(HEAD)
    assert abs(found(folded, attribution) - found(model, attribution)) > 1e-3


def test_the_method_says_which(model, folded, tmp_path):
    said = measure(model, logit_difference(), prompts=4).method.engine
    assert said.endswith("; head outputs z with their value bias")
    assert "; no value bias in head outputs; " in Engine(folded).description
    llama = load_model(str(save_llama(tmp_path)), progress=False)
    assert Engine(llama).description.endswith("; no value bias in head outputs")
