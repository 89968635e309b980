"""The account of mutants, and its text, from trials."""

import json

from pytest_circuits.mutation.account import Account, Trial
from pytest_circuits.report.mutants import account_lines


def trial(name, behaviour=1.0, **statuses):
    return Trial(mutant={"name": name}, statuses=statuses, behaviour=behaviour)


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
    Trial(mutant={"name": "fourth"}, reason="changes nothing"),
    left_out=("d",),
)


def test_only_a_refuted_claim_notices():
    assert [each.name for each in SOME.noticed] == ["first"]
    assert [each.name for each in SOME.survivors] == ["second", "third"]


def test_claims_that_never_failed_and_claims_that_were_only_weakened():
    assert SOME.never_failed == ("c",)
    assert SOME.never_refuted == ("b",)


def test_an_error_is_no_notice():
    only = account(trial("x", a="error"), claims=("a",))
    assert (only.noticed, only.never_failed, only.never_refuted) == ((), (), ("a",))


def test_text():
    text = account_lines(SOME)
    assert text[1] == "1 of 3 mutants noticed (33%) by 3 claims; 3 s"
    assert text[3].strip() == "d"
    rows = {line.split()[1]: line for line in text if " -> " in line}
    assert rows["first"].split()[2:] == ["5.00", "->", "1.00", "1", "0", "0"]
    assert rows["second"].endswith("1      0  NOT NOTICED")
    assert "5.00 -> none" in rows["third"]
    (idle,) = [line for line in text if "fourth" in line]
    assert idle.endswith("no change")
    matrix = text[
        text.index("claims x mutants: . holds, R refuted, u undecided, E not evaluable") :
    ]
    assert matrix[1:5] == ["   123", "a  R..", "b  .u.", "c  ..."]
    assert "  second, third" in text


def test_columns_are_numbered_beyond_nine():
    many = account(*(trial(f"m{i}", a="refuted") for i in range(12)), claims=("a",))
    text = account_lines(many)
    assert "            111" in text
    assert "   123456789012" in text


def test_without_mutants_no_claim_is_called_vacuous():
    idle = account(Trial(mutant={"name": "x"}, reason="changes nothing"))
    assert not any("never" in line for line in account_lines(idle))
    assert idle.as_dict()["never_failed"] == []
    assert "0 of 0 mutants noticed by 3 claims; 3 s" in account_lines(idle)


def test_what_could_not_be_made_says_why():
    text = account_lines(account(Trial(mutant={"name": "x"}, reason="no head 9.0", failed=True)))
    assert "NOT MADE: x: no head 9.0" in text
    assert not any(line.startswith("claims x mutants") for line in text)


def test_json():
    found = json.loads(json.dumps(SOME.as_dict()))
    assert (found["mutants"], found["noticed"], found["survivors"]) == (3, 1, ["second", "third"])
    assert found["trials"][0]["statuses"]["a"] == "refuted"
    assert found["trials"][3]["reason"] == "changes nothing"
