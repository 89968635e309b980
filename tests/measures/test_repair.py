"""Self-repair, compensation, total and direct effect without a model."""

import pytest
from fake_reads import MadeUp, draw_of, value
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_circuits import (
    ABC,
    END,
    S2,
    CircuitUsageError,
    heads,
    knock_out,
    logit_difference,
    mean,
)
from pytest_circuits.interventions import path_patch
from pytest_circuits.measures.paths import direct_effect
from pytest_circuits.measures.repair import compensation, self_repair, total_and_direct_effect
from pytest_circuits.nodes import LOGITS

MOVERS = heads("9.9", "9.6", at=END, name="name movers")
BACKUPS = heads("10.1", "10.2", at=END, name="backups")
TO = mean(ABC)
seeds = st.integers(0, 99)


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_self_repair_takes_each_effect_against_its_own_world(seed):
    read = MadeUp(seed)
    without = knock_out(MOVERS, to=TO)

    def f(under):
        return value(logit_difference(under=under), read)[0]

    after = f(without) - f(path_patch(BACKUPS, LOGITS, to=TO, given=without))
    before = f(None) - f(path_patch(BACKUPS, LOGITS, to=TO))
    assert value(self_repair(MOVERS, BACKUPS, to=TO), read) == pytest.approx([after - before])


@settings(max_examples=25, deadline=None)
@given(seed=seeds, pool=st.sampled_from([None, "each", "mean", "sum"]))
def test_direct_is_total_and_what_was_compensated(seed, pool):
    read = MadeUp(seed)
    role = {None: MOVERS, "each": MOVERS.each, "mean": MOVERS.mean, "sum": MOVERS.sum}[pool]
    direct = value(direct_effect(role, to=TO), read)
    both = value(total_and_direct_effect(role, to=TO), read)
    total = both[: len(direct)]
    assert both[len(direct) :] == pytest.approx(direct)
    assert value(compensation(role, to=TO), read) == pytest.approx(
        [d - t for d, t in zip(direct, total, strict=True)]
    )
    share = compensation(role, to=TO) / direct_effect(role, to=TO)
    assert value(share, read) == pytest.approx(
        [1 - t / d for d, t in zip(direct, total, strict=True)]
    )


def test_the_total_effect_knocks_out_what_the_role_says():
    joint, each = (total_and_direct_effect(role, to=TO) for role in (MOVERS, MOVERS.each))
    unders = [need.run.under for need in joint.total.needs(draw_of())]
    assert unders == [None, knock_out(MOVERS, to=TO)]
    assert len(each.total.needs(draw_of())) == 3


def test_labels():
    assert total_and_direct_effect(MOVERS.sum, to=TO).labels() == ("total", "direct")
    assert total_and_direct_effect(MOVERS.each, to=TO).labels() == (
        "total 9.9",
        "total 9.6",
        "direct 9.9",
        "direct 9.6",
    )


def test_words():
    reference = "mean over ABC per template and position"
    assert str(total_and_direct_effect(MOVERS, to=TO)) == (
        f"total and direct effect of name movers (9.9, 9.6) [heads -> {reference}, MLPs live on "
        "the direct path]"
    )
    assert str(compensation(MOVERS.sum, to=TO)) == (
        "direct effect of name movers (9.9, 9.6), sum "
        f"[senders -> {reference}, MLPs live] minus "
        f"total effect of name movers (9.9, 9.6), sum -> {reference}"
    )
    assert str(self_repair(MOVERS, BACKUPS, to=TO)) == (
        f"direct effect of backups (10.1, 10.2) [senders -> {reference}, MLPs live; given knocked "
        f"out: name movers (9.9, 9.6) -> {reference}] minus direct effect of backups (10.1, 10.2) "
        f"[senders -> {reference}, MLPs live]"
    )


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (
            lambda: self_repair(MOVERS, heads("9.6", "10.1", at=END), to=TO),
            "`by`: 9.6@END is also in `of`",
        ),
        (lambda: self_repair(MOVERS, heads("9.5", at=S2), to=TO), "no path leads from S2"),
        (lambda: compensation(heads("3.0", at=S2), to=TO), "S2 to the logits at END"),
        (lambda: total_and_direct_effect("9.6", to=TO), "`what` must be made by heads"),
        (lambda: self_repair("9.6", BACKUPS, to=TO), "got '9.6'"),
    ],
)
def test_refusals(made, says):
    with pytest.raises(CircuitUsageError) as error:
        made()
    assert says in str(error.value)
