"""The claims of a file share one Suite."""


def test_two_suites_are_a_collection_error(claims, pytester):
    claims("other = Suite(model='other')\na = look >= 0.001")
    result = pytester.runpytest_inprocess()
    assert result.ret == 2
    result.stdout.fnmatch_lines(
        ["*circuits/x.py declares 2 suites; the claims of a file share one Suite.*"]
    )
    result.assert_outcomes(errors=1)


def test_two_names_of_one_suite_are_fine(claims, run):
    claims("same = suite\na = look <= 0.99")
    run().assert_outcomes(passed=1)


def test_without_a_suite_a_model_is_needed(pytester, run):
    text = "from pytest_circuits import logit_difference\na = logit_difference() >= -99"
    pytester.makepyfile(test_x=text)
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["circuits: 1 claim on no model;*", "not evaluable: no model: name one in the file*"]
    )
    run("--circuit-model=tiny").assert_outcomes(passed=1)


def test_the_source_of_the_suite_is_cited_unless_the_claim_has_its_own(claims, run):
    claims("a = look >= 0.98\nb = (look >= 0.98).cite('section 9')")
    result = run("-k a")
    result.stdout.fnmatch_lines(["  source     this test"])
    run("-k b").stdout.fnmatch_lines(["  source     section 9"])
