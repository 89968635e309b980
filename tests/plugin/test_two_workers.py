"""Real models on two workers: the verdicts are those of a serial run, and so is a rerun's."""

import json
import shlex
import shutil

import pytest

CLAIMS = """\
from pytest_circuits import END, IO, Suite, attention, heads

suite = Suite(prompts=8)
look = attention(heads("0.1", at=END), to=IO)
holds = look <= 0.99
refuted = look >= 0.99
undecided = look >= {value!r}
error = attention(heads("40.1", at=END), to=IO) >= 0.001
"""


def verdicts(file):
    drop = ("worst_prompts",)
    claims = json.loads(file.read_text())["claims"]
    return {
        each["nodeid"]: {key: value for key, value in each.items() if key not in drop}
        for each in claims
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory, tiny_folder, measured):
    folder = tmp_path_factory.mktemp("project")
    (folder / "circuits").mkdir()
    (folder / "circuits/x.py").write_text(CLAIMS.format(value=measured.value))
    for name in ("step 1", "step2"):
        shutil.copytree(tiny_folder, folder / "runs" / name)
    return folder


ARGS = ["--circuit-model=./runs/step 1", "--circuit-model=./runs/step2", "--circuit-seed=0"]


@pytest.fixture(scope="module")
def parallel(project, process):
    return process(project, "-n2", "--circuit-json=n2.json", *ARGS)


def test_the_verdicts_are_those_of_a_serial_run(parallel, project, pytester, monkeypatch):
    monkeypatch.chdir(project)
    serial = pytester.runpytest_inprocess(
        "--circuit-json=serial.json", "-p", "no:cacheprovider", f"--rootdir={project}", *ARGS
    )
    assert serial.ret == parallel.returncode == 1
    serial.assert_outcomes(passed=2, failed=4, errors=2)
    assert "4 failed, 2 passed, 2 errors" in parallel.stdout
    assert len(verdicts(project / "n2.json")) == 8
    assert verdicts(project / "n2.json") == verdicts(project / "serial.json")


def test_the_table_is_printed_once_with_plain_names(parallel):
    assert parallel.stdout.count("= circuit claims =") == 1
    table = parallel.stdout.partition("= circuit claims =")[2]
    for name in ("holds", "refuted", "undecided", "error"):
        for label in ("step-1", "step2"):
            assert table.count(f"\n{name}[{label}]  ") == 1
    assert "NO REPORT" not in table


def test_the_rerun_command_gives_the_same_number(parallel, project, process):
    lines = parallel.stdout.splitlines()
    command = next(line for line in lines if "::refuted --circuit-model './runs/step 1'" in line)
    label, pytest_, *args = shlex.split(command)
    assert (label, pytest_) == ("rerun", "pytest")
    again = process(project, *args)
    assert again.returncode == 1
    assert "1 failed" in again.stdout

    def measured(text):
        block = text.partition("refuted[step-1] is refuted")[2]
        line = next(line for line in block.splitlines() if line.startswith("  measured"))
        return line.partition("[")[0]  # by itself a claim needs as wide an interval, or a wider one

    assert measured(again.stdout) == measured(parallel.stdout)


def test_the_rerun_command_from_another_folder(project, pytester, monkeypatch, run):
    monkeypatch.chdir(project / "runs")
    result = run(f"--rootdir={project}", "../circuits", "-k", "refuted", "-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["not evaluable: no model*"])
    result = run(
        f"--rootdir={project}", "../circuits", "-k", "refuted", "--circuit-model=x",
        "-p", "no:cacheprovider",
    )  # fmt: skip
    result.stdout.fnmatch_lines(["  rerun      pytest ../circuits/x.py::refuted --circuit-model x"])
