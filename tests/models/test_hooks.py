"""Hooks that are not the bridge's own: refused by name where a model is wrapped."""

from __future__ import annotations

import pytest

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.models.load import load_model, wrap_model


def doubled(value, hook):
    return 2 * value


def louder(module, args, output):
    return output + 1


@pytest.fixture
def loaded(gpt2_folder):
    return load_model(gpt2_folder, progress=False)


def refused(what, tokenizer, *parts):
    with pytest.raises(CircuitUsageError) as caught:
        wrap_model(what, tokenizer)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("permanent", [False, True])
def test_one_left_on_a_bridge(loaded, permanent):
    loaded.bridge.add_hook("blocks.1.hook_mlp_out", doubled, is_permanent=permanent)
    refused(
        loaded.bridge,
        loaded.tokenizer,
        "`bridge_or_hf_model`",
        "blocks.1.mlp.hook_out (doubled)",
        "reset_hooks(including_permanent=True)",
    )


def test_each_is_named_and_a_long_list_cut(loaded):
    for at in range(4):
        for layer in range(2):
            loaded.bridge.add_hook(f"blocks.{layer}.attn.hook_{'qkvz'[at]}", doubled)
    refused(loaded.bridge, loaded.tokenizer, "blocks.0.attn.q.hook_out (doubled)", "and 3 more")


def test_one_that_was_taken_off_again_is_none(loaded):
    loaded.bridge.add_hook("blocks.1.hook_mlp_out", doubled)
    loaded.bridge.reset_hooks(including_permanent=True)
    with loaded.bridge.hooks(fwd_hooks=[("blocks.0.hook_mlp_out", doubled)]):
        pass
    assert wrap_model(loaded.bridge, loaded.tokenizer).bridge is loaded.bridge


@pytest.mark.parametrize("register", ["register_forward_hook", "register_forward_pre_hook"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_one_of_torch_on_the_hugging_face_model(register, wrapped, checkpoint):
    folder, hf_model = checkpoint()
    loaded = load_model(folder, progress=False)
    if wrapped:
        hf_model = loaded.bridge.original_model
    getattr(hf_model.transformer.h[0].mlp, register)(louder)
    what = loaded.bridge if wrapped else hf_model
    refused(what, loaded.tokenizer, "h.0.mlp (louder)" if not wrapped else "louder", ".remove()")


def test_one_of_torch_on_all_modules(loaded):
    from torch.nn.modules.module import register_module_forward_hook

    handle = register_module_forward_hook(louder)
    try:
        refused(loaded.bridge, loaded.tokenizer, "all modules (louder)")
    finally:
        handle.remove()


def test_a_forward_that_was_replaced(loaded):
    mlp = loaded.bridge.original_model.transformer.h[0].mlp
    mlp.forward = lambda *args, **kwargs: 0
    refused(loaded.bridge, loaded.tokenizer, "in place of forward")


def test_those_of_the_libraries_are_their_own(checkpoint):
    """transformers installs hooks the first time that hidden states are asked for."""
    import torch

    folder, hf_model = checkpoint("llama")
    tokens = torch.tensor([[2, 3, 4]])
    hf_model(tokens, output_hidden_states=True, output_attentions=True)
    model = wrap_model(hf_model, load_model(folder, progress=False).tokenizer)
    model.bridge(tokens)
    model.bridge.run_with_cache(tokens)
    assert wrap_model(model.bridge, model.tokenizer).bridge is model.bridge


def test_one_of_the_gradient_is_no_matter(loaded):
    loaded.bridge.add_hook("blocks.1.hook_mlp_out", doubled, dir="bwd")
    assert wrap_model(loaded.bridge, loaded.tokenizer).bridge is loaded.bridge
