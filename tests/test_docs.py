"""The Python of docs/ runs and prints what stands there; method.md has a section per measure."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
from test_readme import same

import pytest_circuits
import pytest_circuits.measures

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"(?:<!-- (\w+) -->\n)?```(\w+)\n(.*?)```\n", re.DOTALL)
SECTION = re.compile(r"^### (.*?)$(.*?)(?=^##|\Z)", re.DOTALL | re.MULTILINE)
# Every section of a measure says these, and shows formula and diagram.
SAID = ("Unit", "Interval", "Source", "Shows", "Does not show")

PUBLIC = sorted(
    name
    for home, names in pytest_circuits._HOMES.items()
    if home.startswith("measures.")
    for name in names.split()
)


def sections(text):
    """Return the sections of measures: the names in the heading -> what stands below it."""
    found = {tuple(re.findall(r"`(\w+)`", head)): body for head, body in SECTION.findall(text)}
    return {names: body for names, body in found.items() if names}


def unsaid(body):
    """Return what a section of a measure lacks."""
    lacking = [each for each in SAID if f"- **{each}**: " not in body]
    return lacking + ([] if "```text\n" in body else ["formula and diagram"])


def mismatch(expected, got):
    """Return the first line that is not as expected, None if all are."""
    pairs = zip(expected.splitlines(), got.splitlines(), strict=False)
    wrong = [pair for pair in pairs if not same(*pair)]
    if len(expected.splitlines()) != len(got.splitlines()):
        wrong.append((f"{len(expected.splitlines())} lines", got))
    return wrong[0] if wrong else None


METHOD = sections((DOCS / "method.md").read_text())


def functions():
    """Return the names of all functions that the modules of measures define."""
    modules = pkgutil.iter_modules(pytest_circuits.measures.__path__, "pytest_circuits.measures.")
    return {
        name
        for module in modules
        for name, each in vars(importlib.import_module(module.name)).items()
        if inspect.isfunction(each) and each.__module__ == module.name
    }


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_python_runs_and_prints_what_stands_below(path, capsys):
    found = list(BLOCK.finditer(path.read_text()))
    names = {"__name__": "docs"}
    for block, below in zip(found, [*found[1:], None], strict=False):
        if block[2] != "python":
            continue
        exec(compile(block[3], str(path), "exec"), names)
        expected = below[3] if below and below[1] == "printed" else ""
        assert mismatch(expected, capsys.readouterr().out) is None


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_blocks_are_closed_and_outputs_follow_python(path):
    found = list(BLOCK.finditer(path.read_text()))
    assert path.read_text().count("```") == 2 * len(found)
    outputs = [i for i, block in enumerate(found) if block[1] == "printed"]
    assert all(found[i - 1][2] == "python" for i in outputs)
    assert 0 not in outputs


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_measure_has_a_section(name):
    assert any(name in names for names in METHOD), f"docs/method.md: no section names `{name}`"


@pytest.mark.parametrize("names", METHOD, ids=lambda names: names[0])
def test_a_section_says_all_of_its_measures(names):
    assert unsaid(METHOD[names]) == []
    assert set(names) <= functions(), "docs/method.md names a measure that does not exist"


def test_what_is_missing_would_be_noticed():
    text = "### Nothing\n\n### A thing: `thing`, `other`\n- **Unit**: logits.\n\n## 2. Next\n"
    assert list(sections(text)) == [("thing", "other")]
    assert unsaid(sections(text)["thing", "other"]) == [*SAID[1:], "formula and diagram"]
    assert mismatch("a 1.0\nb 2.0\n", "a 1.001\nb 2.0\n") is None
    assert mismatch("a 1.0\n", "a 1.1\n") == ("a 1.0", "a 1.1")
    assert mismatch("", "a 1.0\n") is not None
    assert mismatch("a 1.0\nb 2.0\n", "a 1.0\n") is not None
