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
    knock_out,
    logit_difference,
    mean,
    minimality,
    values,
    zero,
)
from pytest_circuits.measures.attribution import direct_logit_attribution
from pytest_circuits.mutation.choice import mutants_of, named_heads, roles_of
from pytest_circuits.mutation.mutants import KnockedOut, Reinitialised, Renumbered, Swapped

movers = heads("2.0", "2.1", at=END, name="movers")
finders = heads("1.3", at=S2, name="finders")
both = circuit(movers, finders, heads("0.0", at=END, name="resting"))


def names(claims, **shape):
    shape = {"layers": 3, "heads": 4, "shared": 4} | shape
    return [str(each) for each in mutants_of(claims, **shape)]


def kinds(claims, kind, **shape):
    shape = {"layers": 3, "heads": 4, "shared": 4} | shape
    return [each for each in mutants_of(claims, **shape) if type(each) is kind]


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
    claims = [
        attention(movers.each, to=IO) >= 0.001,
        attention(heads("2.1", at=END), to=IO) >= 0.001,
    ]
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
        "movers: values in another basis",
        "finders: values in another basis",
        "1.0 and 1.1, which no claim names, swapped",
        "2.2 and 2.3, which no claim names, swapped",
    ]


def unnamed(claims, **shape):
    return [each.heads for each in kinds(claims, Renumbered, **shape)]


def test_decoys_are_heads_that_no_claim_names_not_even_in_an_intervention():
    under = knock_out(heads("0.0", "0.1", "0.2", at=END), to=zero())
    claims = [attention(movers.each, to=IO, under=under) >= 0.1]
    assert named_heads(claims) == {*movers.heads, *parsed("0.0", "0.1", "0.2")}
    assert unnamed(claims) == [tuple(parsed("2.2", "2.3"))]  # in layer 0 one alone is left
    values_of = logit_difference(under=knock_out(values("2.2", at=END), to=zero())) >= 1
    assert named_heads([values_of]) == set(parsed("2.2"))


def parsed(*names):
    return heads(*names, at=END).heads


def test_decoys_share_keys_where_heads_do():
    claims = [attention(heads("2.0", "2.4", at=END).each, to=IO) >= 0.1]
    ((first, second),) = unnamed(claims, heads=6, shared=2)
    assert first.index // 3 == second.index // 3
    assert not {first, second} & named_heads(claims)
    assert unnamed([logit_difference() >= 1], heads=6, shared=6, layers=30)[3][0].layer == 29


def test_where_every_head_is_named_nothing_is_swapped():
    every = heads(*(f"{layer}.{i}" for layer in range(3) for i in range(4)), at=END)
    assert unnamed([attention(every.mean, to=IO) >= 0.1]) == []


def test_claims_without_roles_still_get_mutants():
    got = names([logit_difference() >= 1])
    assert not any("knocked out" in each or "basis" in each for each in got)
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
    swaps = kinds(
        [attention(movers.each, to=IO) >= 0.001, attention(wider.each, to=IO) >= 0.001], Swapped
    )
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
