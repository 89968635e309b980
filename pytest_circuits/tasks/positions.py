"""Names of token positions, in the words of the IOI paper (Wang et al. 2022)."""

IO = "IO"
"""The first mention of the indirect object, the name that occurs once and is the answer."""

S1 = "S1"
"""The first mention of the subject, the name that occurs twice."""

S1_NEXT = "S1+1"
"""The token after S1."""

S2 = "S2"
"""The second mention of the subject."""

IO2 = "IO2"
"""The name in the distractor sentence: IO once more, or a third person in the controls."""

END = "END"
"""The token whose next-token logits are read; in IOI the last one."""

FIRST = "FIRST"
"""In repeated tokens: the first token of the first copy."""

FIRST_NEXT = "FIRST+1"
"""In repeated tokens: the token after FIRST, which an induction head looks for from SECOND."""

SECOND = "SECOND"
"""In repeated tokens: the first token of the second copy."""
