"""Peak memory over the loaded model, of one row in a process of its own.

As a script, `memory.py ours|theirs NAME`, it prints bytes. The C library is told to give freed
memory back at once: left to itself it keeps some, and the same row reads 0.5 GB or 0.8.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from theirs import Theirs

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def extra_bytes(who: str, name: str) -> int | None:
    """Return the peak of one row over the loaded model; None where Linux's /proc is not."""
    if not _CLEAR.exists():
        return None
    command = [sys.executable, "-W", "ignore", __file__, who, name]
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": str(1 << 16)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return int(done.stdout.split()[-1])


def _peak(work: Callable[[], object]) -> int:
    """Return by how much the resident memory grows, at most, while `work` runs."""
    _CLEAR.write_text("5")  # forget the peak so far
    before = _resident("VmRSS")
    work()
    return _resident("VmHWM") - before


def _resident(field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def _work(who: str, name: str) -> Callable[[], object]:
    from rows import MODEL, ROWS, draw
    from theirs import Theirs

    from pytest_circuits import load_model, logit_difference
    from pytest_circuits.evaluation import Evaluation

    model = load_model(MODEL, progress=False)
    theirs = Theirs(model)
    theirs.bridge(theirs.tokens[:1])  # what any first pass allocates is not the row's
    if who == "theirs":
        return _theirs(theirs, name)
    measure = ROWS[name].measure if name in ROWS else logit_difference()
    return lambda: Evaluation(model, [(measure, draw())]).estimate(measure, draw())


def _theirs(theirs: Theirs, name: str) -> Callable[[], object]:
    from rows import ATTRIBUTION, CACHE, PATCH, PLAIN

    if name in (CACHE, ATTRIBUTION):
        theirs.folded(theirs.tokens[:1])
    return {
        PLAIN: theirs.forward,
        CACHE: theirs.cache_all,
        ATTRIBUTION: lambda: theirs.attribution(theirs.cache_all()),
        PATCH: lambda: theirs.patches(theirs.cache_z(), ((0, 0),)),
    }[name]


if __name__ == "__main__":
    print(_peak(_work(*sys.argv[1:])))
