"""Tiny random models of several families, as Hugging Face folders, that know the IOI words."""

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    GPTJConfig,
    GPTJForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from pytest_circuits.tasks.ioi import IOI, vocabulary


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
    return save(GPT2LMHeadModel, config, tokenizer, folder)


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
    return save(LlamaForCausalLM, config, tokenizer, folder)


def save(kind, config, tokenizer, folder):
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


def save_gemma3(folder, *, layers=2, window=4096, score_scale=256, every=6):
    """Norms after attention and after the MLP: a head's write is not z W_O.

    Norms on queries and keys, one K/V head for all, other rotary frequencies in local layers.
    Every `every`-th layer attends to all that is before, the others to the last `window` tokens;
    scores are divided by the root of `score_scale`, which is not the head's width.
    """
    tokenizer = word_tokenizer()
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer),
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=16,
        hidden_size=48,
        intermediate_size=64,
        sliding_window=window,
        sliding_window_pattern=every,
        query_pre_attn_scalar=score_scale,
        bos_token_id=1,
        eos_token_id=1,
    )
    return save(Gemma3ForCausalLM, config, tokenizer, folder)


def save_sliding_gemma3(folder):
    """Three layers, the middle one attending to everything, the others to the last five tokens.

    In the IOI prompts END is the fifth token from S2: S2 is just in sight, the other names not.
    """
    return save_gemma3(folder, layers=3, window=5, score_scale=4, every=2)


FAMILIES = {"gpt2": save_gpt2, "llama-gqa": save_llama, "gemma3": save_sliding_gemma3}
"""Three layers each; between them all that attention, norms and positions differ in."""

TWO_LENGTHS = IOI(
    templates=(
        "One morning, {A} and {B} met near the {PLACE}. {S} offered a {OBJECT} to",
        "On the bus, {A} talked with {B} about the {PLACE}. Later, {S} showed a {OBJECT} to",
    )
)
"""Prompts of two lengths; of four rows, one of each length in each order."""


def save_gemma2(folder):
    """Attention scores and logits are capped: the light cone does not know that.

    Norms after attention and MLP as in Gemma 3, two query heads per K/V head.
    """
    tokenizer = word_tokenizer()
    config = Gemma2Config(
        vocab_size=len(tokenizer),
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        hidden_size=48,
        intermediate_size=64,
        sliding_window=5,
        query_pre_attn_scalar=4,
        attn_logit_softcapping=1.0,
        final_logit_softcapping=3.0,
        bos_token_id=1,
        eos_token_id=1,
    )
    return save(Gemma2ForCausalLM, config, tokenizer, folder)


def save_neox(folder):
    """Attention and MLP read the same stream, side by side."""
    tokenizer = word_tokenizer()
    config = GPTNeoXConfig(
        vocab_size=len(tokenizer),
        num_hidden_layers=3,
        num_attention_heads=4,
        hidden_size=32,
        intermediate_size=64,
        max_position_embeddings=128,
        bos_token_id=1,
        eos_token_id=1,
    )
    return save(GPTNeoXForCausalLM, config, tokenizer, folder)


def save_gptj(folder):
    """Attention and MLP side by side, and attention that no hook reaches into."""
    tokenizer = word_tokenizer()
    config = GPTJConfig(
        vocab_size=len(tokenizer),
        n_layer=2,
        n_head=4,
        n_embd=32,
        n_positions=128,
        rotary_dim=4,
        bos_token_id=1,
        eos_token_id=1,
    )
    return save(GPTJForCausalLM, config, tokenizer, folder)
