"""Claims that are false: they name the wrong heads, the wrong place, too small a circuit."""

import pytest

from pytest_circuits import (
    ABC,
    DISTRACTOR,
    DISTRACTOR_CONTROL,
    END,
    IO,
    LOGITS,
    S1,
    S1_NEXT,
    S2,
    answer_preferred,
    answer_probability,
    attention,
    attention_logit_correlation,
    carries,
    check_all,
    circuit,
    cmd,
    compensation,
    completeness,
    copy_score,
    counterpart,
    cpr,
    direct_effect,
    direct_logit_attribution,
    duplicate_token_score,
    edges,
    faithfulness,
    foil_preferred,
    heads,
    hypothesis,
    induction_score,
    interchange_effect,
    keep_edges,
    knock_out_effect,
    knock_out_share,
    load_model,
    logit_difference,
    mean,
    minimality,
    minimality_of,
    necessity_p,
    negative_copy_score,
    path_effect,
    previous_token_score,
    resample,
    residual,
    scrubbed_performance,
    scrubbed_without,
    self_repair,
    signal_fit,
    signal_weight,
    sufficiency_p,
    total_and_direct_effect,
    two_signals,
    zero,
)

NAME_MOVERS = heads("6.0", "6.2", at=END)
S_INHIBITION = heads("4.3", "5.1", at=END)
DUPLICATE, INDUCTION = heads("2.0", "3.2", at=S2), heads("2.3", "3.1", at=S2)
PREVIOUS = heads("0.3", "1.0", at=S1_NEXT)
LATE = heads("7.0", "7.2", "7.1", "7.3", at=END)
TOO_SMALL = circuit(PREVIOUS, DUPLICATE, INDUCTION, NAME_MOVERS, LATE)
ABSENT = heads("0.1", "5.2", at=S1_NEXT)
BACKUPS = heads("7.0", "7.2", at=END)
NEGATIVE = heads("7.1", "7.3", at=END)
DECOYS = heads("4.0", "6.3", at=END)
LOOK_ALIKE = heads("6.3", at=END)
DETECTING = heads("2.0", "3.2", "2.3", "3.1", at=S2)
WHOLE = circuit(PREVIOUS, DUPLICATE, INDUCTION, S_INHIBITION, NAME_MOVERS, LATE)
PADDED = circuit(*WHOLE.roles, DECOYS)
TO, ABC_PROMPT = mean(ABC), counterpart(ABC)
SEARCH = {"over": "greedy", "steps": 1, "search_prompts": 8}
WIRING = (
    edges(PREVIOUS, INDUCTION.k),
    edges(DETECTING, S_INHIBITION.k),
    edges(DETECTING, S_INHIBITION.v),
    edges(S_INHIBITION, NAME_MOVERS.q),
    edges(NAME_MOVERS, LOGITS),
)
SAID = {PREVIOUS: "S", DETECTING: "position", NAME_MOVERS: ("IO", "S")}
AS_BUILT = hypothesis(*WIRING, carries=SAID | {S_INHIBITION: ("position", "S")})
WRONG = hypothesis(*WIRING, carries=SAID | {S_INHIBITION: "IO"})

_FALSE = {
    "behaviour the model lacks": logit_difference() >= 7,
    "preference that is not there": answer_preferred(on=DISTRACTOR) >= 0.9,
    "too probable an answer": answer_probability() >= 0.8,
    "attention to the wrong name": attention(NAME_MOVERS.each, to=S1) >= 0.5,
    "attention of the wrong heads": attention(S_INHIBITION.each, to=IO) >= 0.5,
    "one wrong head among right ones": attention(heads("6.0", "4.3", at=END).each, to=IO) >= 0.5,
    "copying by heads that do not": copy_score(S_INHIBITION.each) >= 0.9,
    "copying with the wrong sign": copy_score(heads("7.1", "7.3", at=END).each) >= 0.9,
    "negative copying by a name mover": negative_copy_score(NAME_MOVERS.each) >= 0.9,
    "copying by a head that writes nothing": copy_score(heads("5.2", at=END)) >= 0.9,
    "correlation with the sign reversed": attention_logit_correlation(
        heads("7.1", "7.3", at=END).each
    )
    >= 0.5,
    "attribution to heads that write no name": direct_logit_attribution(S_INHIBITION.sum) >= 1,
    "previous-token heads elsewhere": previous_token_score(DUPLICATE.each) >= 0.9,
    "duplicate-token heads elsewhere": duplicate_token_score(INDUCTION.each) >= 0.9,
    "induction heads elsewhere": induction_score(DUPLICATE.each) >= 0.9,
    "previous-token heads on the task": previous_token_score(ABSENT.each, on="task") >= 0.9,
    "need of heads that do nothing, mean": knock_out_effect(ABSENT, to=mean(ABC)) >= 0.5,
    "need of heads that do nothing, zero": knock_out_effect(ABSENT, to=zero()) >= 0.5,
    "need of heads that do nothing, resample": knock_out_effect(ABSENT, to=resample(ABC)) >= 0.5,
    "no need of heads that matter": knock_out_share(DUPLICATE, to=mean(ABC)) >= 0.9,
    "a circuit without S-inhibition": faithfulness(TOO_SMALL, to=mean(ABC)) >= 0.8,
    "the same by difference": faithfulness(TOO_SMALL, to=mean(ABC), form="difference") <= 1,
    "the same by prompt": faithfulness(TOO_SMALL, to=mean(ABC), form="per prompt") <= 1,
    "direct effect of heads that write no name": direct_effect(S_INHIBITION.each, to=ABC_PROMPT)
    >= 0.5,
    "direct effect of a look-alike": direct_effect(LOOK_ALIKE, to=ABC_PROMPT) >= 0.5,
    "direct effect with the wrong sign": direct_effect(NEGATIVE.each, to=ABC_PROMPT) >= 0,
    "a path into the wrong heads": path_effect(S_INHIBITION, LOOK_ALIKE.q, to=ABC_PROMPT) >= 0.5,
    "a path into the wrong input": path_effect(S_INHIBITION, NAME_MOVERS.v, to=ABC_PROMPT) >= 0.5,
    "a path into values for one into keys": path_effect(PREVIOUS, INDUCTION.v, to=ABC_PROMPT)
    >= 0.5,
    "a path from heads that say nothing": path_effect(DECOYS, BACKUPS.q, to=ABC_PROMPT) >= 0.5,
    "a signal that is not carried": carries(DETECTING, "token") >= 0.2,
    "the signal of another role": carries(NAME_MOVERS, "position") >= 0.2,
    "signals of decoys": carries(DECOYS.each, "position") >= 0.2,
    "the lesser signal outweighs": carries(S_INHIBITION, "token")
    > carries(S_INHIBITION, "position"),
    "a weight too large": signal_weight(S_INHIBITION, "token") >= 3,
    "signals of decoys that add": signal_fit(DECOYS) >= 0.5,
    "a table for that of other heads": abs(
        two_signals(residual(4, at=END)) - two_signals(S_INHIBITION)
    )
    <= 0.5,
    "the effect of interchanging nothing": interchange_effect(DECOYS, over=ABC) >= 0.5,
    "repair by the wrong heads": self_repair(NAME_MOVERS, NEGATIVE.sum, to=TO) >= 0.5,
    "repair of what does nothing": self_repair(LOOK_ALIKE, BACKUPS.sum, to=TO) >= 0.5,
    "compensation for the last": compensation(BACKUPS, to=TO) >= 0.5,
    "no need of what is repaired": total_and_direct_effect(NAME_MOVERS, to=TO).between(-2.5, 2.5),
    "completeness by class": completeness(TOO_SMALL, to=TO) <= 1,
    "completeness at random": completeness(TOO_SMALL, to=TO, over="random", count=3) <= 1,
    "completeness at worst": completeness(TOO_SMALL, to=TO, **SEARCH) <= 1,
    "a padded circuit minimal": abs(minimality(PADDED, to=TO, search_prompts=8)) >= 0.3,
    "a padding that matters": minimality_of(LOOK_ALIKE, PADDED, to=TO, without=NAME_MOVERS) >= 0.5,
    "decoys beyond chance": sufficiency_p(circuit(DECOYS), to=TO, count=40, prompts=16) <= 0.05,
    "necessity of decoys": necessity_p(circuit(DECOYS), to=TO, count=40, prompts=16) <= 0.05,
    "a circuit too small at every size": cpr(TOO_SMALL, to=TO) >= 0.9,
    "the same by distance": cmd(TOO_SMALL, to=TO) <= 0.1,
    "S preferred": foil_preferred() >= 0.2,
    "S preferred whoever is repeated": foil_preferred(on=DISTRACTOR_CONTROL) >= 0.2,
    "wiring that lacks what S-inhibition reads": logit_difference(
        under=keep_edges(*WIRING[3:], to=TO)
    )
    >= 4,
    "a hypothesis that is wrong": scrubbed_performance(WRONG, to=TO) >= 0.9,
    "need of the lesser signal alone": scrubbed_without(AS_BUILT, S_INHIBITION, "S", to=TO) <= 0,
    "a comparison the wrong way round": attention(NAME_MOVERS.mean, to=S1)
    > attention(NAME_MOVERS.mean, to=IO),
}


@pytest.fixture(scope="module")
def model():
    return load_model("reference-ioi", progress=False)


@pytest.fixture(scope="module")
def verdicts(model):
    return dict(zip(_FALSE, check_all(_FALSE.values(), model, prompts=512), strict=True))


@pytest.mark.parametrize("name", _FALSE)
def test_a_false_claim_is_refuted(verdicts, name):
    assert verdicts[name].status == "refuted", verdicts[name]


def test_a_share_summed_over_heads_may_exceed_one(model):
    holds, refuted = check_all(
        [copy_score(NAME_MOVERS.sum) >= 1.9, copy_score(NAME_MOVERS.sum) <= 1.5], model, prompts=128
    )
    assert (holds.status, refuted.status) == ("holds", "refuted")
    assert "interval over prompts" in holds.estimate.method.interval
