"""What a report does not contain, it says; and a report of an earlier run is never taken for it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from pytest_circuits.report.summary import counted

CLAIMS = "\n".join(f"c{i} = look >= 0.{i + 1:02d}" for i in range(9)) + "\na_refuted = look >= 0.7"
REPORT = "--circuit-json=out.json"


@pytest.fixture
def session(claims, canned, pytester):
    def session(*args, conftest="", text=CLAIMS):
        claims(text)
        with (pytester.path / "conftest.py").open("a") as file:
            file.write("\n" + conftest)
        result = canned(REPORT, *args)
        assert "Traceback" not in result.stdout, result.stdout
        return result

    return session


def read(folder):
    document = json.loads((folder / "out.json").read_text())
    return document, {each["nodeid"].split("::")[1]: each for each in document["claims"]}


def test_a_whole_run_says_that_it_is(session, pytester):
    assert session().returncode == 1
    document, claims = read(pytester.path)
    assert (document["complete"], document["exit_status"], document["stopped"]) == (True, 1, "")
    assert (document["collected"], document["deselected"], document["reported"]) == (10, 0, 10)
    assert len(claims) == 10


def test_so_does_one_of_selected_claims(session, pytester):
    assert session("-k", "c1 or c2").returncode == 0
    document, claims = read(pytester.path)
    assert (document["collected"], document["deselected"], document["reported"]) == (10, 8, 2)
    assert (document["complete"], len(claims)) == (True, 2)


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["serial", "n2"])
@pytest.mark.parametrize("stop", ["-x", "--maxfail=1"])
def test_a_run_that_was_stopped_at_a_failure(stop, workers, session, pytester):
    many = [f"c{i} = look >= {(i + 1) / 1000}" for i in range(60)]  # more than workers have at once
    result = session(stop, *workers, text="\n".join(["a_refuted = look >= 0.7", *many]))
    assert result.returncode in (1, 2)
    document, claims = read(pytester.path)
    assert not document["complete"]
    assert len(claims) == document["collected"] == 61 > document["reported"]
    assert "stopping after 1 failures" in document["stopped"]
    if workers:  # what a worker had decided, and not reported, is not known here
        unreported = [each for each in claims.values() if each["status"] == "not evaluated"]
        assert f"{counted(len(unreported), 'claim')} NOT EVALUATED: the session" in result.stdout
    else:  # all were decided together, before the first of them failed
        unreported = [each for each in claims.values() if each["note"] == "its item did not run"]
        assert {each["status"] for each in unreported} == {"holds"}
    assert len(unreported) == 61 - document["reported"]
    assert "the report is INCOMPLETE: stopping after 1 failures" in result.stdout


INTERRUPTED = """
import pytest

def pytest_runtest_call(item):
    if item.name == "c4":
        {raises}
"""

ENDS = {
    "ctrl-c": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "exit": ("pytest.exit('enough')", "enough"),
}


@pytest.mark.parametrize(("raises", "why"), ENDS.values(), ids=ENDS)
def test_what_was_decided_when_a_run_is_interrupted_is_reported(raises, why, session, pytester):
    result = session(conftest=INTERRUPTED.format(raises=raises))
    assert result.returncode == 2
    document, claims = read(pytester.path)
    assert (document["complete"], document["exit_status"]) == (False, 2)
    assert why in document["stopped"]
    assert {name: each["status"] for name, each in claims.items()} == {
        **{f"c{i}": "holds" for i in range(9)},
        "a_refuted": "refuted",
    }
    assert claims["c7"]["note"] == "its item did not run"
    assert "c7" in result.stdout


# The claim at 0.7 is decided at the first look, the one at 0.5 never; then somebody loses patience.
IMPATIENT = """
import pytest_circuits.evaluation as evaluation

class Impatient(evaluation.Evaluation):
    def look(self, measure, draw, prompts, alpha, **options):
        if prompts > 4:
            raise KeyboardInterrupt
        return super().look(measure, draw, prompts, alpha, **options)

evaluation.Evaluation = Impatient
"""


def test_also_in_the_midst_of_deciding(session, pytester):
    text = "a = look >= 0.5\nb = look >= 0.3"
    result = session("--circuit-first=4", conftest=IMPATIENT, text=text)
    assert result.returncode == 2
    _, claims = read(pytester.path)
    assert {name: each["status"] for name, each in claims.items()} == {
        "a": "not evaluated",
        "b": "holds",
    }
    assert "1 claim NOT EVALUATED: the session ended before it: KeyboardInterrupt" in result.stdout


DIES = """
import os

def pytest_runtest_call(item):
    if item.name == "c4":
        os._exit(1)
"""


def test_a_claim_whose_worker_died_is_an_error(session, pytester):
    result = session("-n2", conftest=DIES)
    assert result.returncode == 1
    document, claims = read(pytester.path)
    assert claims["c4"]["status"] == "error"
    assert "crashed" in claims["c4"]["reason"]
    assert len(claims) == 10
    assert document["complete"]  # every claim has come to something
    assert [line for line in result.stdout.splitlines() if line.startswith("c4 ")]


def test_also_if_no_other_worker_is_left(session, pytester):
    result = session("-n1", "--max-worker-restart=0", conftest=DIES)
    assert result.returncode != 0
    document, claims = read(pytester.path)
    assert claims["c4"]["status"] == "error"
    assert not document["complete"]
    assert len(claims) == 10


SWALLOWED = """
def pytest_runtest_protocol(item):
    return True if item.name == "c4" else None
"""


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["serial", "n2"])
def test_a_swallowed_claim_is_an_error_although_others_failed(workers, session, pytester):
    result = session(*workers, conftest=SWALLOWED)
    assert result.returncode == 1
    document, claims = read(pytester.path)
    assert claims["c4"]["status"] == "error"
    assert not document["complete"]
    assert "1 collected item produced NO REPORT" in result.stdout


def test_a_file_that_cannot_be_collected(session, pytester):
    (pytester.path / "circuits").mkdir()
    (pytester.path / "circuits/y.py").write_text("import pytest_circuits\n1 / 0")
    assert session("--continue-on-collection-errors").returncode == 1
    document, claims = read(pytester.path)
    assert (document["complete"], len(claims)) == (False, 10)
    assert document["not_collected"] == ["circuits/y.py"]


@pytest.mark.parametrize(
    "args",
    [
        ["--circuit-prompts=none"],
        ["--no-such-option"],
        ["--circuit-model=./not-there", "--circuit-mutate", "--circuit-mutants="],
    ],
    ids=lambda args: args[-1],
)
def test_a_run_that_does_not_begin_leaves_no_old_report(args, canned, pytester):
    (pytester.path / "out.json").write_text("of yesterday")
    assert canned(REPORT, *args).returncode != 0
    assert not (pytester.path / "out.json").exists()


def test_an_old_report_named_in_an_ini_file(canned, pytester):
    (pytester.path / "out.json").write_text("of yesterday")
    pytester.makeini("[pytest]\ncircuit_json = out.json")
    assert canned("--circuit-prompts=none").returncode == 4
    assert not (pytester.path / "out.json").exists()


@pytest.mark.parametrize("args", [["--collect-only"], ["--help"], ["--version"], ["--setup-plan"]])
def test_what_runs_nothing_leaves_it_alone(args, claims, canned, pytester):
    claims("a = look >= 0.3")
    (pytester.path / "out.json").write_text("of yesterday")
    canned(REPORT, *args)
    assert (pytester.path / "out.json").read_text() == "of yesterday"


def test_an_old_report_that_cannot_be_removed(canned, pytester):
    (pytester.path / "out.json").mkdir()
    result = canned(REPORT)
    assert result.returncode == 4
    assert "Traceback" not in result.stdout


SLOW = """
import time

def pytest_runtest_call(item):
    print("RUNNING", flush=True)
    time.sleep(60)
"""


def test_a_killed_run_leaves_no_report(claims, canned, pytester):
    claims("a = look >= 0.3")
    with (pytester.path / "conftest.py").open("a") as file:
        file.write(SLOW)
    (pytester.path / "out.json").write_text("of yesterday")
    command = [sys.executable, "-m", "pytest", "-s", REPORT]
    with subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            if b"RUNNING" in line:
                break
        process.kill()
    assert not list(pytester.path.glob("out.json*"))


def test_a_report_is_there_whole_or_not_at_all(pytester):
    """Killed again and again while it writes, it leaves the last report, or the next."""
    script = pytester.makepyfile(
        """
        import sys
        from pathlib import Path
        from pytest_circuits.report.files import write_whole

        print("ready", flush=True)
        for i in range(10**9):
            write_whole(Path(sys.argv[1]), str(i % 10) * 10**6)
        """
    )
    target = pytester.path / "out.json"
    for delay in (0.0, 0.01, 0.02, 0.03, 0.05):
        command = [sys.executable, str(script), str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            time.sleep(delay)
            os.kill(process.pid, signal.SIGKILL)
        text = target.read_text() if target.exists() else ""
        assert len(text) in (0, 10**6)
        assert len(set(text)) <= 1
