"""Tiny random models, saved as a training run would save them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_words import WORDS, tiny_gpt2, write_tokenizer


def tiny_llama(**changes):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    return LlamaForCausalLM(
        LlamaConfig(**{"vocab_size": len(WORDS), **sizes, **heads, **ends, **changes})
    )


MODELS = {"gpt2": tiny_gpt2, "llama": tiny_llama}


@pytest.fixture
def checkpoint(tmp_path: Path):
    """Return a function that makes a tiny model, saves it, and returns both."""

    def make(kind: str = "gpt2", name: str = "checkpoint", **changes):
        model = MODELS[kind](**changes).eval()
        folder = tmp_path / name
        model.save_pretrained(folder)
        write_tokenizer(folder)
        return folder, model

    return make


@pytest.fixture
def gpt2_folder(checkpoint) -> Path:
    return checkpoint()[0]
