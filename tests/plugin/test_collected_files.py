"""Which files are looked at for claims: circuits/*.py that mention this package, each once."""

import pytest


def collected(result):
    return [line for line in result.outlines if "::" in line]


def test_a_claim_file_is_collected_like_a_test_file(claims, pytester):
    claims("a = look >= 0.001")
    pytester.makepyfile("def test_b(): pass")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert collected(result) == [
        "circuits/x.py::a",
        "test_a_claim_file_is_collected_like_a_test_file.py::test_b",
    ]


def test_a_file_that_does_not_mention_us_is_not_imported(claims, pytester):
    claims("a = look >= 0.001")
    (pytester.path / "circuits/broken.py").write_text("raise RuntimeError('imported')")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert collected(result) == ["circuits/x.py::a"]
    assert result.ret == 0


def test_a_file_that_mentions_us_is_imported(pytester):
    (pytester.path / "circuits").mkdir()
    (pytester.path / "circuits/broken.py").write_text("raise RuntimeError('pytest_circuits')")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*RuntimeError: pytest_circuits*"])


@pytest.mark.parametrize(
    "arguments",
    [["circuits/x.py"], ["circuits"], ["circuits/x.py", "circuits"], ["circuits/x.py::a"]],
    ids=["file", "folder", "both", "node"],
)
def test_an_argument_does_not_collect_twice(arguments, claims, pytester):
    claims("a = look >= 0.001")
    result = pytester.runpytest_inprocess("--collect-only", "-q", *arguments)
    assert collected(result) == ["circuits/x.py::a"]


@pytest.mark.parametrize("pattern", ["x.py", "*.py", "circuits/*.py", "circuits/x.py"])
def test_a_file_that_pytest_collects_anyway_is_not_collected_twice(pattern, claims, pytester):
    claims("a = look >= 0.001")
    pytester.makeini(f"[pytest]\npython_files = {pattern}")
    result = pytester.runpytest_inprocess("--collect-only", "-q", "circuits")
    assert collected(result) == ["circuits/x.py::a"]


def test_claims_in_ordinary_test_modules_are_collected(claims, pytester):
    claims("a = look >= 0.001", file="tests/test_x.py")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert collected(result) == ["tests/test_x.py::a"]


def test_other_globs(claims, pytester):
    claims("a = look >= 0.001", file="papers/x.py")
    pytester.makeini("[pytest]\ncircuit_files =\n  papers/*.py\n  more/*.py")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert collected(result) == ["papers/x.py::a"]


def test_a_conftest_beside_the_claims_is_no_claim_file(claims, pytester):
    claims("a = look >= 0.001")
    (pytester.path / "circuits/conftest.py").write_text(
        "from pytest_circuits import IOI\ndef test_in_conftest(): pass"
    )
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert collected(result) == ["circuits/x.py::a"]


def test_a_project_below_a_folder_named_circuits(pytester, monkeypatch):
    helpers = pytester.path / "circuits/project/tests/helpers.py"
    helpers.parent.mkdir(parents=True)
    helpers.write_text("raise RuntimeError('pytest_circuits')")
    monkeypatch.chdir(pytester.path / "circuits/project")
    result = pytester.runpytest_inprocess("--collect-only", "-q", "--rootdir=.")
    assert result.ret == 5


def test_doctest_modules_and_importlib_mode(claims, pytester):
    claims("a = look >= 0.001")
    result = pytester.runpytest_inprocess(
        "--collect-only", "-q", "--doctest-modules", "--import-mode=importlib"
    )
    assert collected(result) == ["circuits/x.py::a"]
