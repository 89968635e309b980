"""Tiny random models of two families, as Hugging Face folders, that know the IOI words."""

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from pytest_circuits.tasks.ioi import vocabulary


def word_tokenizer():
    names, others = vocabulary()
    words = ["<unk>", "<s>", *names, *others]
    inner = Tokenizer(WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    inner.pre_tokenizer = Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", bos_token="<s>", eos_token="<s>"
    )


def save_gpt2(folder, *, layers=3, heads=4, width=32):
    """LayerNorm, learned positions, biases, one K/V head per query head."""
    tokenizer = word_tokenizer()
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_layer=layers,
        n_head=heads,
        n_embd=width,
        n_positions=128,
        bos_token_id=1,
        eos_token_id=1,
    )
    return _save(GPT2LMHeadModel, config, tokenizer, folder)


def save_llama(folder, *, layers=3):
    """RMSNorm, rotary positions, gated MLP, six query heads sharing two K/V heads."""
    tokenizer = word_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        num_hidden_layers=layers,
        num_attention_heads=6,
        num_key_value_heads=2,
        hidden_size=48,
        intermediate_size=64,
        bos_token_id=1,
        eos_token_id=1,
    )
    return _save(LlamaForCausalLM, config, tokenizer, folder)


def _save(kind, config, tokenizer, folder):
    torch.manual_seed(0)
    model = kind(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            # Larger than usual, so that attention is uneven and edits are felt; norms and biases
            # away from 1 and 0, so that forgetting them shows.
            weight.add_(torch.randn_like(weight) * (0.3 if weight.dim() > 1 else 0.1))
            assert weight.isfinite().all(), name
    model.config.architectures = [kind.__name__]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_gemma3(folder):
    """Norms after attention and after the MLP: a head's write is not z W_O."""
    tokenizer = word_tokenizer()
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer),
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=16,
        hidden_size=48,
        intermediate_size=64,
        bos_token_id=1,
        eos_token_id=1,
    )
    return _save(Gemma3ForCausalLM, config, tokenizer, folder)
