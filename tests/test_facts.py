"""What claims contribute to the validity card, and what the card then says."""

import pytest

from pytest_circuits import (
    ABC,
    DISTRACTOR,
    END,
    IO,
    IOI,
    S2,
    attention,
    carries,
    circuit,
    completeness,
    direct_logit_attribution,
    faithfulness,
    foil_preferred,
    heads,
    knock_out,
    knock_out_effect,
    logit_difference,
    mean,
    minimality,
    minimality_of,
    path_effect,
    sufficiency_p,
    zero,
)
from pytest_circuits.facts import facts
from pytest_circuits.report.card import KINDS, card, card_lines

TO = mean(ABC)
MOVERS = heads("6.0", "6.2", at=END, name="name movers")
INHIBITION = heads("4.3", "5.1", at=END, name="S-inhibition heads")
C = circuit(MOVERS, INHIBITION)

EXAMPLES = [
    (logit_difference() >= 1, {"behaviour"}),
    (logit_difference(on=ABC) <= 1, {"behaviour", "specificity"}),
    (foil_preferred(on=DISTRACTOR) >= 0.2, {"behaviour", "adversarial prediction"}),
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
    ("claim", "kinds"), EXAMPLES, ids=[f"{i} {str(c)[:60]}" for i, (c, _) in enumerate(EXAMPLES)]
)
def test_a_claim_gives_the_evidence_that_it_is(claim, kinds):
    found = set(facts(claim, IOI()).kinds)
    # Comparisons of behaviour under a knock-out speak of behaviour and of necessity.
    assert found in (kinds, kinds - {"behaviour"})


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
