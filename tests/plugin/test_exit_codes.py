"""What pytest exits with, in a process of its own, serially and on two workers."""

import pytest

CASES = {
    "holds": ("a = look >= 0.3", 0, "1 passed"),
    "refuted": ("a = look >= 0.7", 1, "1 failed"),
    "undecided": ("a = look >= 0.5", 1, "1 failed"),
    "error": ("a = look >= 0.3", 1, "1 error"),
    "one of many": (
        "a = look >= 0.7\n" + "\n".join(f"b{i} = look >= 0.3" for i in range(6)),
        1,
        "1 f",
    ),
}


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["serial", "n2"])
@pytest.mark.parametrize("case", CASES)
def test_exit_code(case, workers, claims, canned):
    text, code, outcome = CASES[case]
    claims(text, model=None if case == "error" else "tiny")
    result = canned("-q", *workers)
    assert result.returncode == code, result.stdout
    assert outcome in result.stdout
    assert result.stdout.count("circuit claims =") == 1
    assert result.stdout.count("a     ") == 1


def test_no_claims_no_trace(pytester, process):
    pytester.makepyfile("def test_it(): pass")
    result = process(pytester.path)
    assert result.returncode == 0
    assert "circuit" not in result.stdout.partition("collected")[2]


def test_nothing_selected(claims, canned):
    claims("a = look >= 0.3")
    assert canned("-k", "nothing").returncode == 5
