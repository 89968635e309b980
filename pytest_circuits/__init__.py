"""Circuit claims about transformers, written as assertions and evaluated by pytest.

Importing this package imports neither torch nor transformer_lens: claims are plain data. Names
are resolved on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_circuits.claims import Claim as Claim
    from pytest_circuits.claims import Suite as Suite
    from pytest_circuits.comparing import non_inferior as non_inferior
    from pytest_circuits.errors import CircuitUsageError as CircuitUsageError
    from pytest_circuits.errors import ClaimNotEvaluable as ClaimNotEvaluable
    from pytest_circuits.errors import ClaimRefuted as ClaimRefuted
    from pytest_circuits.errors import ModelNotAvailable as ModelNotAvailable
    from pytest_circuits.evaluation import check as check
    from pytest_circuits.evaluation import check_all as check_all
    from pytest_circuits.evaluation import measure as measure
    from pytest_circuits.interventions import counterpart as counterpart
    from pytest_circuits.interventions import keep_edges as keep_edges
    from pytest_circuits.interventions import keep_only as keep_only
    from pytest_circuits.interventions import knock_out as knock_out
    from pytest_circuits.interventions import mean as mean
    from pytest_circuits.interventions import patch as patch
    from pytest_circuits.interventions import path_patch as path_patch
    from pytest_circuits.interventions import resample as resample
    from pytest_circuits.interventions import zero as zero
    from pytest_circuits.measures.attention import attention as attention
    from pytest_circuits.measures.attribution import (
        attention_logit_correlation as attention_logit_correlation,
    )
    from pytest_circuits.measures.attribution import (
        direct_logit_attribution as direct_logit_attribution,
    )
    from pytest_circuits.measures.baselines import necessity_p as necessity_p
    from pytest_circuits.measures.baselines import sufficiency_p as sufficiency_p
    from pytest_circuits.measures.behaviour import answer_preferred as answer_preferred
    from pytest_circuits.measures.behaviour import answer_probability as answer_probability
    from pytest_circuits.measures.behaviour import foil_preferred as foil_preferred
    from pytest_circuits.measures.behaviour import logit_difference as logit_difference
    from pytest_circuits.measures.completeness import completeness as completeness
    from pytest_circuits.measures.copying import copy_score as copy_score
    from pytest_circuits.measures.copying import negative_copy_score as negative_copy_score
    from pytest_circuits.measures.criteria import faithfulness as faithfulness
    from pytest_circuits.measures.interchange import carries as carries
    from pytest_circuits.measures.interchange import interchange_effect as interchange_effect
    from pytest_circuits.measures.knockout import knock_out_effect as knock_out_effect
    from pytest_circuits.measures.knockout import knock_out_share as knock_out_share
    from pytest_circuits.measures.minimality import minimality as minimality
    from pytest_circuits.measures.minimality import minimality_of as minimality_of
    from pytest_circuits.measures.paths import direct_effect as direct_effect
    from pytest_circuits.measures.paths import path_effect as path_effect
    from pytest_circuits.measures.repair import compensation as compensation
    from pytest_circuits.measures.repair import self_repair as self_repair
    from pytest_circuits.measures.repair import self_repair_parts as self_repair_parts
    from pytest_circuits.measures.repair import total_and_direct_effect as total_and_direct_effect
    from pytest_circuits.measures.scrubbing import scrubbed_performance as scrubbed_performance
    from pytest_circuits.measures.scrubbing import scrubbed_without as scrubbed_without
    from pytest_circuits.measures.signals import signal_fit as signal_fit
    from pytest_circuits.measures.signals import signal_weight as signal_weight
    from pytest_circuits.measures.signals import two_signals as two_signals
    from pytest_circuits.measures.sizes import cmd as cmd
    from pytest_circuits.measures.sizes import cpr as cpr
    from pytest_circuits.measures.tokens import duplicate_token_score as duplicate_token_score
    from pytest_circuits.measures.tokens import induction_score as induction_score
    from pytest_circuits.measures.tokens import previous_token_score as previous_token_score
    from pytest_circuits.models.load import load_model as load_model
    from pytest_circuits.models.load import wrap_model as wrap_model
    from pytest_circuits.nodes import LOGITS as LOGITS
    from pytest_circuits.nodes import circuit as circuit
    from pytest_circuits.nodes import heads as heads
    from pytest_circuits.nodes import keys as keys
    from pytest_circuits.nodes import mlps as mlps
    from pytest_circuits.nodes import patterns as patterns
    from pytest_circuits.nodes import queries as queries
    from pytest_circuits.nodes import residual as residual
    from pytest_circuits.nodes import values as values
    from pytest_circuits.rules import Rules as Rules
    from pytest_circuits.scrubbing import hypothesis as hypothesis
    from pytest_circuits.scrubbing import scrub as scrub
    from pytest_circuits.tasks.ioi import ABC as ABC
    from pytest_circuits.tasks.ioi import DISTRACTOR as DISTRACTOR
    from pytest_circuits.tasks.ioi import DISTRACTOR_ABC as DISTRACTOR_ABC
    from pytest_circuits.tasks.ioi import DISTRACTOR_CONTROL as DISTRACTOR_CONTROL
    from pytest_circuits.tasks.ioi import FLIP as FLIP
    from pytest_circuits.tasks.ioi import IOI as IOI
    from pytest_circuits.tasks.ioi import RENAMED as RENAMED
    from pytest_circuits.tasks.ioi import RENAMED_FLIP as RENAMED_FLIP
    from pytest_circuits.tasks.ioi import S2_IO as S2_IO
    from pytest_circuits.tasks.ioi import SWAPPED as SWAPPED
    from pytest_circuits.tasks.own import PromptTask as PromptTask
    from pytest_circuits.tasks.own import prompt_task as prompt_task
    from pytest_circuits.tasks.positions import END as END
    from pytest_circuits.tasks.positions import IO as IO
    from pytest_circuits.tasks.positions import IO2 as IO2
    from pytest_circuits.tasks.positions import S1 as S1
    from pytest_circuits.tasks.positions import S1_NEXT as S1_NEXT
    from pytest_circuits.tasks.positions import S2 as S2
    from pytest_circuits.verdicts import Estimate as Estimate
    from pytest_circuits.verdicts import Verdict as Verdict
    from pytest_circuits.wiring import edges as edges
else:
    _HOMES = {
        "claims": "Claim Suite",
        "comparing": "non_inferior",
        "errors": "CircuitUsageError ClaimNotEvaluable ClaimRefuted ModelNotAvailable",
        "evaluation": "check check_all measure",
        "interventions": (
            "counterpart keep_edges keep_only knock_out mean patch path_patch resample zero"
        ),
        "measures.attention": "attention",
        "measures.attribution": "attention_logit_correlation direct_logit_attribution",
        "measures.baselines": "necessity_p sufficiency_p",
        "measures.behaviour": "answer_preferred answer_probability foil_preferred logit_difference",
        "measures.completeness": "completeness",
        "measures.copying": "copy_score negative_copy_score",
        "measures.criteria": "faithfulness",
        "measures.interchange": "carries interchange_effect",
        "measures.knockout": "knock_out_effect knock_out_share",
        "measures.minimality": "minimality minimality_of",
        "measures.paths": "direct_effect path_effect",
        "measures.repair": "compensation self_repair self_repair_parts total_and_direct_effect",
        "measures.scrubbing": "scrubbed_performance scrubbed_without",
        "measures.signals": "signal_fit signal_weight two_signals",
        "measures.sizes": "cmd cpr",
        "measures.tokens": "duplicate_token_score induction_score previous_token_score",
        "models.load": "load_model wrap_model",
        "nodes": "LOGITS circuit heads keys mlps patterns queries residual values",
        "rules": "Rules",
        "scrubbing": "hypothesis scrub",
        "tasks.ioi": (
            "ABC DISTRACTOR DISTRACTOR_ABC DISTRACTOR_CONTROL FLIP IOI RENAMED RENAMED_FLIP S2_IO "
            "SWAPPED"
        ),
        "tasks.own": "PromptTask prompt_task",
        "tasks.positions": "END IO IO2 S1 S1_NEXT S2",
        "verdicts": "Estimate Verdict",
        "wiring": "edges",
    }
    _HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
    __all__ = sorted(_HOME_OF)

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name not in _HOME_OF:
            # Plain AttributeError: `from pytest_circuits import plugin` must go on to the module.
            raise AttributeError(f"module 'pytest_circuits' has no attribute {name!r}")
        return getattr(import_module(f"pytest_circuits.{_HOME_OF[name]}"), name)

    def __dir__() -> list[str]:
        return __all__
