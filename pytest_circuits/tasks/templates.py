"""Sentence templates of the IOI task: own wording, and how slots are filled.

A template has two sentences. The first names two people in the slots {A} and {B}; the second
has the subject in {S} and breaks off where the other name would follow. {PLACE} and {OBJECT} are
optional. Every template opens with at least two tokens before {A}: the first token of a prompt
is an attention sink, and a name standing on it or right behind it behaves differently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

TEMPLATES = (
    "Late on Monday, {A} and {B} walked to the {PLACE}. {S} handed a {OBJECT} to",
    "One morning, {A} and {B} met near the {PLACE}. {S} offered a {OBJECT} to",
    "After breakfast, {A} and {B} drove to the {PLACE} together. There, {S} gave a {OBJECT} to",
    "Last summer, {A} and {B} spent a week near the {PLACE}. At the end, {S} gave a {OBJECT} to",
    "As usual, {A} sat with {B} outside the {PLACE}. {S} passed a {OBJECT} to",
    "On the bus, {A} talked with {B} about the {PLACE}. Later, {S} showed a {OBJECT} to",
    "When it rained, {A} and {B} ran back to the {PLACE}. {S} lent a {OBJECT} to",
    "In the evening, {A} found {B} at the {PLACE}. With a smile, {S} threw a {OBJECT} to",
    "Soon after, {A} and {B} left the {PLACE} by taxi. On the way, {S} sold a {OBJECT} to",
    "A year ago, {A} and {B} moved to a house beside the {PLACE}. Once, {S} sent a {OBJECT} to",
    "That weekend, {A} and {B} were bored at the {PLACE}. So {S} bought a {OBJECT} for",
    "Many times, {A} met {B} at the {PLACE}. Each time, {S} brought a {OBJECT} for",
    "By accident, {A} and {B} arrived early at the {PLACE}. At noon, {S} read a note to",
    "During the break, {A} joined {B} in front of the {PLACE}. {S} had kept a {OBJECT} for",
    "Yesterday, {A} and {B} cleaned the {PLACE} for hours. Afterwards, {S} mailed a {OBJECT} to",
    "For once, {A} and {B} had lunch near the {PLACE}. {S} gladly returned a {OBJECT} to",
)

DISTRACTORS = (
    "{D} was in a good mood.",
    "The weather was kind to {D}.",
    "Luckily, {D} felt well rested.",
    "Everyone could see that {D} was happy.",
    "For {D}, it was a quiet day.",
    "As always, {D} was on time.",
    "It had been a long week for {D}.",
    "Nobody had ever seen {D} so cheerful.",
)
"""Sentences to insert after the first one; {D} is IO, or a third person in the control."""

NAME_SLOTS = ("A", "B", "S", "D")
"""The slots filled by names."""

_SLOTS = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True)
class Filled:
    """A template with words in its slots; `spans` are character ranges of the slots."""

    text: str
    spans: Mapping[str, tuple[int, int]]

    def word(self, slot: str) -> str:
        """Return the word that stands in a slot."""
        start, end = self.spans[slot]
        return self.text[start:end]


def slots_of(template: str) -> tuple[str, ...]:
    """Return the slot names of a template, in order."""
    return tuple(_SLOTS.findall(template))


def fill(template: str, words: Mapping[str, str]) -> Filled:
    """Return the template with its slots filled, remembering where each word stands."""
    text, spans = "", {}
    for literal, slot, _, _ in Formatter().parse(template):
        text += literal
        if slot is not None:
            spans[slot] = (len(text), len(text) + len(words[slot]))
            text += words[slot]
    return Filled(text, spans)


def skeleton(template: str) -> str:
    """Return the label of a template: its words with [NAME], [PLACE], [OBJECT] for the slots."""
    return _SLOTS.sub(lambda m: "[NAME]" if m[1] in NAME_SLOTS else f"[{m[1]}]", template)


def insert_sentence(template: str, sentence: str) -> str:
    """Return the template with a sentence between its first and its second one."""
    first, second = template.split(". ")
    return f"{first}. {sentence} {second}"


def problem_with(template: str) -> str | None:
    """Return which rule a template breaks, or None."""
    slots = slots_of(template)
    names = tuple(s for s in slots if s in NAME_SLOTS)
    if re.search(r"[{}]", _SLOTS.sub("", template)) or len(set(slots)) != len(slots):
        return "each slot stands once, in braces"
    if names != ("A", "B", "S") or not set(slots) <= {"A", "B", "S", "PLACE", "OBJECT"}:
        return "slots are {A}, {B}, {S} in this order, and optionally {PLACE}, {OBJECT}"
    if template.count(". ") != 1 or not template.index("{B}") < template.index(". "):
        return "{A} and {B} stand in the first of two sentences, {S} in the second"
    if template.index("{S}") < template.index(". ") or template.endswith((" ", "}")):
        return "the second sentence holds {S} and ends in the word before the missing name"
    return None
