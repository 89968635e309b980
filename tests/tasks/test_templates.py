"""Templates: rules, filling, skeletons; the package's own ones obey the rules."""

import re

import pytest

from pytest_circuits.tasks.ioi import vocabulary
from pytest_circuits.tasks.templates import (
    DISTRACTORS,
    TEMPLATES,
    fill,
    insert_sentence,
    problem_with,
    skeleton,
)

TEMPLATE = "Then, {A} met {B} there. {S} gave a {OBJECT} to"


def test_the_own_templates_obey_the_rules():
    assert len(set(TEMPLATES)) == len(TEMPLATES) >= 16
    assert [problem_with(template) for template in TEMPLATES] == [None] * len(TEMPLATES)
    assert len(set(DISTRACTORS)) == len(DISTRACTORS) >= 6
    assert all(d.count("{D}") == 1 and d.endswith(".") for d in DISTRACTORS)


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("Then, {A} met {A}. {S} gave a {OBJECT} to", "each slot stands once"),
        ("Then, {A met {B}. {S} gave a {OBJECT} to", "each slot stands once"),
        ("Then, {B} met {A}. {S} gave a {OBJECT} to", "in this order"),
        ("Then, {A} met {B}. {S} gave a {THING} to", "optionally"),
        ("Then, {A} met {B} and {S} gave a {OBJECT} to", "two sentences"),
        ("Then, {A} was there. {B} came, and {S} gave a {OBJECT} to", "in the first of two"),
        ("Then, {A} and {B} met {S}. They gave a {OBJECT} to", "second sentence holds {S}"),
        ("Then, {A} met {B}. {S} gave a {OBJECT} to ", "ends in the word before"),
    ],
)
def test_the_broken_rule_is_named(template, rule):
    assert rule in problem_with(template)


def test_filling_remembers_where_words_stand():
    words = {"A": "Mary", "B": "John", "S": "John", "OBJECT": "map"}
    filled = fill(TEMPLATE, words)
    assert filled.text == "Then, Mary met John there. John gave a map to"
    assert {slot: filled.word(slot) for slot in filled.spans} == words
    assert filled.spans["S"] == (27, 31)


def test_skeleton_and_inserted_sentence():
    assert skeleton(TEMPLATE) == "Then, [NAME] met [NAME] there. [NAME] gave a [OBJECT] to"
    longer = insert_sentence(TEMPLATE, "{D} sang.")
    assert longer == "Then, {A} met {B} there. {D} sang. {S} gave a {OBJECT} to"


def test_the_vocabulary_covers_all_prompts(words):
    from pytest_circuits.tasks.ioi import IOI

    names, others = vocabulary()
    known = {*names, *others}
    assert not set(names) & set(others)
    dataset = IOI().draw(words, 300, 0)
    assert dataset.left_out == ()
    for prompts in (dataset.prompts, *dataset.counterparts.values()):
        assert {w for text in prompts.texts for w in re.findall(r"\w+|[^\w\s]", text)} <= known
