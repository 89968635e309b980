"""The tokenizer of `reference-ioi`: one token per word, punctuation split off."""

from __future__ import annotations

from pathlib import Path

from pytest_circuits.models.reference.layout import (
    BOS_TOKEN,
    N_POSITIONS,
    UNKNOWN_TOKEN,
    Vocabulary,
)


def write_tokenizer(vocabulary: Vocabulary, folder: Path) -> None:
    """Write a Hugging Face fast tokenizer; it adds no BOS of its own."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    ids = {token: index for index, token in enumerate(vocabulary.tokens())}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN_TOKEN))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS_TOKEN,
        eos_token=BOS_TOKEN,
        unk_token=UNKNOWN_TOKEN,
        model_max_length=N_POSITIONS,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)
