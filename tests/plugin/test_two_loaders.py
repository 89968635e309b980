"""Two folders may each load a model of their own under one name: none gets the other's."""

import json

import pytest

# A model that says of itself who loaded it; what it measures is canned.
LOADS = """
from pytest_circuits.models.base import Model

def loaded(spec):
    print("{folder} loads", spec)
    return Model(
        spec=spec, bridge=None, tokenizer=None, fingerprint="{folder}" * 16,
        provenance="{folder}", dtype="float32", device="cpu",
    )
"""

HOOK = LOADS + "\ndef pytest_circuits_load_model(spec):\n    return loaded(spec)\n"

FIXTURE = (
    LOADS
    + """
import pytest

@pytest.fixture(scope="session")
def circuit_load_model():
    return loaded
"""
)

# The loader is the same, what it is made of is not.
BY_PART = LOADS + "\nimport pytest\n\n@pytest.fixture\ndef checkpoint():\n    return loaded\n"
USES_PART = """
import pytest

@pytest.fixture
def checkpoint():
    return None

@pytest.fixture
def circuit_load_model(checkpoint):
    return checkpoint
"""

KINDS = {"hook": (HOOK, ""), "fixture": (FIXTURE, ""), "part": (BY_PART, USES_PART)}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def two_folders(request, claims, canned, pytester):
    """Return a function that runs claims in a/circuits and b/circuits, each with its conftest."""
    each, root = request.param
    conftest = (pytester.path / "conftest.py").read_text()
    conftest = conftest[: conftest.index("def load(spec)")] + root
    (pytester.path / "conftest.py").write_text(conftest)
    for folder in "ab":
        claims(
            "x = look >= 0.3\ny = look >= 0.2",
            file=f"{folder}/circuits/in_{folder}.py",
            model="mine",
        )
        (pytester.path / folder / "circuits/conftest.py").write_text(each.format(folder=folder))
    return canned


def provenance(folder):
    document = json.loads((folder / "out.json").read_text())
    return {each["nodeid"]: each["method"]["provenance"] for each in document["claims"]}


@pytest.mark.parametrize("args", [[], ["-n2"]], ids=["serial", "n2"])
def test_each_folder_is_measured_on_its_own_model(args, two_folders, pytester):
    result = two_folders("-s", "--circuit-json=out.json", *args)
    assert result.returncode == 0, result.stdout
    assert provenance(pytester.path) == {
        f"{folder}/circuits/in_{folder}.py::{name}": folder for folder in "ab" for name in "xy"
    }
    if not args:
        assert [result.stdout.count(f"{folder} loads mine") for folder in "ab"] == [1, 1]


def test_with_the_model_given_on_the_command_line(two_folders, pytester):
    result = two_folders("--circuit-json=out.json", "--circuit-model=mine")
    assert result.returncode == 0, result.stdout
    assert set(provenance(pytester.path).values()) == {"a", "b"}


@pytest.mark.parametrize("two_folders", [KINDS["hook"], KINDS["fixture"]], indirect=True)
def test_test_functions_get_the_model_of_their_folder(two_folders, pytester):
    for folder in "ab":
        (pytester.path / folder / f"test_{folder}.py").write_text(
            f"def test_it(circuit_model):\n    assert circuit_model.provenance == {folder!r}\n"
        )
        conftest = pytester.path / folder / "circuits/conftest.py"
        conftest.rename(pytester.path / folder / "conftest.py")
    result = two_folders("a/test_a.py", "b/test_b.py", "--circuit-model=mine")
    assert "2 passed" in result.stdout


@pytest.fixture
def two_real(claims, pytester, tiny_folder):
    """Write claims in two folders, and hooks that say which of them was asked for the model."""
    for folder in "ab":
        claims("x = look <= 0.99", file=f"{folder}/circuits/in_{folder}.py", model="mine")
        (pytester.path / folder / "circuits/conftest.py").write_text(
            "def pytest_circuits_load_model(spec):\n"
            "    from pytest_circuits import load_model\n"
            f"    print('\\n{folder} loads', spec)\n"
            f"    return load_model({str(tiny_folder)!r}, progress=False)\n"
        )

    def asked(*args):
        lines = pytester.runpytest_inprocess("-s", *args).outlines
        return [line[0] for line in lines if line.endswith(" loads mine")]

    return asked


def test_sabotage_is_of_the_folders_own_model(two_real):
    assert two_real("--circuit-mutate", "--circuit-mutants=knocked out") == ["a", "b", "a", "b"]


def test_a_dry_run_asks_the_folders_own_hook(two_real):
    assert two_real("--circuit-dry-run") == ["a", "b"]


def test_a_dry_run_cannot_ask_a_fixture(claims, canned):
    claims("x = look >= 0.3")
    result = canned("--circuit-dry-run")
    assert result.returncode == 1
    assert "--circuit-dry-run asks no fixture" in result.stdout
