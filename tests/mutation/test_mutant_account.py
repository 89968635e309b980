"""The account of mutants, and its text, from trials."""

import json

from pytest_circuits.mutation.account import Account, Trial
from pytest_circuits.report.mutants import account_lines


def mutant(name, kind="knocked out", scope="heads"):
    return {"name": name, "kind": kind, "scope": scope}


def trial(name, *, asked=None, behaviour=1.0, scope="heads", kind="knocked out", **statuses):
    return Trial(
        mutant=mutant(name, kind, scope),
        statuses=statuses,
        asked=tuple(statuses if asked is None else asked),
        behaviour=behaviour,
    )


def account(*trials, claims=("a", "b", "c"), left_out=()):
    return Account(
        suite="circuits/x.py",
        model="tiny",
        claims=claims,
        left_out=left_out,
        behaviour=5.0,
        trials=trials,
        seconds=3.0,
    )


SOME = account(
    trial("first", a="refuted", b="holds", c="holds"),
    trial("second", a="holds", b="undecided", c="holds"),
    trial("third", a="holds", b="holds", c="holds", behaviour=None),
    Trial(mutant=mutant("fourth"), reason="changes nothing"),
    trial("fifth", scope="model", kind="noised", a="refuted", b="refuted", c="holds"),
    trial("sixth", scope="decoy", kind="turned", a="holds", b="holds", c="holds"),
    left_out=("d",),
)


def test_only_a_refuted_claim_notices():
    assert [each.name for each in SOME.survivors] == ["second", "third"]


def test_each_kind_is_counted_by_itself():
    found = [(each.scope, each.kind, each.noticed, each.of) for each in SOME.tallies]
    assert found == [
        ("heads", "knocked out", 1, 3),
        ("model", "noised", 1, 1),
        ("decoy", "turned", 0, 1),
    ]


def test_a_claim_that_does_not_name_the_heads_does_not_notice():
    beside = account(trial("x", asked=["b"], a="refuted", b="holds", c="undecided"))
    assert [each.name for each in beside.survivors] == ["x"]
    (row,) = [line for line in account_lines(beside) if " -> " in line]
    assert row.split()[4:] == ["1.00", "1", "0", "0", "0", "1", "NOT", "NOTICED"]


def test_claims_that_never_failed_and_claims_that_were_only_weakened():
    assert SOME.never_failed == ("c",)
    weakened = account(
        trial("x", a="undecided", b="refuted", c="holds"),
        trial("y", a="holds", b="holds", c="holds"),
    )
    assert weakened.never_refuted == ("a",)


def test_a_decoy_that_is_noticed_is_told_with_the_claims():
    fooled = account(
        trial("x", scope="decoy", kind="turned", a="refuted", b="holds", c="refuted"),
        trial("y", scope="decoy", kind="turned", a="undecided", b="error", c="holds"),
    )
    assert [each.name for each in fooled.falsely_noticed] == ["x"]
    text = account_lines(fooled)
    assert "FALSELY NOTICED: x: a, c" in text
    assert "  turned: noticed 1 of 2" in text
    (row,) = [line for line in text if line.lstrip().startswith("1  x")]
    assert row.endswith("FALSELY NOTICED")
    assert fooled.as_dict()["falsely_noticed"] == {"x": ["a", "c"]}


def test_decoys_are_no_sabotage():
    """A claim that holds on them has not been put to the test."""
    only = account(trial("x", scope="decoy", a="holds", b="holds", c="holds"))
    assert (only.tried, only.survivors, only.as_dict()["never_failed"]) == ((), (), [])


def test_an_error_is_no_notice():
    only = account(trial("x", a="error"), claims=("a",))
    assert [each.name for each in only.survivors] == ["x"]
    assert (only.never_failed, only.never_refuted) == ((), ("a",))


def test_text():
    text = account_lines(SOME)
    assert text[1:10] == [
        "3 claims put to mutants; 3 s",
        "heads sabotaged, to be noticed by claims that name them:",
        "  knocked out: noticed 1 of 3",
        "the whole model sabotaged, to be noticed by any claim:",
        "  noised: noticed 1 of 1",
        "decoys, which change nothing that the model does, to be noticed by none:",
        "  turned: noticed 0 of 1",
        "1 not put to mutants, as they do not hold on the model:",
        "  d",
    ]
    assert not any("%" in line for line in text)
    rows = {line.split()[1]: line for line in text if " -> " in line}
    assert rows["first"].split()[2:] == ["5.00", "->", "1.00", "3", "1", "0", "0", "0"]
    assert rows["second"].split()[5:] == ["3", "0", "1", "0", "0", "NOT", "NOTICED"]
    assert rows["sixth"].endswith("decoy")
    assert "5.00 -> none" in rows["third"]
    (idle,) = [line for line in text if "fourth" in line]
    assert idle.endswith("no change")
    matrix = text[
        text.index("claims x mutants: . holds, R refuted, u undecided, E not evaluable") :
    ]
    assert matrix[1:5] == ["   12356", "a  R..R.", "b  .u.R.", "c  ....."]
    assert "  second, third" in text


def test_columns_are_numbered_beyond_nine():
    many = account(*(trial(f"m{i}", a="refuted") for i in range(12)), claims=("a",))
    text = account_lines(many)
    assert "            111" in text
    assert "   123456789012" in text


def test_without_mutants_no_claim_is_called_vacuous():
    idle = account(Trial(mutant=mutant("x"), reason="changes nothing"))
    assert not any("never" in line for line in account_lines(idle))
    assert idle.as_dict()["never_failed"] == []
    assert "the whole model sabotaged, to be noticed by any claim: none" in account_lines(idle)


def test_what_could_not_be_made_says_why():
    text = account_lines(account(Trial(mutant=mutant("x"), reason="no head 9.0", failed=True)))
    assert "NOT MADE: x: no head 9.0" in text
    assert not any(line.startswith("claims x mutants") for line in text)


def test_json():
    found = json.loads(json.dumps(SOME.as_dict()))
    assert found["survivors"] == ["second", "third"]
    assert found["kinds"][0] == {"kind": "knocked out", "scope": "heads", "noticed": 1, "of": 3}
    assert found["falsely_noticed"] == {}
    assert found["trials"][0]["asked"] == ["a", "b", "c"]
    assert found["trials"][0]["statuses"]["a"] == "refuted"
    assert found["trials"][3]["reason"] == "changes nothing"
