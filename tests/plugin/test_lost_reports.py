"""A claim that produced no report must not pass for one that holds (xdist #1017)."""

import pytest

CLAIMS = "\n".join(f"b{i} = look >= 0.3" for i in range(6)) + "\na_refuted = look >= 0.7"

# execnet sends builtins only: np.float64, although a float, takes the worker down.
UNSENDABLE = """
import pytest

class Number(float):
    pass

@pytest.fixture(autouse=True)
def number(request):
    if request.node.name == "a_refuted":
        request.node.user_properties.append(("value", Number(0.1)))
"""

SWALLOWED = """
def pytest_runtest_protocol(item):
    return True if item.name == "a_refuted" else None
"""


@pytest.fixture
def session(claims, canned, pytester):
    def session(conftest, *args, text=CLAIMS):
        claims(text)
        with (pytester.path / "conftest.py").open("a") as file:
            file.write("\n" + conftest)
        return canned("-q", *args)

    return session


# How xdist ends after such a crash is a race between its threads: sometimes well.
@pytest.mark.parametrize("text", [CLAIMS, "a_refuted = look >= 0.7"], ids=["many", "alone"])
def test_a_report_that_cannot_be_sent(text, session):
    result = session(UNSENDABLE, "-n2", text=text)
    assert result.returncode in (1, 3), result.stdout


WORKERS = pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["serial", "n2"])


@WORKERS
def test_a_swallowed_claim(workers, session):
    result = session(SWALLOWED, *workers)
    assert result.returncode == 3
    assert "1 collected item produced NO REPORT:\n  circuits/x.py::a_refuted" in result.stdout


UNGUARDED = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    reporter = config.pluginmanager.unregister(name="circuits-reporter")
"""


@WORKERS
def test_without_the_guard_it_would_pass(workers, session):
    assert session(SWALLOWED + UNGUARDED, *workers).returncode == 0


ONLY_SETUP = """
from _pytest.runner import runtestprotocol

def only_setup(item):
    setup, *rest = runtestprotocol(item, nextitem=None, log=False)
    item.ihook.pytest_runtest_logreport(report=setup)
    return True
"""


def test_a_call_owes_a_report_even_if_its_setup_made_one(session):
    lost = SWALLOWED.replace("return True", "return only_setup(item)")
    result = session(ONLY_SETUP + lost)
    assert result.returncode == 3, result.stdout


def test_under_xdist_every_item_of_a_session_with_claims_owes_one(session, pytester):
    swallowed = SWALLOWED.replace("a_refuted", "test_other")
    pytester.makepyfile(test_imports="from x import b1, suite\ndef test_other(): pass")
    pytester.makeini("[pytest]\npythonpath = circuits")
    assert session(swallowed, "-n2", text="b1 = look >= 0.3").returncode == 3


@pytest.mark.parametrize(
    "args",
    [
        ["--collect-only"],
        ["-k", "b1"],
        ["--setup-plan"],
        ["--deselect", "circuits/x.py::a_refuted"],
    ],
    ids=lambda args: args[0],
)
def test_what_was_not_to_run_owes_nothing(args, session):
    assert session(SWALLOWED, *args).returncode == 0


@pytest.mark.parametrize("args", [["-x"], ["--maxfail=1"], ["-x", "-n2"]], ids=" ".join)
def test_stopping_early_is_a_failure_not_an_internal_error(args, session):
    result = session("", *args)
    assert result.returncode in (1, 2)
    assert "NO REPORT" not in result.stdout


def test_last_failed_and_stepwise(session, canned):
    assert session("").returncode == 1
    for option in ("--lf", "--ff", "--sw"):
        result = canned("-q", option)
        assert result.returncode in (1, 2)
        assert "NO REPORT" not in result.stdout


RERUN = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for _ in range(2):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
"""


def test_reruns_report_twice_and_count_once(session):
    result = session(RERUN, text="a = look >= 0.3")
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("a      0.5") == 1


def test_a_session_ended_with_success_by_someone_else(session):
    ends = "import pytest\ndef pytest_runtest_setup(item): pytest.exit('enough', returncode=0)"
    assert session(ends).returncode == 3


@WORKERS
def test_a_swallowed_claim_that_came_through_an_import(workers, claims, canned, pytester):
    claims("a_refuted = look >= 0.7\nb = look >= 0.3", file="circuits/_common.py")
    (pytester.path / "circuits/x.py").write_text("from _common import *")
    with (pytester.path / "conftest.py").open("a") as file:
        file.write("\n" + SWALLOWED)
    result = canned("-q", *workers)
    assert result.returncode == 3, result.stdout
    assert "1 collected item produced NO REPORT:\n  circuits/x.py::a_refuted" in result.stdout
