"""Whatever is given as the name of a model: found, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable
from pytest_circuits.models.load import load_model

SPECS = {
    "two dashes": "a--b",
    "two dashes in an owner": "a--b/c",
    "two dots": "a..b",
    "a dash at the end": "owner/name-",
    "a dot first in a name": "owner/.name",
    "git": "owner/name.git",
    "a user that is not there": "~nosuchuser",
    "a folder of a user that is not there": "~nosuchuser/runs",
    "a path as an object": Path("~nosuchuser/runs"),
    "empty": "",
    "blank": "  ",
    "a NUL": "a\0b",
    "a path with a NUL": "./a\0b",
    "half a character": "./\ud800",
    "an escape": "\x1b[31mred",
    "an at": "@",
    "a revision of nothing": "@main",
    "two revisions": "a@b@c",
    "long": "x" * 10_000,
    "a long path": "./" + "x" * 10_000,
    "a long name of an owner": "o/" + "x" * 1_000,
    "a file": __file__,
    "a path through a file": f"{__file__}/x",
    "none": None,
    "a number": 5,
    "a list": ["gpt2"],
    "bytes": b"gpt2",
    "an option of many": "reference-ioi:without=" + "x" * 10_000,
    "an option with an escape": "reference-ioi:without=\x1b[31m",
}


@pytest.fixture(autouse=True)
def _offline(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_that_names_nothing(name):
    with pytest.raises((ClaimNotEvaluable, CircuitUsageError)) as caught:
        load_model(SPECS[name], progress=False)
    assert len(str(caught.value)) < 1_500
    assert not any(ord(c) < 32 for c in str(caught.value))


@pytest.mark.parametrize(
    "device", ["", None, 5, "cpu\0", "gpu", ["cpu"], "cpu:-1", "cuda:" + "9" * 99]
)
def test_a_device_that_is_none(device, gpt2_folder):
    with pytest.raises(CircuitUsageError):
        load_model(gpt2_folder, progress=False, device=device)


@pytest.mark.parametrize("dtype", ["", None, 5, ["float32"], "float33", "\x1b"])
def test_a_dtype_that_is_none(dtype, gpt2_folder):
    with pytest.raises(CircuitUsageError):
        load_model(gpt2_folder, progress=False, dtype=dtype)


@pytest.mark.parametrize("cache", ["~nosuchuser/cache", __file__, "a\0b", 5, "x" * 10_000])
def test_a_cache_that_cannot_be_had(cache):
    with pytest.raises((ClaimNotEvaluable, CircuitUsageError)) as caught:
        load_model("reference-ioi", progress=False, cache_dir=cache)
    assert len(str(caught.value)) < 1_500


def test_a_cache_on_a_full_disk(tmp_path, process_that_writes_little):
    """In a process that may write files of a few KB only, as on a disk that is full."""
    said = process_that_writes_little(
        "from pytest_circuits import load_model, ModelNotAvailable\n"
        "try:\n"
        f"    load_model('reference-ioi', cache_dir={str(tmp_path)!r}, progress=False)\n"
        "except ModelNotAvailable as error:\n"
        "    print('refused:', error)\n"
    )
    assert said.startswith("refused: cannot write reference-ioi-")
    assert str(tmp_path) in said
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == []


@pytest.fixture
def process_that_writes_little():
    import subprocess
    import sys

    def run(code, most=20_000):
        limit = (
            "import resource, signal\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", limit + code], capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run
