"""Every claim family refuted where it is false: the reference model with one role taken out.

A removed role must fail the claims that speak about it and those that lie downstream of it, and
leave alone what lies upstream or elsewhere. Both lists are read off the circuit's wiring:
previous token -> induction -> S-inhibition -> name movers (all three kinds) -> logits, and
duplicate token -> S-inhibition.
"""

from functools import cache

import pytest

from pytest_circuits import load_model

PROMPTS = 96

BEHAVIOUR = {"prefers_io", "order_of_names_does_not_matter", "choice_of_names_does_not_matter"}
COPYING = {
    "name_movers_copy_names",
    "backup_name_movers_copy_names",
    "negative_name_movers_copy_negatively",
    "negative_name_movers_do_not_copy",
    "s_inhibition_does_not_copy",
}
LOOKING_BACK = {"previous_token_heads_look_back", "previous_token_heads_look_back_anywhere"}
DUPLICATES = {"duplicate_token_heads_find_s1", "duplicate_token_heads_find_it_anywhere"}
INDUCTION = {"induction_heads_find_s1_next", "induction_heads_find_it_anywhere"}
S_SIGNAL = {"s_inhibition_attends_to_s2"}
NO_EFFECT = {"decoys_do_nothing", "inert_heads_do_nothing", "s_inhibition_writes_no_name"}
MOVERS_READ_IO = {"name_movers_attend_to_io", "name_movers_ignore_s"}
MOVERS_WRITE = {"name_movers_push_io", "name_movers_differ_in_strength"}

MUST_FAIL = {
    "previous token": BEHAVIOUR
    | INDUCTION
    | S_SIGNAL
    | MOVERS_READ_IO
    | MOVERS_WRITE
    | {"task_needs_previous_token_heads", "task_needs_induction_heads"},
    "duplicate token": BEHAVIOUR
    | S_SIGNAL
    | MOVERS_READ_IO
    | MOVERS_WRITE
    | {
        "task_needs_duplicate_token_heads",
        "task_needs_duplicate_token_heads_by_zero",
        "task_needs_duplicate_token_heads_by_resampling",
    },
    "induction": BEHAVIOUR
    | S_SIGNAL
    | MOVERS_READ_IO
    | MOVERS_WRITE
    | {"task_needs_induction_heads", "task_needs_previous_token_heads"},
    "S-inhibition": BEHAVIOUR
    | MOVERS_READ_IO
    | MOVERS_WRITE
    | {
        "prefers_io_always",
        "task_needs_s_inhibition",
        "name_movers_lose_io_without_s_inhibition",
        "name_movers_look_more_at_io_than_at_s1",
        "name_movers_alone_are_not_faithful",
        "name_movers_write_what_they_see",
    },
    "name mover": BEHAVIOUR
    | MOVERS_WRITE
    | {
        "name_movers_copy_names",
        "name_movers_write_what_they_see",
        "name_movers_are_backed_up",
        "backup_name_movers_are_quiet",
        "backup_name_movers_take_over",
    },
    "backup name mover": {
        "backup_name_movers_copy_names",
        "name_movers_are_backed_up",
        "backup_name_movers_take_over",
    },
    "negative name mover": BEHAVIOUR
    | {
        "io_is_probable",
        "negative_name_movers_copy_negatively",
        "negative_name_movers_push_s",
        "negative_name_movers_work_against_the_task",
    },
}
MUST_HOLD = {
    "previous token": LOOKING_BACK | DUPLICATES | COPYING | NO_EFFECT,
    "duplicate token": LOOKING_BACK | DUPLICATES | INDUCTION | COPYING | NO_EFFECT,
    "induction": LOOKING_BACK | DUPLICATES | INDUCTION | COPYING | NO_EFFECT,
    "S-inhibition": LOOKING_BACK | DUPLICATES | INDUCTION | COPYING | S_SIGNAL | NO_EFFECT,
    "name mover": LOOKING_BACK
    | DUPLICATES
    | INDUCTION
    | S_SIGNAL
    | MOVERS_READ_IO
    | NO_EFFECT
    | (COPYING - {"name_movers_copy_names"}),
    "backup name mover": LOOKING_BACK
    | DUPLICATES
    | INDUCTION
    | S_SIGNAL
    | MOVERS_READ_IO
    | MOVERS_WRITE
    | NO_EFFECT
    | (COPYING - {"backup_name_movers_copy_names"}),
    "negative name mover": LOOKING_BACK
    | DUPLICATES
    | INDUCTION
    | S_SIGNAL
    | MOVERS_READ_IO
    | MOVERS_WRITE
    | NO_EFFECT
    | (COPYING - {"negative_name_movers_copy_negatively"}),
}


@pytest.fixture(scope="module")
def statuses_without(evaluate):
    @cache
    def found(role):
        spec = f"reference-ioi:without={role}" if role else "reference-ioi"
        return evaluate("ioi_reference", load_model(spec, progress=False), prompts=PROMPTS)

    return found


def test_every_claim_holds_on_the_whole_model(statuses_without):
    assert set(statuses_without("").values()) == {"holds"}


@pytest.mark.parametrize("role", MUST_FAIL)
def test_a_removed_role_fails_its_claims_and_leaves_the_rest(statuses_without, role):
    found = statuses_without(role)
    assert {key for key in MUST_FAIL[role] if found[key] == "holds"} == set()
    assert {key: found[key] for key in MUST_HOLD[role] if found[key] != "holds"} == {}


def test_every_claim_but_the_controls_fails_on_some_sabotaged_model(statuses_without, suite_of):
    """A claim that no sabotage can refute says nothing, unless it says that nothing happens."""
    claims, _ = suite_of("ioi_reference")
    survivors = {
        key for key in claims if all(statuses_without(role)[key] == "holds" for role in MUST_FAIL)
    }
    assert survivors <= LOOKING_BACK | DUPLICATES | NO_EFFECT | {
        "no_preference_without_a_duplicate",
        "distractor_misleads",
        "name_movers_are_no_induction_heads",
        "s_inhibition_does_not_copy",
        "negative_name_movers_do_not_copy",
        "circuit_is_faithful",
        "circuit_matches_the_mean",
        "circuit_matches_every_prompt",
    }
