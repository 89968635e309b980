"""Paths, signals and self-repair on the reference model: true claims hold, false ones do not.

What must come out follows from who writes what and who reads whom, and stands in
`pytest_circuits.models.reference`.
"""

import pytest

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
    check,
    check_all,
    heads,
    knock_out,
    load_model,
    logit_difference,
    mean,
    measure,
)
from pytest_circuits.interventions import counterpart, path_patch
from pytest_circuits.measures.interchange import carries, interchange_effect
from pytest_circuits.measures.paths import direct_effect, path_effect
from pytest_circuits.measures.repair import compensation, self_repair, total_and_direct_effect
from pytest_circuits.measures.signals import signal_fit, signal_weight, two_signals
from pytest_circuits.nodes import residual
from pytest_circuits.tasks.repeated import RepeatedTokens

PREVIOUS = heads("0.3", "1.0", at=S1_NEXT, name="previous token heads")
DUPLICATE = heads("2.0", "3.2", at=S2, name="duplicate token heads")
INDUCTION = heads("2.3", "3.1", at=S2, name="induction heads")
MATCHING = heads("2.0", "3.2", "2.3", "3.1", at=S2, name="duplicate token and induction heads")
INHIBITION = heads("4.3", "5.1", at=END, name="S-inhibition heads")
MOVERS = heads("6.0", "6.2", at=END, name="name movers")
BACKUPS = heads("7.0", "7.2", at=END, name="backup name movers")
NEGATIVE = heads("7.1", "7.3", at=END, name="negative name movers")
DECOY = heads("6.3", at=END, name="decoy")
ABC_MEAN, ABC_PROMPT = mean(ABC), counterpart(ABC)
WITHOUT_MOVERS = knock_out(MOVERS, to=ABC_MEAN)
UNREAD = path_patch(INHIBITION, MOVERS.q, to=ABC_PROMPT)
PROMPTS = 128  # at most; most claims are decided at 32

_DIRECT = {
    "name movers write the answer": direct_effect(MOVERS.each, to=ABC_PROMPT) >= 1.9,
    "both together": direct_effect(MOVERS, to=ABC_MEAN) >= 5.5,
    "negative name movers write against it": direct_effect(NEGATIVE.each, to=ABC_PROMPT) <= -0.4,
    "backups are at rest": direct_effect(BACKUPS.sum, to=ABC_PROMPT).between(-0.3, 0.8),
    "backups without name movers": (
        direct_effect(BACKUPS.each, to=ABC_MEAN, given=WITHOUT_MOVERS) >= 1.4
    ),
    "S-inhibition writes no name": direct_effect(INHIBITION, to=ABC_PROMPT).between(-0.5, 0.5),
    "the decoy writes next to nothing": direct_effect(DECOY, to=ABC_PROMPT).between(-0.5, 0.5),
    "no MLP makes anything of it": (
        direct_effect(MOVERS, to=ABC_PROMPT) - direct_effect(MOVERS, to=ABC_PROMPT, mlps="frozen")
    ).between(-0.5, 0.5),
}
_PATHS = {
    "S-inhibition through the movers' queries": path_effect(
        INHIBITION.each, MOVERS.q, to=ABC_PROMPT
    )
    >= 1,
    "most of the logit difference": path_effect(INHIBITION, MOVERS.q, to=ABC_PROMPT)
    / logit_difference()
    >= 0.8,
    "the movers lose the answer": attention(MOVERS.mean, to=IO)
    - attention(MOVERS.mean, to=IO, under=UNREAD)
    >= 0.4,
    "not through their values": path_effect(
        INHIBITION, (MOVERS.k, MOVERS.v), to=ABC_PROMPT
    ).between(-0.5, 0.5),
    "duplicates through S-inhibition's values": path_effect(MATCHING, INHIBITION.v, to=ABC_PROMPT)
    >= 1,
    "duplicates through its keys": path_effect(MATCHING, INHIBITION.k, to=ABC_PROMPT) >= 3,
    "previous token through the keys of induction": path_effect(
        PREVIOUS, INDUCTION.k, to=ABC_PROMPT
    )
    >= 2.5,
    "the induction heads lose the token after S1": attention(INDUCTION.mean, to=S1_NEXT)
    - attention(INDUCTION.mean, to=S1_NEXT, under=path_patch(PREVIOUS, INDUCTION.k, to=ABC_PROMPT))
    >= 0.4,
    "not through other keys": path_effect(PREVIOUS, DUPLICATE.k, to=ABC_PROMPT).between(-0.5, 0.5),
}
_SIGNALS = {
    "S-inhibition carries position": carries(INHIBITION, "position") >= 0.6,
    "and the token": carries(INHIBITION, "token") >= 0.25,
    "position more than the token": carries(INHIBITION, "position") > carries(INHIBITION, "token"),
    "each head some of it": carries(INHIBITION.each, "position") >= 0.1,
    "duplicates carry position": carries(MATCHING, "position") >= 0.3,
    "but not the token": carries(MATCHING, "token").between(-0.1, 0.1),
    # They write the answer, which SWAPPED exchanges: as the docstring of `carries` warns.
    "name movers carry the token": carries(MOVERS, "token") >= 0.6,
    "the stream behind S-inhibition": carries(residual(6, at=END), "position") >= 0.6,
    "the stream before it": carries(residual(4, at=END), "position").between(-0.1, 0.1),
    "the weights": signal_weight(INHIBITION, "position").between(3.5, 4.5),
    "of both signals": signal_weight(INHIBITION, "token").between(1.3, 2.1),
    "the signals add": signal_fit(INHIBITION) >= 0.95,
    "what is in ABC says nothing of S": interchange_effect(INHIBITION, over=ABC) >= 5.5,
}
_REPAIR = {
    "backups step in": self_repair(MOVERS, BACKUPS.each, to=ABC_MEAN) >= 1.2,
    "negative heads do not care": self_repair(MOVERS, NEGATIVE.each, to=ABC_MEAN).between(
        -0.5, 0.5
    ),
    "more than half is repaired": compensation(MOVERS, to=ABC_MEAN)
    / direct_effect(MOVERS, to=ABC_MEAN)
    >= 0.5,
    "a decoy is not needed": total_and_direct_effect(DECOY, to=ABC_MEAN).between(-0.5, 0.5),
}
_FALSE = {
    "S-inhibition writes names": direct_effect(INHIBITION.each, to=ABC_PROMPT) >= 0.5,
    "the decoy writes the answer": direct_effect(DECOY, to=ABC_PROMPT) >= 0.5,
    "negative heads help": direct_effect(NEGATIVE.each, to=ABC_PROMPT) >= 0,
    "backups at work at once": direct_effect(BACKUPS.each, to=ABC_PROMPT) >= 1.4,
    "one wrong head among right ones": direct_effect(
        heads("6.0", "6.3", at=END).each, to=ABC_PROMPT
    )
    >= 1.9,
    "S-inhibition through values": path_effect(INHIBITION, MOVERS.v, to=ABC_PROMPT) >= 0.5,
    "S-inhibition through the decoy": path_effect(INHIBITION, DECOY.q, to=ABC_PROMPT) >= 0.5,
    "a decoy through the movers": path_effect(heads("4.0", at=END), MOVERS.q, to=ABC_PROMPT) >= 0.5,
    "values say where to look": attention(INDUCTION.mean, to=S1_NEXT)
    - attention(INDUCTION.mean, to=S1_NEXT, under=path_patch(PREVIOUS, INDUCTION.v, to=ABC_PROMPT))
    >= 0.1,
    "previous token through values": path_effect(PREVIOUS, INDUCTION.v, to=ABC_PROMPT) >= 0.5,
    "the token outweighs": carries(INHIBITION, "token") > carries(INHIBITION, "position"),
    "duplicates carry the token": carries(MATCHING, "token") >= 0.2,
    "a decoy carries position": carries(heads("4.0", at=END), "position") >= 0.1,
    "name movers carry position": carries(MOVERS, "position") >= 0.1,
    "a weight of the wrong size": signal_weight(INHIBITION, "position") <= 2.5,
    "signals of a decoy add": signal_fit(heads("4.0", at=END)) >= 0.5,
    "negative heads step in": self_repair(MOVERS, NEGATIVE.sum, to=ABC_MEAN) >= 0.5,
    "a decoy is backed up": self_repair(DECOY, BACKUPS.sum, to=ABC_MEAN) >= 0.5,
    "backups are backed up": compensation(BACKUPS, to=ABC_MEAN) >= 0.5,
}
_TRUE = _DIRECT | _PATHS | _SIGNALS | _REPAIR


@pytest.fixture(scope="module")
def model():
    return load_model("reference-ioi", progress=False)


def statuses(claims, model, prompts=PROMPTS):
    verdicts = check_all(claims.values(), model, prompts=prompts)
    return dict(zip(claims, verdicts, strict=True))


@pytest.fixture(scope="module")
def verdicts(model):
    return statuses(_TRUE | _FALSE, model)


@pytest.mark.parametrize("name", _TRUE)
def test_a_true_claim_holds(verdicts, name):
    assert verdicts[name].status == "holds", verdicts[name]


@pytest.mark.parametrize("name", _FALSE)
def test_a_false_claim_is_refuted(verdicts, name):
    assert verdicts[name].status == "refuted", verdicts[name]


def test_a_repaired_loss_is_no_lack_of_need(model):
    second = heads("6.2", at=END)
    total, both = check_all(
        [
            logit_difference() - logit_difference(under=knock_out(second, to=ABC_MEAN)) <= 1.7,
            total_and_direct_effect(second, to=ABC_MEAN) <= 1.7,
        ],
        model,
        prompts=PROMPTS,
    )
    assert total.status == "holds"
    assert both.status == "refuted"
    assert both.worst.label == "direct"


def test_the_two_signal_table(model):
    table = measure(model, two_signals(INHIBITION), prompts=64)
    values = {part.label: part.value for part in table.parts}
    expected = {
        "position +, token +": 5.4,
        "position -, token +": -2.7,
        "position +, token -": 1.6,
        "position -, token -": -5.9,
    }
    assert {row: values[row] for row in expected} == pytest.approx(expected, abs=0.5)
    assert set(values) - set(expected) == {"position +, token 0", "position -, token 0"}
    # An unrelated token lies between the token itself and the other one.
    assert values["position +, token -"] < values["position +, token 0"] < 5
    assert len(table.method.runs) == 6


def test_signals_in_the_order_of_the_other_prompt(model):
    flipped = logit_difference(on=FLIP) - logit_difference()
    effect = interchange_effect(INHIBITION, over=FLIP)
    plain, patched = check_all([flipped.between(-0.5, 0.5), effect >= 6], model, prompts=PROMPTS)
    assert (plain.status, patched.status) == ("holds", "holds")


def test_a_task_without_signals_is_not_evaluable(model):
    with pytest.raises(ClaimNotEvaluable, match="does not say which signals"):
        check(carries(INHIBITION, "position") >= 0.5, model, task=RepeatedTokens(), prompts=4)


def test_an_unknown_signal_lists_the_task_s(model):
    with pytest.raises(ClaimNotEvaluable, match=r"signal of IOI 'colour'.*position, token"):
        check(carries(INHIBITION, "colour") >= 0.5, model, task=IOI(), prompts=4)


SABOTAGED = {
    "S-inhibition": {
        "S-inhibition carries position": "refuted",
        "S-inhibition through the movers' queries": "refuted",
        "duplicates through S-inhibition's values": "refuted",
        "signals of a decoy add": "refuted",
        "a decoy is not needed": "holds",
    },
    "name mover": {
        "name movers write the answer": "refuted",
        "S-inhibition through the movers' queries": "refuted",
        "backups are at rest": "refuted",
        "backups step in": "refuted",
        "S-inhibition carries position": "holds",
        "negative name movers write against it": "holds",
    },
    "backup name mover": {
        "backups step in": "refuted",
        "more than half is repaired": "refuted",
        "name movers write the answer": "holds",
        "S-inhibition through the movers' queries": "holds",
    },
    "previous token": {
        "previous token through the keys of induction": "refuted",
        "S-inhibition carries position": "holds",
        "not through other keys": "holds",
    },
}


@pytest.mark.parametrize("role", SABOTAGED)
def test_claims_fall_with_the_role_they_are_about(role):
    expected = SABOTAGED[role]
    sabotaged = load_model(f"reference-ioi:without={role}", progress=False)
    claims = {name: (_TRUE | _FALSE)[name] for name in expected}
    found = statuses(claims, sabotaged)
    assert {name: verdict.status for name, verdict in found.items()} == expected
