"""A hundred hostile checkpoint folders, each one good folder with one thing changed.

Each is refused in one sentence, or loads and computes what the good one does. No traceback of a
library, no pickle opened, no more memory than the bound, whatever the files ask for.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hostile_folders import HARMLESS, REFUSED
from tiny_words import tiny_gpt2, write_tokenizer

from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.models.load import load_model

MOST_MB = 300  # that loading may take beside what the process has already
MOST_MESSAGE = 1_500
IDS = [[2, 4, 5, 6, 7, 3]]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The good folder, and what it computes."""
    folder = tmp_path_factory.mktemp("hostile") / "good"
    tiny_gpt2().eval().save_pretrained(folder)
    write_tokenizer(folder)
    return folder, logits(folder)


def logits(folder):
    import torch

    model = load_model(folder, progress=False)
    with torch.no_grad():
        return model.bridge(torch.tensor(IDS)), model.tokenizer("Mary gave the ball").input_ids


@pytest.fixture
def changed(good, tmp_path, monkeypatch):
    """Return a function that makes a changed copy; nothing in it may have been unpickled."""
    monkeypatch.chdir(tmp_path)

    def change(mutation):
        folder = tmp_path / "folder"
        shutil.copytree(good[0], folder)
        mutation(folder)
        return folder

    yield change
    assert not (tmp_path / "unpickled").exists()


def peak_mb():
    """The most memory this process has taken since `forget_peak`, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


@pytest.fixture
def bounded():
    """Nothing in the test takes more memory than the bound, where the system can tell."""
    if not Path("/proc/self/clear_refs").exists():
        yield
        return
    forget_peak()
    before = peak_mb()
    yield
    assert peak_mb() - before < MOST_MB


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.usefixtures("bounded")
def test_refused_in_a_sentence(name, changed):
    folder = changed(REFUSED[name])
    with pytest.raises((ClaimNotEvaluable, CircuitUsageError)) as caught:
        load_model(folder, progress=False)
    said = str(caught.value)
    assert str(folder) in said
    assert len(said) < MOST_MESSAGE
    assert not any(ord(c) < 32 for c in said)


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.usefixtures("bounded")
def test_accepted_and_computes_the_same(name, changed, good):
    import torch

    computed, ids = logits(changed(HARMLESS[name]))
    assert torch.equal(computed, good[1][0])
    assert ids == good[1][1]


def test_there_are_a_hundred_of_them():
    assert len(REFUSED) + len(HARMLESS) >= 100
