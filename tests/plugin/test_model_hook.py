"""pytest_circuits_load_model: the first result wins, and must be a model."""

import pytest


def test_the_first_result_wins(claims, pytester, run, provider):
    claims("a = look <= 0.99")
    pytester.makeconftest(
        """
        def pytest_circuits_load_model(spec):
            print("conftest asked for", spec)
        """
    )
    result = run("-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*conftest asked for tiny"])
    assert provider.asked == ["tiny"]


def test_without_a_result_the_loader_decides(claims, pytester, tiny_folder):
    claims("a = look <= 0.99", model=str(tiny_folder))
    pytester.makeconftest("def pytest_circuits_load_model(spec): return None")
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


WRONG = {
    "hook": "def pytest_circuits_load_model(spec): return {'weights': spec}",
    "fixture": """
        import pytest

        @pytest.fixture(scope="session")
        def circuit_load_model():
            return lambda spec: {"weights": spec}
        """,
}


@pytest.mark.parametrize("conftest", WRONG.values(), ids=WRONG)
def test_a_wrong_result_is_a_clear_error(conftest, claims, pytester):
    claims("a = look <= 0.99\nb = look <= 0.99")
    pytester.makeconftest(conftest)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=2)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["not evaluable: *must return a Model: *wrap_model*got dict."])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*session.py*")


def test_a_model_that_cannot_be_loaded_is_asked_for_once(claims, pytester):
    claims("a = look <= 0.99\nb = look <= 0.99")
    pytester.makeconftest(
        """
        from pytest_circuits import ModelNotAvailable

        def pytest_circuits_load_model(spec):
            print("ONE TRY")
            raise ModelNotAvailable("not here")
        """
    )
    result = pytester.runpytest_inprocess("-s")
    result.assert_outcomes(errors=2)
    assert result.stdout.str().count("ONE TRY") == 1


RAISING = {
    "hook": """
        def pytest_circuits_load_model(spec):
            raise KeyError("my checkpoint")
        """,
    "cause": """
        def pytest_circuits_load_model(spec):
            try:
                raise OSError("first")
            except OSError as error:
                raise KeyError("my checkpoint") from error
        """,
    "loader": """
        import pytest

        @pytest.fixture(scope="session")
        def circuit_load_model():
            def load(spec):
                raise KeyError("my checkpoint")
            return load
        """,
    "fixture": """
        import pytest

        @pytest.fixture(scope="session")
        def circuit_load_model():
            raise KeyError("my checkpoint")
        """,
}


@pytest.mark.parametrize("conftest", RAISING.values(), ids=RAISING)
def test_the_exception_of_ones_own_hook_stands_in_the_table(conftest, claims, pytester):
    claims("a = look <= 0.99")
    pytester.makeconftest(conftest)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    row = next(line for line in result.outlines if line.startswith("a "))
    assert "KeyError: 'my checkpoint'" in row
    assert "conftest.py" not in row
