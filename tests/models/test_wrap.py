"""A model in memory becomes a `Model` like a loaded one."""

from __future__ import annotations

import pytest

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.models.load import load_model, wrap_model


def test_a_hugging_face_model_is_booted(checkpoint):
    import torch

    folder, hf_model = checkpoint()
    tokens = torch.tensor([[2, 3, 4]])
    expected = hf_model(tokens).logits.detach()
    model = wrap_model(hf_model, load_model(folder, progress=False).tokenizer, spec="mine")
    torch.testing.assert_close(model.bridge(tokens), expected, atol=1e-5, rtol=0)
    assert not any(parameter.requires_grad for parameter in model.bridge.parameters())
    assert (model.spec, model.device, model.dtype) == ("mine", "cpu", "float32")
    assert model.provenance == "the user's own object"


def test_a_bridge_is_used_as_it_is(gpt2_folder):
    loaded = load_model(gpt2_folder, progress=False)
    loaded.bridge.train()
    model = wrap_model(loaded.bridge, loaded.tokenizer, provenance="trained here")
    assert model.bridge is loaded.bridge
    assert not model.bridge.training
    assert model.provenance == "trained here"


def test_a_model_with_an_adapter_is_refused_with_the_way_out(checkpoint):
    """As peft leaves it, wrapped or loaded into the model itself."""
    folder, hf_model = checkpoint()
    hf_model.peft_config = {"default": object()}
    tokenizer = load_model(folder, progress=False).tokenizer
    with pytest.raises(CircuitUsageError, match=r"Merge it first: .*merge_and_unload"):
        wrap_model(hf_model, tokenizer)
