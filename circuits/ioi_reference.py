"""The known-truth model: every measure of the library, on heads that were placed by hand.

`reference-ioi` is a GPT-2 whose weights are constructed, not trained; what each head does, and what
each measure must therefore be, stands in `pytest_circuits.models.reference`. The thresholds here
come from there. This suite tests the library, not a discovery: if it fails, a measure is wrong.
"""

from pytest_circuits import (
    ABC,
    DISTRACTOR,
    DISTRACTOR_CONTROL,
    END,
    FLIP,
    IO,
    IOI,
    RENAMED,
    S1,
    S1_NEXT,
    S2,
    Suite,
    answer_preferred,
    answer_probability,
    attention,
    attention_logit_correlation,
    circuit,
    copy_score,
    direct_logit_attribution,
    duplicate_token_score,
    faithfulness,
    heads,
    induction_score,
    knock_out,
    knock_out_effect,
    knock_out_share,
    logit_difference,
    mean,
    negative_copy_score,
    previous_token_score,
    resample,
    zero,
)

suite = Suite(
    model="reference-ioi",
    task=IOI(),
    prompts=128,
    seed=1,
    source="by construction: pytest_circuits.models.reference",
)

previous_token = heads("0.3", "1.0", at=S1_NEXT, name="previous token heads")
duplicate_token = heads("2.0", "3.2", at=S2, name="duplicate token heads")
induction = heads("2.3", "3.1", at=S2, name="induction heads")
s_inhibition = heads("4.3", "5.1", at=END, name="S-inhibition heads")
name_movers = heads("6.0", "6.2", at=END, name="name movers")
backup_name_movers = heads("7.0", "7.2", at=END, name="backup name movers")
negative_name_movers = heads("7.1", "7.3", at=END, name="negative name movers")
ioi_circuit = circuit(
    previous_token,
    duplicate_token,
    induction,
    s_inhibition,
    name_movers,
    backup_name_movers,
    negative_name_movers,
    name="IOI circuit",
)
decoys = heads("0.0", "4.0", "6.3", at=END, name="decoys")
inert_heads = heads("0.1", "1.2", "5.0", "7.3", at=S1, name="heads inert at S1")
without_name_movers = knock_out(name_movers, to=mean(ABC))
without_s_inhibition = knock_out(s_inhibition, to=mean(ABC))

# Behaviour.
prefers_io = logit_difference().between(4.9, 5.9)
prefers_io_always = answer_preferred() >= 0.95
io_is_probable = answer_probability().between(0.5, 0.7)
order_of_names_does_not_matter = logit_difference(on=FLIP).between(4.9, 5.9)
choice_of_names_does_not_matter = logit_difference(on=RENAMED).between(4.9, 5.9)
no_preference_without_a_duplicate = logit_difference(on=ABC).between(-0.3, 0.3)
distractor_misleads = answer_preferred(on=DISTRACTOR) <= 0.75
distractor_misleads_by_naming_io = (
    answer_preferred(on=DISTRACTOR_CONTROL) - answer_preferred(on=DISTRACTOR) >= 0.2
)

# Where the heads look.
previous_token_heads_look_back = previous_token_score(previous_token.each, on="task") >= 0.98
duplicate_token_heads_find_s1 = duplicate_token_score(duplicate_token.each, on="task") >= 0.98
induction_heads_find_s1_next = induction_score(induction.each, on="task") >= 0.98
previous_token_heads_look_back_anywhere = previous_token_score(previous_token.each) >= 0.98
duplicate_token_heads_find_it_anywhere = duplicate_token_score(duplicate_token.each) >= 0.98
induction_heads_find_it_anywhere = induction_score(induction.each) >= 0.98
name_movers_are_no_induction_heads = induction_score(name_movers.each) <= 0.2
s_inhibition_attends_to_s2 = attention(s_inhibition.each, to=S2).between(0.85, 1)
name_movers_attend_to_io = attention(name_movers.each, to=IO).between(0.7, 0.88)
name_movers_ignore_s = attention(name_movers.sum, to=S1) <= 0.1
backup_name_movers_are_quiet = attention(backup_name_movers.mean, to=IO).between(0.03, 0.2)

# What they write.
name_movers_copy_names = copy_score(name_movers.each) >= 0.95
backup_name_movers_copy_names = copy_score(backup_name_movers.each) >= 0.95
negative_name_movers_copy_negatively = negative_copy_score(negative_name_movers.each) >= 0.95
negative_name_movers_do_not_copy = copy_score(negative_name_movers.each) <= 0.1
s_inhibition_does_not_copy = copy_score(s_inhibition.each) <= 0.15
name_movers_write_what_they_see = attention_logit_correlation(name_movers.each) >= 0.9
name_movers_push_io = direct_logit_attribution(name_movers.sum).between(6.3, 7.5)
name_movers_differ_in_strength = (
    direct_logit_attribution(heads("6.0", at=END)) - direct_logit_attribution(heads("6.2", at=END))
).between(1.2, 2.2)
negative_name_movers_push_s = direct_logit_attribution(negative_name_movers.sum).between(-2.2, -1.4)
s_inhibition_writes_no_name = direct_logit_attribution(s_inhibition.each).between(-0.1, 0.1)

# What is lost without them.
task_needs_s_inhibition = knock_out_effect(s_inhibition, to=mean(ABC)) >= 5
task_needs_induction_heads = knock_out_effect(induction, to=mean(ABC)) >= 3
task_needs_duplicate_token_heads = knock_out_effect(duplicate_token, to=mean(ABC)) >= 4
task_needs_previous_token_heads = knock_out_effect(previous_token, to=mean(ABC)) >= 3
task_needs_duplicate_token_heads_by_zero = knock_out_effect(duplicate_token, to=zero()) >= 4
task_needs_duplicate_token_heads_by_resampling = (
    knock_out_effect(duplicate_token, to=resample(ABC)) >= 4
)
name_movers_are_backed_up = knock_out_share(name_movers, to=mean(ABC)).between(0.5, 0.7)
backup_name_movers_take_over = (
    direct_logit_attribution(backup_name_movers.sum, under=without_name_movers)
    - direct_logit_attribution(backup_name_movers.sum)
    >= 4
)
negative_name_movers_work_against_the_task = knock_out_effect(
    negative_name_movers, to=mean(ABC)
).between(-2.2, -1.4)
decoys_do_nothing = knock_out_effect(decoys, to=mean(ABC)).between(-0.001, 0.001)
inert_heads_do_nothing = knock_out_effect(inert_heads, to=zero()).between(-0.001, 0.001)
name_movers_lose_io_without_s_inhibition = (
    attention(name_movers.mean, to=IO)
    - attention(name_movers.mean, to=IO, under=without_s_inhibition)
    >= 0.3
)
name_movers_look_more_at_io_than_at_s1 = attention(name_movers.mean, to=IO) > attention(
    name_movers.mean, to=S1
)

# The circuit as a whole.
circuit_is_faithful = faithfulness(ioi_circuit, to=mean(ABC)).between(0.98, 1.02)
circuit_matches_the_mean = faithfulness(ioi_circuit, to=mean(ABC), form="difference") <= 0.05
circuit_matches_every_prompt = faithfulness(ioi_circuit, to=mean(ABC), form="per prompt") <= 0.05
name_movers_alone_are_not_faithful = (
    faithfulness(circuit(name_movers, name="name movers alone"), to=mean(ABC)) <= 0.3
)
