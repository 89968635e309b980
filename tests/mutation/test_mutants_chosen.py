"""Which mutants the claims of a suite give rise to."""

from pytest_circuits import (
    ABC,
    END,
    IO,
    S2,
    attention,
    circuit,
    faithfulness,
    heads,
    mean,
    minimality,
)
from pytest_circuits.measures.attribution import direct_logit_attribution
from pytest_circuits.mutation.choice import mutants_of, roles_of
from pytest_circuits.mutation.mutants import KnockedOut, Reinitialised, Swapped

movers = heads("2.0", "2.1", at=END, name="movers")
finders = heads("1.3", at=S2, name="finders")
both = circuit(movers, finders, heads("0.0", at=END, name="resting"))


def names(claims, **shape):
    shape = {"layers": 3, "heads": 4, "shared": 4} | shape
    return [str(each) for each in mutants_of(claims, **shape)]


def kinds(claims, kind, **shape):
    shape = {"layers": 3, "heads": 4, "shared": 4} | shape
    return [each for each in mutants_of(claims, **shape) if isinstance(each, kind)]


def test_roles_are_found_in_measures_combinations_and_circuits():
    claims = [
        attention(movers.each, to=IO) >= 0.1,
        (attention(finders, to=IO) - attention(heads("3.0", at=END), to=IO)) >= 0,
        minimality(both, to=mean(ABC)) >= 0.1,
    ]
    assert [role.name for role in roles_of(claims)] == ["movers", "finders", "", "resting"]


def test_heads_named_in_an_intervention_alone_are_in_no_role():
    assert roles_of([faithfulness(both, to=mean(ABC)) >= 0.9]) == ()


def test_a_role_is_one_whatever_its_pool_position_or_name():
    at_s2 = heads("2.1", "2.0", at=S2)
    claims = [attention(at_s2.mean, to=IO) >= 0.001, attention(movers.sum, to=IO) >= 0.001]
    assert [role.name for role in roles_of(claims)] == ["movers"]


def test_a_single_head_of_a_named_role_gets_none_of_its_own():
    claims = [attention(movers.each, to=IO) >= 0.001, attention(heads("2.1", at=END), to=IO) >= 0.001]
    assert len(roles_of(claims)) == 1
    assert len(roles_of(claims[1:])) == 1


def test_every_kind_of_mutant():
    got = names([attention(movers.each, to=IO) >= 0.1, attention(finders, to=IO) >= 0.001])
    assert got == [
        "movers knocked out",
        "finders knocked out",
        "movers: OV shuffled",
        "finders: OV shuffled",
        "movers: QK shuffled",
        "finders: QK shuffled",
        "1.3 and 2.0 swapped",
        "layer 0 re-initialised",
        "layer 1 re-initialised",
        "layer 2 re-initialised",
        "weights noised by 0.1",
        "weights noised by 0.5",
        "weights quantised to 3 bits",
        "weights quantised to 2 bits",
    ]


def test_claims_without_roles_still_get_mutants():
    from pytest_circuits import logit_difference

    got = names([logit_difference() >= 1])
    assert not any("knocked out" in each for each in got)
    assert "layer 0 re-initialised" in got


def test_under_grouped_queries_heads_of_a_group_trade_places():
    swaps = kinds([attention(movers.each, to=IO) >= 0.001], Swapped, heads=6, shared=2)
    assert [str(each) for each in swaps] == ["2.0 and 2.2 swapped"]


def test_of_a_whole_group_another_head_is_taken_or_none():
    group = ("2.0", "2.1", "2.2")
    for names, expected in ((group, []), ((*group, "1.5"), ["1.3 and 1.5 swapped"])):
        claim = attention(heads(*names, at=END, name="x").each, to=IO) >= 0.001
        swaps = kinds([claim], Swapped, heads=6, shared=2)
        assert [str(each) for each in swaps] == expected


def test_overlapping_roles_do_not_trade_a_head_with_itself():
    wider = heads("2.0", "2.2", at=END, name="wider")
    swaps = kinds([attention(movers.each, to=IO) >= 0.001, attention(wider.each, to=IO) >= 0.001], Swapped)
    assert [str(each) for each in swaps] == ["2.0 and 2.2 swapped"]


def test_at_most_four_layers_first_and_last_among_them():
    claim = attention(finders, to=IO) >= 0.001
    layers = [each.layer for each in kinds([claim], Reinitialised, layers=30)]
    assert (len(layers), layers[0], layers[-1]) == (4, 0, 29)
    assert [each.layer for each in kinds([claim], Reinitialised, layers=1)] == [0]


def test_two_roles_of_one_name_are_told_apart():
    other = heads("2.0", at=END, name="movers")
    claims = [attention(movers.each, to=IO) >= 0.001, direct_logit_attribution(other) >= 0]
    assert [str(each) for each in kinds(claims, KnockedOut)] == [
        "movers knocked out",
        "movers (2.0) knocked out",
    ]
