"""Tiny random models of many architectures: right, by Hugging Face's own forward, or refused."""

from dataclasses import dataclass, field

import pytest
import torch
import transformers
from tiny import TWO_LENGTHS, save, word_tokenizer

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

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 1,
    "pad_token_id": 1,
}
OLD = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}


@dataclass(frozen=True)
class Kind:
    """How an architecture is run: "cone", "full", or the words it is refused with."""

    run: str
    sizes: dict = field(default_factory=dict)


KINDS = {
    "Llama": Kind("cone"),
    "Mistral": Kind("cone"),
    "Qwen3": Kind("cone", {"head_dim": 8}),
    "Gemma": Kind("cone", {"head_dim": 8}),
    "Gemma3": Kind("cone", {"head_dim": 8}),
    "Olmo": Kind("cone"),
    "Phi3": Kind("cone"),
    "StableLm": Kind("cone"),
    "Starcoder2": Kind("cone"),
    "Granite": Kind("cone"),
    "Nemotron": Kind("cone"),
    "SmolLM3": Kind("cone"),
    "Apertus": Kind("cone"),
    "GPT2": Kind("cone", OLD | {"num_key_value_heads": 4}),
    "GPTBigCode": Kind("cone", OLD),
    "Gemma2": Kind("full", {"head_dim": 8}),
    "Mixtral": Kind("full", {"num_local_experts": 4}),
    "Qwen2Moe": Kind("full", EXPERTS | {"shared_expert_intermediate_size": 16}),
    "Qwen3Moe": Kind("full", EXPERTS | {"head_dim": 8}),
    "Olmo2": Kind("full"),
    "Olmoe": Kind("full", EXPERTS),
    "GptOss": Kind("full", {"num_local_experts": 4, "head_dim": 8}),
    "Phi": Kind("full"),
    "Cohere": Kind("full"),
    "Glm": Kind("full", {"head_dim": 8}),
    "OPT": Kind("full", {"ffn_dim": 64, "word_embed_proj_dim": 32}),
    "Bloom": Kind("full", {"n_layer": 2, "n_head": 4}),
    "Falcon": Kind("full"),
    "GPTNeo": Kind(
        "full",
        {"num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]]},
    ),
    "GPTNeoX": Kind("full", {"num_key_value_heads": 4}),
    "CodeGen": Kind("full", OLD | {"rotary_dim": 4}),
    "XGLM": Kind("full", {"d_model": 32, "ffn_dim": 64, "num_layers": 2, "attention_heads": 4}),
    "Mamba": Kind("full"),
    "Qwen2": Kind("this tokenizer can represent no IOI template"),
    "BioGpt": Kind("TransformerBridge cannot wrap"),
    "Persimmon": Kind("TransformerBridge cannot wrap"),
}


def saved(name, folder):
    tokenizer = word_tokenizer()
    config = "Gemma3Text" if name == "Gemma3" else name
    sizes = SIZES | {"vocab_size": len(tokenizer)} | KINDS[name].sizes
    made = getattr(transformers, f"{config}Config")(**sizes)
    kind = {"GPT2": "GPT2LMHeadModel"}.get(name, f"{name}ForCausalLM")
    return save(getattr(transformers, kind), made, tokenizer, folder)


def by_hugging_face(folder, prompts):
    """The mean logit difference of each prompt alone in the Hugging Face model."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        ends = [model(torch.tensor([ids])).logits[0, -1] for ids in prompts.ids]
    both = zip(ends, prompts.answers, prompts.foils, strict=True)
    return sum(float(end[a] - end[b]) for end, a, b in both) / len(ends)


def measured_right(folder):
    """The model, and how it is run, after its logit difference was found to be Hugging Face's."""
    model = load_model(folder, progress=False)
    found = measure(model, logit_difference(), task=TWO_LENGTHS, prompts=4)
    truth = by_hugging_face(folder, TWO_LENGTHS.draw(model.tokenizer, 4, 0).prompts)
    assert found.value == pytest.approx(truth, rel=1e-3, abs=1e-3)
    return model, found.method.engine


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.run == "cone"])
def test_what_is_taken_apart_is_right(name, tmp_path):
    _, how = measured_right(saved(name, tmp_path / "m"))
    assert how.startswith("light cone")


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.run == "full"])
def test_what_is_not_runs_whole_and_is_right(name, tmp_path):
    model, how = measured_right(saved(name, tmp_path / "m"))
    assert how.startswith("full forward passes (")
    effect = knock_out_effect(heads("0.1", "1.0", at=END), to=zero())
    if name == "Mamba":
        with pytest.raises(ClaimNotEvaluable, match=r"never fired|no head"):
            measure(model, effect, task=TWO_LENGTHS, prompts=4)
    else:
        assert measure(model, effect, task=TWO_LENGTHS, prompts=4).value != 0


@pytest.mark.parametrize(
    "name", [name for name, k in KINDS.items() if k.run not in ("cone", "full")]
)
def test_what_cannot_be_run_is_refused_in_a_sentence(name, tmp_path):
    folder = saved(name, tmp_path / "m")
    with pytest.raises((ModelNotAvailable, ClaimNotEvaluable), match=KINDS[name].run):
        measure(load_model(folder, progress=False), logit_difference(), task=TWO_LENGTHS, prompts=4)
