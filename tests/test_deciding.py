"""Sampling until decided, and families, on numbers whose truth is known; no model."""

from dataclasses import dataclass

import numpy as np
import pytest

from pytest_circuits import IOI, CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.deciding import Entry, decide, schedule
from pytest_circuits.estimates import sample
from pytest_circuits.interventions import Reference, mean, zero
from pytest_circuits.measures.base import Measure, weighted_means
from pytest_circuits.readings import Draw
from pytest_circuits.rules import Rules
from pytest_circuits.verdicts import Estimate, Method

DRAW = Draw(task=IOI(), n=256, seed=0)
METHOD = Method(
    task="numbers", left_out=(), prompts_digest="0" * 8, n=0, seed=0, runs=(), interval="",
    model="none", fingerprint="0" * 12, provenance="", dtype="", device="", engine="",
)  # fmt: skip


@dataclass(frozen=True)
class Normal(Measure):
    """The mean of independent normal numbers: true mean `mu`, standard deviation 1."""

    mu: float
    stream: int = 0

    def needs(self, draw):
        return ((self, draw.seed),)

    def value(self, read, draw, weights):
        return weighted_means([read(self.needs(draw)[0])[:, None]], weights)[..., 0]

    def __str__(self):
        return f"mean of normal({self.mu}) number {self.stream}"


@dataclass(frozen=True)
class Broken(Normal):
    def value(self, read, draw, weights):
        raise ClaimNotEvaluable("broken")


class Numbers:
    """Stands in for an evaluation; notes which measures looked at how many prompts."""

    def __init__(self):
        self.looked, self.focused = [], []

    def focus(self, wanted):
        self.focused.append([measure for measure, _ in wanted])

    def look(self, measure, draw, prompts, alpha):
        self.looked.append((measure, prompts))

        def read(need):
            of, seed = need
            rng = np.random.default_rng([of.stream, seed, 7])
            return rng.normal(size=draw.n)[:prompts] + of.mu

        found = sample(measure, read, draw, alpha=alpha)
        estimate = Estimate(
            measure=measure, parts=found.parts, unit="", n=found.n, by_head=(), by_prompt=(),
            method=METHOD,
        )  # fmt: skip
        return estimate, found.intervals


def decided(claims, rules=None, draw=DRAW, family=""):
    numbers = Numbers()
    rules = Rules() if rules is None else rules
    entries = [Entry(claim=each, draw=draw, rules=rules, family=family) for each in claims]
    found = decide(numbers, entries)
    return [found[each] for each in entries], numbers


def test_a_clear_claim_costs_few_prompts_and_a_close_one_more():
    clear, close = Normal(2.0), Normal(0.15, stream=1)
    (first, second), numbers = decided([clear >= 1, close >= 0])
    assert (first.status, first.decision.prompts, first.decision.looks) == ("holds", 32, 1)
    assert second.decision.prompts > 32
    assert [n for measure, n in numbers.looked if measure == clear] == [32]
    assert numbers.focused[0] == [clear, close]
    assert all(measures == [close] for measures in numbers.focused[1:])


def test_what_the_budget_does_not_decide_is_undecided_and_says_so():
    (verdict,), numbers = decided([Normal(0.0) >= 0])
    assert verdict.status == "undecided"
    assert [n for _, n in numbers.looked] == [32, 64, 128, 256]
    assert "budget spent at 256 of 256 prompts, look 4 of 4" in str(verdict.decision)


def test_a_false_claim_is_refuted_early():
    (verdict,), _ = decided([Normal(-2.0) >= 0])
    assert (verdict.status, verdict.decision.prompts) == ("refuted", 32)


def test_few_prompts_are_one_look_at_the_whole_error():
    rules = Rules(first=32)
    assert [(look.n, look.share) for look in schedule(rules, 63)] == [(63, 1.0)]
    assert [look.n for look in schedule(rules, 128)] == [32, 64, 128]
    assert sum(look.share for look in schedule(rules, 128)) == pytest.approx(1)
    assert [look.n for look in schedule(Rules(first=None), 128)] == [128]


def rate(status, mu, rules, count, claims=1, other=5.0):
    """The share of suites in which some claim on a mean of `mu`, threshold 0, has this status."""
    hits = 0
    for seed in range(count):
        draw = Draw(task=IOI(), n=128, seed=seed)
        streams = [Normal(mu, stream=1000 * seed + i) >= 0 for i in range(claims)]
        found, _ = decided(streams, rules, draw)
        hits += any(verdict.status == status for verdict in found)
    return hits / count


def test_at_the_threshold_looking_again_and_again_passes_no_more_than_is_stated():
    # 2.5 % either way; over 400 suites more than 4.5 % would come about once in 100 runs.
    assert rate("holds", 0.0, Rules(), 400) <= 0.045
    assert rate("refuted", 0.0, Rules(), 400) <= 0.045


def test_in_a_family_of_false_claims_some_pass_only_without_correction():
    assert rate("holds", 0.0, Rules(first=None), 60, claims=20) <= 0.1
    alone = rate("holds", 0.0, Rules(first=None, correction="none"), 60, claims=20)
    assert alone >= 0.2  # 1 - 0.975 ** 20 is 0.4


def test_a_claim_among_others_needs_more_than_alone():
    claim = Normal(0.6, stream=5) >= 0
    many = [Normal(0.0, stream=i) >= 0 for i in range(30, 70)]
    draw = Draw(task=IOI(), n=60, seed=0)
    (alone,), _ = decided([claim], Rules(), draw)
    among, _ = decided([claim, *many], Rules(), draw)
    assert alone.status == "holds"
    assert among[0].status == "undecided"
    assert among[0].decision.claims == 41
    assert among[0].decision.holds > alone.decision.holds


@dataclass(frozen=True)
class Ablated(Measure):
    """A quantity that depends on the ablation: 1 under means, -1 under zeros."""

    to: Reference
    stream: int = 0

    @property
    def mu(self):
        return -1.0 if self.to.kind == "zero" else 1.0

    needs, value = Normal.needs, Normal.value

    def __str__(self):
        return f"something -> {self.to}"


def test_one_method_that_refutes_a_claim_refutes_the_sweep_and_is_named():
    claim = Ablated(mean("ABC")) >= 0
    (plain, swept), _ = decided([claim, claim.over(ablations=[mean("ABC"), zero()])])
    assert (plain.status, swept.status) == ("holds", "refuted")
    assert {label: way.status for label, way in swept.ways} == {
        "mean over ABC per template and position": "holds",
        "zero": "refuted",
    }
    assert swept.worst.value < 0
    assert swept.as_dict()["ways"]["zero"]["status"] == "refuted"


def test_families_are_apart():
    numbers = Numbers()
    same = Rules()
    entries = [
        Entry(claim=Normal(0.3, stream=5) >= 0, draw=DRAW, rules=same, family=name)
        for name in ("a", "b", "b")
    ]
    found = decide(numbers, entries)
    assert found[entries[0]].decision.claims == 1
    assert found[entries[1]].decision.claims == 1  # the same claim twice is one claim


def test_what_cannot_be_evaluated_is_no_member_of_the_family():
    found, _ = decided([Broken(1.0) >= 0, Normal(1.0) >= 0])
    assert isinstance(found[0], ClaimNotEvaluable)
    assert (found[1].status, found[1].decision.claims) == ("holds", 1)


def test_equivalence_is_two_one_sided_tests():
    (inside, outside, unsure), _ = decided(
        [
            Normal(0.0).between(-0.5, 0.5),
            Normal(2.0).between(-0.5, 0.5),
            Normal(0.5).between(0, 0.5),
        ]
    )
    assert (inside.status, outside.status, unsure.status) == ("holds", "refuted", "undecided")


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"correction": "bonferoni"}, "Known: holm, benjamini-hochberg, none"),
        ({"alpha": 0.7}, "`alpha` must lie between 0 and 0.5; got 0.7"),
        ({"alpha": 1}, "`alpha` must lie between"),
        ({"first": 1}, "`first` must be a whole number of at least 2"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules, said):
    with pytest.raises(CircuitUsageError, match=said):
        Rules(**rules)
