"""Three tokenizers: words, trained byte-level BPE (offsets and ids with the space), SmolLM2's."""

import pytest
from tokenizers import ByteLevelBPETokenizer, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import PreTrainedTokenizerFast

from pytest_circuits.errors import ModelNotAvailable
from pytest_circuits.models.smollm2 import gguf_path
from pytest_circuits.tasks.ioi import vocabulary


def word_tokenizer(words, **special):
    vocab = {word: i for i, word in enumerate(["<unk>", "<s>", *words])}
    inner = Tokenizer(WordLevel(vocab, unk_token="<unk>"))
    inner.pre_tokenizer = Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", **special)


class Merging:
    """Makes one token of "Mary and", as a tokenizer with merges over spaces may."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def __len__(self):
        return len(self.inner)

    def __call__(self, texts, **options):
        batch = self.inner(texts, **options)
        merged = self.inner.convert_tokens_to_ids(["Mary", "and"])
        for ids, offsets in zip(batch["input_ids"], batch["offset_mapping"], strict=True):
            for i in range(len(ids) - 2, -1, -1):
                if ids[i : i + 2] == merged:
                    offsets[i] = (offsets[i][0], offsets[i + 1][1])
                    del ids[i + 1], offsets[i + 1]
        return batch


@pytest.fixture(scope="session")
def merging(words):
    return Merging(words)


@pytest.fixture(scope="session")
def make_words():
    return word_tokenizer


@pytest.fixture(scope="session")
def words():
    names, others = vocabulary()
    return word_tokenizer([*names, *others], bos_token="<s>")


@pytest.fixture(scope="session")
def bytelevel():
    names, others = vocabulary()
    inner = ByteLevelBPETokenizer()
    corpus = [f" {word}" for word in (*names, *others)] * 4
    inner.train_from_iterator(corpus, vocab_size=4000, min_frequency=2, show_progress=False)
    return PreTrainedTokenizerFast(tokenizer_object=inner._tokenizer, bos_token="<s>")


@pytest.fixture(scope="session")
def smollm2():
    from transformers import AutoTokenizer

    try:
        gguf = gguf_path()
    except ModelNotAvailable as error:
        pytest.skip(str(error))
    return AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)


@pytest.fixture(params=["words", "bytelevel", "smollm2"])
def tokenizer(request):
    return request.getfixturevalue(request.param)
