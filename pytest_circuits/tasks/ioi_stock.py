"""Which words and templates of the IOI task a tokenizer can represent, and what it cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.tasks.base import Tokenizer
from pytest_circuits.tasks.encoding import encode, frame, has_unknown, single_tokens, slot_indices
from pytest_circuits.tasks.templates import (
    DISTRACTORS,
    NAME_SLOTS,
    Filled,
    fill,
    insert_sentence,
    slots_of,
)

MINIMUM_NAMES = 10
"""A row and its counterparts use eight different names; two to spare keep rows different."""

Words = Mapping[str, Sequence[str]]
"""Words by kind: "names", "places", "objects"."""


@dataclass(frozen=True, kw_only=True)
class Stock:
    """Words that are one token each (`ids`), templates that align, and what was left out."""

    ids: Mapping[str, int]
    words: Words
    templates: tuple[str, ...]
    distractors: tuple[str, ...]
    left_out: tuple[str, ...]


def read_words(kind: str) -> tuple[str, ...]:
    """Return the package's own words of a kind: "names", "places" or "objects"."""
    path = files("pytest_circuits") / "tasks" / "words" / f"{kind}.txt"
    return tuple(path.read_text(encoding="utf-8").split())


def take_stock(tokenizer: Tokenizer, names: Sequence[str], templates: Sequence[str]) -> Stock:
    """Return what of the given names and templates, and of the package's words, is usable.

    Every word is tried in every place, thousands of texts: what was found for the last tokenizers
    is kept, until their vocabulary grows. Raises ClaimNotEvaluable if fewer than MINIMUM_NAMES
    names, no template or no distractor sentence remains.
    """
    return _stock(tokenizer, len(tokenizer), tuple(names), tuple(templates))


@lru_cache(maxsize=4)
def _stock(
    tokenizer: Tokenizer, size: int, names: tuple[str, ...], templates: tuple[str, ...]
) -> Stock:
    listed = {"names": names, "places": read_words("places"), "objects": read_words("objects")}
    ids = single_tokens(tokenizer, [word for words in listed.values() for word in words])
    usable = {kind: tuple(w for w in words if w in ids) for kind, words in listed.items()}
    if len(usable["names"]) < MINIMUM_NAMES:
        raise ClaimNotEvaluable(
            f"tokenizer without the names: IOI needs at least {MINIMUM_NAMES} names of one token "
            f"each, and of {len(names)} names this tokenizer has {len(usable['names'])}"
        )
    misfits = {t: _misfit(tokenizer, t, ids, usable) for t in templates}
    kept = _without("template", misfits)
    inserted = {d: insert_sentence(kept[0], d) for d in DISTRACTORS}
    odd = {d: _misfit(tokenizer, text, ids, usable) for d, text in inserted.items()}
    return Stock(
        ids=ids,
        words=usable,
        templates=kept,
        distractors=_without("distractor", odd),
        left_out=(
            *_missing(listed, usable),
            *_reasons("template", misfits),
            *_reasons("distractor", odd),
        ),
    )


def _missing(listed: Words, usable: Words) -> list[str]:
    """Return one line per kind of word of which some are not one token."""
    lost = {kind: [w for w in words if w not in usable[kind]] for kind, words in listed.items()}
    return [
        f"{len(words)} of {len(listed[kind])} {kind} (not one token): {', '.join(words)}"
        for kind, words in lost.items()
        if words
    ]


def _without(kind: str, misfits: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the entries without a misfit; raises ClaimNotEvaluable if there is none."""
    kept = tuple(entry for entry, reason in misfits.items() if reason is None)
    if not kept:
        reasons = "; ".join(f"{entry!r}: {reason}" for entry, reason in misfits.items())
        raise ClaimNotEvaluable(f"this tokenizer can represent no IOI {kind}: {reasons}")
    return kept


def _reasons(kind: str, misfits: Mapping[str, str | None]) -> list[str]:
    return [f"{kind} {entry!r}: {reason}" for entry, reason in misfits.items() if reason]


def _misfit(
    tokenizer: Tokenizer, template: str, ids: Mapping[str, int], usable: Words
) -> str | None:
    """Return why the prompts of a template do not align for this tokenizer, or None.

    Every usable word is tried in every slot it may stand in.
    """
    kinds = {
        slot: "names" if slot in NAME_SLOTS else f"{slot.lower()}s" for slot in slots_of(template)
    }
    empty = [slot for slot, kind in kinds.items() if not usable[kind]]
    if empty:
        return f"no word of one token for {{{empty[0]}}}"
    probes = _probes(template, {slot: usable[kind] for slot, kind in kinds.items()})
    frames = set()
    for filled, encoded in zip(probes, encode(tokenizer, [p.text for p in probes]), strict=True):
        expected = {slot: ids[filled.word(slot)] for slot in filled.spans}
        slots = slot_indices(encoded, filled.spans, expected)
        if slots is None:
            return f"a word is not the one token it is elsewhere, in {filled.text!r}"
        if has_unknown(tokenizer, encoded):
            return "it has words that the vocabulary lacks"
        if min(slots.values()) < 2:
            return "a name stands on the first two tokens, which are an attention sink"
        frames.add(frame(encoded, slots.values()))
    return None if len(frames) == 1 else "its prompts do not align token for token"


def _probes(template: str, choices: Words) -> list[Filled]:
    """Return the template filled so that each word stands once, or more, in each slot."""
    rounds = max(len(words) for words in choices.values())
    return [
        fill(
            template,
            # Shifted by the slot's place, so that the names of one probe differ.
            {slot: words[(i + k) % len(words)] for k, (slot, words) in enumerate(choices.items())},
        )
        for i in range(rounds)
    ]
