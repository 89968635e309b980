"""The bridge against the Hugging Face model: what it does not run alike is refused, by how much."""

import json

import pytest
import torch
from tiny import FAMILIES, TWO_LENGTHS, save_gpt2, save_llama, save_sliding_gemma3

from pytest_circuits import (
    CircuitUsageError,
    ClaimNotEvaluable,
    load_model,
    logit_difference,
    measure,
    wrap_model,
)
from pytest_circuits.engine import parity
from pytest_circuits.engine.engine import Engine
from pytest_circuits.engine.parity import check_parity


@pytest.fixture
def folder(tmp_path):
    return save_gpt2(tmp_path / "m")


def edited(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return load_model(folder, progress=False)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_runs_alike_is_let_through_once(family, tmp_path, monkeypatch):
    model = load_model(FAMILIES[family](tmp_path / "m"), progress=False)
    check_parity(model, 12)
    monkeypatch.setattr(parity, "_rebuilt", None)
    check_parity(model, 12)
    with pytest.raises(ClaimNotEvaluable, match="cannot run"):
        check_parity(model, 13)


def test_an_option_that_the_bridge_does_not_heed_is_refused_with_the_number(folder):
    model = edited(folder, scale_attn_weights=False)
    with pytest.raises(
        ClaimNotEvaluable, match=r"does not run .* tokens its logits are \d+.* % off"
    ):
        measure(model, logit_difference(), task=TWO_LENGTHS, prompts=4)


def test_so_is_one_of_a_model_in_memory(folder):
    model = edited(folder, scale_attn_weights=False)
    again = wrap_model(model.bridge, model.tokenizer)
    with pytest.raises(ClaimNotEvaluable, match="% off"):
        measure(again, logit_difference(), task=TWO_LENGTHS, prompts=4)


def test_a_rotation_that_hangs_on_the_length_is_seen_where_it_does(tmp_path):
    folder = save_llama(tmp_path / "m")
    scaled = {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 10000.0}
    model = edited(folder, rope_scaling=scaled, rope_parameters=scaled, max_position_embeddings=16)
    check_parity(model, 8)
    with pytest.raises(ClaimNotEvaluable, match="% off"):
        check_parity(model, 40)


def test_attention_that_looks_ahead_is_refused(tmp_path):
    """Padding without a mask is right only where no position sees what stands behind it."""
    model = edited(save_sliding_gemma3(tmp_path / "m"), use_bidirectional_attention=True)
    with pytest.raises(ClaimNotEvaluable, match="% off"):
        check_parity(model, 8)


def test_a_bridge_over_nothing_has_nothing_to_be_checked_against(folder):
    model = load_model(folder, progress=False)
    bridge = model.bridge
    bridge.original_model.config = None
    model.parity.config = None
    with pytest.raises(ClaimNotEvaluable, match="no bridge over a Hugging Face model"):
        check_parity(model, 8)


def test_logits_that_are_not_finite_prove_nothing_and_it_is_said(folder):
    model = load_model(folder, progress=False)
    with torch.no_grad():
        model.bridge.original_model.lm_head.weight[0] = float("inf")
    check_parity(model, 8)
    assert model.parity.width == 0
    assert Engine(model).description.endswith("whose logits are not finite")


def test_the_weights_are_not_copied(folder):
    model = load_model(folder, progress=False)
    made = parity._rebuilt(model)
    there = {value.data_ptr() for value in model.bridge.original_model.state_dict().values()}
    assert {value.data_ptr() for value in made.parameters()} <= there


def test_mutants_are_let_through_by_what_they_were_made_of(folder):
    from pytest_circuits.mutation.mutants import KnockedOut
    from pytest_circuits.mutation.sabotage import applied
    from pytest_circuits.nodes import Head

    model = load_model(folder, progress=False)
    check_parity(model, 8)
    with applied(KnockedOut(heads=(Head(0, 0),)), model) as sabotaged:
        assert sabotaged.parity is model.parity
        assert torch.isfinite(sabotaged.bridge(torch.tensor([[1, 2, 3]]))).all()


@pytest.mark.parametrize("what", ["native", "no model"])
def test_what_is_over_no_hugging_face_model_is_refused_in_a_sentence(what, folder):
    """A bridge by boot_native has a model of TransformerLens's own below it, without a config."""
    from transformer_lens.model_bridge import TransformerBridge

    tokenizer = load_model(folder, progress=False).tokenizer
    sizes = {"n_layers": 2, "d_model": 32, "n_heads": 4, "d_head": 8, "n_ctx": 64, "act_fn": "gelu"}
    sizes |= {"d_vocab": len(tokenizer), "architecture": "TransformerLensNative"}
    given = TransformerBridge.boot_native(sizes, tokenizer) if what == "native" else "gpt2"
    with pytest.raises(CircuitUsageError, match=r"must be a Hugging Face model, or .* over one"):
        wrap_model(given, tokenizer)
