"""On `reference-ioi` a planted fault is noticed by the claims about it, and by no unrelated one.

What a fault must and must not do to a claim is read off the circuit's wiring:
previous token -> induction -> S-inhibition -> all movers, duplicate token -> S-inhibition,
name mover -> backup name mover. A fault of a role's output (knocked out, OV shuffled) leaves where
the role looks, a fault of its attention (QK shuffled) leaves what its OV does to a name; neither
reaches upstream or sideways.
"""

import importlib.util
from pathlib import Path

import pytest

from pytest_circuits import Claim
from pytest_circuits.models.reference import REFERENCE_ROLES
from pytest_circuits.mutation.mutants import (
    KnockedOut,
    Noised,
    Quantised,
    Reinitialised,
    ShuffledOV,
    ShuffledQK,
    Swapped,
    Turned,
)
from pytest_circuits.mutation.survey import survey
from pytest_circuits.nodes import Head
from pytest_circuits.readings import Draw

pytestmark = pytest.mark.slow

SUITE = Path(__file__).parents[2] / "circuits/ioi_reference.py"

# Claims that say where a role looks, ...
LOOKS = {
    "previous token": {"previous_token_heads_look_back", "previous_token_heads_look_back_anywhere"},
    "duplicate token": {"duplicate_token_heads_find_s1", "duplicate_token_heads_find_it_anywhere"},
    "induction": {"induction_heads_find_s1_next", "induction_heads_find_it_anywhere"},
    "S-inhibition": {"s_inhibition_attends_to_s2"},
    "name mover": {"name_movers_attend_to_io"},
    "backup name mover": set(),
    "negative name mover": set(),
}
# ... what its OV does to a name, wherever it looks, ...
COPIES = {
    "name mover": {"name_movers_copy_names"},
    "backup name mover": {"backup_name_movers_copy_names"},
    "negative name mover": {"negative_name_movers_copy_negatively"},
}
# ... and what it is worth.
WORTH = {
    "previous token": {"task_needs_previous_token_heads"},
    "duplicate token": {"task_needs_duplicate_token_heads"},
    "induction": {"task_needs_induction_heads"},
    "S-inhibition": {"task_needs_s_inhibition"},
    "name mover": {"name_movers_are_backed_up"},
    "backup name mover": {"backup_name_movers_take_over"},
    "negative name mover": {"negative_name_movers_push_s"},
}
# Which roles read what a role writes, at first hand, and those that read them in turn.
READERS = {
    "previous token": ["induction"],
    "duplicate token": ["S-inhibition"],
    "induction": ["S-inhibition"],
    "S-inhibition": ["name mover", "backup name mover", "negative name mover"],
    "name mover": ["backup name mover"],
    "backup name mover": [],
    "negative name mover": [],
}
BEHAVIOUR = {"prefers_io"}
OUTSIDE = {"decoys_do_nothing", "inert_heads_do_nothing"}
CLAIMS = set().union(*LOOKS.values(), *COPIES.values(), *WORTH.values(), BEHAVIOUR, OUTSIDE)
HEADS = {
    role: tuple(Head(*each) for each in placement.heads)
    for role, placement in REFERENCE_ROLES.items()
}
OUTPUT = (KnockedOut, ShuffledOV)
KINDS = (*OUTPUT, ShuffledQK)
FAULTS = {(kind, role): kind(heads=HEADS[role], label=role) for kind in KINDS for role in HEADS}
ACROSS = Swapped(first=HEADS["previous token"][0], second=HEADS["duplicate token"][0])
WITHIN = {
    Swapped(first=Head(2, 0), second=Head(2, 3)): LOOKS["duplicate token"] | LOOKS["induction"],
    Swapped(first=Head(7, 0), second=Head(7, 1)): COPIES["backup name mover"]
    | COPIES["negative name mover"],
}
SPARED = KnockedOut(heads=(Head(0, 0), Head(6, 3)), label="decoys")
DECOYS = tuple(Turned(heads=HEADS[role], label=role) for role in HEADS)
EVERYWHERE = (Noised(amount=0.5), Quantised(bits=2))


def downstream(role):
    """Return the roles that a fault of this one may reach."""
    return set(READERS[role]).union(*(downstream(each) for each in READERS[role]))


def speaking_of(kind, role):
    """Return the claims that this fault of the role makes false."""
    if kind is ShuffledQK:
        return LOOKS[role] | WORTH[role]
    misled = set().union(*(LOOKS[each] for each in READERS[role]))
    return COPIES.get(role, set()) | WORTH[role] | misled


def unrelated_to(kind, role):
    """Return the claims that this fault of the role must leave true."""
    out_of_reach = HEADS.keys() - downstream(role) - ({role} if kind is ShuffledQK else set())
    kept = HEADS.keys() if kind is ShuffledQK else HEADS.keys() - {role}
    looks = (LOOKS[each] for each in out_of_reach)
    return OUTSIDE.union(*looks, *(COPIES.get(each, set()) for each in kept))


@pytest.fixture(scope="module")
def account(reference):
    spec = importlib.util.spec_from_file_location("ioi_reference", SUITE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    few, many = (Draw(task=module.suite.task, n=n, seed=1) for n in (96, 256))
    claims = {  # to know that something does nothing takes more prompts
        name: (vars(module)[name], many if name in OUTSIDE else few) for name in sorted(CLAIMS)
    }
    assert all(isinstance(claim, Claim) for claim, _ in claims.values())
    layers = (Reinitialised(layer=5), Reinitialised(layer=7))
    mutants = (*FAULTS.values(), ACROSS, *WITHIN, *layers, SPARED, *EVERYWHERE, *DECOYS)
    return survey("ioi_reference", reference, claims, mutants)


@pytest.fixture
def statuses(account):
    """Return a function that gives the statuses of all claims on a mutant."""
    found = {each.name: each.statuses for each in account.trials}
    return lambda mutant: found[str(mutant)]


@pytest.mark.parametrize("role", HEADS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_fault_is_noticed_by_claims_about_it_and_by_no_other(statuses, kind, role):
    found = statuses(FAULTS[kind, role])
    assert speaking_of(kind, role)
    assert {each: found[each] for each in speaking_of(kind, role) if found[each] != "refuted"} == {}
    assert {each: found[each] for each in unrelated_to(kind, role) if found[each] != "holds"} == {}


def test_heads_of_two_layers_that_trade_places_are_missed_in_both(statuses):
    found = statuses(ACROSS)
    told = LOOKS["previous token"] | LOOKS["duplicate token"] | BEHAVIOUR
    assert {found[each] for each in told} == {"refuted"}


@pytest.mark.parametrize("mutant", WITHIN, ids=str)
def test_heads_of_one_layer_that_trade_places_change_no_behaviour(statuses, mutant):
    """The circuit is the same but for its numbers: claims that name heads notice, others cannot."""
    found = statuses(mutant)
    assert {found[each] for each in WITHIN[mutant]} == {"refuted"}
    assert {found[each] for each in BEHAVIOUR | OUTSIDE} == {"holds"}


@pytest.mark.parametrize("layer", [5, 7])
def test_a_layer_drawn_anew_is_noticed_in_it_and_not_below(statuses, layer):
    found = statuses(Reinitialised(layer=layer))
    below = [role for role in HEADS if all(head.layer < layer for head in HEADS[role])]
    assert {found[each] for role in below for each in LOOKS[role]} == {"holds"}
    told = {5: LOOKS["S-inhibition"], 7: COPIES["backup name mover"]}[layer]
    assert {found[each] for each in told} == {"refuted"}


@pytest.mark.parametrize("mutant", EVERYWHERE, ids=str)
def test_what_spares_no_weight_is_noticed(statuses, mutant):
    assert statuses(mutant)["prefers_io"] == "refuted"


def test_all_others_are_noticed(account):
    assert (*account.tried, *account.decoys) == account.trials
    assert [each.name for each in account.survivors] == [str(SPARED)]
    assert set(account.never_failed) <= OUTSIDE


def test_no_decoy_is_noticed(account):
    assert len(account.decoys) == len(HEADS)
    assert {status for each in account.decoys for status in each.statuses.values()} == {"holds"}


def test_a_fault_outside_the_circuit_is_noticed_by_none(statuses):
    """Also: each claim holds where nothing that matters is wrong."""
    assert set(statuses(SPARED).values()) == {"holds"}
