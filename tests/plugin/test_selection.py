"""Claims are selected like any other test."""

import pytest

TWO = "name_mover_looks = look <= 0.99\ninduction_looks = look >= 0.99"


def test_by_keyword(claims, run):
    claims(TWO)
    run("-k", "induction").assert_outcomes(failed=1, deselected=1)


def test_by_marker(claims, pytester, run):
    claims(TWO)
    pytester.makepyfile("def test_other(): pass")
    run("-m", "circuit").assert_outcomes(passed=1, failed=1, deselected=1)
    run("-m", "not circuit").assert_outcomes(passed=1, deselected=2)


def test_by_node_id(claims, run):
    claims(TWO)
    run("circuits/x.py::name_mover_looks").assert_outcomes(passed=1)
    result = run("circuits/x.py::mistyped")
    assert result.ret == 4


def test_last_failed(claims, run):
    claims(TWO)
    run()
    result = run("--lf")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*induction_looks is refuted*"])
    assert result.ret == 1


@pytest.mark.parametrize("models", [["tiny"], ["tiny", "./other"]], ids=len)
def test_last_failed_of_models_named_on_the_command_line(claims, run, models):
    """Their labels stand in brackets, which pytest takes for parameters."""
    claims(TWO)
    args = [f"--circuit-model={each}" for each in models]
    run(*args).assert_outcomes(passed=len(models), failed=len(models))
    run(*args, "--lf").assert_outcomes(failed=len(models))
    run(*args, "--sw")
    assert "passed" not in run(*args, "--sw").parseoutcomes()
    first = run(*args, "--ff", "-v").outlines
    done = [line for line in first if "PASSED" in line or "FAILED" in line]
    assert ["FAILED" in line for line in done[: len(models)]] == [True] * len(models)


def test_setup_plan_measures_nothing(claims, run, provider):
    claims(TWO)
    result = run("--setup-plan")
    result.stdout.fnmatch_lines(["*circuits/x.py::name_mover_looks (fixtures used: circuit_*"])
    result.stdout.no_fnmatch_line("*NO REPORT*")
    assert result.ret == 0
    assert provider.asked == []
