"""assert measure(model, ...) >= threshold, in a user's own test."""

import pytest

TEST = """
from pytest_circuits import END, IO, attention, check, check_all, heads, measure

look = attention(heads("0.1", at=END), to=IO)

def test_it(circuit_model):
    {body}
"""


@pytest.fixture
def fails(pytester, run):
    def fails(body):
        pytester.makepyfile(test_users_own=TEST.format(body=body))
        result = run("--circuit-model=tiny")
        result.assert_outcomes(failed=1)
        return result

    return fails


@pytest.mark.parametrize(
    "comparison", ["measured >= 0.99", "0.99 <= measured", "measured > 0.99", "0.99 < measured"]
)
def test_a_comparison_is_explained(comparison, fails):
    result = fails(f"measured = measure(circuit_model, look, prompts=8); assert {comparison}")
    sign = ">=" if "=" in comparison else ">"
    result.stdout.fnmatch_lines(
        [
            f"E * claim refuted: attention of 0.1 from END to IO {sign} 0.99",
            "E * measured 0.* attention (n=8 of 8 templates)",
            f"E * required {sign} 0.99, margin -*",
            "*- circuit claim -*",
            "claim refuted: no value of the interval satisfies it",
            "  worst *",
        ]
    )


def test_a_comparison_that_holds_passes(pytester, run):
    body = "assert 0.99 >= measure(circuit_model, look, prompts=8)"
    pytester.makepyfile(test_users_own=TEST.format(body=body))
    run("--circuit-model=tiny").assert_outcomes(passed=1)


def test_other_comparisons_are_left_to_pytest(fails):
    result = fails("assert [1] >= [2]")
    result.stdout.no_fnmatch_line("*circuit claim*")


def test_a_caught_failure_is_not_shown_at_a_later_one(fails):
    result = fails(
        "import pytest\n"
        "    with pytest.raises(AssertionError):\n"
        "        assert measure(circuit_model, look, prompts=8) >= 0.99\n"
        "    assert 1 == 2"
    )
    result.stdout.no_fnmatch_line("*- circuit claim -*")


def test_a_claim_has_no_truth_value(fails):
    result = fails("assert look >= 0.99")
    result.stdout.fnmatch_lines(["E *TypeError: the claim '*' was not evaluated yet*"])


def test_a_claim_that_would_hold_has_none_either(fails):
    fails("assert look <= 0.99").stdout.fnmatch_lines(["E *TypeError: the claim *"])


def test_a_verdict_can_be_required(fails):
    result = fails("check(look >= 0.99, circuit_model, prompts=8).require()")
    result.stdout.fnmatch_lines(["E * claim refuted: no value of*", "E *  worst *"])


def test_a_verdict_in_an_assertion(fails):
    result = fails("assert check(look >= 0.99, circuit_model, prompts=8)")
    result.stdout.fnmatch_lines(
        ["E * <refuted: attention of 0.1 from END to IO >= 0.99; measured*"]
    )


ALWAYS_TRUE = {
    "unequal": ("measure(circuit_model, look, prompts=8) != 5", "TypeError: *no `==` or `!=`*"),
    "all": ("check_all([look >= 0.99], circuit_model, prompts=8)", "TypeError: *assert all(*"),
    "status": ("check(look >= 0.99, circuit_model, prompts=8).status", "TypeError: *is a word*"),
    "undecided": (
        "not (measured >= measured.value)",
        "*ClaimRefuted: claim undecided: the interval straddles the threshold*",
    ),
    "undecided claim": (
        "not check(look >= measured.value, circuit_model, prompts=8)",
        "*ClaimRefuted: claim undecided: the interval straddles the threshold*",
    ),
}


@pytest.mark.parametrize(("assertion", "line"), ALWAYS_TRUE.values(), ids=ALWAYS_TRUE)
def test_what_would_always_pass_fails(assertion, line, fails):
    result = fails(f"measured = measure(circuit_model, look, prompts=8)\n    assert {assertion}")
    result.stdout.fnmatch_lines([f"E  *{line}"])


def test_an_undecided_comparison_is_explained(fails):
    result = fails(
        "measured = measure(circuit_model, look, prompts=8); assert measured >= measured.value"
    )
    result.stdout.fnmatch_lines(
        ["E *ClaimRefuted: claim undecided: the interval*", "E   *measured *", "E   *worst *"]
    )
    result.stdout.no_fnmatch_line("*verdicts.py*")
