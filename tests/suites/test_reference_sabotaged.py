"""Every claim family refuted where it is false: the reference model with one role taken out.

What must fail without a role is read off the wiring, before anything is measured: previous token ->
induction -> S-inhibition -> name movers (all three kinds) -> logits, and duplicate token ->
S-inhibition. A claim about a role fails without it; one about what lies downstream may fail,
where the size decides; all others must hold. A role that was taken out still looks where it did:
only what it writes is gone. Where measuring showed the reasoning to be wrong, a comment says why.
"""

import pytest

from pytest_circuits import load_model

pytestmark = pytest.mark.slow

# Of so many prompts without any effect, others may have 0.2 logits on average: see the suite.
PROMPTS = 256

ROLES = {
    "P": "previous token",
    "D": "duplicate token",
    "I": "induction",
    "H": "S-inhibition",
    "N": "name mover",
    "B": "backup name mover",
    "G": "negative name mover",
}

# Per claim the roles without which it must fail, and those without which it may.
EXPECTED = {
    # The logit difference is then 1.4, 0.3, 1.4, -1.1, 3.3, 5.1, 7.2.
    "prefers_io": ("PDIHNG", "B"),
    "order_of_names_does_not_matter": ("PDIHNG", "B"),
    "choice_of_names_does_not_matter": ("PDIHNG", "B"),
    # Without duplicate token heads IO is preferred by little, 0.3, but nearly always.
    "prefers_io_always": ("H", "PDI"),
    "s_is_hardly_ever_preferred": ("H", "PDI"),
    "io_is_probable": ("PDIHG", "NB"),
    "distractor_misleads_by_naming_io": ("H", "PDI"),
    "s_is_preferred_because_io_is_named_twice": ("H", "PDI"),
    # Where heads look.
    "induction_heads_find_s1_next": ("P", ""),
    "induction_heads_find_it_anywhere": ("P", ""),
    "induction_heads_find_s1_next_by_their_keys": ("P", ""),
    "s_inhibition_attends_to_s2": ("PDI", ""),
    "name_movers_attend_to_io": ("PDIH", ""),
    "name_movers_ignore_s": ("PDIH", ""),
    "name_movers_tell_names_by_their_queries": ("PDIH", ""),
    "name_movers_lose_io_without_s_inhibition": ("H", "PDI"),
    "name_movers_look_more_at_io_than_at_s1": ("H", "PDI"),
    "backup_name_movers_are_quiet": ("N", "PDIH"),
    # What they write.
    "name_movers_copy_names": ("N", ""),
    "backup_name_movers_copy_names": ("B", ""),
    "negative_name_movers_copy_negatively": ("G", ""),
    "name_movers_write_what_they_see": ("HN", "PDI"),
    "name_movers_push_io": ("PDIHN", ""),
    "name_movers_differ_in_strength": ("PDIHN", ""),
    "name_movers_write_directly": ("PDIHN", ""),
    "name_movers_write_directly_each": ("PDIHN", ""),
    "backup_name_movers_rest": ("N", "PDIH"),
    "backup_name_movers_write_without_name_movers": ("PDIHB", ""),
    "negative_name_movers_push_s": ("PDIHG", ""),
    "negative_name_movers_write_against_io": ("PDIHG", ""),
    "negative_name_movers_work_against_the_task": ("PDIHG", ""),
    # What is lost without them.
    "task_needs_s_inhibition": ("PDIH", "N"),
    "task_needs_induction_heads": ("PDIH", "NB"),
    "task_needs_duplicate_token_heads": ("PDIH", "NB"),
    "task_needs_duplicate_token_heads_by_zero": ("PDIH", "NB"),
    "task_needs_duplicate_token_heads_by_resampling": ("PDIH", "NB"),
    "task_needs_duplicate_token_heads_by_any_method": ("PDIH", "NB"),
    "task_needs_previous_token_heads": ("PDIH", "NB"),
    "s_inhibition_of_abc_says_nothing": ("PDIH", "NB"),
    "s_inhibition_acts_through_name_movers_queries": ("PDIHN", ""),
    # A third of the effect is that backups, which read S-inhibition heads too, turn to S.
    "detecting_heads_act_through_s_inhibition_values": ("PDIH", "NB"),
    "duplicate_token_heads_act_through_values": ("DH", "PINB"),
    "induction_heads_act_through_values": ("PIH", "DNB"),
    "detecting_heads_act_through_s_inhibition_keys": ("PDIHG", "NB"),
    "previous_token_heads_act_through_induction_keys": ("PDIHG", "NB"),
    # What they carry: shares of the logit difference that is left.
    "s_inhibition_carries_position": ("H", "PDINB"),
    "s_inhibition_carries_position_in_all_wordings": ("H", "PDINB"),
    "s_inhibition_carries_the_token": ("H", "PDINB"),
    "s_inhibition_carries_more_position": ("H", "PDI"),
    "detecting_heads_carry_position": ("H", "PDINB"),
    "stream_behind_s_inhibition_carries_position": ("H", "PDINB"),
    "position_weighs": ("PDIHG", "NB"),
    "token_weighs": ("H", "PDINBG"),
    "the_two_signals_add": ("H", "PDINB"),
    # Repair, of name movers by backups.
    "name_movers_are_backed_up": ("NB", "PDIHG"),
    "name_movers_loss_is_repaired": ("NB", "PDIH"),
    "backup_name_movers_take_over": ("HNB", "PDI"),
    "backup_name_movers_repair": ("HNB", "PDI"),
    # The circuit names heads that do nothing now; that is all that is wrong with it.
    "every_head_matters": ("PDIHNBG", ""),
    "a_backup_matters_without_name_movers": ("PDIHB", ""),
    "name_movers_alone_are_not_faithful": ("H", ""),
    # Random circuits share the four heads of layer 7, all it has. Without S-inhibition these alone
    # are even worse than with the name movers, so that the circuit beats chance though it prefers
    # S; without name movers nothing else writes a name, so that removing any of them costs all.
    "circuit_is_sufficient_beyond_chance": ("", "PDIH"),
    "circuit_is_necessary_beyond_chance": ("HN", "PDI"),
    "without_negative_heads_it_does_too_well": ("G", "PDIHNB"),
    "doing_too_well_is_a_distance": ("G", "PDIHNB"),
    "the_order_of_nodes_matters": ("", "PDIHNBG"),
    # Scrubbing: a share of the logit difference that is left, too.
    "hypothesis_survives_scrubbing": ("", "PDI"),
    "hypothesis_survives_scrubbing_on_every_prompt": ("", "PDI"),
    "hypothesis_without_position_does_not": ("H", "PDI"),
    "task_needs_the_position_it_carries": ("H", "PDINB"),
    "task_needs_all_that_s_inhibition_carries": ("H", "PDINB"),
}

# True of every model here: what happens before all roles or beside them, and what does not happen.
HOLD = {
    "previous_token_heads_look_back",
    "previous_token_heads_look_back_anywhere",
    "duplicate_token_heads_find_s1",
    "duplicate_token_heads_find_it_anywhere",
    "name_movers_are_no_induction_heads",
    "no_preference_without_a_duplicate",
    "distractor_misleads",
    "s_is_preferred_where_io_is_named_twice",
    "negative_name_movers_do_not_copy",
    "s_inhibition_does_not_copy",
    "s_inhibition_writes_no_name",
    "s_inhibition_writes_nothing_directly",
    "s_inhibition_acts_through_nothing_else_of_name_movers",
    "detecting_heads_act_through_s_inhibition_alone",
    "previous_token_heads_act_through_induction_keys_alone",
    "previous_token_heads_act_through_no_values",
    "detecting_heads_carry_no_token",
    "name_movers_carry_no_position",
    "stream_before_s_inhibition_carries_no_position",
    "no_other_head_carries_either_signal",
    "backup_name_movers_repair_all_of_it",
    "negative_name_movers_repair_nothing",
    "decoys_do_nothing",
    "decoys_are_not_needed",
    "inert_heads_do_nothing",
    "circuit_is_faithful",
    "circuit_matches_the_mean",
    "circuit_matches_every_prompt",
    "circuit_is_complete_by_class",
    "circuit_is_complete_at_random",
    "circuit_is_complete_at_worst",
    "a_decoy_does_not_matter",
    "wiring_does_the_task",
}


def test_every_claim_is_expected_to_hold_or_to_fail(suite_of):
    claims, _ = suite_of("ioi_reference")
    assert claims.keys() == EXPECTED.keys() | HOLD
    assert not EXPECTED.keys() & HOLD


def test_every_claim_holds_on_the_whole_model(evaluate):
    model = load_model("reference-ioi", progress=False)
    found = evaluate("ioi_reference", model, prompts=PROMPTS)
    assert {k: v for k, v in found.items() if v != "holds"} == {}


@pytest.mark.parametrize("letter", ROLES, ids=ROLES.get)
def test_a_removed_role_fails_its_claims_and_their_dependents_alone(evaluate, letter):
    """Those that may fail are not asked."""
    model = load_model(f"reference-ioi:without={ROLES[letter]}", progress=False)
    must = {claim for claim, (without, _) in EXPECTED.items() if letter in without}
    may = {claim for claim, (_, without) in EXPECTED.items() if letter in without}
    found = evaluate("ioi_reference", model, prompts=PROMPTS, leave_out=may)
    failed = {claim for claim, status in found.items() if status != "holds"}
    assert must - failed == set(), "hold though what they are about is gone"
    assert failed - must == set(), "fail though nothing they depend on is gone"
