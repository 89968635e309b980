"""The failure text: short, complete, whatever the claim."""

from dataclasses import replace

import pytest

from pytest_circuits import END, IO, attention, heads
from pytest_circuits.estimates import Part
from pytest_circuits.report.text import WIDTH, failure_text, interval, short_text
from pytest_circuits.verdicts import Estimate, Method, judge

MANY = heads(*(f"{layer}.{head}" for layer in range(4) for head in range(4)), at=END, name="movers")


def verdict(claim, *, values=(0.5,), labels=(), unit="attention", by_head=(), prompts=5, source=""):
    method = Method(
        task="IOI, n=8, seed=0" + ", and more words about the prompts" * 8,
        left_out=("12 of 158 names (not one token): " + "Amir, " * 40,),
        prompts_digest="d" * 16,
        n=8,
        seed=0,
        runs=("IOI", *(f"IOI with some intervention number {i}" for i in range(9))),
        interval="95 % bootstrap over prompts (2000 resamples)",
        model="tiny",
        fingerprint="f" * 64,
        provenance="here",
        dtype="float32",
        device="cpu",
        engine="light cone (checked)",
    )
    labels = labels or ([""] if len(values) == 1 else list(map(str, MANY.heads)))
    estimate = Estimate(
        measure=claim.measure,
        parts=tuple(
            Part(label=label, value=value, low=value - 0.1, high=value + 0.1)
            for label, value in zip(labels, values, strict=False)
        ),
        unit=unit,
        n=8,
        by_head=by_head,
        texts=tuple(f"prompt {i} " + "word " * 40 for i in range(prompts)),
        contributions=(tuple(i / 10 for i in range(prompts)),) * len(values) if prompts else (),
        method=method,
    )
    return judge(claim.cite(source) if source else claim, estimate)


LOOK = attention(MANY.mean, to=IO)


def test_short():
    assert short_text(verdict(LOOK >= 0.7)) == [
        f"claim refuted: {LOOK} >= 0.7",
        "measured 0.5 [0.4, 0.6] attention (n=8)",
        "required >= 0.7, margin -0.2",
    ]


def test_control_characters_do_not_reach_the_terminal():
    claim = LOOK >= 0.7
    # Past the check of its constructor: whoever writes claims, the report does not rely on it.
    object.__setattr__(claim, "source", "\x1b[31mred\x07 and \0, " + "long " * 100_000)
    found = verdict(claim, labels=["\x1b[2J"])
    text = "\n".join([*failure_text(found, name="a\x1b", rerun="pytest \x1b"), *short_text(found)])
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "\\x1b[31mred\\x07" in text
    assert len(text) < 5_000


WORST_CASE = {
    "values": [i / 100 for i in range(16)],
    "source": "Wang et al. 2022, " + "a very long source " * 20,
}


@pytest.mark.parametrize("length", [1, 300])
def test_under_twenty_lines_and_never_wide(length):
    result = verdict(attention(MANY.each, to=IO) >= 0.7, **WORST_CASE)
    lines = failure_text(result, name="n" * length, rerun="pytest x.py::a")
    assert len(lines) < 20
    assert all(len(line) <= WIDTH for line in lines[1:])


def test_all_fields_in_order():
    lines = failure_text(verdict(LOOK >= 0.7, source="section 3"), name="a", rerun="pytest f.py::a")
    labels = [line.split()[0] for line in lines[1:] if line[2] != " "]
    assert " ".join(labels) == "claim measured required worst model prompts left runs source rerun"


def test_of_many_runs_their_number_and_the_first():
    method = verdict(LOOK >= 0.7).estimate.method
    assert str(method).count("IOI with") == 5
    assert str(method).startswith("tiny [ffffffffffff] float32 on cpu; light cone (checked); IOI,")
    assert method.as_dict()["engine"] == "light cone (checked)"
    assert "runs: 10, of which IOI; IOI with some intervention number 0;" in str(method)
    assert "number 4; and 4 more; 95 % bootstrap" in str(method)
    (line,) = [x for x in failure_text(verdict(LOOK >= 0.7)) if x.startswith("  runs")]
    assert line.startswith("  runs       10, of which IOI; IOI with some intervention number 0")
    assert len(method.as_dict()["runs"]) == 10
    assert replace(method, runs=method.runs[:6]).runs_in_short().count(";") == 5


def test_the_rerun_command_is_whole():
    command = "pytest circuits/x.py::a --circuit-model " + "/long/path" * 30 + " --circuit-seed 3"
    assert failure_text(verdict(LOOK >= 0.7), rerun=command)[-1] == f"  rerun      {command}"


def test_without_name_source_and_rerun():
    lines = failure_text(verdict(LOOK >= 0.7))
    assert lines[0] == "claim refuted: no value of the interval satisfies it"
    assert not any(line.startswith(("  source", "  rerun")) for line in lines)


@pytest.mark.parametrize(
    ("claim", "first"),
    [(LOOK >= 0.7, "0 "), (LOOK <= 0.3, "0.4 "), (LOOK.between(0.1, 0.2), "0.4 ")],
)
def test_the_worst_prompts_are_worst_for_the_claim(claim, first):
    lines = failure_text(verdict(claim))
    worst = [line for line in lines if "'prompt" in line]
    assert len(worst) == 3
    assert worst[0].startswith("  worst      " + first)


def test_no_prompts_where_single_prompts_mean_nothing():
    lines = failure_text(verdict(LOOK >= 0.7, prompts=0))
    assert not any(line.startswith("  worst") for line in lines)


def test_heads_worst_first_and_no_more_than_eight():
    result = verdict(attention(MANY.each, to=IO) >= 0.7, values=[1 - i / 16 for i in range(16)])
    text = " ".join(failure_text(result))
    heads_ = text.partition("heads")[2].partition("worst")[0]
    assert heads_.split()[0] == "3.3"


def test_pooled_heads_are_listed():
    by_head = tuple((str(head), 0.25) for head in MANY.heads)
    (line, *_) = [x for x in failure_text(verdict(LOOK >= 0.7, by_head=by_head)) if "heads " in x]
    assert line.startswith("  heads      0.0 0.25; 0.1 0.25")
    text = " ".join(failure_text(verdict(LOOK >= 0.7, by_head=by_head)))
    assert "and 8 more" in " ".join(text.split())


@pytest.mark.parametrize(
    ("labels", "word"),
    [
        (["9.6", "10.0"], "heads"),
        (["name movers", "nothing"], "parts"),
        (["position +, token -", "position -, token -"], "parts"),
        (["total 9.6", "direct 9.6"], "parts"),
        (["9.6@END (K: nothing)", "9.6"], "parts"),
    ],
)
def test_parts_are_called_heads_only_if_they_are(labels, word):
    lines = failure_text(verdict(LOOK >= 0.7, values=(0.5, 0.6), labels=labels))
    assert f"  {word}      {labels[0]} 0.5 [0.4, 0.6]; {labels[1]} 0.6 [0.5, 0.7]" in lines


def test_a_value_without_a_unit():
    result = verdict(LOOK >= 0.7, unit="")
    assert short_text(result)[1] == "measured 0.5 [0.4, 0.6] (n=8)"
    measured = "  measured   0.5 [0.4, 0.6], 95 % bootstrap over prompts (2000 resamples)"
    assert measured in failure_text(result)


def test_an_interval_without_bound():
    part = Part(label="9.6", value=1.0, low=-float("inf"), high=float("inf"))
    assert interval(part) == "9.6 1 [-inf, inf]"


def test_the_worst_prompts_are_those_of_the_part_that_decides():
    result = verdict(attention(MANY.each, to=IO) >= 0.7, values=(0.9, 0.5), labels=("0.0", "0.1"))
    own = ((0.9,) * 5, (0.1, 0.2, 0.3, 0.4, 1.5))
    result = replace(result, estimate=replace(result.estimate, contributions=own))
    assert [value for _, value in result.worst_prompts()] == [0.1, 0.2, 0.3]
    assert [value for _, value in result.as_dict()["worst_prompts"]] == [0.1, 0.2, 0.3]


def test_what_a_prompt_adds_to_a_ratio_is_called_linearised():
    result = verdict(LOOK >= 0.7)
    assert not any("linearised" in line for line in failure_text(result))
    result = replace(result, estimate=replace(result.estimate, linearised=True))
    lines = [line for line in failure_text(result) if "'prompt" in line]
    assert lines[0].startswith("  worst      0 (linearised)  'prompt 0")
    assert result.as_dict()["worst_prompts_linearised"]
