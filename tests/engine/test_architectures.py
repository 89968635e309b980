"""Tiny random models of many architectures: right, by Hugging Face's own forward, or refused."""

import json
import re

import pytest
from architectures import KINDS, look
from tiny import TWO_LENGTHS, save_llama, save_neox

from pytest_circuits import (
    END,
    ClaimNotEvaluable,
    ModelNotAvailable,
    heads,
    knock_out_effect,
    load_model,
    logit_difference,
    measure,
    zero,
)

RUNS = {"cone": "light cone (", "full": "full forward passes ("}
ALLOWED = 1e-5  # of the spread of the logits


@pytest.mark.parametrize("label", KINDS)
def test_it_is_right_or_refused_in_a_sentence(label, tmp_path):
    kind = KINDS[label]
    found = look(kind, tmp_path / "m")
    if kind.run not in RUNS:
        assert found.how == "refused"
        assert re.search(kind.run, found.refused)
        return
    assert found.how.startswith(RUNS[kind.run])
    assert found.plain < ALLOWED
    if kind.knock_out:
        assert re.search(kind.knock_out, found.refused)
        return
    assert found.refused == ""
    assert found.knocked_out < ALLOWED < 1e-3 < found.moved


@pytest.mark.parametrize(
    "quantized",
    [
        {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
        {"quant_method": "gptq", "bits": 4},
        {"quant_method": "torchao", "quant_type": "int4_weight_only"},
        5,
    ],
)
def test_weights_that_cannot_be_read_here_are_refused_in_a_sentence(quantized, tmp_path):
    """As transformers asks for a package that is not installed, or trips over the config."""
    folder = save_llama(tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": quantized}))
    with pytest.raises(ModelNotAvailable, match="cannot be read: "):
        load_model(folder, progress=False)


def test_whatever_a_model_raises_under_an_intervention_is_a_sentence(tmp_path, monkeypatch):
    """Layers with fewer heads, head outputs of another shape: nobody has seen all architectures."""
    model = load_model(save_neox(tmp_path / "m"), progress=False)
    inner = model.bridge.run_with_hooks

    def broken(tokens, *, fwd_hooks):
        if any(name.endswith("hook_z") for name, _ in fwd_hooks):
            raise IndexError("index 3 is out of bounds")
        return inner(tokens, fwd_hooks=fwd_hooks)

    monkeypatch.setattr(model.bridge, "run_with_hooks", broken)
    effect = knock_out_effect(heads("0.1", at=END), to=zero())
    with pytest.raises(ClaimNotEvaluable, match=r"cannot be run under \[.*IndexError: index 3 is"):
        measure(model, effect, task=TWO_LENGTHS, prompts=4)
    assert measure(model, logit_difference(), task=TWO_LENGTHS, prompts=4).value != 0
