"""The table, the cost line and the document, from rows."""

import json

import pytest

from pytest_circuits.report.summary import (
    NOT_EVALUATED,
    Row,
    as_document,
    as_properties,
    cost,
    counted,
    is_about_claim,
    not_evaluated,
    row_of,
    table,
    to_json,
    worst_first,
)

METHOD = {"model": "tiny", "fingerprint": "f", "dtype": "float32", "device": "cpu", "runs": ["IOI"]}


def verdict(value=0.5, *, status="holds", margin=0.1, label="", **changes):
    part = {"label": label, "value": value, "low": value - 0.1, "high": value + 0.1}
    return {
        "claim": "x >= 0.4",
        "status": status,
        "required": ">= 0.4",
        "margin": margin,
        "part": label,
        "n": 8,
        "unit": "",
        "source": "s",
        "parts": [part],
        **{key: part[key] for key in ("value", "low", "high")},
        "method": METHOD,
        **changes,
    }


def row(name, status="holds", **changes):
    return Row(nodeid=f"circuits/x.py::{name}", status=status, **changes)


def test_properties_and_back():
    original = verdict()
    properties = [("circuit_nodeid", "f.py::a"), *as_properties(original)]
    assert all(type(value) in (str, int, float) for _, value in properties)
    found = row_of("holds", properties, reason="none", note="n")
    assert found == Row(nodeid="f.py::a", status="holds", verdict=original, reason="none", note="n")


def test_a_reason_among_the_properties_wins():
    properties = [("circuit_nodeid", "a"), ("circuit_reason", "no head"), ("circuit_passes", "[]")]
    assert row_of("error", properties, reason="last line").reason == "no head"


def test_whose_properties():
    assert is_about_claim([("other", 1), ("circuit_claim", "x")])
    assert not is_about_claim([("circuit", "x"), ("claim", "y")])


def test_worst_first_by_status_then_margin_and_what_was_expected_last():
    rows = [
        row("expected", "refuted", verdict=verdict(margin=-9.0), note="xfail"),
        row("fine", verdict=verdict(margin=0.5)),
        row("narrow", verdict=verdict(margin=0.1)),
        row("open", "undecided", verdict=verdict(margin=0.2)),
        row("bad", "refuted", verdict=verdict(margin=-0.1)),
        row("worse", "refuted", verdict=verdict(margin=-0.2)),
        row("absent", NOT_EVALUATED),
        row("broken", "error"),
    ]
    order = [each.nodeid.split("::")[1] for each in worst_first(rows)]
    assert " ".join(order) == "broken absent worse bad open narrow fine expected"


def test_cells():
    (header, line) = table([row("a[tiny]", verdict=verdict(label="9.6"))])
    assert " ".join(header.split()) == "claim measured [interval] required margin n"
    assert " ".join(line.split()) == "a[tiny] 9.6 0.5 [0.4, 0.6] >= 0.4 +0.1 8 holds"


def test_reasons_are_shortened_and_stay_on_one_line():
    (_, line) = table([row("a", "error", reason="one line\nand another " * 20)])
    assert len(line) < 100
    assert line.endswith("error")


@pytest.mark.parametrize("key", ["low", "high", "margin"])
def test_what_has_no_bound(key):
    (_, line) = table([row("a", verdict=verdict(**{key: None}))])
    assert "unbounded" in line


def test_notes_stand_beside_the_status():
    (_, line) = table([row("a", "refuted", verdict=verdict(), note="xfail")])
    assert line.endswith("refuted (xfail)")


def test_skips_are_counted_by_reason():
    rows = [row(name, NOT_EVALUATED, reason="no gpt2") for name in "ab"]
    rows += [row("c", NOT_EVALUATED, reason="slow"), row("d", "error", reason="no gpt2")]
    assert not_evaluated(rows) == [
        "2 claims NOT EVALUATED: no gpt2",
        "1 claim NOT EVALUATED: slow",
    ]


def test_cost_adds_up():
    one = {"interventions": 1, "forwards": 1.07, "seconds": 0.25, "prompts": 64}
    many = {"interventions": 339, "forwards": 30.31, "seconds": 8.0, "prompts": 128}
    assert cost([row("a", passes=(one,))]) == (
        "1 pass, 1 intervention, 1.1 forward-equivalents of 64 prompts, 0.2 s in the model"
    )
    # Two workers report a pass each, and so does one that made two.
    for rows in (
        [row("a", passes=(one, many))],
        [row("a", passes=(one,)), row("b", passes=(many,))],
    ):
        assert cost(rows) == (
            "2 passes, 340 interventions, 30.8 forward-equivalents of 128 prompts, 8.2 s in the "
            "model"
        )


def test_counted():
    assert [counted(n, "claim") for n in (0, 1, 2)] == ["0 claims", "1 claim", "2 claims"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_that_every_reader_accepts(value):
    assert json.loads(to_json({"a": [value, (1.0, value)]})) == {"a": [None, [1.0, None]]}


def test_the_document_says_the_outcome_over_the_verdict():
    rows = [row("a", "holds", verdict=verdict(), note="but failed: hook")]
    (claim,) = as_document(rows)["claims"]
    assert (claim["nodeid"], claim["status"], claim["note"]) == (
        "circuits/x.py::a",
        "holds",
        "but failed: hook",
    )
    assert claim["method"] == METHOD
    assert as_document([]) == {"claims": [], "passes": [], "validity": {}}
