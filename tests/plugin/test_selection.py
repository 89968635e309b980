"""Claims are selected like any other test."""

TWO = "name_mover_looks = look <= 0.99\ninduction_looks = look >= 0.99"


def test_by_keyword(claims, run):
    claims(TWO)
    run("-k", "induction").assert_outcomes(failed=1, deselected=1)


def test_by_marker(claims, pytester, run):
    claims(TWO)
    pytester.makepyfile("def test_other(): pass")
    run("-m", "circuit").assert_outcomes(passed=1, failed=1, deselected=1)
    run("-m", "not circuit").assert_outcomes(passed=1, deselected=2)


def test_by_node_id(claims, run):
    claims(TWO)
    run("circuits/x.py::name_mover_looks").assert_outcomes(passed=1)
    result = run("circuits/x.py::mistyped")
    assert result.ret == 4


def test_last_failed(claims, run):
    claims(TWO)
    run()
    result = run("--lf")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*induction_looks is refuted*"])
    assert result.ret == 1


def test_setup_plan_measures_nothing(claims, run, provider):
    claims(TWO)
    result = run("--setup-plan")
    result.stdout.fnmatch_lines(["*circuits/x.py::name_mover_looks (fixtures used: circuit_*"])
    result.stdout.no_fnmatch_line("*NO REPORT*")
    assert result.ret == 0
    assert provider.asked == []
