"""Claims on mutants: evaluated anew on each, and what cannot be made is in the account."""

from pytest_circuits import (
    ABC,
    END,
    IO,
    IOI,
    Rules,
    answer_preferred,
    answer_probability,
    attention,
    attention_logit_correlation,
    heads,
    knock_out,
    knock_out_share,
    logit_difference,
    mean,
)
from pytest_circuits.evaluation import Evaluation
from pytest_circuits.measures.attribution import direct_logit_attribution
from pytest_circuits.mutation.mutants import (
    KnockedOut,
    Noised,
    Reinitialised,
    Renumbered,
    ShuffledOV,
    ShuffledQK,
    Turned,
)
from pytest_circuits.mutation.survey import survey
from pytest_circuits.nodes import Head
from pytest_circuits.readings import Draw
from pytest_circuits.tasks.templates import TEMPLATES

DRAW = Draw(task=IOI(), n=16, seed=0)
movers = heads("6.0", "6.2", at=END, name="name movers")
_CLAIMS = {
    "look": (attention(movers.each, to=IO) >= 0.7, DRAW),
    "write": (direct_logit_attribution(movers.sum) >= 5, DRAW),
    "share": (knock_out_share(movers, to=mean(ABC)) <= 0.8, DRAW),
}


def surveyed(reference, *mutants, notify=lambda message: None):
    return survey("x.py", reference, _CLAIMS, mutants, left_out=["other"], notify=notify)


def test_each_claim_on_each_mutant(reference):
    mutants = (KnockedOut(heads=movers.heads), ShuffledQK(heads=movers.heads))
    account = surveyed(reference, *mutants)
    first, second = account.trials
    assert first.statuses["look"] == "holds"
    assert first.statuses["write"] == "refuted"
    assert second.statuses["look"] == second.statuses["write"] == "refuted"
    assert account.claims == ("look", "write", "share")
    assert account.left_out == ("other",)


def test_the_logit_difference_is_that_of_model_and_mutant(reference):
    """By construction 5.4, and 3.3 where the knocked-out name movers are backed up."""
    account = surveyed(reference, KnockedOut(heads=movers.heads))
    assert 4.9 < account.behaviour < 5.9
    assert 2.8 < account.trials[0].behaviour < 4


_BEHAVIOUR = {
    "difference": (logit_difference().between(4.9, 6.3), DRAW),
    "preferred": (answer_preferred() >= 0.7, DRAW),
    "probable": (answer_probability() >= 0.4, DRAW),
}
inhibition = heads("4.3", "5.1", at=END, name="S-inhibition heads")


def of_role(role):
    return tuple(
        kind(heads=role.heads, label=role.name) for kind in (KnockedOut, ShuffledOV, ShuffledQK)
    )


def test_claims_that_name_no_head_notice_no_sabotage_of_heads(reference):
    """They are refuted, and so would any claims be that say that the model does the task."""
    mutants = (*of_role(inhibition), Reinitialised(layer=6), Noised(amount=0.5))
    account = survey("x.py", reference, _BEHAVIOUR, mutants)
    assert all("refuted" in each.statuses.values() for each in account.trials)
    assert [each.name for each in account.survivors] == [str(each) for each in mutants[:3]]
    found = {each.kind: (each.noticed, each.of) for each in account.tallies}
    assert found == {
        "knocked out": (0, 1),
        "OV shuffled": (0, 1),
        "QK shuffled": (0, 1),
        "re-initialised": (1, 1),
        "noised": (1, 1),
    }


def test_a_claim_notices_what_it_names_in_a_measure_or_an_intervention(reference):
    claims = _CLAIMS | {
        "without": (logit_difference(under=knock_out(inhibition, to=mean(ABC))) <= 1, DRAW),
    }
    mutants = (*of_role(movers)[:1], *of_role(inhibition)[:1])
    first, second = survey("x.py", reference, claims, mutants).trials
    assert first.asked == ("look", "write", "share")
    assert second.asked == ("without",)
    assert not second.noticed  # what is removed anyway is not missed
    assert second.statuses["look"] == "refuted"


def test_decoys_are_noticed_by_no_claim(reference):
    """By any claim could be: they change weights, and nothing that the model does."""
    claims = _CLAIMS | _BEHAVIOUR
    mutants = (
        Turned(heads=movers.heads, label="name movers"),
        Turned(heads=inhibition.heads, label="S-inhibition heads"),
        Renumbered(first=Head(7, 0), second=Head(7, 3)),
    )
    account = survey("x.py", reference, claims, mutants)
    assert len(account.decoys) == 3
    assert account.falsely_noticed == ()
    for each in account.decoys:
        assert set(each.statuses.values()) == {"holds"}
        assert each.asked == tuple(claims)
        assert abs(each.behaviour - account.behaviour) < 1e-4


def test_what_cannot_be_evaluated_is_an_error(reference):
    """Where nothing is written, the correlation of what is written is not defined."""
    claims = {"r": (attention_logit_correlation(movers.each) >= 0.5, DRAW)}
    mutant = KnockedOut(heads=movers.heads)
    (trial,) = survey("x.py", reference, claims, [mutant]).trials
    assert trial.statuses == {"r": "error"}
    assert not trial.noticed


def test_a_mutant_that_is_the_model_itself(reference):
    (trial,) = surveyed(reference, KnockedOut(heads=(Head(0, 1),))).trials
    assert "leaves every weight" in trial.reason
    assert (trial.failed, trial.noticed, trial.statuses) == (False, False, {})


def test_a_mutant_that_cannot_be_made(reference):
    account = surveyed(reference, KnockedOut(heads=(Head(9, 1),)))
    (trial,) = account.unmade
    assert trial.failed
    assert "no head 9.1" in trial.reason
    assert account.tried == ()


def test_progress_is_told(reference):
    told = []
    mutants = [KnockedOut(heads=(Head(0, at),)) for at in (1, 2)]
    surveyed(reference, *mutants, notify=told.append)
    assert told == ["mutant 1 of 2: 0.1 knocked out", "mutant 2 of 2: 0.2 knocked out"]


def test_an_evaluation_begun_before_goes_on_after(reference):
    """It has read weights already, and reads more: they must be what they were."""
    claim, _ = _CLAIMS["write"]
    begun = Evaluation(reference, [])
    before = begun.estimate(claim.measure, DRAW).value
    surveyed(reference, KnockedOut(heads=movers.heads))
    others = Draw(task=IOI(), n=16, seed=1)
    fresh = Evaluation(reference, []).estimate(claim.measure, others)
    assert begun.estimate(claim.measure, DRAW).value == before
    assert begun.estimate(claim.measure, others).value == fresh.value
    assert fresh.value > 5


def test_mutants_are_judged_by_the_rules_that_the_model_was(reference):
    """One wording says nothing of others, on the mutant no more than on the model."""
    few = Draw(task=IOI(templates=TEMPLATES[:1]), n=16, seed=0)
    claims = {"look": (attention(movers.each, to=IO) >= 0.9, few)}
    mutant = ShuffledQK(heads=movers.heads)
    found = [
        survey("x.py", reference, claims, [mutant], rules=Rules(clustered=clustered)).trials
        for clustered in (False, True)
    ]
    assert [trial.statuses for (trial,) in found] == [{"look": "refuted"}, {"look": "error"}]
