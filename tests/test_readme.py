"""Every code block of the README is executed, and prints what the README says."""

import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import save_gpt2

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"(?:<!-- (\w+)(?:: (\S+))? -->\n)?```(\w+)\n(.*?)```", re.DOTALL)
NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?")
# Times differ from run to run; everything else that is printed must be as written.
TIMES = re.compile(r"\d+\.\d+ s in the model")


def blocks(kind):
    return [found for found in BLOCK.finditer(README.read_text()) if found[1] == kind]


def same(expected, got):
    """Compare lines: the words equal, the numbers within 1 % or 0.002 of one another."""
    expected, got = (TIMES.sub("T s in the model", line) for line in (expected, got))
    if NUMBER.sub("#", expected).split() != NUMBER.sub("#", got).split():
        return False
    pairs = zip(NUMBER.findall(expected), NUMBER.findall(got), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=0.01, abs_tol=0.002) for a, b in pairs)


def missing(expected, got):
    """Return the first expected line that is not found, in order, in what was printed."""
    lines = iter(got.splitlines())
    for want in expected:
        if want.strip() != "..." and not any(same(want, line) for line in lines):
            return want
    return None


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with the README's files and a checkpoint that has learnt nothing."""
    folder = tmp_path_factory.mktemp("project")
    for block in blocks("file"):
        path = folder / block[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block[4])
    save_gpt2(folder / "step1000")
    return folder


def test_every_block_has_a_kind_that_is_executed():
    found = list(BLOCK.finditer(README.read_text()))
    assert README.read_text().count("```") == 2 * len(found)
    assert {block[1] for block in found} == {"file", "run", "make", "pip", "python"}


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks("run"), ids=lambda b: b[4].splitlines()[0][2:])
def test_a_command_prints_what_the_readme_says(project, block):
    command, *expected = block[4].splitlines()
    arguments = re.findall(r'"[^"]*"|\S+', command.removeprefix("$ pytest "))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *(a.strip('"') for a in arguments)],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert missing(expected, done.stdout) is None, done.stdout


@pytest.mark.slow
def test_python_blocks_run(capsys):
    for block in blocks("python"):
        exec(compile(block[4], str(README), "exec"), {"__name__": "readme"})
    assert "interval over prompts" in capsys.readouterr().out


@pytest.mark.slow
def test_the_install_commands_resolve():
    for line in blocks("pip")[0][4].splitlines():
        arguments = line.removeprefix("$ pip install ").split()
        done = subprocess.run(
            [sys.executable, "-m", "pip", "install", "--dry-run", *arguments],
            cwd=README.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_knows_the_targets():
    for line in blocks("make")[0][4].splitlines():
        target = line.removeprefix("$ make ")
        done = subprocess.run(
            ["make", "-n", target], cwd=README.parent, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "pytest" in done.stdout


def test_a_wrong_line_would_be_noticed():
    assert missing(["a 1.0 holds"], "x\na 1.001 holds\n") is None
    assert missing(["a 1.0 holds"], "x\na 1.1 holds\n") == "a 1.0 holds"
    assert missing(["a 1.0 holds"], "x\na 1.0 refuted\n") == "a 1.0 holds"


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) < 150
