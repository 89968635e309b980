"""A claim where nobody would evaluate it is an error that says what to write instead."""

import pytest

PARAM = "*pytest.param(claim, marks=pytest.mark.xfail(...))*"
LISTED = "*a list, tuple or dict of claims*"
VARIABLES = "*claims are variables of a module*"

LOST = {
    "mark": ("a = pytest.mark.xfail(look >= 0.001)", ["*circuits/x.py::a *", PARAM]),
    "mark with reason": ("a = pytest.mark.xfail(reason=look >= 0.001)", [PARAM]),
    "pytestmark": (
        "pytestmark = [pytest.mark.skip(look >= 0.001)]",
        ["*::pytestmark*", "*marks=pytest.mark.skip(*"],
    ),
    "mark in a list": ("a = [pytest.mark.xfail(look >= 0.001)]", ["*::a[[]0]*", PARAM]),
    "equal": ("a = look == 3", ["*no `==` or `!=`*between(low, high)*"]),
    "unequal": ("a = look != 3", ["*no `==` or `!=`*"]),
    "claim equal": ("a = (look >= 0.001) == 3", ["*no `==` or `!=`*"]),
    "reflected": ("a = 3 != (look >= 0.001)", ["*no `==` or `!=`*"]),
    "set": ("a = {look >= 0.001}", ["*circuits/x.py::a *a set *", LISTED]),
    "frozenset": ("a = frozenset([look >= 0.001])", [LISTED]),
    "key": ("a = {look >= 0.001: 'holds'}", ["*a key *", LISTED]),
    "param of two": ("a = pytest.param(look >= 0.001, 3)", ["*circuits/x.py::a*one claim*"]),
    "set in a list": ("a = [{look >= 0.001}]", ["*circuits/x.py::a[[]0] *", LISTED]),
    "deep": (
        "a = look >= 0.001\nfor _ in range(5_000):\n    a = [a]",
        ["*x.py::a[[]0]* is a claim in more than 8 lists in one another*", LISTED],
    ),
    "class": ("class Claims:\n    a = look >= 0.001", ["*x.py::Claims::a *in a class*", VARIABLES]),
    "class with a list": ("class Claims:\n    a = [look >= 0.001]", ["*x.py::Claims::a*"]),
    "inherited": (
        "class _Base:\n    a = look >= 0.001\nclass Claims(_Base): pass",
        ["*x.py::Claims::a *in a class*"],
    ),
    "inner class": ("class A:\n    class B:\n        a = look >= 0.001", ["*x.py::A::B::a *"]),
    "test class": (
        "class TestIt:\n    a = [look >= 0.001]\n    def test_it(self): pass",
        ["*x.py::TestIt::a*", VARIABLES],
    ),
    "slots": (
        "import dataclasses as d\n@d.dataclass(slots=True)\nclass A:\n    b: object\n"
        "a = A(look >= 0.001)",
        ["*x.py::a.b *"],
    ),
    "enum": ("import enum\nclass E(enum.Enum):\n    a = look >= 0.001", ["*x.py::E::a *"]),
    "namespace": (
        "from types import SimpleNamespace\na = SimpleNamespace(b=look >= 0.001)",
        ["*x.py::a.b *", VARIABLES],
    ),
    "instance": (
        "class G:\n    def __init__(self): self.claims = [look >= 0.001]\na = G()",
        ["*x.py::a.claims*", VARIABLES],
    ),
    "deque": ("import collections\na = collections.deque([look >= 0.001])", [LISTED]),
    "generator": ("a = (look >= each for each in (0.001, 0.002))", ["*x.py::a *list(...)*"]),
    "map": ("a = map(look.__ge__, [0.001])", ["*x.py::a *list(...)*"]),
}


@pytest.mark.parametrize(("text", "lines"), LOST.values(), ids=LOST)
def test_it_is_an_error_of_the_file(text, lines, claims, pytester):
    claims(f"import pytest\n{text}\nfine = look <= 0.99")
    result = pytester.runpytest_inprocess()
    assert result.ret == 2
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR collecting circuits/x.py*"])
    for line in lines:
        result.stdout.fnmatch_lines([line])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


@pytest.mark.parametrize("file", ["circuits/x.py", "test_x.py"])
def test_what_is_evaluated_elsewhere_is_no_error(file, claims, pytester, run):
    claims(
        """
import pytest
from dataclasses import dataclass
from pytest_circuits import Claim, Verdict, check
import pytest_circuits.claims as claims_module

_claims = [look <= 0.99, look <= 0.98]
by_claim = pytest.mark.parametrize("claim", _claims)

@dataclass
class Group:
    name: str
    _claim: object = look <= 0.99

group = Group("g")
measures = {look, logit_difference()}
names = {1, 2}
numbers = (i for i in range(3)) if False else None

@pytest.fixture(params=_claims)
def claim_too(request):
    return request.param

@by_claim
def test_with(claim):
    pass

def test_fixture(claim_too):
    pass

class TestIt:
    pytestmark = [pytest.mark.parametrize("claim", _claims)]
    def test_it(self, claim):
        pass

def helper():
    return look <= 0.99
""",
        file=file,
    )
    run().assert_outcomes(passed=6)


RETURNS = {
    "claim": "look <= 0.99",
    "list": "[look <= 0.99]",
    "dict": "{'a': look <= 0.99}",
    "measure": "look",
    "verdict": "check(look <= 0.99, circuit_model, prompts=8)",
    "verdicts": "check_all([look <= 0.99], circuit_model, prompts=8)",
    "comparison": "measure(circuit_model, look, prompts=8) <= 0.99",
    "estimate": "measure(circuit_model, look, prompts=8)",
    "status": "check(look <= 0.99, circuit_model, prompts=8).status",
}

RETURNING = """
import unittest
from pytest_circuits import END, IO, attention, check, check_all, heads, measure

look = attention(heads("0.1", at=END), to=IO)
{test}
"""


@pytest.mark.parametrize("value", RETURNS.values(), ids=RETURNS)
def test_a_test_that_returns_one_fails(value, pytester, run):
    test = f"def test_it(circuit_model):\n    return {value}"
    pytester.makepyfile(test_users_own=RETURNING.format(test=test))
    result = run("--circuit-model=tiny")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*test_users_own.py::test_it*returned *nobody evaluates*assert *"])
    result.stdout.no_fnmatch_line("*plugin.py*")


@pytest.mark.parametrize("base", ["", "(unittest.TestCase)"], ids=["plain", "unittest"])
def test_in_a_class(base, pytester, run):
    test = f"class TestIt{base}:\n    def test_it(self):\n        return look <= 0.99"
    pytester.makepyfile(test_users_own=RETURNING.format(test=test))
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*returned *nobody evaluates*"])


def test_a_test_that_returns_anything_else_is_left_to_pytest(pytester, run):
    test = "def test_it():\n    return [1, 'two', {3: None}]"
    pytester.makepyfile(test_users_own=RETURNING.format(test=test))
    result = run("-W", "default")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*PytestReturnNotNoneWarning*"])


def test_a_status_recorded_as_a_property_reaches_the_report(claims, canned, pytester):
    """xdist carries exact builtins only, and loses the report of a test that has another."""
    pytester.makepyfile(
        test_users_own="""
        from pytest_circuits.truth import word

        def test_it(record_property):
            record_property("status", word("refuted"))
            assert 1 == 2
        """
    )
    result = canned("-n1", "--junitxml=out.xml")
    assert result.returncode == 1, result.stdout
    assert "1 failed" in result.stdout
    assert 'value="refuted"' in (pytester.path / "out.xml").read_text()
