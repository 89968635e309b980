"""From IOI sentences to tokenized prompts, with every position found in the tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.tasks.base import Prompts, Tokenizer
from pytest_circuits.tasks.encoding import bos_ids, encode, frame, slot_indices
from pytest_circuits.tasks.ioi_rows import Sentence
from pytest_circuits.tasks.positions import END, IO, IO2, S1, S1_NEXT, S2


@dataclass(frozen=True, kw_only=True)
class _Located:
    """A sentence in tokens (without BOS): where its slots stand, and its words but for these."""

    sentence: Sentence
    text: str
    ids: tuple[int, ...]
    slots: Mapping[str, int]
    frame: tuple[int, ...]


def prompts_of(
    tokenizer: Tokenizer,
    sentences: Mapping[str, Sequence[Sentence]],
    ids: Mapping[str, int],
    bos: str | None,
) -> dict[str, Prompts]:
    """Return the prompts of each distribution; `ids` are the words' tokens, `bos` the policy.

    Raises ClaimNotEvaluable if prompts of one group do not align token for token.
    """
    head = bos_ids(tokenizer, bos)
    located = {name: _locate(tokenizer, some, ids) for name, some in sentences.items()}
    _check_alignment([one for some in located.values() for one in some])
    return {name: _prompts(name, some, ids, head) for name, some in located.items()}


def _locate(
    tokenizer: Tokenizer, sentences: Sequence[Sentence], ids: Mapping[str, int]
) -> list[_Located]:
    filled = [sentence.filled() for sentence in sentences]
    located = []
    encoded = encode(tokenizer, [f.text for f in filled])
    for sentence, text, tokens in zip(sentences, filled, encoded, strict=True):
        slots = slot_indices(tokens, text.spans, {s: ids[text.word(s)] for s in text.spans})
        if slots is None:
            raise ClaimNotEvaluable(f"a name or word of {text.text!r} is not one token there")
        located.append(
            _Located(
                sentence=sentence,
                text=text.text,
                ids=tokens.ids,
                slots=slots,
                frame=frame(tokens, slots.values()),
            )
        )
    return located


def _check_alignment(located: Sequence[_Located]) -> None:
    # The stock tried each word in each slot, but not all combinations of words.
    first: dict[str, _Located] = {}
    for one in located:
        other = first.setdefault(one.sentence.group, one)
        if one.frame != other.frame:
            raise ClaimNotEvaluable(
                f"prompts of one template do not align token for token under this tokenizer: "
                f"{other.text!r} and {one.text!r}; leave the template out"
            )


def _prompts(
    name: str, located: Sequence[_Located], ids: Mapping[str, int], head: tuple[int, ...]
) -> Prompts:
    return Prompts(
        name=name,
        texts=tuple(one.text for one in located),
        ids=tuple(head + one.ids for one in located),
        positions=_positions(located, len(head)),
        answers=tuple(ids[one.sentence.io] for one in located),
        foils=tuple(ids[one.sentence.s1] for one in located),
        groups=tuple(one.sentence.group for one in located),
        strata=tuple(f"{one.sentence.order}: {one.sentence.group}" for one in located),
    )


def _positions(located: Sequence[_Located], shift: int) -> dict[str, tuple[int, ...]]:
    """Return the named positions; `shift` is the number of BOS tokens in front."""
    io = tuple(shift + one.slots[one.sentence.io_slot] for one in located)
    s1 = tuple(shift + one.slots[one.sentence.s1_slot] for one in located)
    distractor = tuple(shift + one.slots["D"] for one in located if "D" in one.slots)
    return {
        IO: io,
        S1: s1,
        S1_NEXT: tuple(i + 1 for i in s1),
        S2: tuple(shift + one.slots["S"] for one in located),
        END: tuple(shift + len(one.ids) - 1 for one in located),
        **({IO2: distractor} if distractor else {}),
    }
