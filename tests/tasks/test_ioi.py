"""IOI prompts: aligned, the same for the same seed, positions on the right words.

That names are drawn independently: test_independence.
"""

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_circuits.tasks.ioi import (
    ABC,
    DISTRACTOR,
    DISTRACTOR_ABC,
    DISTRACTOR_CONTROL,
    FLIP,
    IOI,
    RENAMED,
    RENAMED_FLIP,
    S2_IO,
)
from pytest_circuits.tasks.ioi_stock import read_words
from pytest_circuits.tasks.positions import END, IO, IO2, S1, S1_NEXT, S2

NAMES = set(read_words("names"))
PLACES_AND_OBJECTS = {*read_words("places"), *read_words("objects")}

drawings = given(n=st.integers(1, 70), seed=st.integers(0, 10**6))
few = settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def word_at(tokenizer, prompts, row, position):
    return tokenizer.decode([prompts.ids[row][prompts.at(position)[row]]]).strip()


def indices_of(words, tokenizer, ids):
    return [i for i, token in enumerate(ids) if tokenizer.decode([token]).strip() in words]


def all_of(dataset):
    return (dataset.prompts, *dataset.counterparts.values())


@few
@drawings
def test_same_arguments_same_prompts_and_smaller_n_is_a_prefix(tokenizer, n, seed):
    dataset, again = (IOI().draw(tokenizer, n, seed) for _ in range(2))
    longer = IOI().draw(tokenizer, n + 7, seed)
    assert dataset == again
    assert dataset.digest() == again.digest()
    for name in ("IOI", *dataset.counterparts):
        assert longer.distribution(name).ids[:n] == dataset.distribution(name).ids


def test_another_seed_draws_other_prompts(words):
    assert IOI().draw(words, 20, 0).digest() != IOI().draw(words, 20, 1).digest()


def test_drawing_does_not_depend_on_hash_randomisation():
    code = (
        "from pytest_circuits.tasks.ioi_rows import draw_rows;"
        "from pytest_circuits.tasks.ioi_stock import Stock, read_words;"
        "s = Stock(ids={}, words={k: read_words(k) for k in ('names', 'places', 'objects')},"
        "templates=('a', 'b', 'c'), distractors=('d', 'e'), left_out=());"
        "print(draw_rows(s, ('ABBA', 'BABA'), 30, 5))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


@few
@drawings
def test_positions_point_to_the_names(tokenizer, n, seed):
    dataset = IOI().draw(tokenizer, n, seed)
    for prompts in all_of(dataset):
        for row in range(n):
            io, s1, s2 = (word_at(tokenizer, prompts, row, at) for at in (IO, S1, S2))
            assert tokenizer.decode([prompts.answers[row]]).strip() == io
            assert tokenizer.decode([prompts.foils[row]]).strip() == s1
            assert {io, s1, s2} <= NAMES
            assert io != s1
            assert (s1 == s2) is (prompts.name not in dataset.neutral)
            assert prompts.at(S1_NEXT)[row] == prompts.at(S1)[row] + 1
            assert prompts.at(END)[row] == len(prompts.ids[row]) - 1
            assert word_at(tokenizer, prompts, row, END) in ("to", "for")
            assert (prompts.at(IO)[row] < prompts.at(S1)[row]) is (
                prompts.strata[row].startswith("ABBA")
            )


@few
@drawings
def test_prompts_of_a_group_align(tokenizer, n, seed):
    frames = {}
    for prompts in all_of(IOI().draw(tokenizer, n, seed)):
        for group, ids in zip(prompts.groups, prompts.ids, strict=True):
            varied = indices_of(NAMES | PLACES_AND_OBJECTS, tokenizer, ids)
            fixed = tuple(-1 if i in varied else token for i, token in enumerate(ids))
            assert frames.setdefault(group, fixed) == fixed


@few
@drawings
def test_counterparts_differ_from_the_originals_only_at_names(tokenizer, n, seed):
    dataset = IOI().draw(tokenizer, n, seed)
    for name in (ABC, FLIP, RENAMED):
        other = dataset.distribution(name)
        assert other.groups == dataset.prompts.groups
        for row in range(n):
            ids, counter = dataset.prompts.ids[row], other.ids[row]
            assert len(ids) == len(counter)
            changed = {i for i in range(len(ids)) if ids[i] != counter[i]}
            wanted = [dataset.prompts.at(at)[row] for at in (IO, S1, S2)]
            assert changed == set(wanted[:2] if name == FLIP else wanted)


@few
@drawings
def test_the_signal_table_says_where_s_stands_and_who_it_is(tokenizer, n, seed):
    task = IOI()
    dataset = task.draw(tokenizer, n, seed)
    own = dataset.prompts
    assert task.signals == ("position", "token")
    assert len(task.signal_table) == 6
    for name, signs in task.signal_table:
        other = dataset.distribution(name)
        assert other.groups == own.groups
        for row in range(n):
            assert len(other.ids[row]) == len(own.ids[row])
            position = {own.at(S1)[row]: 1, own.at(IO)[row]: -1}[other.at(S1)[row]]
            token = {own.foils[row]: 1, own.answers[row]: -1}.get(other.foils[row], 0)
            assert (position, token) == signs


@few
@drawings
def test_s2_io_differs_at_s2_only(tokenizer, n, seed):
    dataset = IOI().draw(tokenizer, n, seed)
    for row, other in enumerate(dataset.distribution(S2_IO).ids):
        at = dataset.prompts.at(S2)[row]
        own = dataset.prompts.ids[row]
        assert other == (*own[:at], dataset.prompts.answers[row], *own[at + 1 :])


@few
@drawings
def test_renamed_flip_has_the_names_of_renamed(tokenizer, n, seed):
    dataset = IOI().draw(tokenizer, n, seed)
    one, other = (dataset.distribution(name) for name in (RENAMED, RENAMED_FLIP))
    assert (one.answers, one.foils) == (other.answers, other.foils)
    assert one.at(IO) == other.at(S1)


@few
@drawings
def test_fresh_names_are_fresh(words, n, seed):
    dataset = IOI().draw(words, n, seed)
    for row in range(n):
        original = {word_at(words, dataset.prompts, row, at) for at in (IO, S1)}
        abc = {word_at(words, dataset.distribution(ABC), row, at) for at in (IO, S1, S2)}
        renamed = {word_at(words, dataset.distribution(RENAMED), row, at) for at in (IO, S1)}
        assert len(abc) == 3
        assert not abc & original
        assert not renamed & original


@few
@drawings
def test_the_distractor_and_its_control_differ_in_one_name(tokenizer, n, seed):
    dataset = IOI().draw(tokenizer, n, seed)
    adversarial, control = (dataset.distribution(d) for d in (DISTRACTOR, DISTRACTOR_CONTROL))
    assert adversarial.at(IO2) == control.at(IO2)
    for row in range(n):
        assert adversarial.ids[row][adversarial.at(IO2)[row]] == adversarial.answers[row]
        pairs = list(zip(adversarial.ids[row], control.ids[row], strict=True))
        changed = [a for a, b in pairs if a != b]
        assert changed == [adversarial.answers[row]]
        assert len(pairs) > len(dataset.prompts.ids[row])
        assert adversarial.ids[row].count(adversarial.answers[row]) == 2


@few
@drawings
def test_the_neutral_distractor_aligns_and_names_nobody_twice(tokenizer, n, seed):
    dataset = IOI().draw(tokenizer, n, seed)
    neutral, control = (dataset.distribution(d) for d in (DISTRACTOR_ABC, DISTRACTOR_CONTROL))
    assert dataset.neutral == {ABC, DISTRACTOR_ABC}
    assert neutral.groups == control.groups
    for row in range(n):
        names = [word_at(tokenizer, neutral, row, at) for at in (IO, S1, S2, IO2)]
        assert len(set(names)) == 4
        pairs = zip(neutral.ids[row], control.ids[row], strict=True)
        changed = {i for i, (a, b) in enumerate(pairs) if a != b}
        assert changed == {neutral.at(at)[row] for at in (IO, S1, S2)}


@few
@given(n=st.integers(1, 200), seed=st.integers(0, 10**6))
def test_templates_and_orders_are_used_evenly(words, n, seed):
    prompts = IOI().draw(words, n, seed).prompts
    n_strata, n_templates = 32, 16
    orders = Counter(stratum[:4] for stratum in prompts.strata)
    for counts, kinds in (
        (Counter(prompts.strata), n_strata),
        (Counter(prompts.groups), n_templates),
        (orders, 2),
    ):
        assert max(counts.values()) - (min(counts.values()) if len(counts) == kinds else 0) <= 1


@pytest.mark.parametrize("order", ["ABBA", "BABA"])
def test_one_order_alone(words, order):
    prompts = IOI(orders=(order,)).draw(words, 40, 0).prompts
    assert {stratum[:4] for stratum in prompts.strata} == {order}


def test_no_name_stands_on_the_attention_sink(tokenizer):
    prompts = IOI().draw(tokenizer, 32, 0).prompts
    assert min(indices_of(NAMES, tokenizer, ids)[0] for ids in prompts.ids) >= 2


def test_the_bos_token_is_counted_by_positions_and_stated(words):
    bare, headed = (IOI(bos=bos).draw(words, 9, 3) for bos in (None, "default"))
    for a, b in zip(all_of(bare), all_of(headed), strict=True):
        assert b.ids == tuple((words.bos_token_id, *ids) for ids in a.ids)
        for at in IOI().positions:
            assert b.at(at) == tuple(i + 1 for i in a.at(at))
    assert "bos=default" in headed.description
    assert "bos=None" in bare.description
    assert IOI(bos="<s>").draw(words, 9, 3).prompts.ids == headed.prompts.ids


def test_smollm2_has_most_of_the_words(smollm2):
    dataset = IOI().draw(smollm2, 4, 0)
    assert "146 names" in dataset.description
    assert len(dataset.left_out) == 1
    assert dataset.left_out[0].startswith("12 of 158 names (not one token): Amir, Brandon")
