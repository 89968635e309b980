"""Kill a session of claims at any moment, again and again: what does it leave behind?

    python -m benchmarks.attacks.kills 200

Every session starts with a report of yesterday in place and ends by a signal, SIGKILL, SIGTERM or
SIGINT, at a random time between its first line and its last: while a model is loaded, claims are
evaluated, the report is written. Afterwards there must be no report, or a whole one; one that calls
itself complete has all verdicts, and they are those of a session that nobody disturbed; a session
that was disturbed before its last report never calls itself complete.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

SUITE = """\
from pytest_circuits import END, IO, Suite, attention, heads, logit_difference

suite = Suite(model="reference-ioi", prompts=16, source="an attack")
movers = heads("6.0", "6.2", at=END, name="name movers")
prefers = logit_difference() >= 3
looks = attention(movers.each, to=IO) >= 0.7
refuted = attention(movers.each, to=IO) <= 0.1
wrong = attention(heads("99.9", at=END), to=IO) >= 0.1
undecided = logit_difference() >= 5.4
"""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
YESTERDAY = '{"complete": true, "claims": "of yesterday"}'


@dataclass
class Tally:
    """What was left behind, counted; `wrong` says what should not have been."""

    left: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def attack(kills: int, seed: int = 0) -> Tally:
    """Return what `kills` killed sessions left behind."""
    import pytest_circuits.evaluation  # noqa: F401 - children find torch loaded

    rng, tally = random.Random(seed), Tally()
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "circuits").mkdir()
        (folder / "circuits/x.py").write_text(SUITE)
        whole, seconds = _undisturbed(folder)
        for _ in range(kills):
            number = rng.choice(SIGNALS)
            _session(folder, kill=_after(rng.uniform(0, 1.05 * seconds), number))
            judge(folder, signal.Signals(number).name, whole, tally)
    return tally


def _undisturbed(folder: Path) -> tuple[dict[str, str], float]:
    """Return the verdicts of a session that nobody disturbs, and the seconds it takes."""
    _session(folder, kill=lambda pid: None)
    started = time.perf_counter()
    _session(folder, kill=lambda pid: None)
    seconds = time.perf_counter() - started
    document = json.loads((folder / "out.json").read_text())
    assert document["complete"], document["stopped"]
    return _statuses(document), seconds


def _session(folder: Path, kill: Callable[[int], None]) -> None:
    """Run the suite in a child, with a report of yesterday in place, and do `kill` to it."""
    (folder / "out.json").write_text(YESTERDAY)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(folder, write)
    os.close(write)
    os.read(read, 1)  # the first thing that it does, after the options were read
    os.close(read)
    kill(pid)
    os.waitpid(pid, 0)


def _child(folder: Path, write: int) -> None:
    import pytest

    class Ready:
        def pytest_configure(self) -> None:
            os.write(write, b"!")

    os.chdir(folder)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    args = ["--circuit-json=out.json", "-p", "no:cacheprovider", "--rootdir=.", "-c", os.devnull]
    try:
        code = int(pytest.main(["circuits", *args], plugins=[Ready()]))
    except BaseException:
        code = 99
    os._exit(code)


def _after(seconds: float, number: int) -> Callable[[int], None]:
    def kill(pid: int) -> None:
        time.sleep(seconds)
        os.kill(pid, number)

    return kill


def judge(folder: Path, number: str, whole: dict[str, str], tally: Tally) -> None:
    path = folder / "out.json"
    if not path.exists():
        tally.left[f"{number}: no report"] += 1
        return
    try:
        document = json.loads(path.read_text())
    except ValueError:
        tally.wrong.append(f"{number}: a torn report")
        return
    if document["claims"] == "of yesterday":
        tally.wrong.append(f"{number}: the report of yesterday")
        return
    found = _statuses(document)
    decided = {k: v for k, v in found.items() if v not in ("not evaluated", "error")}
    if any(whole[name] != status for name, status in decided.items()):
        tally.wrong.append(f"{number}: other verdicts, {found} for {whole}")
    if document["complete"] and found != whole:
        tally.wrong.append(f"{number}: complete, with {len(found)} of {len(whole)} claims")
    if set(found) != set(whole) and document["collected"] == len(whole):
        tally.wrong.append(f"{number}: claims are missing, {sorted(set(whole) - set(found))}")
    kind = "complete" if document["complete"] else "incomplete, and says so"
    tally.left[f"{number}: {kind}"] += 1


def _statuses(document: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {each["nodeid"]: each["status"] for each in document["claims"]}


if __name__ == "__main__":
    found = attack(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
    for kind, count in sorted(found.left.items()):
        print(f"{count:5}  {kind}")
    print(f"{len(found.wrong):5}  wrong", *found.wrong, sep="\n       ")
    sys.exit(bool(found.wrong))
