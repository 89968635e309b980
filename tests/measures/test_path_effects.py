"""Path effects without a model: what is patched, how heads are pooled, what is refused."""

import pytest
from fake_reads import MadeUp, draw_of, value
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_circuits import (
    ABC,
    END,
    IO,
    S2,
    CircuitUsageError,
    attention,
    heads,
    keep_only,
    knock_out,
    logit_difference,
    mean,
)
from pytest_circuits.interventions import counterpart, path_patch
from pytest_circuits.measures.paths import direct_effect, path_effect
from pytest_circuits.nodes import LOGITS, keys, patterns, queries

MOVERS = heads("9.9", "9.6", at=END, name="name movers")
INHIBITION = heads("7.3", "8.6", at=END, name="S-inhibition heads")
DUPLICATE = heads("0.1", at=S2, name="duplicate token heads")
TO = counterpart(ABC)
names = st.lists(
    st.builds("{}.{}".format, st.integers(0, 9), st.integers(0, 9)),
    min_size=2,
    max_size=5,
    unique=True,
)


@settings(max_examples=25, deadline=None)
@given(names=names, seed=st.integers(0, 99))
def test_pools_are_made_of_heads_patched_alone(names, seed):
    role, read = heads(*names, at=END), MadeUp(seed)
    each = value(direct_effect(role.each, to=TO), read)
    alone = [value(direct_effect(heads(name, at=END), to=TO), read)[0] for name in names]
    assert each == pytest.approx(alone)
    assert value(direct_effect(role.sum, to=TO), read) == pytest.approx([sum(each)])
    assert value(direct_effect(role.mean, to=TO), read) == pytest.approx([sum(each) / len(each)])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), given_=st.sampled_from([None, knock_out(DUPLICATE, to=mean(ABC))]))
def test_it_is_the_difference_of_logit_differences(seed, given_):
    read = MadeUp(seed)
    under = path_patch(INHIBITION, MOVERS.q, to=TO, given=given_)
    by_hand = logit_difference(under=given_) - logit_difference(under=under)
    effect = path_effect(INHIBITION, MOVERS.q, to=TO, given=given_)
    assert value(effect, read) == pytest.approx(value(by_hand, read))


def test_a_share_of_the_logit_difference():
    read = MadeUp(1)
    effect = path_effect(INHIBITION.each, MOVERS.q, to=TO)
    (whole,), parts = value(logit_difference(), read), value(effect, read)
    share = effect / logit_difference()
    assert value(share, read) == pytest.approx([part / whole for part in parts])
    assert share.labels() == ("7.3", "8.6")


def test_which_runs_are_needed():
    joint, each = direct_effect(MOVERS, to=TO), direct_effect(MOVERS.each, to=TO, on="FLIP")
    plain, patched = (need.run for need in joint.needs(draw_of()))
    assert (plain.under, patched.under) == (None, path_patch(MOVERS, LOGITS, to=TO))
    assert {need.run.distribution for need in each.needs(draw_of())} == {"FLIP"}
    assert len(each.needs(draw_of())) == 3


def test_receivers_are_patched_together():
    backups = heads("10.1", at=END)
    (_, need) = path_effect(INHIBITION, (MOVERS.q, backups.q), to=TO).needs(draw_of())
    assert len(need.run.under.receivers) == 3


def test_values_per_head():
    assert direct_effect(MOVERS.mean, to=TO).by_head() == direct_effect(MOVERS.each, to=TO)
    assert direct_effect(MOVERS, to=TO).by_head() is None
    assert direct_effect(MOVERS, to=TO).labels() == ("",)
    assert direct_effect(heads("9.9", at=END).each, to=TO).labels() == ("",)
    assert direct_effect(MOVERS.each, to=TO).labels() == ("9.9", "9.6")


def test_words():
    abc = "its value on the ABC counterpart"
    assert str(direct_effect(MOVERS.mean, to=TO)) == (
        f"direct effect of name movers (9.9, 9.6), mean [senders -> {abc}, MLPs live]"
    )
    without = knock_out(DUPLICATE, to=mean(ABC))
    effect = path_effect(INHIBITION, MOVERS.q, to=TO, mlps="frozen", on="FLIP", given=without)
    assert str(effect) == (
        "effect of the path S-inhibition heads (7.3, 8.6) -> the queries of name movers (9.9, 9.6) "
        f"on FLIP [senders -> {abc}, MLPs frozen; given knocked out: duplicate token heads (0.1) "
        "-> mean over ABC per template and position]"
    )
    under = path_patch(INHIBITION, MOVERS.q, to=TO)
    assert str(attention(MOVERS.mean, to=IO, under=under)) == (
        "attention of name movers (9.9, 9.6), mean from END to IO [path patched: S-inhibition "
        f"heads (7.3, 8.6) -> the queries of name movers (9.9, 9.6), senders -> {abc}, MLPs live]"
    )


NOWHERE = [
    ((DUPLICATE, LOGITS), "no path leads from S2 to the logits at END"),
    ((DUPLICATE, MOVERS.q), "no path leads from S2 to the queries"),
    ((MOVERS, INHIBITION.q), "every sender lies in its layer"),
]


@pytest.mark.parametrize(("path", "says"), NOWHERE)
def test_a_path_that_is_nothing_by_construction_is_refused(path, says):
    for make in (path_effect, path_patch):
        with pytest.raises(CircuitUsageError, match=says):
            make(*path, to=TO)


ONE = heads("9.9", at=END)
FIXED = {
    "pattern of 9.9@END": (knock_out(patterns("9.9", at=END), to=mean(ABC)), ("q", "k")),
    "q of 9.9@END": (knock_out(queries("9.9", at=END), to=mean(ABC)), ("q",)),
    "9.9@END": (knock_out(MOVERS, to=mean(ABC)), ("q", "k", "v")),
    "9.9@END ": (keep_only(INHIBITION, to=mean(ABC)), ("q", "k", "v")),
}


@pytest.mark.parametrize("node", FIXED)
@pytest.mark.parametrize("make", [path_effect, path_patch])
def test_a_path_into_what_is_replaced_already_is_refused(node, make):
    world, channels = FIXED[node]
    for channel in "qkv":
        end = getattr(ONE, channel)
        if channel not in channels:
            make(INHIBITION, end, to=TO, given=world)
            continue
        with pytest.raises(CircuitUsageError) as error:
            make(INHIBITION, end, to=TO, given=world)
        (receiver,) = end.receivers
        assert f"nothing leads on from {receiver}: {node.strip()} is replaced" in str(error.value)
        assert str(world) in str(error.value)


@pytest.mark.parametrize("channel", ["q", "k", "v"])
def test_what_is_replaced_elsewhere_is_no_obstacle(channel):
    end = getattr(ONE, channel)
    elsewhere = [
        knock_out(patterns("9.9", at=S2), to=mean(ABC)),
        knock_out(patterns("9.8", at=END), to=mean(ABC)),
        knock_out(keys("9.9", at=END), to=mean(ABC)),
        keep_only(ONE, to=mean(ABC)),
    ]
    for world in elsewhere:
        assert path_patch(INHIBITION, end, to=TO, given=world).given == world


def test_keys_and_values_are_reached_from_other_positions():
    assert path_patch(DUPLICATE, MOVERS.k, MOVERS.v, to=TO).senders == set(DUPLICATE.nodes)
    with pytest.raises(CircuitUsageError, match="no path leads from S2 to the queries"):
        path_patch(DUPLICATE, MOVERS.k, MOVERS.q, to=TO)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: direct_effect(DUPLICATE, to=TO), "no path leads from S2 to the logits at END"),
        (
            lambda: path_effect(heads("7.3", "9.9", at=END).each, MOVERS.q, to=TO),
            "no path leads from 9.9",
        ),
        (lambda: path_effect(INHIBITION, MOVERS, to=TO), "LOGITS, one or more; got (Role("),
        (lambda: path_effect(INHIBITION, (), to=TO), "LOGITS, one or more; got ()"),
        (lambda: direct_effect(queries("9.9", at=END), to=TO), "`senders` must be made by heads"),
        (lambda: direct_effect(MOVERS, to="ABC"), "`to` must be a reference"),
        (lambda: direct_effect(MOVERS, to=TO, mlps="thawed"), "'live' or 'frozen'; got 'thawed'"),
        (lambda: direct_effect(MOVERS, to=TO, given="x"), "`given` must be knock_out"),
    ],
)
def test_refusals(made, says):
    with pytest.raises(CircuitUsageError) as error:
        made()
    assert says in str(error.value)
