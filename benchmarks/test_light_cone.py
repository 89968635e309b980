"""What interventions cost beyond the caches, ours and TransformerLens's; values must agree.

Times are asserted nowhere. A row's cost is in plain forwards: its time over that of the forward of
the same prompts through TransformerLens's bridge, run right before it. `make bench` prints all.
"""

from statistics import median

import pytest
import torch
from clock import BESIDE_CACHES, seconds
from memory import extra_bytes
from rows import (
    ATTRIBUTION,
    CACHE,
    COLD,
    EDGE,
    GROWTH_HEADS,
    GROWTH_PROMPTS,
    PATCH,
    PLAIN,
    PROMPTS,
    ROWS,
    TO_ABC,
    TOKENS,
    draw,
    some,
)
from theirs import EDGES, HEADS_OF_ALL, PATCHED, SENDER

from pytest_circuits import (
    ABC,
    END,
    direct_logit_attribution,
    heads,
    interchange_effect,
    logit_difference,
    path_effect,
)
from pytest_circuits.evaluation import Evaluation

DRAW = draw()


def evaluated(model, measure, prompts=DRAW):
    """Evaluate a measure on its own; return its estimate and the passes it took."""
    evaluation = Evaluation(model, [(measure, prompts)])
    return evaluation.estimate(measure, prompts), evaluation.passes


def evaluate(model, measure, prompts=DRAW):
    """Evaluate a measure on its own; return its values, one per head."""
    estimate, _ = evaluated(model, measure, prompts)
    return torch.tensor([part.value for part in estimate.parts])


def multiplied(model, passes, cached_tokens):
    """Return what was multiplied by weights beyond the caches, in plain forwards.

    Passes count in forwards through the blocks; a plain forward also makes all logits.
    """
    beyond = sum(each.forwards for each in passes) - cached_tokens / (PROMPTS * TOKENS)
    blocks = sum(each.numel() for each in model.bridge.blocks.parameters() if each.dim() > 1)
    return beyond * blocks / (blocks + model.bridge.W_U.numel())


def role(pairs):
    return heads(*(f"{layer}.{index}" for layer, index in pairs), at=END)


def check_equal(ours, theirs, logit):
    """The two agree to 1e-4 relative, no finer than fp32 resolves a logit of this size."""
    resolution = torch.finfo(torch.float32).eps * float(logit)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=resolution)


@pytest.mark.benchmark(group="shared", timer=seconds)
def test_plain_forward(timed, theirs):
    memory = extra_bytes("theirs", PLAIN)
    timed(theirs.forward, row=PLAIN, who="theirs", rounds=3, memory=memory)


@pytest.mark.benchmark(group="shared", timer=seconds)
def test_their_cache(timed, theirs):
    memory = extra_bytes("theirs", CACHE)
    theirs.cache_all()  # loads the bridge it needs
    timed(theirs.cache_all, row=CACHE, who="theirs", rounds=3, memory=memory)


@pytest.mark.benchmark(group="shared", timer=seconds)
def test_one_claim_cold(timed, model, clock, benchmark, plain):
    """Prompts drawn, model taken apart and checked, one cache made: what is paid once."""
    memory = extra_bytes("ours", COLD)
    work = lambda: evaluate(model, logit_difference())  # noqa: E731
    timed(work, row=COLD, who="ours", rounds=3, memory=memory)
    cache = median(clock.caches)
    benchmark.extra_info |= {"cache": cache, "cache_forwards": cache / median(plain.seconds)}


@pytest.mark.benchmark(group="ours", timer=BESIDE_CACHES)
@pytest.mark.parametrize("row", ROWS)
def test_ours(timed, model, clock, benchmark, row):
    what = ROWS[row]
    _, passes = timed(
        lambda: evaluated(model, what.measure),
        row=row,
        who="ours",
        rounds=what.rounds,
        target=what.target,
        memory=extra_bytes("ours", row),
    )
    cached = clock.cached_tokens / what.rounds
    benchmark.extra_info["multiplied"] = multiplied(model, passes, cached)


@pytest.mark.benchmark(group="theirs", timer=seconds)
def test_their_attribution(timed, model, theirs):
    found = timed(
        theirs.attribution,
        prepare=theirs.cache_all,  # attribution leaves its intermediates in the cache it is given
        row=ATTRIBUTION,
        who="theirs",
        rounds=3,
        memory=extra_bytes("theirs", ATTRIBUTION),
    )
    ours = evaluate(model, direct_logit_attribution(role(HEADS_OF_ALL).each))
    check_equal(ours, found, theirs.largest)


@pytest.mark.benchmark(group="theirs", timer=seconds)
def test_their_patches(timed, model, theirs, request):
    sample = HEADS_OF_ALL if request.config.getoption("full") else PATCHED
    found = timed(
        lambda caches: theirs.patches(caches, sample),
        prepare=theirs.cache_z,
        row=PATCH,
        who="theirs",
        rounds=1,
        times=len(HEADS_OF_ALL) / len(sample),
        memory=extra_bytes("theirs", PATCH),
    )
    ours = evaluate(model, interchange_effect(role(sample).each, over=ABC))
    check_equal(ours, theirs.before - found, theirs.largest)


@pytest.mark.benchmark(group="theirs", timer=seconds)
def test_their_edges(timed, model, theirs):
    """Its sweep goes from one sender to all receivers: what one edge costs is what is scaled.

    It adds what the sender writes at every position to the receiver's queries, we at END. From the
    last layer nothing but END reaches the logits, so there the two must agree.
    """
    senders = len(ROWS[EDGE].measure.what.heads)
    found = timed(
        theirs.edges,
        prepare=theirs.cache_z,
        row=EDGE,
        who="theirs",
        rounds=1,
        times=senders / EDGES,
    )
    sender, last = role([SENDER]), [role([pair]) for pair in HEADS_OF_ALL[-EDGES:]]
    paths = [path_effect(sender, each.q, to=TO_ABC, mlps="frozen") for each in last]
    ours = torch.cat([evaluate(model, path) for path in paths])
    check_equal(ours, theirs.before - found, theirs.largest)


@pytest.mark.benchmark(group="growth with interventions", timer=BESIDE_CACHES)
@pytest.mark.parametrize("count", GROWTH_HEADS)
def test_growth_with_interventions(timed, model, clock, count):
    measure = interchange_effect(some(count).each, over=ABC)
    timed(lambda: evaluate(model, measure), row="interventions", who="growth", rounds=1, x=count)


@pytest.mark.benchmark(group="growth with prompts", timer=BESIDE_CACHES)
@pytest.mark.parametrize("prompts", GROWTH_PROMPTS)
def test_growth_with_prompts(timed, model, clock, prompts):
    measure = interchange_effect(some(90).each, over=ABC)
    timed(
        lambda: evaluate(model, measure, draw(prompts)),
        row="prompts",
        who="growth",
        rounds=1,
        x=prompts,
    )
