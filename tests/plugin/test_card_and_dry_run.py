"""--circuit-card and --circuit-dry-run in sessions."""

import json


def test_the_card_is_printed_on_request_and_always_in_the_json(claims, run, pytester):
    claims("a = logit_difference(on='ABC') <= 99\nb = logit_difference() >= 100")
    result = run("--circuit-card", "--circuit-json=x.json")
    result.stdout.fnmatch_lines(
        [
            "*- validity card: circuits/x.py -*",
            "behaviour * claimed, does not hold *",
            "specificity *1 claim *",
            "completeness * MISSING *",
        ]
    )
    document = json.loads((pytester.path / "x.json").read_text())
    assert document["validity"]["circuits/x.py"]["specificity"] == "1 claim"
    assert "validity card" not in run().stdout.str()


def test_a_dry_run_says_what_claims_cost_and_evaluates_none(claims, run):
    claims(
        "from pytest_circuits import direct_effect, mean\n"
        "a = look <= 0.99\n"
        "b = direct_effect(heads('0.0', '0.1', at=END).each, to=mean('ABC')) >= -9\n"
        "broken = attention(heads('40.1', at=END), to=IO) >= 0.001\n"
    )
    result = run("--circuit-dry-run")
    result.stdout.fnmatch_lines(
        ["*= circuit claims, dry run on tiny =*", "b * 2.* of 8 *MB", "a * 1.00 * of 8 *MB"]
    )
    result.stdout.fnmatch_lines(["broken * error", "broken is not evaluable: *has no head 40.1: *"])
    text = result.stdout.str()
    assert "all 3 together" in text
    assert "PASSED" not in text
    assert "circuit claims =" not in text  # no table of verdicts
    assert result.ret == 0


def test_a_dry_run_with_what_evaluates_is_refused(claims, run):
    claims("a = look <= 0.99")
    result = run("--circuit-dry-run", "--circuit-mutate")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--circuit-dry-run evaluates nothing; got --circuit-mutate*"])
