"""--circuit-missing-model: an error by default, else a loud skip."""

import json

import pytest


@pytest.fixture
def absent(claims):
    claims("a = look <= 0.99\nb = look >= 0.99", model="./not-there")


def test_an_error_by_default(absent, pytester):
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=2)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["not evaluable: there is no model folder*not-there"])


def test_a_loud_skip(absent, pytester):
    result = pytester.runpytest_inprocess("--circuit-missing-model=skip", "--circuit-json=out.json")
    result.assert_outcomes(skipped=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["2 claims NOT EVALUATED: there is no model folder*not-there"])
    written = json.loads((pytester.path / "out.json").read_text())
    assert [each["status"] for each in written["claims"]] == ["not evaluated"] * 2
    assert "not-there" in written["claims"][0]["reason"]


def test_only_the_missing_model_is_skipped(claims, pytester, tiny_folder):
    claims("a = look <= 0.99", model="./not-there", file="circuits/x.py")
    claims("b = look <= 0.99", model=str(tiny_folder), file="circuits/y.py")
    result = pytester.runpytest_inprocess("--circuit-missing-model=skip")
    result.assert_outcomes(skipped=1, passed=1)
    result.stdout.fnmatch_lines(["b *holds", "1 claim NOT EVALUATED: *"])


def test_a_missing_head_is_an_error_even_so(claims, run):
    claims("a = attention(heads('40.1', at=END), to=IO) >= 0.001")
    result = run("--circuit-missing-model=skip")
    result.assert_outcomes(errors=1)
    assert result.ret == 1


def test_a_user_s_own_skip_is_not_blamed_on_the_model(claims, pytester, run):
    claims("a = look <= 0.99")
    pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            items[0].add_marker(pytest.mark.skip(reason="too slow"))
        """
    )
    run().stdout.fnmatch_lines(["1 claim NOT EVALUATED: too slow"])
