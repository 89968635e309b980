"""Claims known not to hold: xfail, set by a hook, as on any item."""

import pytest

CONFTEST = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xfail(strict={strict}, reason="known since 2023"))
"""


@pytest.fixture
def expecting(claims, pytester, run):
    def expecting(text, *, strict=True):
        claims(text)
        pytester.makeconftest(CONFTEST.format(strict=strict))
        return run("-rxX")

    return expecting


def test_refuted_as_expected(expecting):
    result = expecting("a = look >= 0.99")
    result.assert_outcomes(xfailed=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["a  * refuted (xfail)", "XFAIL *known since 2023*"])


def test_it_stands_below_what_is_news(claims, pytester, run):
    claims("known = look >= 0.98\nnews = look >= 0.99\nfine = look <= 0.99")
    pytester.makeconftest(CONFTEST.format(strict=True).replace("in items", "in items[:1]"))
    result = run()
    result.assert_outcomes(xfailed=1, failed=1, passed=1)
    result.stdout.fnmatch_lines(["news *refuted", "fine *holds", "known *refuted (xfail)"])


def test_a_repaired_circuit_turns_red(expecting):
    result = expecting("a = look <= 0.99")
    result.assert_outcomes(failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["a  * holds (but failed: [[]XPASS(strict)] known since 2023)"])


def test_unless_it_is_not_strict(expecting):
    result = expecting("a = look <= 0.99", strict=False)
    result.assert_outcomes(xpassed=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["a  * holds"])


def test_what_cannot_be_evaluated_is_not_called_skipped(expecting):
    result = expecting("a = attention(heads('40.1', at=END), to=IO) >= 0.001")
    result.assert_outcomes(errors=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["a  *...*error"])
    result.stdout.no_fnmatch_line("*NOT EVALUATED*")


@pytest.mark.parametrize("strict", [False, True])
def test_not_even_by_a_mark_on_the_module(claims, run, strict):
    claims(
        f"import pytest\npytestmark = pytest.mark.xfail(strict={strict})\n"
        "a = attention(heads('40.1', at=END), to=IO) >= 0.001\nb = look >= 0.99"
    )
    result = run()
    result.assert_outcomes(errors=1, xfailed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["a  *...*error", "b  * refuted (xfail)"])


def test_a_model_that_is_not_there_is_still_skipped_if_asked_for(claims, pytester):
    claims("import pytest\npytestmark = pytest.mark.xfail\na = look >= 0.9", model="./nowhere")
    result = pytester.runpytest_inprocess("--circuit-missing-model=skip")
    result.assert_outcomes(skipped=1)
