"""The products of Hessians with vectors that crates/nn is tested against: PyTorch's autograd twice, in float64.

    pip install torch==2.15.0 scikit-learn==1.9.1
    python tools/golden/hessian.py

writes crates/nn/tests/golden/hessian.json.
"""

import torch

from nn import ACTIVATIONS, criterion, flat, network, with_categories, write


def case(name, layers, loss, inputs=3, rows=7, seed=0):
    """A network in training mode, data, a vector v, and H·v, the derivative of g·v."""
    torch.manual_seed(seed)
    net = network(layers, inputs).train()
    with torch.no_grad():
        for p in net.parameters():
            p += 0.3 * torch.randn_like(p)
    x = with_categories(layers, 1.5 * torch.randn(rows, inputs))
    width = net(x).shape[1]
    kind = next(iter(loss))
    if kind == "cross-entropy":
        target = torch.randint(0, width, (rows,))
        targets = {"classes": target.tolist()}
    else:
        target = torch.rand(rows, width) if kind == "binary-cross-entropy" else 1.5 * torch.randn(rows, width)
        targets = {"values": target.flatten().tolist()}
    params = list(net.parameters())
    vector = [torch.randn_like(p) for p in params]
    gradient = torch.autograd.grad(criterion(loss)(net(x), target), params, create_graph=True)
    along = sum((g * v).sum() for g, v in zip(gradient, vector))
    product = torch.autograd.grad(along, params, allow_unused=True, materialize_grads=True)
    out = {"name": name, "layers": layers, "loss": loss, "inputs": inputs}
    out["params"] = flat(net, lambda p: p.detach())
    out["x"] = x.flatten().tolist()
    out["targets"] = targets
    of = lambda tensors: flat(net, dict(zip(params, tensors)).get)
    out["vector"], out["product"] = of(vector), of(product)
    return out


def cases():
    ce, mse = {"cross-entropy": {}}, {"mse": {}}
    dense = lambda units, **more: {"dense": {"units": units, **more}}
    norm, layer_norm = {"batch-norm": {}}, {"layer-norm": {}}
    activations = [{name: {}} for name in ACTIVATIONS] + [{"leaky-relu": {"slope": 0.2}}, {"elu": {"alpha": 0.7}}]
    for i, activation in enumerate(activations):
        name = next(iter(activation))
        yield case(f"{name} {i}", [dense(5), activation, dense(4), activation, dense(3)], ce, seed=i)
    losses = [
        {"cross-entropy": {"label-smoothing": 0.2, "class-weights": [0.5, 2.0, 1.25]}},
        {"binary-cross-entropy": {}}, {"mae": {}}, {"huber": {"delta": 0.6}}, mse,
    ]
    for i, loss in enumerate(losses):
        yield case(f"loss {next(iter(loss))}", [dense(6), {"tanh": {}}, dense(3)], loss, seed=100 + i)
    yield case("linear", [dense(2)], mse, seed=200)
    yield case("no bias", [dense(5, bias=False), {"silu": {}}, dense(2, bias=False)], mse, seed=201)
    yield case("layer-norm", [dense(7), {"layer-norm": {"eps": 1e-3}}, {"gelu": {}}, dense(3)], ce, seed=202)
    yield case("layer-norm first and last", [layer_norm, dense(3), layer_norm], ce, seed=203)
    yield case("batch-norm", [dense(5), norm, {"relu": {}}, dense(3)], ce, seed=204)
    layers = [norm, dense(5), {"batch-norm": {"momentum": 0.3, "eps": 1e-2}}, {"gelu": {}}, dense(4, bias=False),
              norm, {"tanh": {}}, dense(2)]
    yield case("batch-norm thrice", layers, mse, rows=30, seed=205)
    yield case("batch-norm last", [dense(3), norm], ce, seed=206)
    add = lambda layer: {"add": {"from": layer}}
    layers = [{"identity": {}}, dense(3), {"gelu": {}}, add(0), dense(4), {"tanh": {}}, dense(4), norm, add(4),
              {"silu": {}}, add(4), add(8)]
    yield case("residual, used thrice", layers, mse, seed=207)
    layers = [{"embedding": {"categories": [4, 2], "dim": 3}}, norm, dense(5), {"gelu": {}}, dense(3)]
    yield case("embedding", layers, ce, seed=208)
    scale = {"scale": {}}
    layers = [scale, dense(5), {"tanh": {}}, dense(5), scale, add(2), layer_norm, scale, dense(3)]
    yield case("scale", layers, ce, seed=209)


if __name__ == "__main__":
    write("hessian.json", cases())
