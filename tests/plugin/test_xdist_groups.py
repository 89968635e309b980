"""--dist loadgroup: claims on the same model belong together.

With pytest 9.2, xdist 3.8 ignores groups (it sets `item._nodeid`, which nothing reads any more);
what can be tested here is that claims are marked, and that the option does no harm.
"""

import pytest

MARKS = """
def pytest_collection_finish(session):
    for item in session.items:
        print(item.name, [mark.kwargs for mark in item.iter_markers("xdist_group")])
"""


def test_claims_are_marked_with_their_model(claims, pytester):
    claims("a = look >= 0.001")
    pytester.makeconftest(MARKS)
    result = pytester.runpytest_inprocess("--collect-only", "-qs", "--circuit-model=org/x")
    result.stdout.fnmatch_lines(["a[[]x[]] [[]{'name': 'org/x'}[]]"])


def test_nothing_is_marked_without_xdist(claims, pytester):
    claims("a = look >= 0.001")
    pytester.makeconftest(MARKS)
    args = ("--collect-only", "-qs", "-p", "no:xdist", "--strict-markers")
    pytester.runpytest_inprocess(*args).stdout.fnmatch_lines(["a [[][]]"])


@pytest.mark.parametrize("dist", ["load", "loadgroup", "loadfile", "worksteal", "each"])
def test_every_distribution_gives_the_same_table(dist, claims, canned):
    claims("a = look >= 0.7\nb = look >= 0.3")
    result = canned("-q", "-n2", f"--dist={dist}", "--circuit-model=./x", "--circuit-model=./y")
    assert result.returncode == 1
    table = result.stdout.partition("circuit claims =")[2].splitlines()[2:6]
    assert [row.split()[0] for row in table] == ["a[x]", "a[y]", "b[x]", "b[y]"]
    assert "NO REPORT" not in result.stdout


@pytest.mark.parametrize(("workers", "threads"), [(1, []), (2, [4]), (64, [1])])
def test_workers_share_the_cores(workers, threads, claims, run, monkeypatch):
    claims("a = look <= 0.99")
    asked = []
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", str(workers))
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("torch.set_num_threads", asked.append)
    run().assert_outcomes(passed=1)
    assert asked == threads
