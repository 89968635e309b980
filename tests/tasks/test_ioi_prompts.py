"""The last check before prompts are used: sentences of one group that do not align are refused."""

import pytest

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.tasks.encoding import single_tokens
from pytest_circuits.tasks.ioi_prompts import prompts_of
from pytest_circuits.tasks.ioi_rows import Sentence


def sentence(io, **changes):
    parts = {"template": "Once, {A} and {B} met. {S} gave a {OBJECT} to", "order": "ABBA"}
    return Sentence(
        **parts | {"io": io, "s1": "John", "s2": "John", "place": "", "object": "map"} | changes
    )


def draw(tokenizer, *sentences):
    ids = single_tokens(tokenizer, ["Mary", "John", "Anna", "map"])
    return prompts_of(tokenizer, {"IOI": sentences}, ids, None)["IOI"]


def test_both_orders_share_a_group_and_s2(words):
    prompts = draw(words, sentence("Mary"), sentence("Mary", order="BABA"))
    assert len(set(prompts.groups)) == 1
    assert prompts.strata[0] == f"ABBA: {prompts.groups[0]}"
    assert prompts.positions == {
        "IO": (2, 4),
        "S1": (4, 2),
        "S1+1": (5, 3),
        "S2": (7, 7),
        "END": (11, 11),
    }


def test_prompts_that_do_not_align_are_refused(merging):
    with pytest.raises(ClaimNotEvaluable, match=r"do not align token for token.*Anna.*Mary"):
        draw(merging, sentence("Anna"), sentence("Mary"))


def test_a_name_that_is_another_token_there_is_refused(words):
    ids = {"Mary": 5, "John": 6, "map": 7}
    with pytest.raises(ClaimNotEvaluable, match="is not one token there"):
        prompts_of(words, {"IOI": [sentence("Mary")]}, ids, None)
