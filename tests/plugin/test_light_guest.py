"""A session without claims, and one that only collects them, load nothing heavy."""

import pytest

HEAVY = ("torch", "numpy", "transformers", "transformer_lens", "safetensors", "huggingface_hub")

CONFTEST = f"""
import sys

def pytest_unconfigure(config):
    loaded = sorted(set({HEAVY!r}) & set(sys.modules))
    print("LOADED:", *loaded, file=sys.stderr)
"""

# Other plugins load numpy by themselves, so ours comes alone.
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p pytest_circuits.plugin"}


@pytest.fixture
def loaded(pytester, process):
    def loaded(*args, conftest=CONFTEST):
        pytester.makeconftest(conftest)
        result = process(pytester.path, *args, **ALONE)
        assert result.returncode == 0, result.stdout
        (line,) = [line for line in result.stdout.splitlines() if line.startswith("LOADED:")]
        return line.split()[1:]

    return loaded


def test_no_claims(loaded, pytester):
    pytester.makepyfile("def test_it(): pass")
    assert loaded() == []


@pytest.mark.parametrize("mutate", [[], ["--circuit-mutate"]], ids=["", "mutate"])
@pytest.mark.parametrize("args", [["--collect-only"], ["--setup-plan"], ["-k", "test_it"]])
def test_claims_that_are_not_evaluated(args, mutate, claims, loaded, pytester):
    claims("a = look >= 0.001\nb = logit_difference() >= 0")
    pytester.makepyfile("def test_it(): pass")
    assert loaded(*args, *mutate, "--circuit-json=out.json", "--circuit-model=x") == []


@pytest.mark.parametrize("module", ["numpy"])
def test_that_check_can_fail(module, loaded, pytester):
    pytester.makepyfile("def test_it(): pass")
    assert module in loaded(conftest=f"import {module}\n{CONFTEST}")


def test_every_public_name_can_be_declared_with_without_torch(pytester, process):
    names = (
        "Suite, IOI, heads, circuit, attention, logit_difference, faithfulness, copy_score, mean"
    )
    pytester.makepyfile(test_x=f"from pytest_circuits import {names}\ndef test_it(): pass")
    pytester.makeconftest(CONFTEST)
    result = process(pytester.path, **ALONE)
    assert "\nLOADED:\n" in result.stdout + "\n", result.stdout
