"""From the rows of a user's own task to tokenized prompts, checked for alignment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_circuits.errors import shown
from pytest_circuits.tasks.base import Prompts, Tokenizer
from pytest_circuits.tasks.encoding import Encoded, encode, has_unknown
from pytest_circuits.tasks.own_rows import OwnPrompt, OwnRow
from pytest_circuits.tasks.positions import END


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One prompt of a row in tokens, without BOS."""

    text: str
    ids: tuple[int, ...]
    answer: int
    foil: int
    positions: tuple[tuple[str, int], ...]
    group: str

    @property
    def length(self) -> int:
        """Number of tokens, without BOS."""
        return len(self.ids)


@dataclass(frozen=True, kw_only=True)
class Tokenized:
    """A row in tokens: its prompt and counterparts, by distribution."""

    where: str
    cluster: str | None
    variants: Mapping[str, Variant]

    @property
    def asked(self) -> tuple[object, ...]:
        """All that a model reads and is asked in this row: rows of which it is equal are one."""
        return tuple(
            (label, v.ids, v.answer, v.foil, v.positions)
            for label, v in sorted(self.variants.items())
        )


def tokenize_row(tokenizer: Tokenizer, name: str, row: OwnRow) -> Tokenized | str:
    """Return the row in tokens, or why this tokenizer cannot represent it."""
    result: dict[str, Variant] = {}
    for label, prompt in ((name, row.prompt), *row.counterparts):
        variant = _tokenize(tokenizer, prompt, result.get(name), row.prompt.group or row.where)
        if isinstance(variant, str):
            return f"{row.where}, {label!r}: {variant}"
        result[label] = variant
    return Tokenized(where=row.where, cluster=row.cluster, variants=result)


def distinct(rows: Sequence[Tokenized]) -> tuple[list[Tokenized], tuple[str, ...]]:
    """Return the rows without those that repeat an earlier one, and a line on these if any do."""
    first: dict[tuple[object, ...], Tokenized] = {}
    again = [row for row in rows if first.setdefault(row.asked, row) is not row]
    if not again:
        return list(rows), ()
    one = f"{again[0].where}: {first[again[0].asked].where} again"
    line = f"{len(again)} rows repeat others, the first of them {one}"
    return list(first.values()), (line if len(again) > 1 else f"1 row repeats another, {one}",)


def sharing(name: str, rows: Sequence[Tokenized]) -> int:
    """Return how many rows have the prompt of another, which differ in answers or counterparts."""
    times = Counter(row.variants[name].ids for row in rows)
    return sum(count for count in times.values() if count > 1)


def _tokenize(
    tokenizer: Tokenizer, prompt: OwnPrompt, original: Variant | None, group: str
) -> Variant | str:
    texts = [prompt.text, prompt.text + prompt.answer, prompt.text + prompt.foil]
    encoded, *continued = encode(tokenizer, texts)
    if not encoded.ids:
        return f"there is no token in {shown(prompt.text)}"
    for word, longer in zip((prompt.answer, prompt.foil), continued, strict=True):
        if longer.ids[:-1] != encoded.ids:
            return f"{shown(word)} is not one token after {shown(prompt.text)}"
    if any(has_unknown(tokenizer, e) for e in (encoded, *continued)):
        return f"the vocabulary lacks a word of {shown(prompt.text)} or of its answers"
    positions = _indices(encoded, prompt, original)
    lost = [name for name, index in positions if not 0 <= index < len(encoded.ids)]
    if lost:
        return f"no token stands at position {shown(lost[0])} of {shown(prompt.text)}"
    return Variant(
        text=prompt.text,
        ids=encoded.ids,
        answer=continued[0].ids[-1],
        foil=continued[1].ids[-1],
        positions=positions,
        group=prompt.group or group,
    )


def _indices(
    encoded: Encoded, prompt: OwnPrompt, original: Variant | None
) -> tuple[tuple[str, int], ...]:
    """Return the token index of each named position; -1 where there is no token."""
    if prompt.positions is None:
        return original.positions if original else ()
    # Of a word of several tokens the last one is meant: only there has a model read all of it.
    places = sorted(prompt.positions)
    return tuple((name, max(encoded.covering(span), default=-1)) for name, span in places)


def check_alignment(rows: Sequence[Tokenized]) -> list[str]:
    """Return what does not align: prompts of one group that differ in their number of tokens.

    A counterpart is of its row's group unless it has its own, so this covers counterparts too.
    """
    problems: list[str] = []
    first: dict[str, tuple[str, int]] = {}
    for row in rows:
        for label, variant in row.variants.items():
            here = f"{row.where}, {label!r}"
            place, length = first.setdefault(variant.group, (here, variant.length))
            if length != variant.length:
                problems.append(
                    f"{here}: must have as many tokens as {place} of the same "
                    f"`group` {variant.group!r}, {length}; got {variant.length}. A prompt that "
                    f"need not align takes a `group` of its own"
                )
    return problems


def collect(name: str, variants: Sequence[Variant], head: tuple[int, ...]) -> Prompts:
    """Return one distribution; `head` are the BOS ids to put in front."""
    shift = len(head)
    positions = {
        position: tuple(shift + dict(v.positions)[position] for v in variants)
        for position, _ in variants[0].positions
    }
    return Prompts(
        name=name,
        texts=tuple(v.text for v in variants),
        ids=tuple(head + v.ids for v in variants),
        positions=positions | {END: tuple(shift + v.length - 1 for v in variants)},
        answers=tuple(v.answer for v in variants),
        foils=tuple(v.foil for v in variants),
        groups=tuple(v.group for v in variants),
        strata=tuple(v.group for v in variants),
    )
