"""The built wheel in somebody else's environment: plugin, library and a claim of their own."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
CLAIMS = """
from pytest_circuits import END, IO, S1, Suite, attention, heads

suite = Suite(model="reference-ioi", prompts=16)
name_movers = heads("6.0", "6.2", at=END)
they_attend_to_io = attention(name_movers.each, to=IO) >= 0.5
they_attend_to_s = attention(name_movers.each, to=S1) >= 0.5
"""
TESTS = """
import pytest_circuits
from pytest_circuits import copy_score, heads, load_model, measure

def test_it_is_the_wheel():
    assert "downstream" in pytest_circuits.__file__

def test_name_movers_copy():
    model = load_model("reference-ioi", progress=False)
    assert measure(model, copy_score(heads("6.0", at="END")), prompts=32) >= 0.8
"""


def run(*command, cwd, **env):
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # setuptools leaves a build folder beside what it builds
    shutil.copytree(ROOT / "pytest_circuits", source / "pytest_circuits")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    built = run(
        sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", folder, source, cwd=folder
    )
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """An environment with the wheel, and everything but this checkout from the one at hand."""
    folder = tmp_path_factory.mktemp("downstream")
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    paths = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    site = Path(paths.stdout.strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # A .pth file adds a folder but not that folder's own .pth files: the editable install of this
    # checkout stays out, its metadata (and so its entry point, of the same name) does not matter.
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_the_wheel_holds_the_package_and_its_data_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"pytest_circuits"}
    for needed in ("py.typed", "plugin.py", "tasks/words/names.txt"):
        assert f"pytest_circuits/{needed}" in names


def test_a_downstream_project_uses_plugin_and_library(python, tmp_path):
    (tmp_path / "circuits").mkdir()
    (tmp_path / "circuits" / "theirs.py").write_text(CLAIMS)
    (tmp_path / "test_theirs.py").write_text(TESTS)
    done = run(python, "-m", "pytest", cwd=tmp_path, PYTEST_CIRCUITS_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 3 passed" in done.stdout, done.stdout + done.stderr
    assert "they_attend_to_s is refuted" in done.stdout
    assert "pytest circuits/theirs.py::they_attend_to_s" in done.stdout
