"""IOI prompts that agree with others on some features and are drawn afresh in all others.

The name of a variation says it all: "IOI~IO+position" has, row by row, the IO and the order of
the IOI prompt and another S; "IOI~" shares nothing but the template, place and object, and by
chance the order, "IOI~-position" not even that; "IOI~position~S" varies the rows of
"IOI~position". Drawn only when asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from pytest_circuits.errors import ClaimNotEvaluable, unknown_name
from pytest_circuits.tasks.base import CHANGED, VARIED, Prompts, Tokenizer
from pytest_circuits.tasks.ioi_prompts import prompts_of
from pytest_circuits.tasks.ioi_rows import ABBA, BABA, Sentence, other_order
from pytest_circuits.tasks.ioi_stock import Stock
from pytest_circuits.tasks.positions import IO

POSITION = "position"
S = "S"
FEATURES = (POSITION, S, IO)
"""The order of the two names in the first sentence; the name that occurs twice; the other."""


def variation(distribution: str, keep: frozenset[str]) -> str:
    """Return the name of the variation that keeps these features: itself if it keeps all."""
    _check_features(keep)
    if keep == frozenset(FEATURES):
        return distribution
    # Names that are not kept never agree: to ask for it makes no other variation.
    said = keep - {CHANGED + S, CHANGED + IO}
    return f"{distribution}{VARIED}{'+'.join(sorted(said))}"


@dataclass(frozen=True, kw_only=True)
class Variations:
    """Draws variations of the sentences of a dataset, by name."""

    tokenizer: Tokenizer
    stock: Stock
    bos: str | None
    seed: int
    sentences: Mapping[str, Sequence[Sentence]]

    def prompts(self, name: str) -> Prompts:
        """Return the prompts of the variation `name`.

        Raises ClaimNotEvaluable for an unknown distribution or feature, and for prompts that
        do not align with the ones they vary.
        """
        base = name.split(VARIED)[0]
        # The base goes along so that the variation's alignment with it is checked.
        both = {base: self._rows(base), name: self._rows(name)}
        return prompts_of(self.tokenizer, both, self.stock.ids, self.bos)[name]

    def _rows(self, name: str) -> Sequence[Sentence]:
        base, varied, listed = name.rpartition(VARIED)
        if not varied:
            return self._own(name)
        keep = frozenset(listed.split("+") if listed else ())
        _check_features(keep)
        # A string as the seed, as in draw_rows; a row each, so that a larger n changes no row.
        return [
            _varied(sentence, keep, self.stock.words["names"], Random(f"{self.seed} {name} {row}"))
            for row, sentence in enumerate(self._rows(base))
        ]

    def _own(self, name: str) -> Sequence[Sentence]:
        if name not in self.sentences:
            raise ClaimNotEvaluable(unknown_name("prompt distribution", name, self.sentences))
        if any(sentence.s1 != sentence.s2 for sentence in self.sentences[name]):
            raise ClaimNotEvaluable(f"{name} prompts name nobody twice: there is no S to vary.")
        return self.sentences[name]


def _varied(
    sentence: Sentence, keep: frozenset[str], names: Sequence[str], rng: Random
) -> Sentence:
    """Return the sentence with all but the kept features drawn afresh."""
    present = {sentence.io, sentence.s1, sentence.extra}
    new_io, new_s = rng.sample([name for name in names if name not in present], 2)
    io = sentence.io if IO in keep else new_io
    s = sentence.s1 if S in keep else new_s
    return replace(
        sentence,
        order=_order(sentence.order, keep, rng),
        io=io,
        s1=s,
        s2=s,
        # A distractor that names IO goes on naming it.
        extra=io if sentence.extra == sentence.io else sentence.extra,
    )


def _order(order: str, keep: frozenset[str], rng: Random) -> str:
    drawn = rng.choice((ABBA, BABA))
    if CHANGED + POSITION in keep:
        return other_order(order)
    return order if POSITION in keep else drawn


def _check_features(keep: frozenset[str]) -> None:
    for each in sorted(keep):
        feature = each.removeprefix(CHANGED)
        if feature not in FEATURES:
            raise ClaimNotEvaluable(unknown_name("feature of IOI prompts", feature, FEATURES))
        if {feature, CHANGED + feature} <= keep:
            raise ClaimNotEvaluable(f"no prompt both keeps and changes the feature {feature!r}.")
