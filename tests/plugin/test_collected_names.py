"""Which variables become items, and what items they are."""


def collected(result):
    return [line for line in result.outlines if "::" in line]


def test_names_with_an_underscore_are_left_alone(claims, pytester):
    claims("_a = look >= 0.001\nb = look >= 0.001\nmeasure_only = logit_difference()")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert collected(result) == ["circuits/x.py::b"]


def test_the_order_is_that_of_the_file(claims, pytester):
    claims("zebra = look >= 0.001\nant = look >= 0.001\nMoth = look >= 0.001")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert [line.split("::")[1] for line in collected(result)] == ["zebra", "ant", "Moth"]


def test_items_are_functions_with_the_marker(claims, pytester):
    claims("a = look >= 0.001")
    pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            (item,) = items
            assert isinstance(item, pytest.Function)
            assert item.get_closest_marker("circuit")
            assert item.nodeid == "circuits/x.py::a"
        """
    )
    assert pytester.runpytest_inprocess("--collect-only", "-q").ret == 0


def test_a_claim_in_a_class_is_refused_not_dropped(claims, pytester):
    claims("class TestIt:\n    a = look >= 0.001\n    def test_it(self): pass")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*circuits/x.py::TestIt::a is a claim in a class*"])


def test_a_private_claim_in_a_class_is_left_alone(claims, pytester):
    claims("class TestIt:\n    _a = look >= 0.001\n    def test_it(self): pass")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert collected(result) == ["circuits/x.py::TestIt::test_it"]


def test_an_imported_suite_is_collected_where_it_is_imported(claims, pytester, run):
    claims("a = look <= 0.99\nb = look <= 0.99", file="papers.py")
    pytester.makepyfile(test_ours="from papers import *")
    result = run()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["test_ours.py ..*"])
