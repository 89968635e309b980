"""Variations of IOI prompts: they agree on what is kept, on nothing else, and stay aligned."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.tasks.ioi import ABC, DISTRACTOR, FLIP, IOI
from pytest_circuits.tasks.positions import END, IO2, S1, S1_NEXT, S2
from pytest_circuits.tasks.positions import IO as IO_POSITION

FEATURES = ("position", "S", "IO")

some = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
keeps = st.frozensets(st.sampled_from(FEATURES))
varying = given(
    n=st.integers(1, 40), seed=st.integers(0, 10**6), chain=st.lists(keeps, min_size=1, max_size=3)
)


def named(chain, base="IOI"):
    for keep in chain:
        base = IOI().varied(base, keep)
    return base


def features(prompts, row):
    """The three features of a row, read off its tokens."""
    return {
        "position": prompts.at(S1)[row] < prompts.at(IO_POSITION)[row],
        "S": prompts.ids[row][prompts.at(S1)[row]],
        "IO": prompts.ids[row][prompts.at(IO_POSITION)[row]],
    }


@some
@varying
def test_a_variation_agrees_on_what_it_keeps_and_on_no_other_name(tokenizer, n, seed, chain):
    dataset = IOI().draw(tokenizer, n, seed)
    base, other = (dataset.distribution(named(part)) for part in (chain[:-1], chain))
    for row in range(n):
        one, two = features(base, row), features(other, row)
        assert all(one[feature] == two[feature] for feature in chain[-1])
        assert two["S"] != two["IO"]
        fresh = {two[feature] for feature in {"S", "IO"} - chain[-1]}
        assert not fresh & {one["S"], one["IO"]}
        assert other.ids[row][other.at(S2)[row]] == two["S"]
        assert (other.answers[row], other.foils[row]) == (two["IO"], two["S"])


@some
@varying
def test_a_variation_aligns_with_the_prompts_and_their_reference(tokenizer, n, seed, chain):
    dataset = IOI().draw(tokenizer, n, seed)
    own, other, abc = (dataset.distribution(name) for name in ("IOI", named(chain), ABC))
    assert own.groups == other.groups == abc.groups
    assert (own.at(S2), own.at(END)) == (other.at(S2), other.at(END))
    for row in range(n):
        pairs = zip(own.ids[row], other.ids[row], strict=True)
        changed = {i for i, (a, b) in enumerate(pairs) if a != b}
        assert changed <= {own.at(at)[row] for at in (IO_POSITION, S1, S2)}
        assert other.at(S1_NEXT)[row] == other.at(S1)[row] + 1
        assert len(abc.ids[row]) == len(other.ids[row])


@some
@varying
def test_a_variation_is_drawn_once_and_for_all(words, n, seed, chain):
    dataset, again, longer = (IOI().draw(words, size, seed) for size in (n, n, n + 5))
    digest = dataset.digest()
    other = dataset.distribution(named(chain))
    assert other is dataset.distribution(named(chain))
    assert other == again.distribution(named(chain))
    assert other.ids == longer.distribution(named(chain)).ids[:n]
    assert dataset == again
    assert dataset.digest() == digest == again.digest()


@pytest.mark.parametrize("keep", [frozenset(), frozenset({"S", "IO"})], ids=["none", "names"])
def test_an_order_not_kept_is_a_fair_coin(words, keep):
    dataset = IOI(orders=("ABBA",)).draw(words, 1000, 3)
    own, other = dataset.prompts, dataset.distribution(named([keep]))
    assert 450 < sum(a == b for a, b in zip(own.at(S1), other.at(S1), strict=True)) < 550


def test_a_changed_order_agrees_nowhere(words):
    dataset = IOI().draw(words, 200, 3)
    own, other = dataset.prompts, dataset.distribution(named([{"S", "-position"}]))
    assert other.name == "IOI~-position+S"
    assert (other.at(S1), other.at(IO_POSITION)) == (own.at(IO_POSITION), own.at(S1))
    assert other.foils == own.foils
    assert not any(a == b for a, b in zip(other.answers, own.answers, strict=True))


def test_every_distribution_draws_its_own(words):
    dataset = IOI().draw(words, 200, 3)
    names = ("IOI~", "IOI~position", "IOI~position~position", "IOI~position~")
    drawn = [dataset.distribution(name).answers for name in names]
    for i, one in enumerate(drawn):
        for other in drawn[i + 1 :]:
            # 158 names: by chance one row in 156 or so agrees.
            assert sum(a == b for a, b in zip(one, other, strict=True)) < 10
    assert IOI().draw(words, 200, 4).distribution("IOI~").ids != dataset.distribution("IOI~").ids


def test_names_say_what_is_kept():
    task = IOI()
    assert task.features == FEATURES
    assert task.varied("IOI", frozenset()) == "IOI~"
    assert task.varied("IOI", frozenset({"position", "IO"})) == "IOI~IO+position"
    assert task.varied("IOI~position", frozenset({"S"})) == "IOI~position~S"
    assert task.varied("IOI~S", frozenset(FEATURES)) == "IOI~S"
    assert task.varied("IOI", frozenset({"-position", "-S", "IO"})) == "IOI~-position+IO"


def test_keeping_all_by_hand_is_the_same_prompt(words):
    dataset = IOI().draw(words, 30, 0)
    assert dataset.distribution("IOI~IO+S+position").ids == dataset.prompts.ids


def test_counterparts_vary_too(words):
    dataset = IOI().draw(words, 30, 0)
    flip, distractor = (dataset.distribution(f"{name}~position") for name in (FLIP, DISTRACTOR))
    assert flip.at(S1) == dataset.distribution(FLIP).at(S1)
    assert flip.answers != dataset.prompts.answers
    for row in range(30):
        assert distractor.ids[row][distractor.at(IO2)[row]] == distractor.answers[row]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("IOI~positoin", "unknown feature of IOI prompts 'positoin'. Did you mean 'position'"),
        ("IOI~S~IO+", "unknown feature of IOI prompts ''. Known: position, S, IO"),
        ("IOI~position+-position", "no prompt both keeps and changes the feature 'position'"),
        ("IO~S", "unknown prompt distribution 'IO'. Did you mean 'IOI'"),
        ("ABC~S", "ABC prompts name nobody twice: there is no S to vary"),
    ],
)
def test_what_cannot_be_varied_is_named(words, name, message):
    with pytest.raises(ClaimNotEvaluable) as caught:
        IOI().draw(words, 2, 0).distribution(name)
    assert message in str(caught.value)


def test_an_unknown_feature_is_named_before_anything_is_drawn():
    with pytest.raises(ClaimNotEvaluable, match="unknown feature of IOI prompts 'token'"):
        IOI().varied("IOI", frozenset({"token"}))


def test_variations_of_templates_that_align_align(merging):
    # Templates in which words could merge are left out; what remains must stay aligned.
    dataset = IOI().draw(merging, 16, 0)
    assert dataset.distribution("IOI~").groups == dataset.prompts.groups


def test_variations_have_the_bos_token(words):
    dataset = IOI(bos="default").draw(words, 4, 0)
    assert {ids[0] for ids in dataset.distribution("IOI~S").ids} == {words.bos_token_id}
