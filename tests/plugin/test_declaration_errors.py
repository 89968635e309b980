"""Badly written claims are errors of their file, with the line and the rule."""

import pytest


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "a = attention(heads('9', at=END), to=IO) >= 0.001",
            "*a head is a string 'layer.head'*'9'*",
        ),
        ("a = look >= 'high'", "*with a finite number or another measure; got 'high'*"),
        ("a = look >= float('inf')", "*with a finite number or another measure; got inf*"),
        ("a = 0.1 <= look <= 0.9", "*write x.between(a, b)*"),
        ("a = attention(heads('0.0', '0.1', at=END), to=IO) >= 0.001", "*role.each, role.mean or*"),
    ],
    ids=["head", "threshold", "unbounded", "chained", "pooling"],
)
def test_the_file_the_line_and_the_rule(line, message, claims, pytester):
    claims(line)
    result = pytester.runpytest_inprocess()
    assert result.ret == 2
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR collecting circuits/x.py*", "circuits?x.py:5:*", message])


def test_the_other_files_are_still_seen(claims, pytester):
    claims("a = look >= 0.001", file="circuits/good.py")
    claims("a = look >= 'high'", file="circuits/bad.py")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    result.stdout.fnmatch_lines(["circuits/good.py::a", "*ERROR collecting circuits/bad.py*"])


SUITES = {
    "path": ("model=Path('tiny')", "*`model` must be a string*write str(path)*"),
    "task": ("task='ioi'", "*`task` must be a task*'ioi'*"),
    "source": ("source=['x']", "*`source` must be a string*"),
}


@pytest.mark.parametrize(("argument", "message"), SUITES.values(), ids=SUITES)
def test_a_suite_is_checked_where_it_is_written(argument, message, pytester):
    pytester.makepyfile(
        test_x=f"""
        from pathlib import Path
        from pytest_circuits import Suite, logit_difference

        suite = Suite({argument})
        a = logit_difference() >= 1
        """
    )
    result = pytester.runpytest_inprocess("--circuit-model=tiny")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*ERROR collecting test_x.py*", "test_x.py:4:*", message])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
