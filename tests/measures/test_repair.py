"""Self-repair, compensation, total and direct effect without a model."""

from dataclasses import dataclass, replace

import numpy as np
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
    mean,
)
from pytest_circuits.measures.paths import direct_effect
from pytest_circuits.measures.repair import (
    compensation,
    self_repair,
    self_repair_parts,
    total_and_direct_effect,
)

MOVERS = heads("9.9", "9.6", at=END, name="name movers")
BACKUPS = heads("10.1", "10.2", at=END, name="backups")
TO = mean(ABC)
seeds = st.integers(0, 99)


@dataclass
class Written:
    """A `read` of what a head writes: [answer, foil, scale] by run, the same for every head.

    Between these stand the two logits themselves, of which nothing depends here.
    """

    plain: list
    without: list
    n: int = 2

    def __call__(self, need):
        written = np.array(self.plain if need.run.under is None else self.without, dtype=float)
        return np.insert(written, [2, 2], 0.0, axis=1)


def test_a_head_that_does_not_change_repairs_nothing_whatever_the_norm_does():
    # It writes 6 - 2 in the stream; without `of` the norm divides by 1 in place of 2.
    read = Written(plain=[[3, 1, 2]] * 2, without=[[6, 2, 1]] * 2)
    assert value(self_repair(MOVERS, heads("10.1", at=END), to=TO), read) == [0]


def test_a_rise_is_counted_in_the_scale_of_the_run_as_it_is():
    # In the stream 4 before and 6 after on the first prompt, 4 and 10 on the second; scale 2.
    read = Written(plain=[[3, 1, 2], [2, 0, 2]], without=[[6, 0, 1], [5, 0, 2]])
    assert value(self_repair(MOVERS, heads("10.1", at=END), to=TO), read) == [(1 + 3) / 2]
    assert value(self_repair(MOVERS, BACKUPS, to=TO), read) == [4]  # heads add up
    assert value(self_repair(MOVERS, BACKUPS.mean, to=TO), read) == [2]
    each = self_repair(MOVERS, BACKUPS.each, to=TO)
    assert value(each, read) == [2, 2]
    assert each.labels() == ("10.1", "10.2")


def test_it_reads_each_head_in_both_worlds():
    needs = self_repair(MOVERS, BACKUPS, to=TO).needs(draw_of())
    without = knock_out(MOVERS, to=TO)
    assert [need.run.under for need in needs] == [None, None, without, without]
    assert [need.reading.head for need in needs] == [*BACKUPS.heads, *BACKUPS.heads]


class Both:
    """Answer logits made up by run, and what heads write."""

    def __init__(self, seed):
        self.made_up, self.n = MadeUp(seed), 3
        self.written = Written(plain=[[3, 1, 2]] * 3, without=[[6, 0, 1]] * 3)

    def __call__(self, need):
        return (self.written if need.reading.heads() else self.made_up)(need)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, pool=st.sampled_from([None, "each", "mean", "sum"]))
def test_the_parts_add_up_to_the_rise_of_the_direct_effect(seed, pool):
    read, by = Both(seed), replace(BACKUPS, pool=pool)
    without = knock_out(MOVERS, to=TO)
    rise = direct_effect(by, to=TO, given=without) - direct_effect(by, to=TO)
    parts = self_repair_parts(MOVERS, by, to=TO)
    values = np.array(value(parts, read)).reshape(3, -1)
    assert values.sum(axis=0) == pytest.approx(value(rise, read))
    assert values[0] == pytest.approx(value(self_repair(MOVERS, by, to=TO), read))
    after, before = (
        direct_effect(by, to=TO, mlps="frozen", given=given) for given in (without, None)
    )
    assert values[:2].sum(axis=0) == pytest.approx(value(after - before, read))


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
    parts = self_repair_parts(MOVERS, BACKUPS, to=TO)
    assert parts.labels() == ("head", "final norm", "MLPs")
    each = self_repair_parts(MOVERS, BACKUPS.each, to=TO)
    assert each.labels()[:3] == ("head 10.1", "head 10.2", "final norm 10.1")
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
        "rise of what backups (10.1, 10.2), sum writes directly when name movers (9.9, 9.6) is "
        f"knocked out [-> {reference}; final norm's scale held]"
    )
    assert str(self_repair_parts(MOVERS, BACKUPS.each, to=TO)) == (
        "parts of the rise of the direct effect of backups (10.1, 10.2), each when name movers "
        f"(9.9, 9.6) is knocked out [-> {reference}]"
    )


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (
            lambda: self_repair(MOVERS, heads("9.6", "10.1", at=END), to=TO),
            "`by`: 9.6@END is also in `of`",
        ),
        (lambda: self_repair(MOVERS, heads("10.5", at=S2), to=TO), "acts at S2"),
        (
            lambda: self_repair(MOVERS, heads("9.5", "10.1", "8.0", at=END), to=TO),
            "`by`: 9.5, 8.0 cannot answer to the loss of name movers (9.9, 9.6): a head reads only "
            "what lower layers write, so that it must lie above layer 9.",
        ),
        (lambda: self_repair_parts(MOVERS, heads("9.5", at=END), to=TO), "`by`: 9.5 cannot"),
        (lambda: compensation(heads("3.0", at=S2), to=TO), "S2 to the logits at END"),
        (lambda: total_and_direct_effect("9.6", to=TO), "`what` must be made by heads"),
        (lambda: self_repair("9.6", BACKUPS, to=TO), "`of` must be made by heads"),
        (lambda: self_repair(MOVERS, "10.1", to=TO), "`by` must be made by heads"),
        (lambda: self_repair(MOVERS, BACKUPS, to="zero"), "`to` must be a reference"),
    ],
)
def test_refusals(made, says):
    with pytest.raises(CircuitUsageError) as error:
        made()
    assert says in str(error.value)
