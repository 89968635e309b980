"""Which names, words and template each IOI prompt gets: the drawing, before any tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from pytest_circuits.tasks.ioi_stock import Stock
from pytest_circuits.tasks.templates import Filled, fill, insert_sentence, skeleton

ABBA = "ABBA"
BABA = "BABA"

CAST = 8
"""Different names in a row and its counterparts."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Everything drawn for one prompt and its counterparts; the eight names all differ."""

    template: str
    order: str
    place: str
    object: str
    distractor: str
    io: str
    s: str
    fresh: tuple[str, str, str]
    new_io: str
    new_s: str
    third: str


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One prompt to be: a template, its order, and who stands where."""

    template: str
    order: str
    io: str
    s1: str
    s2: str
    place: str
    object: str
    extra: str = ""

    @property
    def io_slot(self) -> str:
        """The slot of the indirect object: the first name in ABBA, the second in BABA."""
        return "A" if self.order == ABBA else "B"

    @property
    def s1_slot(self) -> str:
        """The slot of the subject in the first sentence."""
        return "B" if self.order == ABBA else "A"

    @property
    def group(self) -> str:
        """The label of all prompts that align with this one, of either order."""
        return skeleton(self.template)

    def filled(self) -> Filled:
        """Return the text and where each slot's word stands."""
        names = {self.io_slot: self.io, self.s1_slot: self.s1, "S": self.s2, "D": self.extra}
        return fill(self.template, {**names, "PLACE": self.place, "OBJECT": self.object})


def draw_rows(stock: Stock, orders: Sequence[str], n: int, seed: int) -> list[Row]:
    """Return `n` rows; the first rows are the same for every `n`.

    Templates and orders alternate, so that the counts of templates, of orders and of both
    together differ by at most one. Names and words are drawn anew for each row, whatever the
    other rows have: a name in step with the templates would move means over a template, all rows
    of it together, which no error over prompts can see.
    """
    # Strings, because Random hashes them with SHA-512, not with Python's randomised hash.
    templates = Random(f"{seed} templates").sample(stock.templates, len(stock.templates))
    casting, rng = Random(f"{seed} names"), Random(f"{seed} words")
    casts = (casting.sample(stock.words["names"], CAST) for _ in range(n))
    return [
        Row(
            template=templates[i % len(templates)],
            order=orders[(i % len(templates) + i // len(templates)) % len(orders)],
            place=_choice(rng, stock.words["places"]),
            object=_choice(rng, stock.words["objects"]),
            distractor=_choice(rng, stock.distractors),
            io=cast[0],
            s=cast[1],
            fresh=(cast[2], cast[3], cast[4]),
            new_io=cast[5],
            new_s=cast[6],
            third=cast[7],
        )
        for i, cast in enumerate(casts)
    ]


def _choice(rng: Random, words: Sequence[str]) -> str:
    # A tokenizer without any place still does for templates without a place.
    return rng.choice(words) if words else ""


def other_order(order: str) -> str:
    """Return BABA for ABBA and ABBA for BABA."""
    return BABA if order == ABBA else ABBA


def original(row: Row) -> Sentence:
    """Return the prompt of the task itself."""
    return Sentence(
        template=row.template,
        order=row.order,
        io=row.io,
        s1=row.s,
        s2=row.s,
        place=row.place,
        object=row.object,
    )


def without_duplicate(row: Row) -> Sentence:
    """Return the ABC counterpart: three fresh names, none of them twice."""
    io, s1, s2 = row.fresh
    return replace(original(row), io=io, s1=s1, s2=s2)


def flipped(row: Row) -> Sentence:
    """Return the counterpart in which the two names of the first sentence swap places."""
    return replace(original(row), order=other_order(row.order))


def swapped(row: Row) -> Sentence:
    """Return the counterpart in which IO and S exchange roles and keep their positions."""
    return replace(original(row), io=row.s, s1=row.io, s2=row.io)


def second_is_io(row: Row) -> Sentence:
    """Return the prompt with IO in place of S2: IO becomes the subject, its position that of S1."""
    return replace(swapped(row), order=other_order(row.order))


def renamed(row: Row) -> Sentence:
    """Return the counterpart with two other names in the same order."""
    return replace(original(row), io=row.new_io, s1=row.new_s, s2=row.new_s)


def renamed_flipped(row: Row) -> Sentence:
    """Return the counterpart with two other names in the other order."""
    return replace(renamed(row), order=other_order(row.order))


def distracted(row: Row) -> Sentence:
    """Return the prompt with a sentence in between that names IO once more."""
    template = insert_sentence(row.template, row.distractor)
    return replace(original(row), template=template, extra=row.io)


def distracted_by_third(row: Row) -> Sentence:
    """Return the prompt with the same sentence in between, naming a third person."""
    return replace(distracted(row), extra=row.third)


def distracted_without_duplicate(row: Row) -> Sentence:
    """Return the ABC counterpart with the same sentence in between: four names, none twice."""
    io, s1, s2 = row.fresh
    return replace(distracted_by_third(row), io=io, s1=s1, s2=s2)
