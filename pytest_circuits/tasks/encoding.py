"""From text to token ids: which token a word became, and the BOS policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_circuits.arguments import problem_with_name
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable, shown
from pytest_circuits.tasks.base import Tokenizer


@dataclass(frozen=True)
class Encoded:
    """Token ids of one text and the character range [start, end) each token covers."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]

    def covering(self, span: tuple[int, int]) -> tuple[int, ...]:
        """Return the indices of the tokens that overlap a character range."""
        start, end = span
        return tuple(i for i, (a, b) in enumerate(self.offsets) if a < end and b > start)


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Encoded]:
    """Return the tokens of each text, without special tokens.

    Raises ClaimNotEvaluable for a tokenizer that cannot say where its tokens stand.
    """
    if not texts:
        return []
    try:
        batch = tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True)
    except NotImplementedError as error:
        raise ClaimNotEvaluable(
            "tasks find named positions by character offsets, which this tokenizer does not "
            "give; load the fast version of the tokenizer"
        ) from error
    return [
        Encoded(tuple(ids), tuple((a, b) for a, b in offsets))
        for ids, offsets in zip(batch["input_ids"], batch["offset_mapping"], strict=True)
    ]


def single_tokens(tokenizer: Tokenizer, words: Iterable[str]) -> dict[str, int]:
    """Return the token id of each word that is one token inside a text, after a space.

    Words of several tokens, and words outside the vocabulary, are missing from the result.
    """
    words = list(dict.fromkeys(words))
    before = encode(tokenizer, ["to"])[0].ids
    encoded = encode(tokenizer, [f"to {word}" for word in words])
    return {
        word: e.ids[-1]
        for word, e in zip(words, encoded, strict=True)
        if e.ids and e.ids[:-1] == before and e.ids[-1] != tokenizer.unk_token_id
    }


def has_unknown(tokenizer: Tokenizer, encoded: Encoded) -> bool:
    """Return whether some token is the unknown token."""
    return tokenizer.unk_token_id is not None and tokenizer.unk_token_id in encoded.ids


def slot_indices(
    encoded: Encoded, spans: Mapping[str, tuple[int, int]], expected: Mapping[str, int]
) -> dict[str, int] | None:
    """Return the token index of each slot, or None if a slot is not the one token expected."""
    found = {slot: encoded.covering(span) for slot, span in spans.items()}
    if any(
        len(where) != 1 or encoded.ids[where[0]] != expected[slot] for slot, where in found.items()
    ):
        return None
    return {slot: where[0] for slot, where in found.items()}


def frame(encoded: Encoded, slots: Iterable[int]) -> tuple[int, ...]:
    """Return the token ids with -1 at the slots: prompts of equal frames align."""
    varied = set(slots)
    return tuple(-1 if i in varied else token for i, token in enumerate(encoded.ids))


def check_bos(bos: object) -> None:
    """Raise CircuitUsageError unless it is None or can be the name of a token."""
    if bos is not None and problem_with_name(bos):
        raise CircuitUsageError(
            f"`bos` must be None, 'default' or the name of a token; got {shown(bos)}"
        )


def bos_ids(tokenizer: Tokenizer, bos: str | None) -> tuple[int, ...]:
    """Return the ids to put before each prompt: none, or one.

    `bos` is None (no BOS), "default" (the tokenizer's own) or the name of a token. Raises
    ClaimNotEvaluable if the tokenizer has no such token.
    """
    if bos is None:
        return ()
    token = tokenizer.bos_token if bos == "default" else bos
    if token is None:
        raise ClaimNotEvaluable(
            "`bos='default'` asks for the tokenizer's BOS token, but this tokenizer has none; "
            "use `bos=None` or name a token"
        )
    # An unknown name comes back as None or as the id of the unknown token, so ask back.
    found = tokenizer.convert_tokens_to_ids(token)
    if found is None or tokenizer.convert_ids_to_tokens(found) != token:
        raise ClaimNotEvaluable(
            f"`bos={shown(bos)}` must be None, 'default' or a token of the vocabulary; "
            f"this tokenizer has no token {token!r}"
        )
    return (found,)
