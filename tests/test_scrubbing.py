"""Hypotheses as data: what they say, what they lose, what does not fit; the prompts they name."""

import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from fake_reads import draw_of, value

from pytest_circuits import ABC, END, S2, CircuitUsageError, heads, mean
from pytest_circuits.interventions import Scrub
from pytest_circuits.measures.scrubbing import scrubbed_performance, scrubbed_without
from pytest_circuits.nodes import LOGITS, Head, Node, Receiver
from pytest_circuits.scrubbing import hypothesis, scrub
from pytest_circuits.wiring import edges

INDUCTION = heads("1.0", "1.1", at=S2, name="induction heads")
INHIBITION = heads("2.0", "2.1", at=END, name="S-inhibition heads")
MOVERS = heads("3.0", at=END, name="name movers")
EDGES = (edges(INDUCTION, INHIBITION.v), edges(INHIBITION, MOVERS.q), edges(MOVERS, LOGITS))
CARRIES = {INDUCTION: "position", INHIBITION: ("position", "S"), MOVERS: "IO"}
TO = mean(ABC)


@pytest.fixture
def ours():
    return hypothesis(*EDGES, carries=CARRIES, name="ours")


def kept(what):
    return {str(node): features for node, features in scrub(what, to=TO).keeps}


def test_a_hypothesis_is_a_value_whatever_the_order_it_is_written_in(ours):
    again = hypothesis(
        *reversed(EDGES),
        carries={**CARRIES, INHIBITION: ["S", "position", "S"]},
        name="ours",
    )
    assert again == ours
    assert len({again, ours, hypothesis(*EDGES, carries=CARRIES)}) == 2
    under = scrub(ours, to=TO)
    assert pickle.loads(pickle.dumps(under)) == under
    assert hash(scrub(again, to=TO)) == hash(under)


def test_scrubbing_asks_per_node_for_what_its_role_carries(ours):
    assert kept(ours) == {
        "1.0@S2": ("position",),
        "1.1@S2": ("position",),
        "2.0@END": ("S", "position"),
        "2.1@END": ("S", "position"),
        "3.0@END": ("IO",),
    }
    under = scrub(ours, to=TO)
    assert isinstance(under, Scrub)
    assert under.kept(Node(Head(2, 1), END)) == {"S", "position"}
    queries = Receiver(Node(Head(3, 0), END), "q")
    assert under.senders(queries) == (Node(Head(2, 0), END), Node(Head(2, 1), END))
    assert under.senders(Receiver(Node(Head(3, 0), END), "k")) == ()
    assert under.senders(None) == (Node(Head(3, 0), END),)


def test_without_makes_features_of_one_role_wrong(ours):
    wrong = ("-S", "-position")
    assert kept(ours.without(INHIBITION)) == {**kept(ours), "2.0@END": wrong, "2.1@END": wrong}
    one = ours.without(INHIBITION, "position")
    half = ("-position", "S")
    assert kept(one) == {**kept(ours), "2.0@END": half, "2.1@END": half}
    assert one.without(INHIBITION, "S").carries == ours.without(INHIBITION).carries
    assert kept(ours.without(INHIBITION.each)) == kept(ours.without(INHIBITION))


def test_a_name_makes_no_other_run(ours):
    named, renamed = (scrub(replace(ours, name=name), to=TO) for name in ("one", "other"))
    assert named == renamed
    assert str(named) != str(renamed)


def test_names_say_what_is_held_and_what_is_lost(ours):
    assert str(scrub(ours, to=TO)) == (
        "causally scrubbed: ours, every other edge -> mean over ABC per template and position, "
        "MLPs live"
    )
    assert str(ours.without(INHIBITION)) == (
        "ours but S and position of S-inhibition heads (2.0, 2.1) changed"
    )
    assert str(hypothesis(*EDGES, carries={**CARRIES, INDUCTION: ()})) == (
        "induction heads (1.0, 1.1) carry nothing; S-inhibition heads (2.0, 2.1) carry S and "
        "position; name movers (3.0) carry IO"
    )


def test_measures_are_ratios_to_the_model(ours):
    whole, less = scrubbed_performance(ours, to=TO), scrubbed_without(ours, INHIBITION, to=TO)
    assert less == scrubbed_performance(ours.without(INHIBITION), to=TO)
    assert str(whole).startswith("logit difference [causally scrubbed: ours, every other edge")
    assert str(whole).endswith("divided by logit difference")
    assert whole.unit == less.unit == ""
    assert len({whole >= 0.9, less <= 0.3}) == 2


def test_errors_that_cancel_are_seen_prompt_by_prompt(ours):
    # The model prefers the answer by 3, 1, 3, 1; scrubbed by 1, 3, 1, 3.
    def read(need):
        differences = [3, 1, 3, 1] if need.run.under is None else [1, 3, 1, 3]
        return np.array([[each, 0] for each in differences], dtype=float)

    draw = draw_of(n=4)
    ratio = scrubbed_performance(ours, to=TO)
    each = scrubbed_performance(ours, to=TO, form="per prompt")
    assert value(ratio, read, draw) == [1]
    assert value(each, read, draw) == [2]
    assert each.unit == "logits"
    with pytest.raises(CircuitUsageError, match="`form`: unknown form 'prompt'"):
        scrubbed_performance(ours, to=TO, form="prompt")


@pytest.mark.parametrize(
    ("listed", "carries", "message"),
    [
        ((), CARRIES, "`edges`: give one or more tuples made by edges"),
        ((["2.0"],), CARRIES, "`edges`: give one or more tuples made by edges"),
        (EDGES, {"movers": "IO"}, "`carries` maps roles made by heads(...); got 'movers'"),
        (EDGES, {MOVERS: [1]}, "without a leading '-'; got (1,)"),
        (EDGES, {MOVERS: [""]}, "without a leading '-'; got ('',)"),
        (EDGES, {MOVERS: "-S"}, "without a leading '-'; got ('-S',)"),
        (
            EDGES,
            {MOVERS: "IO", INHIBITION: "S"},
            "1.0@S2 sends along an edge, so say what it carries",
        ),
        (EDGES[1:], CARRIES, "1.0@S2 sends along no edge"),
        (
            EDGES,
            {**CARRIES, heads("3.0", at=END, name="again"): "S"},
            "3.0@END is named by two roles",
        ),
        (
            (*EDGES, edges(MOVERS, heads("4.0", at=END).q)),
            CARRIES,
            "4.0@END reads along an edge, but no edge leads on from it",
        ),
        (
            EDGES[:2],
            CARRIES,
            "3.0@END sends along no edge; 3.0@END reads along an edge, but no edge leads on",
        ),
    ],
)
def test_what_does_not_fit_is_named(listed, carries, message):
    with pytest.raises(CircuitUsageError) as caught:
        hypothesis(*listed, carries=carries)
    assert message in str(caught.value)


def test_only_what_is_carried_can_be_wrong(ours):
    with pytest.raises(CircuitUsageError, match=r"'IO'\. Known: S, position"):
        ours.without(INHIBITION, "IO")
    with pytest.raises(CircuitUsageError, match=r"ours says nothing of .*2\.0.*It is about: ind"):
        ours.without(heads("2.0", at=END))
    with pytest.raises(CircuitUsageError, match="carries nothing that could be wrong"):
        ours.without(MOVERS).without(MOVERS)


def test_a_circuit_is_no_hypothesis(ours):
    with pytest.raises(CircuitUsageError, match=r"what hypothesis\(...\) makes"):
        scrubbed_performance(EDGES, to=TO)
    with pytest.raises(CircuitUsageError, match=r"`to` must be a reference.*got 'ABC'"):
        scrubbed_performance(ours, to="ABC")


def test_nothing_heavy_is_imported():
    code = (
        "import sys, pytest_circuits.scrubbing, pytest_circuits.measures.scrubbing;"
        "sys.exit(bool({'torch', 'numpy', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
