"""--circuit-model, repeated: every claim on every model, each model loaded once."""

import pytest

from pytest_circuits.collection import model_labels


def nodes(result):
    return [line.split("::")[1] for line in result.outlines if "::" in line]


def test_an_item_per_claim_and_model(claims, pytester):
    claims("a = look <= 0.99\nb = look <= 0.99")
    result = pytester.runpytest_inprocess(
        "--collect-only", "-q", "--circuit-model=runs/step10", "--circuit-model=org/step20@v1"
    )
    assert sorted(nodes(result)) == ["a[step10]", "a[step20@v1]", "b[step10]", "b[step20@v1]"]


def test_each_model_is_loaded_once(claims, run, provider):
    claims("a = look <= 0.99\nb = look <= 0.99", file="circuits/x.py")
    claims("c = look <= 0.99", file="circuits/y.py")
    result = run("--circuit-model=first", "--circuit-model=second", "-v")
    result.assert_outcomes(passed=6)
    assert provider.asked == ["first", "second"]
    ran = [line.split("::")[1].split()[0] for line in result.outlines if " PASSED " in line]
    assert ran == ["a[first]", "b[first]", "c[first]", "a[second]", "b[second]", "c[second]"]


def test_one_model_replaces_the_suites_own(claims, run, provider):
    claims("a = look <= 0.99", model="the-suites-own")
    result = run("--circuit-model=other")
    result.stdout.fnmatch_lines(["circuits: 1 claim on other; float32 on cpu"])
    assert provider.asked == ["other"]


def test_a_claim_is_selected_on_one_model_or_on_all(claims, run):
    claims("a = look <= 0.99\nb = look <= 0.99")
    both = ["--circuit-model=first", "--circuit-model=second"]
    run("circuits/x.py::a", *both).assert_outcomes(passed=2)
    run("circuits/x.py::a[second]", *both).assert_outcomes(passed=1)
    run("-k", "second", *both).assert_outcomes(passed=2, deselected=2)


@pytest.mark.parametrize(
    ("specs", "labels"),
    [
        (["smollm2-135m"], ["smollm2-135m"]),
        (["org/model@rev/1"], ["1"]),
        (["./runs/step 10/", "C:\\runs\\step20"], ["step-10", "step20"]),
        (["a/step10", "b/step10"], ["a-step10-0", "b-step10-1"]),
        (["same", "same"], ["same-0", "same-1"]),
        (["modèle::x[1]"], ["mod-le-x-1"]),
        (["/"], ["0"]),
        (["模型"], ["0"]),
    ],
)
def test_labels_are_fit_for_node_ids(specs, labels):
    assert model_labels(specs) == labels


def test_awkward_specs_under_strict_ids(claims, run):
    claims("a = look <= 0.99")
    specs = [f"--circuit-model={spec}" for spec in ("./a/x", "./b/x", "ü::[/", "x")]
    result = run("-o", "strict=true", *specs)
    result.assert_outcomes(passed=4)
