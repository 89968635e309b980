"""The prompts that causal scrubbing takes through the model: which, how many, of which lengths."""

from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hooked_oracle import HookedOracle
from interventions_oracle import Truth
from scrubbing_oracle import Scrubbed
from tiny import TWO_LENGTHS

from pytest_circuits import (
    ABC,
    END,
    FLIP,
    IO,
    IOI,
    S1_NEXT,
    S2,
    ClaimNotEvaluable,
    attention,
    heads,
    measure,
)
from pytest_circuits.engine.scrubs import asked
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.interventions import keep_edges, mean, zero
from pytest_circuits.measures.attribution import direct_logit_attribution
from pytest_circuits.measures.behaviour import logit_difference
from pytest_circuits.nodes import LOGITS
from pytest_circuits.readings import Draw
from pytest_circuits.scrubbing import hypothesis, scrub
from pytest_circuits.wiring import edges

TO = mean(ABC)
FIRST = heads("0.0", at=S1_NEXT)
EARLY = heads("0.1", "0.2", at=S2)
MIDDLE = heads("1.0", "1.3", at=S2)
LATE = heads("2.0", "2.3", at=END)
EDGES = (
    edges(FIRST, MIDDLE.k),
    edges(EARLY, MIDDLE.k),
    edges(EARLY, LATE.v),
    edges(MIDDLE, LATE.k),
    edges(LATE, LOGITS),
)
ROLES = (FIRST, EARLY, MIDDLE, LATE)
DRAW = Draw(task=TWO_LENGTHS, n=4, seed=3)


def carrying(*features):
    """The hypothesis that each role carries these."""
    return hypothesis(*EDGES, carries=dict(zip(ROLES, features, strict=True)))


OURS = carrying(("IO", "S"), ("IO", "S"), IOI().features, "IO")


@pytest.fixture(scope="module")
def truth(model, folder):
    return Truth(
        HookedOracle(folder), DRAW.task.draw(model.tokenizer, DRAW.n, DRAW.seed), DRAW.seed
    )


def values(model, what, task=DRAW.task):
    found = measure(model, what, task=task, prompts=DRAW.n, seed=DRAW.seed)
    return [value for _, value in found.by_prompt]


def true_values(truth, under, task=DRAW.task, distribution="IOI"):
    rows = [Scrubbed(truth, task, under, i).answers(distribution) for i in range(DRAW.n)]
    return pytest.approx([answer - foil for answer, foil in rows], rel=1e-4, abs=1e-4)


def test_outputs_are_asked_of_the_readers_own_variations():
    wanted = asked(scrub(OURS, to=TO), "IOI", IOI().varied)
    assert {name: {str(node.head) for node in nodes} for name, nodes in wanted.items()} == {
        "IOI": set(),
        "IOI~IO": {"1.0", "1.3", "2.0", "2.3"},
        "IOI~IO~IO+S": {"0.0", "0.1", "0.2"},
    }


def test_prompts_of_another_distribution_are_scrubbed_likewise(model, truth):
    under = scrub(OURS, to=TO)
    got = values(model, logit_difference(on=FLIP, under=under))
    assert got == true_values(truth, under, distribution=FLIP)
    assert got != true_values(truth, under)


def test_what_heads_write_is_what_the_logits_read(model):
    """A sender's output is that of another prompt; a head of no edge writes the reference."""

    def written(under):
        what = direct_logit_attribution(heads("2.0", "2.1", at=END).each, under=under)
        found = measure(model, what, task=DRAW.task, prompts=DRAW.n, seed=DRAW.seed)
        return [part.value for part in found.parts]

    own = written(keep_edges(*EDGES, to=zero()))
    everything = carrying(*[IOI().features] * len(ROLES))
    assert written(scrub(everything, to=zero())) == pytest.approx(own, rel=1e-4)
    drawn = written(scrub(OURS, to=zero()))
    assert drawn[0] != pytest.approx(own[0], rel=1e-2)
    assert drawn[1] == own[1] == 0


@dataclass(frozen=True, kw_only=True)
class Reversed(IOI):
    """The variation of a row is the prompt at the other end: of another length and order."""

    def varied(self, distribution, keep):
        return f"{distribution}~" if "S" in keep else distribution

    def draw(self, tokenizer, n, seed):
        dataset = super().draw(tokenizer, n, seed)
        return replace(dataset, vary=lambda name: turned(dataset.prompts, name))


def turned(prompts, name):
    step = -1 if name.count("~") % 2 else 1
    listed = ("texts", "ids", "answers", "foils", "groups", "strata")
    positions = {at: where[::step] for at, where in prompts.positions.items()}
    rows = {each: getattr(prompts, each)[::step] for each in listed}
    return replace(prompts, name=name, positions=positions, **rows)


def test_outputs_move_from_a_named_position_to_its_like_whatever_the_length(model, folder):
    task = Reversed(templates=TWO_LENGTHS.templates)
    dataset = task.draw(model.tokenizer, DRAW.n, DRAW.seed)
    lengths = [[len(row) for row in dataset.distribution(name).ids] for name in ("IOI", "IOI~")]
    assert all(a != b for a, b in zip(*lengths, strict=True))
    under = scrub(carrying("S", "S", "IO", "S"), to=zero())
    truth = Truth(HookedOracle(folder), dataset, DRAW.seed)
    assert values(model, logit_difference(under=under), task) == true_values(truth, under, task)


def test_a_mean_is_not_moved_to_prompts_of_another_length(model):
    task = Reversed(templates=TWO_LENGTHS.templates)
    under = scrub(carrying("S", "S", "IO", "S"), to=TO)
    with pytest.raises(ClaimNotEvaluable, match=r"row 0 of ABC has .* do not align"):
        values(model, logit_difference(under=under), task)


@dataclass(frozen=True, kw_only=True)
class Longer(Reversed):
    """Variations of the first template's prompts are prompts of the second."""

    def draw(self, tokenizer, n, seed):
        short, long = (replace(TWO_LENGTHS, templates=(each,)) for each in TWO_LENGTHS.templates)
        prompts = long.draw(tokenizer, n, seed).prompts
        return replace(
            short.draw(tokenizer, n, seed), vary=lambda name: replace(prompts, name=name)
        )


def test_prompts_longer_than_those_that_were_checked_are_refused(model):
    under = scrub(carrying("S", "S", "S", "S"), to=zero())
    with pytest.raises(ClaimNotEvaluable, match=r"a prompt of IOI~ has \d+ tokens.* at most \d+"):
        values(model, logit_difference(under=under), Longer())


def test_batches_bounded_by_memory_change_no_number(model):
    draw = Draw(task=IOI(), n=24, seed=0)
    what = logit_difference(under=scrub(OURS, to=TO))
    roomy, tight = (Evaluation(model, [(what, draw)], memory=m) for m in (1 << 30, 3_000_000))
    whole, split = (each.estimate(what, draw).by_prompt for each in (roomy, tight))
    assert [value for _, value in split] == pytest.approx([v for _, v in whole], rel=1e-4)
    batches = [evaluation.passes[-1].batches for evaluation in (roomy, tight)]
    edge_circuit = logit_difference(under=keep_edges(*EDGES, to=TO))
    fewer = Evaluation(model, [(edge_circuit, draw)], memory=3_000_000)
    fewer.estimate(edge_circuit, draw)
    assert batches[0] == 1
    assert batches[1] > fewer.passes[-1].batches > 1, "other distributions take memory, too"


def test_each_distribution_is_run_once_for_all_hypotheses(model, worlds):
    """Per distribution one world in which all heads are closed, and one pass for the mean."""
    wrong = OURS.without(EARLY)
    whats = [logit_difference(under=scrub(each, to=TO)) for each in (OURS, wrong)]
    names = {
        name
        for each in (OURS, wrong)
        for name in asked(scrub(each, to=TO), "IOI", DRAW.task.varied)
    }
    assert names == {"IOI", "IOI~IO", "IOI~IO~IO+S", "IOI~IO~"}
    evaluation = Evaluation(model, [(what, DRAW) for what in whats])
    got = [evaluation.estimate(what, DRAW).value for what in whats]
    assert got[0] != got[1]
    assert Counter(worlds) == {DRAW.n: 1 + len(names)}


BAD = {
    "'place'": logit_difference(under=scrub(carrying("S", "S", "S", "place"), to=TO)),
    "nobody twice": logit_difference(on=ABC, under=scrub(OURS, to=zero())),
    "no one pattern": attention(LATE.mean, to=IO, under=scrub(OURS, to=TO)),
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_read_costs_the_others_nothing(model, message):
    good = logit_difference(under=scrub(OURS, to=TO))
    both, alone = (
        Evaluation(model, [(what, DRAW) for what in whats])
        for whats in ((BAD[message], good), (good,))
    )
    assert both.estimate(good, DRAW).value == alone.estimate(good, DRAW).value
    with pytest.raises(ClaimNotEvaluable, match=message):
        both.estimate(BAD[message], DRAW)
    assert [each.forwards for each in both.passes] == [each.forwards for each in alone.passes]
