"""Claims that are false: they name the wrong heads, the wrong place, too small a circuit."""

import pytest

from pytest_circuits import (
    ABC,
    DISTRACTOR,
    END,
    IO,
    S1,
    S1_NEXT,
    S2,
    answer_preferred,
    answer_probability,
    attention,
    attention_logit_correlation,
    check_all,
    circuit,
    copy_score,
    direct_logit_attribution,
    duplicate_token_score,
    faithfulness,
    heads,
    induction_score,
    knock_out_effect,
    knock_out_share,
    load_model,
    logit_difference,
    mean,
    negative_copy_score,
    previous_token_score,
    resample,
    zero,
)

NAME_MOVERS = heads("6.0", "6.2", at=END)
S_INHIBITION = heads("4.3", "5.1", at=END)
DUPLICATE, INDUCTION = heads("2.0", "3.2", at=S2), heads("2.3", "3.1", at=S2)
PREVIOUS = heads("0.3", "1.0", at=S1_NEXT)
LATE = heads("7.0", "7.2", "7.1", "7.3", at=END)
TOO_SMALL = circuit(PREVIOUS, DUPLICATE, INDUCTION, NAME_MOVERS, LATE)
ABSENT = heads("0.1", "5.2", at=S1_NEXT)

FALSE = {
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
    "need of heads that do nothing, mean": knock_out_effect(ABSENT, to=mean(ABC)) >= 0.1,
    "need of heads that do nothing, zero": knock_out_effect(ABSENT, to=zero()) >= 0.1,
    "need of heads that do nothing, resample": knock_out_effect(ABSENT, to=resample(ABC)) >= 0.1,
    "no need of heads that matter": knock_out_share(DUPLICATE, to=mean(ABC)) >= 0.9,
    "a circuit without S-inhibition": faithfulness(TOO_SMALL, to=mean(ABC)) >= 0.8,
    "the same by difference": faithfulness(TOO_SMALL, to=mean(ABC), form="difference") <= 1,
    "the same by prompt": faithfulness(TOO_SMALL, to=mean(ABC), form="per prompt") <= 1,
    "a comparison the wrong way round": attention(NAME_MOVERS.mean, to=S1)
    > attention(NAME_MOVERS.mean, to=IO),
}


@pytest.fixture(scope="module")
def model():
    return load_model("reference-ioi", progress=False)


@pytest.fixture(scope="module")
def verdicts(model):
    return dict(zip(FALSE, check_all(FALSE.values(), model, prompts=64), strict=True))


@pytest.mark.parametrize("name", FALSE)
def test_a_false_claim_is_refuted(verdicts, name):
    assert verdicts[name].status == "refuted", verdicts[name]


def test_a_share_summed_over_heads_may_exceed_one(model):
    holds, refuted = check_all(
        [copy_score(NAME_MOVERS.sum) >= 1.9, copy_score(NAME_MOVERS.sum) >= 2.1], model, prompts=64
    )
    assert (holds.status, refuted.status) == ("holds", "refuted")
    assert "bootstrap" in holds.estimate.method.interval
