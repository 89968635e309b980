"""What is going on shows on a terminal, and nowhere else."""

import os
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty")


@pytest.fixture
def on_terminal(canned, pytester):
    """Return a function that runs pytest with standard error on a terminal; it returns both."""

    def run(*args):
        ours, theirs = pty.openpty()
        result = subprocess.run(
            [sys.executable, "-m", "pytest", *args],
            cwd=pytester.path,
            stdout=subprocess.PIPE,
            stderr=theirs,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        os.close(theirs)
        shown = os.read(ours, 10_000).decode() if result.returncode == 0 else ""
        os.close(ours)
        return result, shown

    return run


@pytest.mark.parametrize("option", ["--capture=fd", "-s", "-p no:capture"])
def test_on_a_terminal(option, claims, on_terminal):
    claims("a = look >= 0.3")
    result, shown = on_terminal(*option.split())
    assert result.returncode == 0, result.stdout
    assert "circuits: loading tiny" in shown
    assert "circuits: loading" not in result.stdout


def test_elsewhere(claims, canned):
    claims("a = look >= 0.3")
    assert "circuits: loading" not in canned().stdout
