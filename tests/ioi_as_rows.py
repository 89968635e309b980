"""IOI's prompts as the rows of a task of one's own."""

from pytest_circuits import IOI


def as_rows(tokenizer, n, counterparts=("ABC",)):
    """Return n rows, the first that IOI draws with seed 0, with some of its counterparts."""
    drawn = IOI().draw(tokenizer, n, 0)
    others = {name: drawn.distribution(name) for name in counterparts}
    return [
        _row(tokenizer, drawn.prompts, i)
        | {
            "positions": {},
            "group": str(drawn.prompts.groups[i]),
            "counterparts": {name: _row(tokenizer, it, i) for name, it in others.items()},
        }
        for i in range(n)
    ]


def _row(tokenizer, prompts, i):
    answer, foil = (
        " " + tokenizer.decode([token]).strip() for token in (prompts.answers[i], prompts.foils[i])
    )
    return {"text": prompts.texts[i], "answer": answer, "foil": foil}
