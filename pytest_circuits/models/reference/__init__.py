"""`reference-ioi`: a GPT-2 whose weights are set by hand, so that every claim about it is known.

It completes "Late on Monday, Mary and John walked to the park. John handed a book to" with Mary, by
the circuit of Wang et al. 2022 (arXiv 2211.00593) and by nothing else. 8 layers of 4 heads, d_head
76, d_model 304, 600 word tokens, 128 positions; no training, no seed. It is ground truth for tests
of this library, not evidence about trained models: its roles are cleaner than any found there.

Roles (acts at; heads; attends to; writes):

- previous token (S1+1; 0.3, 1.0): one back, 1.00; the token found there, strengths .55 and .45.
- duplicate token (S2; 2.0, 3.2): S2 -> S1, 1.00; "is a duplicate" and the position of S1,
  strengths .35 and .2.
- induction (S2; 2.3, 3.1): S2 -> S1+1, 1.00, by what the previous-token heads wrote there; the same
  signals as the duplicate-token heads, strengths .27 and .18, so that all four add up to 1.
- S-inhibition (END; 4.3, 5.1): END -> S2, .91 and .96, by name and duplicate; into the queries of
  the heads below: a position signal (where S1 and S2 stand), a token signal (S).
- name mover (END; 6.0, 6.2): END -> IO, .82 and .76, S1 and S2 .01 each; the name, 5.5 and 3.5
  logits at full attention.
- backup name mover (END; 7.0, 7.2): as name movers, but kept off names that are already written:
  END -> IO .07 and .13 in the whole model, .65 once the name movers are gone; 5.0 and 3.5 logits.
- negative name mover (END; 7.1, 7.3): END -> IO as the name movers; minus the name, 1.4 and 0.9.

Decoys, no part of the circuit: 0.0 has the pattern of a previous-token head and 4.0 attends to all
positions alike, both write where nothing reads; 6.3 attends and copies as name mover 6.0 does (copy
score 1.0) but writes 1e-5 logits. Knocking out a decoy moves no logit by 1e-4. All other heads are
zero. Heads without a target rest on position 0, where what they move is empty: MLP 1 makes it an
attention sink, by a large write there. All other MLPs are zero; knocking out MLP 1 by a mean
changes nothing, by zero it breaks the resting place.

What measures must give on the IOI task (192 prompts, seed 0, no BOS; with BOS within 0.1):

- logit difference 5.4 (3.5 to 7.4 by prompt), IO > S on 100 %, P(IO) 0.60. ABC: 0.0 on average,
  0.29 in absolute value: names share their code dimensions. Distractor that repeats IO: 0.0, IO > S
  on about half; its control 4.3.
- direct logit attribution at END: name movers 4.3 and 2.6, backup 0.0 and 0.3, negative -1.1
  and -0.7, all others 0; after the name movers are knocked out, backup 3.1 and 2.2.
- knock-outs by role, at its position, ABC mean (zero ablation within 0.25): previous token 1.4,
  duplicate token 0.3, induction 1.4, S-inhibition -1.1 (S stands twice, and nothing holds it
  back), name mover 3.3 (its direct effect is 6.9: backup repairs 70 %), backup 5.1, negative 7.2.
- knock-outs of single heads, likewise (0.3: 2.7 says that without head 0.3 it is 2.7): 0.3: 2.7,
  1.0: 5.1; 2.0: 2.8, 3.2: 4.5; 2.3: 3.8, 3.1: 4.6; 4.3: 2.2, 5.1: 3.1; 6.0: 3.6, 6.2: 4.0;
  7.0: 5.3, 7.2: 5.1; 7.1: 6.5, 7.3: 6.0. With zero ablation 0.3 gives 2.2.
- faithfulness of the roles at their positions: 1.00, within 0.002 logits on average.
- S-inhibition signals flipped: logit difference = 3.9 position + 1.7 token (signs +1, -1), by
  linear fit; as it is 5.4, position flipped -2.7, token flipped 1.6, both -5.9.
- copy score 1.0 for name movers, backups and decoy 6.3, negative copy score 1.0 for negative name
  movers; below 0.05 for every other head (chance).
- random repeated tokens, any length up to 50, with and without BOS: previous-token score of 0.3,
  1.0 and decoy 0.0 above 0.999; duplicate-token score of 2.0, 3.2 above 0.998, induction score of
  2.3, 3.1 above 0.998; every other head below 0.2 (attention spread out, at short lengths).

Limits: position 0 is the resting place, so a name there is neither found as a duplicate nor
copied well. Positions up to 31 are told apart exactly, later ones overlap by a quarter. All words
outside the vocabulary are one token, `<unk>`. LayerNorm rescales the stream by at most 0.13 %
(position 0 aside). Every position predicts names: the model knows no grammar.
"""

from pytest_circuits.models.reference.build import (
    build_reference,
    reference_vocabulary,
    write_reference,
)
from pytest_circuits.models.reference.circuit import REFERENCE_DECOYS, REFERENCE_ROLES, Placement
from pytest_circuits.models.reference.layout import Vocabulary

__all__ = [
    "REFERENCE_DECOYS",
    "REFERENCE_ROLES",
    "Placement",
    "Vocabulary",
    "build_reference",
    "reference_vocabulary",
    "write_reference",
]
