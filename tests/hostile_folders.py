"""What may be wrong with a checkpoint folder: functions that change one good folder."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
from pathlib import Path

SHARD = "model-00001-of-00001.safetensors"
WEIGHTS, CONFIG, INDEX = "model.safetensors", "config.json", "model.safetensors.index.json"
TOKENIZER, SETTINGS = "tokenizer.json", "tokenizer_config.json"


class Bomb:
    """Leaves a trace if it is ever unpickled."""

    def __reduce__(self):
        return (os.mkdir, ("unpickled",))


# How to change a folder. Each returns a function of the folder.


def write(name, content):
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    return lambda folder: (folder / name).write_bytes(data)


def edit(name, **changes):
    def change(folder):
        path = folder / name
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def without(name, *keys):
    def change(folder):
        left = json.loads((folder / name).read_text())
        for key in keys:
            left.pop(key)
        (folder / name).write_text(json.dumps(left))

    return change


def remove(name):
    return lambda folder: (folder / name).unlink()


def cut(name, size):
    return lambda folder: os.truncate(folder / name, size)


def instead(name, make):
    """Something that is no file under the name of one."""

    def change(folder):
        (folder / name).unlink()
        make(folder / name)

    return change


def both(*changes):
    return lambda folder: [change(folder) for change in changes]


def at(name, start, content):
    def change(folder):
        data = bytearray((folder / name).read_bytes())
        data[start : start + len(content)] = content
        (folder / name).write_bytes(data)

    return change


def header(edit_header, *, body=lambda data: data):
    """Change the parsed header of the weights, and perhaps the bytes after it."""

    def change(folder):
        raw = (folder / WEIGHTS).read_bytes()
        end = 8 + struct.unpack("<Q", raw[:8])[0]
        content = json.loads(raw[8:end])
        content = edit_header(content) or content
        text = json.dumps(content).encode()
        (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + body(raw[end:]))

    return change


def tensor(**changes):
    return header(lambda content: content["transformer.wte.weight"].update(changes))


def sharded(**index):
    """The same weights as one shard, with an index."""

    def change(folder):
        (folder / WEIGHTS).rename(folder / SHARD)
        (folder / INDEX).write_text(
            json.dumps({"metadata": {}, "weight_map": {"a": SHARD}} | index)
        )

    return change


def normalizer(*steps):
    return edit(TOKENIZER, normalizer={"type": "Sequence", "normalizers": list(steps)})


def replacing(pattern, content):
    return {"type": "Replace", "pattern": pattern, "content": content}


def layers(count):
    return edit(CONFIG, n_layer=count)


def sparse(folder):
    """A file that says it has 64 TB of numbers and, on disk, has next to nothing."""
    text = json.dumps({"a": {"dtype": "F32", "shape": [1 << 44], "data_offsets": [0, 1 << 46]}})
    with (folder / WEIGHTS).open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text.encode())
        stream.truncate(8 + len(text) + (1 << 42))


def nested(depth):
    return "[" * depth + "]" * depth


DIGITS = "9" * 5000
PICKLE = pickle.dumps(Bomb())
OUTSIDE = ("../outside.safetensors", "/etc/passwd", "a/b.safetensors", "..\\x.safetensors")
NOT_SHARDS = ("pytorch_model.bin", "x.safetensors\0", "", 5, None, ["a"], {"a": 1})
SIZES = {
    "vocab_size": (0, -1, 10**6, 10**9, 10**13, 10**30, "many", None, [8], 8.5),
    "n_embd": (0, -8, 7, 10**5, 10**9, "8", None),
    "n_positions": (0, -1, 10**6, 10**9, 10**12, None),
    "n_head": (0, -1, 3, 10**9, "2", None),
}

REFUSED = {
    # configs
    **{
        f"config {kind}": write(CONFIG, text)
        for kind, text in {
            "empty": "",
            "no JSON": "{",
            "a list": "[]",
            "a number": "5",
            "null": "null",
            "not UTF-8": b"\xff\xfe{",
            "deep": '{"a": ' + nested(100_000) + "}",
            "rather deep": '{"model_type": "gpt2", "a": ' + nested(500) + "}",
            "of many digits": '{"n_layer": ' + DIGITS + "}",
            "of 600 bytes for 12 GB": json.dumps(
                {
                    "model_type": "llama",
                    "architectures": ["LlamaForCausalLM"],
                    "vocab_size": 3_000_000,
                    "hidden_size": 1024,
                    "num_hidden_layers": 2,
                    "num_attention_heads": 4,
                }
            ),
        }.items()
    },
    **{
        f"{count} layers": layers(count)
        for count in (
            0,
            1,
            3,
            -1,
            100,
            10**6,
            10**9,
            10**18,
            "two",
            None,
            [],
            {},
            2.5,
            "\x1b[31m",
        )
    },
    **{
        f"{field} {size}": edit(CONFIG, **{field: size})
        for field, sizes in SIZES.items()
        for size in sizes
    },
    **{
        f"model_type {kind!r}": edit(CONFIG, model_type=kind)
        for kind in (
            "no_such_thing",
            "",
            5,
            None,
            ["gpt2"],
            "bert",
            "llama",
            "mixtral",
            "../x",
        )
    },
    **{f"architectures {value!r}": edit(CONFIG, architectures=value) for value in (5, -1, True)},
    "n_inner of terabytes": edit(CONFIG, n_inner=10**12),
    "a million experts": both(
        edit(CONFIG, model_type="mixtral", num_local_experts=10**6, num_hidden_layers=2),
    ),
    "remote code": edit(CONFIG, auto_map={"AutoModelForCausalLM": "evil.Model"}),
    "a kernel of the hub": edit(CONFIG, _attn_implementation="kernels-community/flash-attn"),
    "an activation that is none": edit(CONFIG, activation_function="no such thing"),
    "a quantization that is none": edit(CONFIG, quantization_config={"quant_method": "none such"}),
    "a quantization of a wrong type": edit(CONFIG, quantization_config=[1]),
    "a dtype that is none": edit(CONFIG, dtype="float12", torch_dtype="float12"),
    "config is a folder": instead(CONFIG, Path.mkdir),
    "config is a pipe": instead(CONFIG, os.mkfifo),
    "config is a dead link": instead(CONFIG, lambda path: path.symlink_to("nowhere")),
    "config is endless": instead(CONFIG, lambda path: path.symlink_to("/dev/zero")),
    # weights
    "weights are a pickle": write(WEIGHTS, PICKLE),
    "weights are a pickle of the old name": both(
        remove(WEIGHTS), write("pytorch_model.bin", PICKLE)
    ),
    "weights are text": write(WEIGHTS, "no weights"),
    **{f"weights are cut at {size}": cut(WEIGHTS, size) for size in (0, 4, 8, 100, 3000)},
    "weights are longer": header(lambda content: None, body=lambda data: data + b"\0" * 64),
    "a header of 8 EB": at(WEIGHTS, 0, b"\xff" * 7 + b"\x7f"),
    "a header of nothing": at(WEIGHTS, 0, b"\0" * 8),
    "a header of a byte": at(WEIGHTS, 0, b"\x01" + b"\0" * 7),
    "a header that is deep": write(WEIGHTS, struct.pack("<Q", 200_000) + nested(100_000).encode()),
    "a header of a list": write(WEIGHTS, struct.pack("<Q", 2) + b"[]"),
    "a header that is no UTF-8": write(WEIGHTS, struct.pack("<Q", 2) + b"\xff\xff"),
    "no tensor": header(lambda content: {"__metadata__": {"format": "pt"}}),
    "a tensor that is a list": header(lambda content: content.update(x=[1])),
    "a tensor without offsets": header(
        lambda content: content["transformer.wte.weight"].pop("data_offsets")
    ),
    **{
        f"a tensor of {key} {value!r}": tensor(**{key: value})
        for key, value in (
            ("dtype", "F33"),
            ("dtype", None),
            ("dtype", ["F32"]),
            ("dtype", "I32"),
            ("dtype", "F64"),
            ("shape", [-8, -8]),
            ("shape", "8x8"),
            ("shape", None),
            ("shape", [8, "8"]),
            ("shape", [10**30]),
            ("shape", [10**400, 1.5]),
            ("shape", [4, 16]),
            ("shape", [64]),
            ("shape", []),
            ("data_offsets", [0, 10**18]),
            ("data_offsets", [-256, 0]),
            ("data_offsets", [0]),
            ("data_offsets", [256, 0]),
            ("data_offsets", [0.0, 256.0]),
            ("data_offsets", "01"),
        )
    },
    "a tensor under another name": header(
        lambda content: content.update(other=content.pop("transformer.wte.weight"))
    ),
    "a sparse file of terabytes": sparse,
    "no weights": remove(WEIGHTS),
    "weights are a folder": instead(WEIGHTS, Path.mkdir),
    "weights are a dead link": instead(WEIGHTS, lambda path: path.symlink_to("nowhere")),
    # the index
    **{
        f"an index to {name!r}": sharded(weight_map={"a": name}) for name in (*OUTSIDE, *NOT_SHARDS)
    },
    "an index to an absent shard": sharded(weight_map={"a": SHARD, "b": "other.safetensors"}),
    "an index to a pickled shard": both(
        sharded(weight_map={"a": SHARD, "b": "x.safetensors"}), write("x.safetensors", PICKLE)
    ),
    "an index to two copies": both(
        lambda folder: shutil.copy(folder / WEIGHTS, folder / "x.safetensors"),
        sharded(weight_map={"a": SHARD, "b": "x.safetensors"}),
    ),
    **{
        f"an index that is {kind}": both(sharded(), write(INDEX, text))
        for kind, text in {
            "empty": "",
            "a list": "[]",
            "deep": nested(100_000),
            "without a map": "{}",
            "with a list": '{"weight_map": []}',
            "with no entry": '{"weight_map": {}}',
            "of many digits": '{"weight_map": ' + DIGITS + "}",
        }.items()
    },
    # adapters and tokenizers
    "an adapter": write("adapter_config.json", "{}"),
    "no tokenizer": remove(TOKENIZER),
    **{
        f"tokenizer {kind}": write(TOKENIZER, text)
        for kind, text in {
            "empty": "",
            "no JSON": "{",
            "a list": "[]",
            "nothing": "{}",
            "deep": nested(100_000),
            "not UTF-8": b"\xff",
            "of many digits": '{"version": ' + DIGITS + "}",
            "without a model": '{"version": "1.0", "added_tokens": []}',
        }.items()
    },
    **{
        f"tokenizer's model {model!r}"[:60]: edit(TOKENIZER, model=model)
        for model in (
            None,
            [],
            {"type": "BPE", "vocab": {}, "merges": [["a", "b"]]},
            {"type": "no such thing"},
            {"type": "WordLevel", "vocab": {"a": -1}, "unk_token": "<unk>"},
            {"type": "WordLevel", "vocab": {"a": 10**30}, "unk_token": "<unk>"},
        )
    },
    "a tokenizer that doubles 24 times": normalizer(*[replacing({"String": "M"}, "MM")] * 24),
    "a tokenizer that writes a novel": normalizer(replacing({"Regex": "M"}, "M" * 10_000)),
    "a tokenizer in nested sequences": normalizer(
        *[{"type": "Sequence", "normalizers": [replacing({"String": "M"}, "MM")] * 12}] * 2
    ),
    "a tokenizer that splits by a wrong pattern": edit(
        TOKENIZER,
        pre_tokenizer={
            "type": "Split",
            "pattern": {"Regex": "("},
            "behavior": "Isolated",
            "invert": False,
        },
    ),
    "settings are a list": write(SETTINGS, "[]"),
    "settings are deep": write(SETTINGS, '{"a": ' + nested(100_000) + "}"),
    "settings of a billion tokens": edit(SETTINGS, tokenizer_class="T5Tokenizer", extra_ids=10**9),
    "settings of a wrong token": edit(SETTINGS, bos_token=["a"]),
}

HARMLESS = {
    "nothing changed": lambda folder: None,
    "one shard with an index": sharded(),
    "a pickle beside": write("pytorch_model.bin", PICKLE),
    "a training state beside": write("training_args.bin", PICKLE),
    "code beside": write("modeling_gpt2.py", "raise SystemExit('ran')"),
    "a config with a remark": edit(CONFIG, remark="x" * 1000),
    "a config without the number of heads' ids": without(CONFIG, "transformers_version"),
    "settings of code": edit(
        SETTINGS, auto_map={"AutoTokenizer": ["evil.T", None]}, tokenizer_class="EvilTokenizer"
    ),
    "an architecture that is none": edit(CONFIG, architectures=["NoSuchModel"]),
    "an architecture by number": edit(CONFIG, architectures=[5]),
    "a wide config": edit(CONFIG, **{f"remark_{i}": i for i in range(10_000)}),
    "a link to the weights": lambda folder: (
        (folder / WEIGHTS).rename(folder.parent / "blob"),
        (folder / WEIGHTS).symlink_to(folder.parent / "blob"),
    ),
    "a header with a note": header(
        lambda content: content.update(__metadata__={"format": "pt", "note": "\x1b[31m"})
    ),
    "tensors in another order": header(lambda content: dict(reversed(content.items()))),
    "a normalizer": normalizer(replacing({"String": "\u2581"}, " ")),
}
