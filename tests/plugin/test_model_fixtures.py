"""circuit_model and circuit_load_model, for users' own test functions."""

MEASURE = """
from pytest_circuits import logit_difference, measure

def test_it(circuit_model):
    assert measure(circuit_model, logit_difference(), prompts=4) >= -99

def test_again(circuit_model):
    assert circuit_model.n_layers == 2
"""


def test_once_per_model(pytester, run, provider):
    pytester.makepyfile(test_users_own=MEASURE)
    result = run("--circuit-model=first", "--circuit-model=second", "-v")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*test_users_own.py::test_it[[]second] PASSED*"])
    assert provider.asked == ["first", "second"]


def test_without_a_model(pytester, run):
    pytester.makepyfile(test_users_own=MEASURE)
    result = run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["the fixture `circuit_model` needs --circuit-model SPEC"])
    result.stdout.no_fnmatch_line("*plugin.py*")


def test_a_missing_model_is_an_error_or_a_skip(pytester):
    pytester.makepyfile(test_users_own=MEASURE)
    pytester.runpytest_inprocess("--circuit-model=./none").assert_outcomes(errors=2)
    skip = ("--circuit-model=./none", "--circuit-missing-model=skip", "-rs")
    result = pytester.runpytest_inprocess(*skip)
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED*NOT EVALUATED: there is no model folder*"])


def test_an_overridden_loader_serves_claims_and_functions(claims, pytester, tiny_folder):
    claims("a = look <= 0.99")
    pytester.makepyfile(test_users_own=MEASURE)
    pytester.makeconftest(
        f"""
        import pytest
        from pytest_circuits import load_model

        @pytest.fixture(scope="session")
        def circuit_load_model():
            def load(spec):
                print("mine:", spec)
                return load_model({str(tiny_folder)!r}, progress=False)
            return load
        """
    )
    result = pytester.runpytest_inprocess("--circuit-model=anything", "-s")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*mine: anything"])


def test_an_overridden_loader_may_use_the_plugins(claims, pytester, run, provider):
    claims("a = look <= 0.99")
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def circuit_load_model(circuit_load_model):
            return lambda spec: circuit_load_model(spec + "-latest")
        """
    )
    run().assert_outcomes(passed=1)
    assert provider.asked == ["tiny-latest"]
