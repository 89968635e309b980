"""Items in any order: each model is loaded once, and what was decided on it is kept."""

INTERLEAVED = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.name)  # a[first], a[second], b[first], ...
"""


def test_each_model_is_loaded_once(claims, run, provider, pytester):
    claims("a = look <= 0.99\nb = look <= 0.98\nc = look <= 0.97")
    pytester.makeconftest(INTERLEAVED)
    result = run("--circuit-model=first", "--circuit-model=second", "-v")
    result.assert_outcomes(passed=6)
    ran = [line.split("::")[1].split()[0] for line in result.outlines if " PASSED " in line]
    assert ran[:3] == ["a[first]", "a[second]", "b[first]"]
    assert provider.asked == ["first", "second"]


def test_and_passes_are_counted_once(claims, run, pytester):
    claims("a = look <= 0.99\nb = look <= 0.98")
    pytester.makeconftest(INTERLEAVED)
    result = run("--circuit-model=first", "--circuit-model=second")
    result.stdout.fnmatch_lines(["2 passes, 0 interventions, *"])
