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


@pytest.mark.parametrize("folder", ["circuits/sub", "circuits/sub/deeper", "papers/circuits/sub"])
def test_subfolders(folder, claims, pytester):
    claims("a = look >= 0.001", file=f"{folder}/x.py")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert collected(result) == [f"{folder}/x.py::a"]
    assert collected(pytester.runpytest_inprocess("--collect-only", "-q", folder))


COMMON = {
    "beside": ("circuits/common.py", "from common import *"),
    "by name": ("circuits/common.py", "import common\na = common.a"),
    "relative": ("circuits/common.py", "from .common import (\n    a,\n)"),
    "from the package": ("circuits/common.py", "from circuits.common import *"),
    "at the root": ("lab/common.py", "from lab.common import a as b"),
    "a package": ("lab/__init__.py", "from lab import *"),
    "a module of a package": ("lab/common.py", "from lab import common\na = common.a"),
    "by another": ("circuits/common.py", "from second import *"),
    "in a block": ("circuits/common.py", "if True:\n    from common import *"),
}


@pytest.mark.parametrize(("helper", "text"), COMMON.values(), ids=COMMON)
def test_claims_that_come_through_an_import(helper, text, claims, pytester, monkeypatch):
    monkeypatch.syspath_prepend(pytester.path)
    claims("a = look >= 0.001", file=helper)
    circuits = pytester.path / "circuits"
    circuits.mkdir(exist_ok=True)
    if " ." in text or "circuits." in text:
        (circuits / "__init__.py").touch()
    (circuits / "second.py").write_text("from common import *")
    (circuits / "x.py").write_text(text)
    result = pytester.runpytest_inprocess("--collect-only", "-q", "circuits")
    assert [line for line in collected(result) if "circuits/x.py" in line]


def test_an_installed_module_that_declares_claims(claims, pytester, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("site")
    monkeypatch.syspath_prepend(elsewhere)
    text = claims("a = look >= 0.001", file="made.py").read_text()
    (elsewhere / "lab_claims").mkdir()
    (elsewhere / "lab_claims/__init__.py").touch()
    (elsewhere / "lab_claims/heads.py").write_text(text)
    pytester.mkdir("circuits").joinpath("x.py").write_text("from lab_claims.heads import *")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert collected(result) == ["circuits/x.py::a"]


def test_imports_that_lead_nowhere_or_in_a_circle(claims, pytester):
    claims("a = look >= 0.001")
    for name, other in (("one", "two"), ("two", "one")):
        text = f"import {other}, os.path, torch.nn, nowhere_at_all\nfrom ... import {other}\n"
        (pytester.path / f"circuits/{name}.py").write_text(f"{text}raise RuntimeError('imported')")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert collected(result) == ["circuits/x.py::a"]
    assert result.ret == 0


def test_helpers_start_with_an_underscore(claims, pytester):
    claims("b = look >= 0.001", file="circuits/_common.py")
    (pytester.path / "circuits/__init__.py").write_text("from pytest_circuits import IO")
    claims("a = look >= 0.001")
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert collected(result) == ["circuits/x.py::a"]
    result.stdout.no_fnmatch_line("*warning*")
    named = pytester.runpytest_inprocess("--collect-only", "-q", "circuits/_common.py")
    assert collected(named) == ["circuits/_common.py::b"]


NONE = ["*PytestCollectionWarning: no claims in circuits/none.py*let its name start with _*"]


@pytest.mark.parametrize("args", [[], ["circuits"], ["circuits/none.py"], ["-n1"]], ids=str)
@pytest.mark.parametrize("text", ["", "_a = look >= 0.001", "import y"], ids=["", "_", "other"])
def test_a_file_without_claims_is_named(text, args, claims, pytester):
    claims(text, file="circuits/none.py")
    claims("a = look >= 0.001")
    (pytester.path / "circuits/y.py").write_text("b = 3")
    pytester.makepyfile("def test_it(): pass")
    (pytester.path / "circuits/x.py").unlink()
    result = pytester.runpytest_inprocess("-W", "default", *args)
    assert result.ret == (0 if args in ([], ["-n1"]) else 5)
    result.stdout.fnmatch_lines(NONE)


def test_a_file_that_others_import_is_a_helper(claims, pytester):
    claims("", file="circuits/common.py")
    (pytester.path / "circuits/x.py").write_text("from common import *\na = look >= 0.001")
    result = pytester.runpytest_inprocess("--collect-only", "-q", "-W", "error")
    assert collected(result) == ["circuits/x.py::a"]
    assert result.ret == 0


def test_a_file_with_test_functions_only_is_fine(claims, pytester):
    claims("def test_it(): pass")
    result = pytester.runpytest_inprocess("-W", "error")
    result.assert_outcomes(passed=1)


def test_last_failed_warns_of_no_file(claims, run):
    claims("a = look <= 0.99")
    claims("b = look >= 0.99", file="circuits/y.py")
    run()
    result = run("--lf", "-W", "error")
    result.assert_outcomes(failed=1)


@pytest.mark.parametrize("args", [["c"], ["./c/"], ["c", "--collect-only"]], ids=str)
def test_a_folder_of_another_name(args, claims, pytester):
    claims("a = look >= 0.001", file="c/x.py")
    claims("from x import look", file="c/sub/_helper.py")
    result = pytester.runpytest_inprocess(*args)
    assert result.ret == 4
    said = "*nothing was collected from c, though c/x.py mentions *pytest c/x.py*circuit_files*"
    result.stderr.fnmatch_lines([said])


def test_a_file_beside_tests_is_named_too(claims, pytester):
    claims("a = look >= 0.001", file="c/x.py")
    claims("def role(): pass", file="c/helper.py")
    (pytester.path / "c/test_it.py").write_text("def test_it(): pass")
    result = pytester.runpytest_inprocess("c")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["circuits: c/x.py *not collected*pytest c/x.py*circuit_files*"])
    result.stdout.no_fnmatch_line("*c/helper.py*")


def test_no_word_about_what_is_not_meant(claims, pytester):
    claims("a = look >= 0.001", file="src/x.py")
    (pytester.path / "src/test_it.py").write_text("def test_it(): pass")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*src/x.py*")


def test_a_file_named_on_the_command_line_that_has_no_claims(claims, pytester):
    claims("", file="c/none.py")
    claims("def test_it(): pass", file="tests/test_it.py")
    result = pytester.runpytest_inprocess("-W", "default", "c/none.py", "tests")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*no claims in c/none.py*"])


def test_a_project_of_its_own_is_read_once(pytester, monkeypatch):
    """A folder named circuits that has nothing to do with us costs no more than its size."""
    from pytest_circuits import claim_files

    folder = pytester.mkdir("circuits")
    for i in range(30):
        others = "\n".join(f"import part{j}" for j in range(30))
        (folder / f"part{i}.py").write_text(others)
    read = []
    text = claim_files._text
    monkeypatch.setattr(claim_files, "_text", lambda path: read.append(path) or text(path))
    assert pytester.runpytest_inprocess("circuits").ret == 5
    # Once for whether it speaks of us, once for whether to say that it was passed over.
    assert len(read) <= 60
