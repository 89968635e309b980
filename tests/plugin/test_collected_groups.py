"""Claims in lists, tuples and dicts, and in pytest.param: an item each, found again by its id."""

import pytest

LIST = "several = [look <= 0.99, look >= 0.99]"


def nodes(result):
    return [line.split("::", 1)[1] for line in result.outlines if "::" in line]


@pytest.fixture
def names(claims, pytester):
    def names(text, *args):
        claims(text)
        return nodes(pytester.runpytest_inprocess("--collect-only", "-q", *args))

    return names


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (LIST, ["several[0]", "several[1]"]),
        ("several = (look >= 0.1, 'why', look >= 0.2)", ["several[0]", "several[2]"]),
        ("d = {'a b': look >= 0.1, 3: look >= 0.2}", ["d[a-b]", "d[3]"]),
        ("d = {(0, 1): look >= 0.1, '9.9': look >= 0.2}", ["d[0,-1]", "d[9.9]"]),
        ("d = {'a/b': look >= 0.1, 'a[b': look >= 0.2}", ["d[a-b-0]", "d[a-b-1]"]),
        ("d = {'ü': look >= 0.1, '': look >= 0.2}", ["d[0]", "d[1]"]),
        ("d = {'x': [look >= 0.1, look >= 0.2], 'y': look >= 0.3}", ["d[x-0]", "d[x-1]", "d[y]"]),
        ("d = {'x': [look >= 0.1], 'x-0': look >= 0.3}", ["d[x-0-0]", "d[x-0-1]"]),
        ("import pytest\np = pytest.param(look >= 0.1)", ["p"]),
        ("import pytest\np = pytest.param(look >= 0.1, id='mine')", ["p[mine]"]),
        ("import pytest\np = pytest.param(look >= 0.1, id=pytest.HIDDEN_PARAM)", ["p"]),
        (
            "import pytest\np = [look >= 0.1, pytest.param(look >= 0.2, id='mine')]",
            ["p[0]", "p[mine]"],
        ),
        ("from collections import OrderedDict\nd = OrderedDict(a=look >= 0.1)", ["d[a]"]),
        ("from types import MappingProxyType as M\nd = M({'a': look >= 0.1})", ["d[a]"]),
        ("from collections import namedtuple\nt = namedtuple('T', 'a')(look >= 0.1)", ["t[0]"]),
        ("a = [look >= 0.001]\na.append(a)\na.append([a, look >= 0.002])", ["a[0]", "a[2-1]"]),
        ("_several = [look >= 0.1]\nd = {'a': [], 'b': 3}\ne = []", []),
    ],
    ids=range(17),
)
def test_an_item_for_each(text, ids, names):
    assert names(text) == ids


def test_with_models(names):
    models = ("--circuit-model=a/x", "--circuit-model=y")
    assert sorted(names(LIST, *models)) == [
        "several[0][x]",
        "several[0][y]",
        "several[1][x]",
        "several[1][y]",
    ]


def test_each_is_evaluated(claims, run):
    claims(LIST)
    result = run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["several[[]1] is refuted*", "*pytest 'circuits/x.py::several[[]1]'"]
    )


def test_marks_of_a_param(claims, run):
    claims(
        "import pytest\n"
        "several = [\n"
        "    pytest.param(look >= 0.99, marks=pytest.mark.xfail(reason='known')),\n"
        "    pytest.param(look >= 0.99, marks=[pytest.mark.skip(reason='later')]),\n"
        "    pytest.param(look <= 0.99, marks=pytest.mark.xfail(strict=True)),\n"
        "    pytest.param(look <= 0.99, marks=(pytest.mark.skipif(False, reason='x').mark,)),\n"
        "]\n"
        "alone = pytest.param(look >= 0.99, marks=pytest.mark.xfail)\n"
    )
    run().assert_outcomes(xfailed=2, skipped=1, failed=1, passed=1)


def test_marks_select(claims, pytester, run):
    slow = "pytest.param(look <= 0.98, marks=pytest.mark.slow)"
    claims(f"import pytest\nseveral = [look <= 0.99, {slow}]")
    pytester.makeini("[pytest]\nmarkers = slow: takes long")
    run("-m", "slow").assert_outcomes(passed=1, deselected=1)
    run("-m", "circuit and not slow").assert_outcomes(passed=1, deselected=1)


def test_selected_by_keyword_and_id(claims, run):
    claims("d = {'first': look <= 0.99, 'second': look >= 0.99}")
    run("-k", "first").assert_outcomes(passed=1, deselected=1)
    run("circuits/x.py::d[second]").assert_outcomes(failed=1)
    run("circuits/x.py::d").assert_outcomes(passed=1, failed=1)
    models = ("--circuit-model=tiny", "--circuit-model=./other")
    run("circuits/x.py::d[first][other]", *models).assert_outcomes(passed=1)
    run("circuits/x.py::d", *models).assert_outcomes(passed=2, failed=2)


MODELS = [[], ["tiny"], ["tiny", "./other"]]


@pytest.mark.parametrize("models", MODELS, ids=len)
def test_last_failed(models, claims, run):
    claims(LIST)
    args = [f"--circuit-model={each}" for each in models]
    each = max(1, len(models))
    run(*args).assert_outcomes(passed=each, failed=each)
    again = run(*args, "--lf", "-v")
    again.assert_outcomes(failed=each)
    assert "passed" not in again.parseoutcomes()
    run(*args, "--sw")
    assert "passed" not in run(*args, "--sw").parseoutcomes()
    first = run(*args, "--ff", "-v").outlines
    done = [line for line in first if "PASSED" in line or "FAILED" in line]
    assert ["FAILED" in line for line in done[:each]] == [True] * each


@pytest.mark.parametrize("models", [["a/x", "b/x"]])
def test_the_rerun_command_selects_the_one_claim(models, claims, run):
    claims(LIST)
    result = run(*[f"--circuit-model={each}" for each in models], "-k", "several[1] and b-x")
    result.assert_outcomes(failed=1, deselected=3)
    result.stdout.fnmatch_lines(["*pytest 'circuits/x.py::several[[]1][[]x]' --circuit-model b/x"])
    run("circuits/x.py::several[1][x]", "--circuit-model", "b/x").assert_outcomes(failed=1)


def test_last_failed_on_two_workers(claims, canned, pytester):
    claims("several = [look <= 0.99, look >= 0.99]\nd = {'a': look <= 0.99}")
    for args in ((), ("--circuit-model=tiny", "--circuit-model=other")):
        each = max(1, len(args))
        assert f"{each} failed, {2 * each} passed" in canned("-n2", *args).stdout
        again = canned("-n2", "--lf", *args).stdout
        assert f"{each} failed" in again
        assert "passed" not in again
        (pytester.path / ".pytest_cache/v/cache/lastfailed").unlink()
