"""The real suite on models it is not about: the same architecture, its heads renamed or random."""

from collections import Counter

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_circuits import wrap_model
from pytest_circuits.models.source import find_source

PROMPTS = 24


@pytest.fixture(scope="module")
def folder():
    return find_source("smollm2-135m", cache_dir=None, progress=False).folder


@pytest.fixture(scope="module")
def tokenizer(folder):
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture
def hf_model(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def rename_heads(model):
    """Permute K/V groups, and query heads within them: the same function, every head elsewhere."""
    config = model.config
    groups, d_head = config.num_key_value_heads, config.hidden_size // config.num_attention_heads
    size = config.num_attention_heads // groups
    for layer in model.model.layers:
        attn = layer.self_attn
        kv = [1, 2, 0]
        query = [g * size + (i + 1) % size for g in kv for i in range(size)]
        with torch.no_grad():
            for projection, order in ((attn.q_proj, query), (attn.k_proj, kv), (attn.v_proj, kv)):
                blocks = projection.weight.view(len(order), d_head, -1)
                projection.weight.copy_(blocks[order].reshape_as(projection.weight))
            blocks = attn.o_proj.weight.view(-1, len(query), d_head)
            attn.o_proj.weight.copy_(blocks[:, query].reshape_as(attn.o_proj.weight))


def test_renamed_heads_are_noticed_though_the_model_does_the_same(evaluate, hf_model, tokenizer):
    rename_heads(hf_model)
    found = evaluate("ioi_smollm2_135m", wrap_model(hf_model, tokenizer), prompts=PROMPTS)
    counts = Counter(found.values())
    assert counts["error"] == 0
    assert counts["refuted"] > len(found) / 2, found
    assert found["io_is_preferred_clearly"] != "refuted"


def test_random_weights_are_noticed(evaluate, hf_model, tokenizer):
    torch.manual_seed(0)
    random = type(hf_model)(hf_model.config)
    found = evaluate("ioi_smollm2_135m", wrap_model(random, tokenizer), prompts=PROMPTS)
    counts = Counter(found.values())
    assert counts["error"] == 0
    assert counts["refuted"] > len(found) / 2, found
    assert counts["holds"] <= len(found) / 8, found
