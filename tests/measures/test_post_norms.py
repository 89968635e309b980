"""An architecture in which a head's write passes a norm: refused where that matters, exact else."""

import pytest
from oracle import difference, mean_over
from tiny import save_gemma3
from transformers import AutoModelForCausalLM

from pytest_circuits import (
    END,
    IOI,
    ClaimNotEvaluable,
    attention_logit_correlation,
    copy_score,
    direct_logit_attribution,
    heads,
    knock_out,
    load_model,
    logit_difference,
    measure,
    self_repair,
    zero,
)

ROLE = heads("1.1", at=END)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_gemma3(tmp_path_factory.mktemp("gemma"))


@pytest.fixture(scope="module")
def model(folder):
    return load_model(str(folder), progress=False)


@pytest.mark.parametrize(
    "refused",
    [
        direct_logit_attribution,
        copy_score,
        attention_logit_correlation,
        lambda role: self_repair(heads("0.0", at=END), role, to=zero()),
    ],
    ids=["direct logit attribution", "copy score", "correlation", "self-repair"],
)
def test_what_needs_a_heads_write_is_refused(model, refused):
    with pytest.raises(
        ClaimNotEvaluable, match=r"a head's write is not z W_O .* norm after attention"
    ):
        measure(model, refused(ROLE), prompts=8)


def test_behaviour_and_knock_outs_need_no_such_thing(model, folder):
    hf = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    prompts = IOI().draw(model.tokenizer, 8, 0).prompts
    truth = mean_over(_difference(hf, prompts, i) for i in range(8))
    assert measure(model, logit_difference(), prompts=8).value == pytest.approx(truth, rel=1e-4)
    without = measure(model, logit_difference(under=knock_out(ROLE, to=zero())), prompts=8)
    assert without.value != pytest.approx(truth, rel=1e-3)


def _difference(hf, prompts, i):
    import types

    import torch

    with torch.no_grad():
        logits = hf(torch.tensor([prompts.ids[i]])).logits[0]
    return difference(types.SimpleNamespace(logits=logits), prompts, i)
