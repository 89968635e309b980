"""What a tokenizer cannot represent is left out and reported, or stops the drawing."""

import pytest

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.tasks.ioi import IOI, vocabulary
from pytest_circuits.tasks.ioi_stock import read_words
from pytest_circuits.tasks.templates import TEMPLATES


def test_the_word_lists_are_large_and_without_repeats():
    for kind, least in (("names", 120), ("places", 25), ("objects", 25)):
        words = read_words(kind)
        assert len(words) == len(set(words)) >= least
        assert list(words) == sorted(words)
    assert not {word[0] for word in read_words("objects")} & set("aeiou")


def test_names_of_several_tokens_are_left_out_and_reported(bytelevel):
    names = (*read_words("names")[:20], "Zelda", "Zu")
    dataset = IOI(names=names).draw(bytelevel, 20, 0)
    assert dataset.left_out == ("2 of 22 names (not one token): Zelda, Zu",)
    assert "20 names" in dataset.description
    assert not any("Zelda" in text for text in dataset.prompts.texts)


def test_a_tokenizer_without_the_names_cannot_be_used(make_words):
    names, others = vocabulary()
    with pytest.raises(ClaimNotEvaluable, match=r"without the names.* has 9"):
        IOI().draw(make_words([*names[:9], *others]), 4, 0)


def test_templates_with_unknown_words_are_left_out_and_reported(make_words):
    names, others = vocabulary()
    tokenizer = make_words([*names, *(w for w in others if w != "breakfast")])
    dataset = IOI().draw(tokenizer, 64, 0)
    assert len(dataset.left_out) == 1
    assert "After breakfast" in dataset.left_out[0]
    assert "vocabulary lacks" in dataset.left_out[0]
    assert not any("breakfast" in text for text in dataset.prompts.texts)
    assert len(set(dataset.prompts.groups)) == len(TEMPLATES) - 1


def test_distractors_with_unknown_words_are_left_out_and_reported(make_words):
    names, others = vocabulary()
    dataset = IOI().draw(make_words([*names, *(w for w in others if w != "mood")]), 64, 0)
    assert len(dataset.left_out) == 1
    assert dataset.left_out[0].startswith("distractor '{D} was in a good mood.'")


def test_no_usable_template_is_an_error_with_the_reason(words):
    with pytest.raises(ClaimNotEvaluable, match=r"no IOI template.*vocabulary lacks"):
        IOI(templates=("Then, {A} xyzzy {B} there. {S} gave a {OBJECT} to",)).draw(words, 4, 0)


def test_a_name_on_the_attention_sink_is_refused(words):
    template = "When {A} and {B} met. {S} gave a {OBJECT} to"
    with pytest.raises(ClaimNotEvaluable, match="attention sink"):
        IOI(templates=(template,)).draw(words, 4, 0)


def test_without_any_place_templates_without_a_place_remain(make_words):
    names, others = vocabulary()
    tokenizer = make_words([*names, *(w for w in others if w not in read_words("places"))])
    templates = (TEMPLATES[0], "That weekend, {A} met {B}. {S} gave a {OBJECT} to")
    dataset = IOI(templates=templates).draw(tokenizer, 4, 0)
    assert any("no word of one token for {PLACE}" in line for line in dataset.left_out)
    assert len(set(dataset.prompts.groups)) == 1
    with pytest.raises(ClaimNotEvaluable, match=r"no word of one token for \{PLACE\}"):
        IOI().draw(tokenizer, 4, 0)


def test_templates_that_do_not_align_are_left_out(merging):
    dataset = IOI().draw(merging, 16, 0)
    assert dataset.left_out
    assert all("do not align" in line for line in dataset.left_out)
    assert not any(" and " in text for text in dataset.prompts.texts)


def test_a_slow_tokenizer_is_refused_with_the_way_out(words):
    class Slow:
        unk_token_id = None

        def __len__(self):
            return 10

        def __call__(self, texts, **options):
            raise NotImplementedError("return_offset_mapping is not available")

    with pytest.raises(ClaimNotEvaluable, match="fast version of the tokenizer"):
        IOI().draw(Slow(), 4, 0)


def test_a_vocabulary_that_grows_is_looked_at_again(make_words):
    """What was found for a tokenizer is kept; not beyond what it was found for."""
    names, others = vocabulary()
    tokenizer = make_words([*(name for name in names if name != "Mary"), *others])
    assert "Mary" in IOI().draw(tokenizer, 4, 0).left_out[0]
    tokenizer.add_tokens(["Mary"])
    assert IOI().draw(tokenizer, 4, 0).left_out == ()
