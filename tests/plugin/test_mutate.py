"""--circuit-mutate: after the claims, the model's mutants; who notices, and what never fails."""

import json

import pytest

CLAIMS = """\
from pytest_circuits import direct_logit_attribution

suite = Suite(model="reference-ioi", prompts=32, source="its wiring")
role = heads("6.0", "6.2", at=END, name="finders")
attention_is_at_most_one = attention(role.each, to=IO) <= 0.99
decoy_too = attention(heads("4.0", at=END, name="decoy"), to=IO) <= 0.99
writes = direct_logit_attribution(heads("6.0", at=END)) >= 1
false = look >= 0.99
"""


@pytest.fixture(scope="module")
def reference():
    from pytest_circuits import load_model

    return load_model("reference-ioi", progress=False)


@pytest.fixture
def suite(claims, provider, reference):
    """A claim that cannot fail, one that a knock-out makes false, one that is false anyway."""
    provider.model = reference
    claims(CLAIMS)


@pytest.fixture
def mutate(run):
    """Return a function that runs the claims and the mutants whose names are given."""
    return lambda *names, args=(): run(
        "--circuit-mutate",
        "--circuit-prompts=96",
        *(f"--circuit-mutants={each}" for each in names),
        *args,
    )


def shown(result):
    lines = result.outlines
    start = next(i for i, line in enumerate(lines) if "circuit mutants =" in line)
    return lines[start:]


def test_the_table(suite, mutate):
    result = mutate("finders", "decoy knocked")
    result.stdout.fnmatch_lines(
        [
            "*= circuit claims =*",
            "*= circuit mutants =*",
            "circuits/x.py on *",
            "3 claims put to mutants; * s",
            "heads sabotaged, to be noticed by claims that name them:",
            "  knocked out: noticed 1 of 2",
            "  OV shuffled: noticed 1 of 1",
            "  QK shuffled: noticed 1 of 1",
            "the whole model sabotaged, to be noticed by any claim: none",
            "decoys, which change nothing that the model does, to be noticed by none:",
            "  values in another basis: noticed 0 of 1",
            "1 not put to mutants, as they do not hold on the model:",
            "  false",
            "1  finders knocked out * -> * 2 * 1 * 0 * 0 * 0",
            "2  decoy knocked out * -> * 1 * 0 * 0 * 0 * 0  NOT NOTICED",
            "claims x mutants: *",
            "attention_is_at_most_one  .....",
            "decoy_too                 .....",
            "writes                    R.RR.",
            "2 never failed on any sabotage *",
            "  attention_is_at_most_one, decoy_too",
            "1 mutant not noticed:",
            "  decoy knocked out",
        ]
    )


@pytest.mark.slow
def test_every_mutant_without_a_pattern_and_the_model_is_left_as_it_was(suite, mutate, provider):
    import torch

    before = {k: each.clone() for k, each in provider.model.bridge.named_parameters()}
    text = "\n".join(shown(mutate()))
    for name in ("finders knocked out", "layer 5 re-initialised", "noised", "quantised to 2 bits"):
        assert name in text
    for name, each in provider.model.bridge.named_parameters():
        assert torch.equal(each, before[name]), name


def test_survivors_leave_the_exit_code_alone(claims, mutate):
    claims("a = attention(heads('0.1', at=END, name='x'), to=IO) <= 0.99")
    result = mutate("knocked out")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*  knocked out: noticed 0 of 1"])


def test_a_failing_claim_fails_as_ever(suite, mutate):
    assert mutate("knocked out").ret == 1


def test_json(suite, mutate, pytester):
    mutate("finders knocked", "decoy knocked", args=["--circuit-json=out.json"])
    (account,) = json.loads((pytester.path / "out.json").read_text())["mutation"]
    assert account["claims"] == ["attention_is_at_most_one", "decoy_too", "writes"]
    assert account["left_out"] == ["false"]
    assert account["never_failed"] == ["attention_is_at_most_one", "decoy_too"]
    (knocked_out,) = account["kinds"]
    assert knocked_out == {"kind": "knocked out", "scope": "heads", "noticed": 1, "of": 2}
    assert account["survivors"] == ["decoy knocked out"]
    first, second = account["trials"]
    assert first["mutant"]["kind"] == "knocked out"
    assert first["mutant"]["heads"] == ["6.0", "6.2"]
    harmless = {"attention_is_at_most_one": "holds", "decoy_too": "holds"}
    assert first["statuses"] == harmless | {"writes": "refuted"}
    assert (first["noticed"], second["noticed"]) == (True, False)


def test_without_the_option_there_is_nothing(suite, run, pytester):
    result = run("--circuit-json=out.json")
    assert "mutants" not in result.stdout.str()
    assert "mutation" not in json.loads((pytester.path / "out.json").read_text())


def test_a_selection_limits_the_claims(suite, mutate):
    result = mutate("QK", args=["-k", "at_most"])
    result.stdout.fnmatch_lines(["*QK shuffled: noticed 0 of 1"])
    assert "not put to mutants" not in result.stdout.str()


def test_each_suite_and_each_model_has_its_own(claims, run, provider):
    claims("a = attention(heads('0.1', at=END, name='x'), to=IO) <= 0.99", file="circuits/x.py")
    claims("b = attention(heads('1.1', at=END, name='y'), to=IO) <= 0.99", file="circuits/y.py")
    args = ("--circuit-model=one", "--circuit-model=two", "--circuit-mutate")
    text = "\n".join(shown(run(*args, "--circuit-mutants=knocked out")))
    assert text.count("knocked out: noticed 0 of 1") == 4
    assert text.count("x knocked out") == text.count("y knocked out") == 2 * 2
    assert "circuits/y.py on " in text
    assert provider.asked[:2] == ["one", "two"]


@pytest.mark.parametrize("args", [["-x"], ["--maxfail=1"]], ids=str)
def test_no_mutants_of_a_session_that_was_stopped(claims, mutate, args):
    claims("a = look <= 0.99\nb = look >= 0.99\nc = look <= 0.99")
    result = mutate(args=args)
    result.stdout.fnmatch_lines(["no mutants were run: *"])
    assert result.ret == 1


def test_no_mutants_where_no_claim_holds(claims, mutate):
    claims("a = look >= 0.99")
    mutate().stdout.fnmatch_lines(["no mutants were run: no claim held, *"])


@pytest.mark.parametrize("args", ["--collect-only", "--setup-plan", "--setup-only"])
def test_nothing_is_sabotaged_when_nothing_is_run(suite, mutate, args, monkeypatch):
    from importlib import import_module

    survey = import_module("pytest_circuits.mutation.survey")
    monkeypatch.setattr(survey, "survey", lambda *_, **options: pytest.exit("sabotaged"))
    result = mutate(args=[args])
    assert result.ret == 0
    assert "circuit mutants" not in result.stdout.str()


def test_a_pattern_that_no_mutant_matches(suite, mutate):
    result = mutate("finders knocked down")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: --circuit-mutants: unknown mutant 'finders knocked down'. Did you mean 'finders *"]
    )


def test_patterns_without_the_option(suite, run):
    result = run("--circuit-mutants=knocked")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: --circuit-mutants must come with --circuit-mutate; got 'knocked' alone"]
    )


def test_from_a_configuration_file(suite, run, pytester):
    pytester.makepyprojecttoml(
        "[tool.pytest]\ncircuit_mutate = true\ncircuit_mutants = ['finders knocked']"
    )
    run().stdout.fnmatch_lines(["*knocked out: noticed * of 1"])


def test_a_mutant_that_cannot_be_made_is_an_error(claims, process, pytester, tiny_folder):
    pytester.makeconftest(
        """
        import pytest_circuits.mutation.choice
        from pytest_circuits.mutation.mutants import KnockedOut
        from pytest_circuits.nodes import Head

        impossible = KnockedOut(heads=(Head(9, 0),))
        pytest_circuits.mutation.choice.mutants_of = lambda claims, **shape: (impossible,)
        """
    )
    claims("a = look <= 0.99", model=str(tiny_folder))
    result = process(pytester.path, "--circuit-mutate")
    assert result.returncode == 1
    assert "\nNOT MADE: 9.0 knocked out: " in result.stdout
    assert "has no head 9.0" in result.stdout


@pytest.mark.parametrize(("scope", "code"), [("decoy", 1), ("heads", 0)])
def test_a_decoy_that_a_claim_notices_fails_the_session(
    claims, mutate, provider, reference, monkeypatch, scope, code
):
    """Made by a decoy that is none: it takes out a head of which the claim speaks."""
    from importlib import import_module

    from pytest_circuits.mutation.mutants import KnockedOut
    from pytest_circuits.nodes import Head

    # Not the package's attribute: runs in this process forget the modules that they imported.
    choice = import_module("pytest_circuits.mutation.choice")
    false = type("False", (KnockedOut,), {"scope": scope})(heads=(Head(6, 0),))
    monkeypatch.setattr(choice, "mutants_of", lambda claims, **shape: (false,))
    provider.model = reference
    claims(CLAIMS.replace("false = look >= 0.99", ""), model="reference-ioi")
    result = mutate()
    assert result.ret == code
    told = ["FALSELY NOTICED: 6.0 knocked out: writes"] if scope == "decoy" else []
    assert [line for line in result.outlines if line.startswith("FALSELY")] == told


def test_several_workers_are_refused(claims, canned):
    claims("a = look <= 0.99")
    result = canned("-n2", "--circuit-mutate")
    assert result.returncode == 4
    assert "ERROR: --circuit-mutate must have all claims in one process; got" in result.stdout
    assert "Traceback" not in result.stdout


def test_one_process_is_not(claims, process, pytester, tiny_folder):
    claims("a = look <= 0.99", model=str(tiny_folder))
    result = process(pytester.path, "-n0", "--circuit-mutate", "--circuit-mutants=layer 0")
    assert result.returncode == 0, result.stdout
    assert "1 never failed on any sabotage" in result.stdout
