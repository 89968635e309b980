"""Products by oneDNN are those of the module; what does not suit goes its usual way."""

import pytest
import torch
from torch import nn
from transformers.models.llama.modeling_llama import LlamaConfig, LlamaMLP
from transformers.pytorch_utils import Conv1D

from pytest_circuits.engine import onednn
from pytest_circuits.engine.onednn import by_onednn

ROWS, WIDTH = 64, 96  # times the width again: more multiplications than are worth the call
ONEDNN = pytest.mark.skipif(not onednn._offered(), reason="this processor does not gain by it")


def llama_mlp():
    return LlamaMLP(LlamaConfig(hidden_size=WIDTH, intermediate_size=2 * WIDTH))


MODULES = {
    "linear": lambda: nn.Linear(WIDTH, WIDTH, bias=False),
    "linear with bias": lambda: nn.Linear(WIDTH, WIDTH),
    "GPT-2's": lambda: Conv1D(2 * WIDTH, WIDTH),
    "gated MLP": llama_mlp,
}


@pytest.fixture
def taken(monkeypatch):
    """The shapes of what oneDNN multiplies."""
    shapes, product = [], onednn._product

    def counted(x, weight, bias):
        shapes.append((tuple(x.shape), tuple(weight.shape)))
        return product(x, weight, bias)

    onednn._offered()  # its trial is not counted
    monkeypatch.setattr(onednn, "_product", counted)
    return shapes


@pytest.fixture(params=MODULES)
def module(request):
    torch.manual_seed(0)
    module = MODULES[request.param]()
    with torch.no_grad():
        for each in module.parameters():
            each.normal_()
    return module


@ONEDNN
@pytest.mark.parametrize(
    "shape", [(ROWS, WIDTH), (2, 4, 8, WIDTH), (0, WIDTH)], ids=["rows", "many dimensions", "none"]
)
def test_products_are_the_modules_own(module, taken, shape):
    x = torch.randn(shape)
    with torch.no_grad():
        torch.testing.assert_close(by_onednn(module)(x), module(x), rtol=1e-4, atol=1e-3)
    products = len([each for each in module.parameters() if each.dim() > 1])
    assert len(taken) == (products if x.numel() else 0)


@ONEDNN
def test_rows_need_not_lie_together(module, taken):
    apart = torch.randn(ROWS, 2 * WIDTH)[:, ::2]
    repeated = torch.randn(1, WIDTH).expand(ROWS, WIDTH)
    with torch.no_grad():
        for x in (apart, repeated):
            torch.testing.assert_close(by_onednn(module)(x), module(x), rtol=1e-4, atol=1e-3)
    assert taken


@ONEDNN
def test_weights_are_read_when_they_are_used(taken):
    """A model that is sabotaged after it was taken apart is run as it is then."""
    module = nn.Linear(WIDTH, WIDTH)
    forward = by_onednn(module)
    with torch.no_grad():
        forward(torch.randn(ROWS, WIDTH))
        module.weight.zero_()
        module.bias.fill_(7)
        assert torch.equal(forward(torch.randn(ROWS, WIDTH)), torch.full((ROWS, WIDTH), 7.0))
    assert len(taken) == 2


@pytest.mark.parametrize("rows", [1, 16], ids=["one row", "a small matrix"])
def test_a_small_product_is_not_worth_the_call(taken, rows):
    module = nn.Linear(1024, 1024) if rows == 1 else nn.Linear(WIDTH, WIDTH)
    with torch.no_grad():
        by_onednn(module)(torch.randn(rows, module.in_features))
    assert not taken


def test_weights_that_do_not_lie_together_go_their_usual_way(taken):
    """As those of GPT-2's queries, a part of one matrix: oneDNN has no fast way for them."""
    module = nn.Linear(WIDTH, WIDTH)
    module.weight = nn.Parameter(torch.randn(WIDTH, 3 * WIDTH)[:, WIDTH : 2 * WIDTH].t())
    with torch.no_grad():
        by_onednn(module)(torch.randn(ROWS, WIDTH))
    assert not taken


def test_what_is_differentiated_goes_its_usual_way(taken):
    module = nn.Linear(WIDTH, WIDTH)
    by_onednn(module)(torch.randn(ROWS, WIDTH)).sum().backward()
    assert module.weight.grad is not None
    assert not taken


@pytest.mark.parametrize("capability", ["DEFAULT", "AVX2"])
def test_other_processors_are_left_alone(monkeypatch, capability):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(onednn, "_offered", onednn._offered.__wrapped__)
    module = nn.Linear(WIDTH, WIDTH)
    assert by_onednn(module) is module


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_precisions_are_left_alone(dtype):
    module = nn.Linear(WIDTH, WIDTH).to(dtype)
    assert by_onednn(module) is module


def no_such_operator(x, weight, bias):
    raise AttributeError("_linear_pointwise")


def another_signature(x, weight, bias):
    raise TypeError("takes 5 positional arguments")


def another_product(x, weight, bias):
    return x @ weight


@pytest.mark.parametrize("product", [no_such_operator, another_signature, another_product])
def test_a_torch_without_the_product_is_left_alone(monkeypatch, product):
    """It is not public: another release may lack it, or mean something else by it."""
    monkeypatch.setattr(onednn, "_product", product)
    monkeypatch.setattr(onednn, "_offered", onednn._offered.__wrapped__)
    module = nn.Linear(WIDTH, WIDTH)
    assert by_onednn(module) is module
