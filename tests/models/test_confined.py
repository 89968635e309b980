"""Loading runs no program: TransformerLens would install packages for some checkpoints."""

import subprocess
import sys
import threading

import pytest

from pytest_circuits.errors import ModelNotAvailable
from pytest_circuits.models import bridge
from pytest_circuits.models.confined import confined

NOTHING = [sys.executable, "-c", ""]


@pytest.mark.parametrize("start", ["run", "check_call", "Popen"])
def test_no_process_is_started(start):
    before = subprocess.Popen
    with confined(), pytest.raises(PermissionError, match="may not run programs"):
        getattr(subprocess, start)(NOTHING)
    assert subprocess.Popen is before
    subprocess.check_call(NOTHING)


def test_other_threads_are_left_alone():
    ended = []
    thread = threading.Thread(target=lambda: ended.append(subprocess.call(NOTHING)))
    with confined():
        thread.start()
        thread.join()
    assert ended == [0]


def test_a_multimodal_checkpoint_installs_nothing(monkeypatch):
    """TransformerLens's own way to torchvision, where it is missing."""
    from transformer_lens.model_bridge.sources.transformers import helpers

    monkeypatch.setitem(sys.modules, "torchvision", None)
    asked = []
    monkeypatch.setattr(
        subprocess, "check_call", lambda args, **options: asked.append(args) or real(args)
    )
    real = subprocess.run
    with confined():
        assert helpers._ensure_torchvision() is False
    assert asked


def test_booting_is_confined(monkeypatch, gpt2_folder):
    from transformer_lens.model_bridge import TransformerBridge

    def boot(*args, **options):
        subprocess.check_call(NOTHING)

    monkeypatch.setattr(TransformerBridge, "boot_transformers", boot)
    from pytest_circuits.models.folder import read_model, read_tokenizer

    hf_model = read_model(gpt2_folder, device="cpu", dtype="float32")
    with pytest.raises(ModelNotAvailable, match="may not run programs"):
        bridge.boot(hf_model, read_tokenizer(gpt2_folder), name="x")
