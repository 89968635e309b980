"""The family of a claim is its file, whatever was selected of it: no selection decides a claim."""

import json

import pytest

from pytest_circuits import logit_difference, measure

SIZE = 12


@pytest.fixture(scope="module")
def close(tiny_model):
    """A file of claims on one number: the first holds at 95 %, but not among the others."""
    found = measure(tiny_model, logit_difference(), prompts=8)
    first = found.low - 0.02 * (found.value - found.low)
    lines = [f"close = logit_difference() >= {first!r}"]
    lines += [
        f"open_{i} = logit_difference() >= {found.value + i / 1e6!r}" for i in range(SIZE - 1)
    ]
    return "\n".join(lines)


def report(folder):
    found = json.loads((folder / "x.json").read_text())["claims"]
    return {each["nodeid"].split("::")[1]: each for each in found}


def test_alone_in_its_file_it_holds(claims, close, run):
    claims(close.splitlines()[0])
    run().assert_outcomes(passed=1)


SELECTIONS = {
    "all": [],
    "keyword": ["-k", "close"],
    "node id": ["circuits/x.py::close"],
    "two node ids": ["circuits/x.py::close", "circuits/x.py::open_1"],
    "deselected": [f"--deselect=circuits/x.py::open_{i}" for i in range(9)],
    "marker": ["-m", "circuit", "-k", "close or open_3"],
}


@pytest.mark.parametrize("selection", SELECTIONS.values(), ids=SELECTIONS)
def test_whoever_is_selected(claims, close, run, pytester, selection):
    claims(close)
    run("--circuit-json=x.json", *selection)
    found = report(pytester.path)["close"]
    assert found["status"] == "undecided"
    assert found["decision"]["claims"] == SIZE
    assert found["level"] == pytest.approx(1 - 0.05 / SIZE)
    assert found["low"] < float(found["required"].split()[1]) < found["high"]


def test_what_failed_last_is_run_again_in_its_family(claims, close, run, pytester):
    claims(f"{close}\nfine = logit_difference() <= 99")
    claims("other = look <= 0.99", file="circuits/y.py")
    run()
    result = run("--lf", "--circuit-json=x.json")
    found = report(pytester.path)
    assert "fine" not in found
    assert found["close"]["status"] == "undecided"
    assert found["close"]["decision"]["claims"] == SIZE + 1
    assert result.ret == 1


def test_the_rerun_line_does_not_shrink_it(claims, close, run, pytester):
    claims(close)
    (line,) = {each for each in run("-k", "close").outlines if each.startswith("  rerun")}
    words = line.split()[2:]
    run("--circuit-json=x.json", *words)
    assert report(pytester.path)["close"]["decision"]["claims"] == SIZE


def test_every_model_has_its_own(claims, close, run, pytester):
    claims(close)
    both = ["--circuit-model=first", "--circuit-model=second"]
    run("circuits/x.py::close[second]", "--circuit-json=x.json", *both)
    (found,) = report(pytester.path).values()
    assert (found["status"], found["decision"]["claims"]) == ("undecided", SIZE)


def test_the_same_claim_by_two_names_counts_once(claims, run, pytester):
    claims("a = look <= 0.99\nb = look <= 0.99\nc = look <= 0.98")
    for selection in ([], ["-k", "a"]):
        run("--circuit-json=x.json", *selection)
        assert report(pytester.path)["a"]["decision"]["claims"] == 2


@pytest.mark.slow
def test_on_two_workers(claims, close, process, pytester, tiny_folder):
    pytest.importorskip("xdist")
    claims(close, model=str(tiny_folder))
    process(pytester.path, "-n2", "-k", "close", "--circuit-json=x.json", "--circuit-card")
    found = report(pytester.path)["close"]
    assert (found["status"], found["decision"]["claims"]) == ("undecided", SIZE)


def test_the_card_says_what_was_not_selected(claims, run, process, pytester, tiny_folder):
    text = "a = logit_difference(on='ABC') <= 99\nb = logit_difference() >= 1\nc = b.cite('again')"
    claims(text)
    run("-k", "a", "--circuit-card").stdout.fnmatch_lines(
        ["behaviour * 2 claims, not selected *", "specificity * 1 claim *", "minimality * MISSING*"]
    )
    claims(text, model=str(tiny_folder))
    process(pytester.path, "-n2", "-k", "a", "--circuit-json=x.json")
    document = json.loads((pytester.path / "x.json").read_text())
    assert document["validity"]["circuits/x.py"]["behaviour"] == "2 claims, not selected"
