"""What is going on shows on a terminal, on lines of its own, and nowhere else."""

import os
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty")


@pytest.fixture
def on_terminal(canned, pytester):
    """Return a function that runs pytest with its output on a terminal and returns the output."""

    def run(*args):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "pytest", *args]
        process = subprocess.Popen(command, cwd=pytester.path, stdout=theirs, stderr=theirs)
        os.close(theirs)
        shown = "".join(_chunks(ours))
        assert process.wait(timeout=60) == 0, shown
        return shown

    return run


def _chunks(terminal):
    with open(terminal, "rb", buffering=0) as output:
        try:
            while chunk := output.read(10_000):
                yield chunk.decode()
        except OSError:  # Linux's way to say that the other side was closed
            return


@pytest.mark.parametrize("option", ["--capture=fd", "-s", "-p no:capture"])
def test_on_a_terminal(option, claims, on_terminal):
    claims("a = look >= 0.3")
    shown = on_terminal(*option.split())
    assert "\ncircuits: loading tiny" in shown.replace("\r", "")


def test_not_when_asked_to_be_quiet(claims, on_terminal):
    claims("a = look >= 0.3")
    assert "circuits: loading" not in on_terminal("-q")


def test_elsewhere(claims, canned):
    claims("a = look >= 0.3")
    assert "circuits: loading" not in canned().stdout
