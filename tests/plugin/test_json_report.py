"""--circuit-json, JUnit properties and the table say the same, in builtins."""

import json
from xml.etree import ElementTree

import pytest

CLAIMS = """\
refuted = look >= 0.99
holds = look <= 0.99
each = attention(heads("0.0", "1.1", at=END).each, to=IO) <= 0.99
error = attention(heads("40.1", at=END), to=IO) >= 0.001
shared = (look - look) >= -0.9
"""


def read(folder):
    document = json.loads((folder / "out/x.json").read_text(), parse_constant=refuse)
    cases = ElementTree.parse(folder / "junit.xml").iter("testcase")
    junit = {
        case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")}
        for case in cases
    }
    return {each["nodeid"].split("::")[1]: each for each in document["claims"]}, junit, document


def refuse(constant):
    raise AssertionError(f"no JSON: {constant}")


def agree(written, junit, lines):
    lines = lines[next(i for i, line in enumerate(lines) if "circuit claims =" in line) :]
    for name, claim in written.items():
        properties = junit[name]
        assert properties["circuit_nodeid"] == claim["nodeid"]
        (row,) = [line for line in lines if line.startswith(name + " ")]
        if claim["status"] == "error":
            assert properties["circuit_reason"] == claim["reason"]
            assert claim["reason"][:40] in row
            continue
        for key in ("status", "value", "low", "high", "n", "unit", "required", "margin", "source"):
            assert properties["circuit_" + key] == str(claim[key])
        assert json.loads(properties["circuit_verdict"]).items() <= claim.items()
        for value in (f"{claim['value']:.3g}", claim["required"], f"{claim['margin']:+.3g}"):
            assert value in row
        assert row.endswith(claim["status"])


ARGS = ("--circuit-json=out/x.json", "--junitxml=junit.xml")


def test_three_reports_agree(claims, run, pytester):
    claims(CLAIMS)
    result = run(*ARGS)
    written, junit, document = read(pytester.path)
    assert set(written) == {"refuted", "holds", "each", "error", "shared"}
    agree(written, junit, result.outlines)
    assert document["passes"] == [{**document["passes"][0], "what": "IOI", "prompts": 8}]
    method = written["holds"]["method"]
    assert (method["n"], method["seed"], method["dtype"]) == (8, 0, "float32")
    assert [part["label"] for part in written["each"]["parts"]] == ["0.0", "1.1"]


def test_they_agree_on_two_workers(claims, canned, pytester):
    claims("refuted = look >= 0.7\nholds = look >= 0.3\nundecided = look >= 0.5")
    result = canned("-n2", *ARGS)
    written, junit, _ = read(pytester.path)
    assert {name: each["status"] for name, each in written.items()} == {
        "refuted": "refuted",
        "undecided": "undecided",
        "holds": "holds",
    }
    agree(written, junit, result.stdout.splitlines())


def test_only_builtins_travel(claims, run, pytester):
    claims(CLAIMS)
    pytester.makeconftest(
        """
        def check(value):
            assert type(value) in (str, int, float), (value, type(value))

        def pytest_runtest_logreport(report):
            for _, value in report.user_properties:
                check(value)
        """
    )
    result = run()
    result.assert_outcomes(passed=3, failed=1, errors=1)


def test_that_check_can_fail(claims, run, pytester):
    claims(CLAIMS)
    pytester.makeconftest(
        """
        import pytest, numpy

        @pytest.fixture(autouse=True)
        def leak(request):
            request.node.user_properties.append(("leaked", numpy.float64(1)))

        def pytest_runtest_logreport(report):
            for _, value in report.user_properties:
                assert type(value) in (str, int, float)
        """
    )
    assert run().ret != 1


def test_an_interval_without_bound_is_null(claims, canned, pytester):
    claims("a = look >= 0.001")
    conftest = pytester.path / "conftest.py"
    conftest.write_text(conftest.read_text().replace("return 0.4, 0.6", "return 0.4, float('inf')"))
    result = canned(*ARGS)
    written, junit, _ = read(pytester.path)
    assert (written["a"]["low"], written["a"]["high"]) == (0.4, None)
    assert json.loads(junit["a"]["circuit_verdict"], parse_constant=refuse)["high"] is None
    assert "0.5 [0.4, unbounded]" in result.stdout


def test_a_file_that_cannot_be_written_fails_the_session(claims, canned, pytester):
    claims("a = look >= 0.3")
    (pytester.path / "file").touch()
    result = canned("--circuit-json=file/out.json")
    assert result.returncode == 3
    assert "--circuit-json was NOT WRITTEN" in result.stdout
    assert "Traceback" not in result.stdout


def test_nothing_is_written_when_nothing_is_run(claims, run, pytester):
    claims("a = look >= 0.001")
    for option in ("--collect-only", "--setup-plan"):
        run(option, *ARGS)
        assert not (pytester.path / "out").exists()


def test_a_test_that_changes_the_directory(claims, run, pytester):
    claims("a = look >= 0.001")
    pytester.makepyfile("def test_it(tmp_path): import os; os.chdir(tmp_path)")
    run(*ARGS)
    assert (pytester.path / "out/x.json").exists()


@pytest.mark.parametrize("option", ["-q", "-v", "--no-summary", "-p no:terminal"])
def test_whatever_is_shown(option, claims, run, pytester):
    claims("a = look >= 0.001")
    run(*option.split(maxsplit=1), *ARGS)
    assert (pytester.path / "out/x.json").exists()
