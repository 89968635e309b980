"""What claims contribute to the validity card, and what the card then says."""

import pytest

from pytest_circuits import (
    ABC,
    DISTRACTOR,
    DISTRACTOR_CONTROL,
    END,
    IO,
    IOI,
    S2,
    answer_preferred,
    attention,
    carries,
    circuit,
    cmd,
    completeness,
    copy_score,
    cpr,
    direct_logit_attribution,
    faithfulness,
    foil_preferred,
    heads,
    knock_out,
    knock_out_effect,
    knock_out_share,
    logit_difference,
    mean,
    minimality,
    minimality_of,
    path_effect,
    sufficiency_p,
    zero,
)
from pytest_circuits.claims import Claim
from pytest_circuits.facts import facts
from pytest_circuits.interventions import keep_only
from pytest_circuits.report.card import KINDS, UNSELECTED, card, card_lines

TO = mean(ABC)
MOVERS = heads("6.0", "6.2", at=END, name="name movers")
INHIBITION = heads("4.3", "5.1", at=END, name="S-inhibition heads")
C = circuit(MOVERS, INHIBITION)

_EXAMPLES = [
    (logit_difference() >= 1, {"behaviour"}),
    (logit_difference(on=ABC) <= 1, {"specificity"}),
    (foil_preferred(on=DISTRACTOR) >= 0.2, {"adversarial prediction"}),
    (attention(MOVERS.each, to=IO) >= 0.2, {"structural plausibility"}),
    (direct_logit_attribution(MOVERS.sum) >= 1, {"structural plausibility"}),
    (knock_out_effect(MOVERS, to=TO) >= 1, {"necessity"}),
    (
        logit_difference() - logit_difference(under=knock_out(MOVERS, to=TO)) >= 1,
        {"necessity", "behaviour"},
    ),
    (faithfulness(C, to=TO) >= 0.8, {"sufficiency"}),
    (faithfulness(C, to=TO, form="per prompt") <= 0.8, {"sufficiency"}),
    (completeness(C, to=TO) <= 1, {"completeness"}),
    (completeness(C, to=TO, over="greedy") <= 1, {"completeness"}),
    (minimality(C, to=TO) >= 0.1, {"minimality"}),
    (minimality_of(heads("4.3", at=END), C, to=TO) >= 0.1, {"minimality"}),
    (sufficiency_p(C, to=TO) <= 0.05, {"baseline separation"}),
    (path_effect(INHIBITION, MOVERS.q, to=TO) >= 1, set()),
    (carries(INHIBITION, "position") >= 0.3, set()),
    ((logit_difference() >= 1).over(seeds=[0, 1]), {"behaviour", "consistency"}),
]


@pytest.mark.parametrize(
    ("claim", "kinds"), _EXAMPLES, ids=[f"{i} {str(c)[:60]}" for i, (c, _) in enumerate(_EXAMPLES)]
)
def test_a_claim_gives_the_evidence_that_it_is(claim, kinds):
    found = set(facts(claim, IOI()).kinds)
    # Comparisons of behaviour under a knock-out speak of behaviour and of necessity.
    assert found in (kinds, kinds - {"behaviour"})


D, CONTROL = DISTRACTOR, DISTRACTOR_CONTROL
WITHOUT = logit_difference(under=knock_out(MOVERS, to=TO))
ALONE = logit_difference(under=keep_only(C, to=TO))

EFFECT = knock_out_effect(MOVERS, to=TO)
LOOK = attention(MOVERS.mean, to=IO)
ABSENT = foil_preferred(on=D) - foil_preferred(on=CONTROL)

# Of each measure, the side on which a claim is evidence of the kind; on the other it is none.
SIDES = [
    ("behaviour", logit_difference(), ">=", 1),
    ("behaviour", foil_preferred(), "<=", 0.1),
    ("structural plausibility", attention(MOVERS.each, to=IO), ">=", 0.2),
    ("structural plausibility", copy_score(MOVERS.each), ">=", 0.9),
    ("structural plausibility", direct_logit_attribution(MOVERS.sum), "<=", -1),
    ("structural plausibility", direct_logit_attribution(MOVERS.sum), ">=", 1),
    ("necessity", EFFECT, ">=", 1),
    ("necessity", EFFECT / logit_difference(), ">=", 0.3),
    ("necessity", knock_out_share(MOVERS, to=TO), "<=", 0.6),
    ("necessity", WITHOUT, "<=", 0.5),
    ("necessity", logit_difference() - WITHOUT, ">=", 1),
    ("necessity", WITHOUT / logit_difference(), "<=", 0.5),
    ("sufficiency", faithfulness(C, to=TO), ">=", 0.4),
    ("sufficiency", faithfulness(C, to=TO, form="difference"), "<=", 1),
    ("sufficiency", faithfulness(C, to=TO, form="per prompt"), "<=", 1),
    ("sufficiency", logit_difference() - ALONE, "<=", 1),
    ("sufficiency", ALONE, ">=", 1),
    ("sufficiency", cpr(C, to=TO), ">=", 0.5),
    ("sufficiency", cmd(C, to=TO), "<=", 0.5),
    ("minimality", minimality(C, to=TO), ">=", 0.1),
    ("minimality", minimality_of(heads("4.3", at=END), C, to=TO), ">=", 0.1),
    ("completeness", completeness(C, to=TO), "<=", 1),
    ("completeness", completeness(C, to=TO, over="greedy"), "<=", 1),
    ("baseline separation", sufficiency_p(C, to=TO), "<=", 0.05),
    ("specificity", logit_difference(on=ABC), "<=", 1),
    ("specificity", logit_difference() - logit_difference(on=ABC), ">=", 2),
    ("adversarial prediction", foil_preferred(on=D), ">=", 0.2),
    ("adversarial prediction", answer_preferred(on=D), "<=", 0.7),
    ("adversarial prediction", ABSENT, ">=", 0.1),
]


@pytest.mark.parametrize(("kind", "measure", "relation", "at"), SIDES)
def test_a_claim_is_evidence_on_one_side_only(kind, measure, relation, at):
    other = {">=": "<=", "<=": ">="}[relation]
    assert kind in given(Claim(measure, relation, at))["kinds"]
    assert kind not in given(Claim(measure, other, at))["kinds"]


_NOTHING_SAID = [
    ("behaviour", logit_difference() >= -1),
    ("structural plausibility", direct_logit_attribution(MOVERS.sum) <= 1),
    ("structural plausibility", direct_logit_attribution(MOVERS.sum).between(-1, 1)),
    ("necessity", EFFECT.between(-1, 1)),
    ("necessity", EFFECT >= -1),
    ("necessity", abs(logit_difference() - WITHOUT) <= 0.1),
    ("sufficiency", faithfulness(C, to=TO) >= -1),
]


@pytest.mark.parametrize(("kind", "claim"), _NOTHING_SAID, ids=range(len(_NOTHING_SAID)))
def test_a_claim_that_nothing_would_break_is_no_evidence(kind, claim):
    assert kind not in given(claim)["kinds"]


def test_of_two_measures_one_at_least_the_other_says_that_they_differ():
    assert "structural plausibility" in given(LOOK >= attention(MOVERS.mean, to=S2))["kinds"]
    assert "necessity" in given(WITHOUT < logit_difference())["kinds"]
    assert "sufficiency" in given(faithfulness(C, to=TO).between(0.8, 1.2))["kinds"]


def test_an_incomplete_circuit_is_no_necessity_and_no_sufficiency():
    for over in ("classes", "random"):
        assert set(given(completeness(C, to=TO, over=over) <= 1)["kinds"]) == {"completeness"}


def test_a_prediction_of_failure_takes_its_control():
    fails, control = foil_preferred(on=D) >= 0.2, foil_preferred(on=CONTROL) <= 0.1
    both = foil_preferred(on=D) - foil_preferred(on=CONTROL) >= 0.1
    said = lambda *claims: carded(*claims)["adversarial prediction"]  # noqa: E731
    assert said((fails, "holds")) == "1 claim, without control"
    assert said((foil_preferred(on=D) >= foil_preferred(), "holds")) == "1 claim, without control"
    assert said((fails, "holds"), (control, "refuted")) == "1 claim, without control"
    assert said((fails, "holds"), (control, "holds")) == "1 claim"
    assert said((both, "holds")) == "1 claim"
    assert said((both, "holds"), (fails, "holds")) == "2 claims"


def test_what_was_not_selected_is_neither_evidence_nor_missing():
    done, left = logit_difference() >= 1, logit_difference(on=ABC) <= 1
    found = carded((done, "holds"), (left, UNSELECTED), (left, UNSELECTED), (done, UNSELECTED))
    assert (found["behaviour"], found["specificity"]) == ("1 claim", "2 claims, not selected")
    assert carded((done, "refuted"), (done, UNSELECTED))["behaviour"] == "claimed, does not hold"


def given(claim):
    return facts(claim, IOI()).as_dict()


def carded(*claims):
    return card([(given(claim), status) for claim, status in claims])


def test_what_is_missing_is_said():
    found = carded((logit_difference() >= 1, "holds"), (logit_difference() >= 2, "holds"))
    assert found["behaviour"] == "2 claims"
    assert all(said == "MISSING" for kind, said in found.items() if kind != "behaviour")
    assert list(found) == list(KINDS)
    assert any("MISSING" in line and line.startswith("minimality") for line in card_lines(found))


def test_a_claim_that_does_not_hold_is_no_evidence():
    assert carded((logit_difference() >= 1, "refuted"))["behaviour"] == "claimed, does not hold"


def test_necessity_takes_two_kinds_of_ablation():
    by_mean, by_zero = (knock_out_effect(MOVERS, to=to) >= 1 for to in (TO, zero()))
    assert carded((by_mean, "holds"), (by_mean, "holds"))["necessity"] == "MISSING"
    assert carded((by_mean, "holds"), (by_zero, "holds"))["necessity"] == "2 claims"
    swept = by_mean.over(ablations=[TO, zero()])
    assert carded((swept, "holds"))["necessity"] == "1 claim"


def test_instruments_converge_on_the_same_head_only():
    seen = attention(MOVERS.each, to=IO) >= 0.2
    needed = knock_out_effect(MOVERS, to=TO) >= 1
    other = knock_out_effect(heads("2.0", at=S2), to=TO) >= 1
    assert carded((seen, "holds"), (other, "holds"))["convergence"] == "MISSING"
    assert carded((seen, "holds"), (needed, "holds"))["convergence"] == "2 claims"
