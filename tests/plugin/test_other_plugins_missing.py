"""Works with other plugins, and itself, switched off, and under strict settings."""

import pytest

CLAIMS = "holds = look <= 0.99\nrefuted = look >= 0.99"


@pytest.mark.parametrize(
    "option",
    [
        "-p no:xdist",
        "-p no:cacheprovider",
        "-p no:capture",
        "-s",
        "-p no:assertion",
        "-p no:junitxml",
        "-p no:setuponly -p no:setupplan",
        "-p no:doctest -p no:unittest",
        "--strict-markers",
        "-W error",
        "-o strict=true",
        "--tb=native",
        "--assert=plain",
        "--import-mode=importlib",
    ],
)
def test_verdicts_stay_the_same(option, claims, run):
    claims(CLAIMS)
    result = run(*option.split())
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["refuted *refuted", "holds *holds"])


def test_without_a_terminal(claims, pytester, process, canned):
    claims("holds = look >= 0.3")
    result = canned("-p", "no:terminal", "--circuit-json=out.json")
    assert (result.returncode, result.stdout) == (0, "")
    claims("refuted = look >= 0.7")
    assert canned("-p", "no:terminal").returncode == 1


def test_switched_off_it_collects_nothing(claims, pytester):
    claims(CLAIMS)
    pytester.makepyfile(
        "from pytest_circuits import END, heads\ndef test_it(): assert heads('0.1', at=END).heads"
    )
    pytester.makeconftest(
        """
        import pytest

        @pytest.hookimpl(optionalhook=True)
        def pytest_circuits_load_model(spec):
            return None
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:circuits", "--strict-markers")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*circuit claims*")


def test_switched_off_it_knows_no_options(pytester):
    result = pytester.runpytest_inprocess("-p", "no:circuits", "--circuit-seed=1")
    assert result.ret == 4
