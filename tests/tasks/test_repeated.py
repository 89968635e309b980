"""Repeated random tokens: two copies, nothing special in them, positions and answers in place."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.tasks.positions import END, FIRST, FIRST_NEXT, SECOND
from pytest_circuits.tasks.repeated import UNREPEATED, RepeatedTokens


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(length=st.integers(3, 30), n=st.integers(1, 20), seed=st.integers(0, 999))
def test_prompts_are_two_copies_and_the_counterpart_is_not(tokenizer, length, n, seed):
    task = RepeatedTokens(length=length)
    dataset = task.draw(tokenizer, n, seed)
    assert dataset == task.draw(tokenizer, n, seed)
    prompts, other = dataset.prompts, dataset.distribution(UNREPEATED)
    for row, (ids, fresh) in enumerate(zip(prompts.ids, other.ids, strict=True)):
        assert ids[:length] == ids[length:]
        assert len(set(ids)) == length
        assert fresh[length:] == ids[length:]
        assert len(set(fresh)) == 2 * length
        assert not set(fresh) & set(tokenizer.all_special_ids)
        assert prompts.answers[row] == ids[prompts.at(END)[row] + 1] == ids[length - 1]
        assert prompts.foils[row] in set(ids) - {ids[-1], ids[-2]}
    assert other.answers == prompts.answers
    assert dataset.neutral == {UNREPEATED}


def test_positions_count_the_bos_token(words):
    prompts = RepeatedTokens(length=5, bos="default").draw(words, 2, 0).prompts
    assert set(prompts.positions) == set(RepeatedTokens().positions)
    assert [prompts.at(p) for p in (FIRST, FIRST_NEXT, SECOND, END)] == [
        (1, 1),
        (2, 2),
        (6, 6),
        (9, 9),
    ]
    assert {ids[0] for ids in prompts.ids} == {words.bos_token_id}


def test_a_larger_n_starts_with_the_same_tokens(words):
    short, long = (RepeatedTokens(length=6).draw(words, n, 4).prompts for n in (3, 9))
    assert long.ids[:3] == short.ids


def test_added_tokens_are_not_ordinary(smollm2):
    dataset = RepeatedTokens(length=24).draw(smollm2, 50, 0)
    assert min(min(ids) for ids in dataset.prompts.ids) >= len(smollm2.added_tokens_decoder)


def test_there_is_nothing_to_vary():
    task = RepeatedTokens()
    assert (task.signals, task.signal_table, task.features) == ((), (), ())
    with pytest.raises(ClaimNotEvaluable, match="REPEATED have no features"):
        task.varied(task.name, frozenset())


def test_too_short_or_too_long(make_words):
    with pytest.raises(CircuitUsageError, match="`length` must be a whole number of at least 3"):
        RepeatedTokens(length=2)
    with pytest.raises(CircuitUsageError, match="`n` must be a whole number of at least 1"):
        RepeatedTokens().draw(make_words("abc"), 0, 0)
    with pytest.raises(ClaimNotEvaluable, match="8 ordinary tokens are needed"):
        RepeatedTokens(length=4).draw(make_words("abcd"), 1, 0)
