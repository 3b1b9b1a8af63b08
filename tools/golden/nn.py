"""The numbers that crates/nn is tested against: PyTorch's networks and TabM's, in float64, and scikit-learn's metrics.

    pip install torch==2.15.0 scikit-learn==1.9.1 rtdl_num_embeddings==0.0.12 tabm==0.0.3
    python tools/golden/nn.py

writes crates/nn/tests/golden/*.json.
"""

import json
from pathlib import Path

import numpy as np
import rtdl_num_embeddings
import sklearn.metrics as sk
import tabm
import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
FOLDER = Path(__file__).parents[2] / "crates/nn/tests/golden"

ACTIVATIONS = {
    "relu": (lambda s: nn.ReLU()),
    "leaky-relu": (lambda s: nn.LeakyReLU(s.get("slope", 0.01))),
    "elu": (lambda s: nn.ELU(s.get("alpha", 1.0))),
    "selu": (lambda s: nn.SELU()),
    "gelu": (lambda s: nn.GELU()),
    "silu": (lambda s: nn.SiLU()),
    "mish": (lambda s: nn.Mish()),
    "tanh": (lambda s: nn.Tanh()),
    "sigmoid": (lambda s: nn.Sigmoid()),
    "softplus": (lambda s: nn.Softplus(threshold=1e9)),
    "identity": (lambda s: nn.Identity()),
}


class Network(nn.Sequential):
    """Modules one behind the other; one with a second input also gets the output of the module at that position."""

    def forward(self, x):
        outputs = []
        for module in self:
            second = getattr(module, "second", None)
            x = module(x) if second is None else module(x, outputs[second])
            outputs.append(x)
        return x


class Add(nn.Module):
    def __init__(self, second):
        super().__init__()
        self.second = second

    def forward(self, x, second):
        return x + second


class Scale(nn.Module):
    def __init__(self, width, value):
        super().__init__()
        self.scale = nn.Parameter(torch.full((width,), value))

    def forward(self, x):
        return x * self.scale


class Embedding(nn.Module):
    """The first inputs are categories, one table of vectors behind the other in one weight; the others are passed on."""

    def __init__(self, categories, dim):
        super().__init__()
        self.first = torch.tensor([sum(categories[:i]) for i in range(len(categories))])
        self.table = nn.Embedding(sum(categories), dim)
        self.table.weight.as_it_is = True

    def forward(self, x):
        count = len(self.first)
        vectors = self.table(x[:, :count].long() + self.first)
        return torch.cat([vectors.flatten(1), x[:, count:]], 1)


class PiecewiseLinear(nn.Module):
    """Every input, and behind each that has edges the authors' encoding of it, shifted and scaled."""

    def __init__(self, edges, scale):
        super().__init__()
        encoding = lambda edges: rtdl_num_embeddings.PiecewiseLinearEncoding([torch.tensor(edges)])
        self.encodings = nn.ModuleDict({str(i): encoding(e) for i, e in enumerate(edges) if e})
        self.scale = scale

    def forward(self, x):
        parts = []
        for i, column in enumerate(x.split(1, 1)):
            parts.append(column)
            if str(i) in self.encodings:
                parts.append(self.scale * (self.encodings[str(i)](column) - 0.5))
        return torch.cat(parts, 1)


class Members(nn.Module):
    """k copies of the row, with factors of each one's own."""

    def __init__(self, k, width):
        super().__init__()
        self.view = tabm.EnsembleView(k=k)
        self.scale = tabm.ElementwiseAffine((k, width), bias=False, scaling_init="random-signs")
        self.scale.weight.as_it_is = True

    def forward(self, x):
        return self.scale(self.view(x))


def ensemble(k, width, units):
    """A shared layer; what it multiplies its inputs by stays 1."""
    layer = tabm.LinearBatchEnsemble(width, units, k=k, scaling_init="ones")
    del layer.r
    layer.register_buffer("r", torch.ones(k, width))
    layer.s.as_it_is = layer.bias.as_it_is = True
    return layer


def heads(k, width, units):
    layer = tabm.LinearEnsemble(width, units, k=k)
    layer.weight.by_member = layer.bias.as_it_is = True
    return layer


class Average(nn.Module):
    """The mean of what k members predict; in training, the members' outputs as they are."""

    def __init__(self, of):
        super().__init__()
        self.of = of

    def forward(self, x):
        if self.training:
            return x
        if self.of == "softmax":
            return x.softmax(-1).mean(1).log()
        return x.sigmoid().mean(1).logit() if self.of == "sigmoid" else x.mean(1)


def network(layers, inputs):
    """The PyTorch modules of a list of layers, as crates/nn describes them."""
    modules = []
    width = inputs
    members = 1
    for layer in layers:
        (name, settings), = layer.items()
        if name == "dense":
            modules.append(nn.Linear(width, settings["units"], bias=settings.get("bias", True)))
            width = settings["units"]
        elif name == "batch-norm":
            modules.append(nn.BatchNorm1d(width, settings.get("eps", 1e-5), settings.get("momentum", 0.1)))
        elif name == "layer-norm":
            modules.append(nn.LayerNorm(width, settings.get("eps", 1e-5)))
        elif name == "add":
            modules.append(Add(settings["from"]))
        elif name == "scale":
            modules.append(Scale(width, settings.get("value", 1.0)))
        elif name == "embedding":
            modules.append(Embedding(settings["categories"], settings["dim"]))
            width += len(settings["categories"]) * (settings["dim"] - 1)
        elif name == "members":
            members = settings["count"]
            modules.append(Members(members, width))
        elif name == "ensemble":
            modules.append(ensemble(members, width, settings["units"]))
            width = settings["units"]
        elif name == "heads":
            modules.append(heads(members, width, settings["units"]))
            width = settings["units"]
        elif name == "average":
            modules.append(Average(settings["of"]))
        elif name == "piecewise-linear":
            modules.append(PiecewiseLinear(settings["edges"], settings.get("scale", 0.1)))
            width += sum(len(edges) - 1 for edges in settings["edges"] if edges)
        else:
            modules.append(ACTIVATIONS[name](settings))
    return Network(*modules)


def flat(net, of):
    """A tensor of every parameter, in the layout of crates/nn: weights are [inputs, outputs]."""
    def ours(p):
        if hasattr(p, "by_member"):
            return of(p).transpose(1, 2)
        return of(p).T if p.dim() == 2 and not hasattr(p, "as_it_is") else of(p)

    tensors = [ours(p) for p in net.parameters()]
    return torch.cat([t.reshape(-1) for t in tensors]).tolist() if tensors else []


def with_categories(layers, x):
    """The data with whole numbers where an embedding wants categories."""
    for layer in layers:
        for i, count in enumerate(layer.get("embedding", {}).get("categories", [])):
            x[:, i] = torch.randint(0, count, x[:, i].shape)
    return x


def statistics(net):
    norms = [m for m in net if isinstance(m, nn.BatchNorm1d)]
    return [x for m in norms for t in (m.running_mean, m.running_var) for x in t.tolist()]


def criterion(loss):
    (name, settings), = loss.items()
    if name == "cross-entropy":
        weights = settings.get("class-weights")
        weights = torch.tensor(weights) if weights else None
        return nn.CrossEntropyLoss(weight=weights, label_smoothing=settings.get("label-smoothing", 0.0))
    return {
        "binary-cross-entropy": nn.BCEWithLogitsLoss(),
        "mse": nn.MSELoss(),
        "mae": nn.L1Loss(),
        "huber": nn.HuberLoss(delta=settings.get("delta", 1.0)),
    }[name]


def case(name, layers, loss, inputs=3, rows=8, batches=((0, 5), (5, 8)), seed=0):
    """A network, data, and what PyTorch makes of them: steps of gradient descent, then a prediction."""
    torch.manual_seed(seed)
    net = network(layers, inputs)
    with torch.no_grad():
        for p in net.parameters():
            p += 0.3 * torch.randn_like(p)
    x = with_categories(layers, 1.5 * torch.randn(rows, inputs))
    with torch.no_grad():
        width = net.eval()(x[:2]).shape[1]
    kind = next(iter(loss))
    if kind == "cross-entropy":
        classes = torch.randint(0, width, (rows,))
        targets = {"classes": classes.tolist()}
    elif kind == "binary-cross-entropy":
        values = torch.rand(rows, width)
        targets = {"values": values.flatten().tolist()}
    else:
        values = 1.5 * torch.randn(rows, width)
        targets = {"values": values.flatten().tolist()}
    measure = criterion(loss)
    out = {
        "name": name, "layers": layers, "loss": loss, "inputs": inputs, "lr": 0.1,
        "params": flat(net, lambda p: p.detach()), "x": x.flatten().tolist(), "targets": targets, "steps": [],
    }
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net.train()
    for first, last in batches:
        target = classes[first:last] if kind == "cross-entropy" else values[first:last]
        optimizer.zero_grad()
        outputs = net(x[first:last])
        if outputs.dim() == 3:
            # The loss of an ensemble is the mean of its members' losses.
            target = target.repeat_interleave(outputs.shape[1], 0)
            outputs = outputs.flatten(0, 1)
        value = measure(outputs, target)
        value.backward()
        out["steps"].append({
            "rows": [first, last], "loss": value.item(), "gradient": flat(net, lambda p: p.grad),
        })
        optimizer.step()
    net.eval()
    with torch.no_grad():
        outputs = net(x)
        out["outputs"] = outputs.flatten().tolist()
        out["mean"] = measure(outputs, classes if kind == "cross-entropy" else values).item()
        out["statistics"] = statistics(net)
    return out


def networks():
    ce, mse = {"cross-entropy": {}}, {"mse": {}}
    dense = lambda units, **more: {"dense": {"units": units, **more}}
    norm, layer_norm = {"batch-norm": {}}, {"layer-norm": {}}
    activations = [{name: {}} for name in ACTIVATIONS] + [{"leaky-relu": {"slope": 0.2}}, {"elu": {"alpha": 0.7}}]
    cases = []
    for i, activation in enumerate(activations):
        name = next(iter(activation))
        cases.append(case(f"dense {name} {i}", [dense(5), activation, dense(3)], ce, seed=i))
        cases.append(case(f"{name} alone {i}", [dense(5), layer_norm, activation, dense(3)], mse, seed=50 + i))
    losses = [
        {"cross-entropy": {"label-smoothing": 0.1}},
        {"cross-entropy": {"class-weights": [0.5, 2.0, 1.25]}},
        {"cross-entropy": {"label-smoothing": 0.2, "class-weights": [0.5, 2.0, 1.25]}},
        {"binary-cross-entropy": {}}, {"mae": {}}, {"huber": {}}, {"huber": {"delta": 0.6}}, mse, ce,
    ]
    for i, loss in enumerate(losses):
        layers = [dense(6), {"tanh": {}}, dense(3)]
        cases.append(case(f"loss {next(iter(loss))} {i}", layers, loss, seed=100 + i))
    cases.append(case("layer-norm", [dense(7), {"layer-norm": {"eps": 1e-3}}, dense(3)], ce, seed=200))
    cases.append(case("layer-norm first", [layer_norm, dense(3)], ce, seed=201))
    cases.append(case("no bias", [dense(5, bias=False), {"relu": {}}, dense(2, bias=False)], mse, seed=202))
    batches = ((0, 5), (5, 8), (1, 8))
    cases.append(case("batch-norm", [dense(5), norm, {"relu": {}}, dense(3)], ce, batches=batches, seed=203))
    layers = [norm, dense(5), {"batch-norm": {"momentum": 0.3, "eps": 1e-2}}, {"gelu": {}}, dense(4, bias=False),
              norm, {"tanh": {}}, dense(2)]
    cases.append(case("batch-norm thrice", layers, mse, batches=batches, seed=204))
    cases.append(case("batch-norm in shards", layers, mse, rows=132, batches=((0, 131), (5, 132)), seed=205))
    cases.append(case("batch-norm last", [dense(3), norm], ce, batches=batches, seed=206))
    add = lambda layer: {"add": {"from": layer}}
    layers = [dense(5), {"relu": {}}, dense(5), add(1), {"relu": {}}, dense(3)]
    cases.append(case("residual", layers, ce, seed=207))
    layers = [{"identity": {}}, dense(3), {"gelu": {}}, add(0), dense(4), {"tanh": {}}, dense(4), norm, add(4),
              {"silu": {}}, add(4), add(8)]
    cases.append(case("residual, used thrice", layers, mse, rows=132, batches=((0, 131), (5, 132)), seed=208))
    layers = [{"embedding": {"categories": [4, 2], "dim": 3}}, dense(5), {"gelu": {}}, dense(3)]
    cases.append(case("embedding", layers, ce, seed=209))
    layers = [{"embedding": {"categories": [3, 30], "dim": 2}}, norm, dense(4), {"tanh": {}}, dense(2)]
    cases.append(case("embedding in shards", layers, mse, 2, 132, ((0, 131), (5, 132)), seed=210))
    scale = {"scale": {}}
    cases.append(case("scale", [scale, dense(5), {"relu": {}}, scale, dense(3), scale], ce, seed=211))
    layers = [dense(5), {"relu": {}}, dense(5), {"scale": {"value": 0.1}}, add(1), dense(2)]
    cases.append(case("scale in shards", layers, mse, rows=132, batches=((0, 131), (5, 132)), seed=212))
    edges = {"piecewise-linear": {"edges": [[-1.5, -0.5, 0.25, 1.0, 2.5], [], [-1.0, 1.0]], "scale": 0.7}}
    cases.append(case("piecewise-linear", [edges, dense(5), {"relu": {}}, dense(3)], ce, inputs=4, seed=213))
    layers = [dense(4), edges, dense(5), {"tanh": {}}, edges, dense(2)]
    cases.append(case("piecewise-linear in shards", layers, mse, rows=132, batches=((0, 131), (5, 132)), seed=214))
    members, shared, own = {"members": {"count": 3}}, lambda n: {"ensemble": {"units": n}}, lambda n: {"heads": {"units": n}}
    of = lambda outputs: {"average": {"of": outputs}}
    layers = [members, shared(5), {"relu": {}}, shared(4), {"tanh": {}}, own(3), of("softmax")]
    cases.append(case("ensemble", layers, ce, seed=215))
    weighted = {"cross-entropy": {"label-smoothing": 0.1, "class-weights": [0.5, 2.0, 1.25]}}
    cases.append(case("ensemble, weighted", layers, weighted, seed=216))
    layers = [dense(4), members, shared(5), {"gelu": {}}, own(2), of("values")]
    cases.append(case("ensemble in shards", layers, mse, rows=132, batches=((0, 131), (5, 132)), seed=217))
    layers = [members, shared(20), {"relu": {}}, own(2), of("sigmoid")]
    cases.append(case("ensemble of answers", layers, {"binary-cross-entropy": {}}, seed=218))
    return cases


def edges():
    """Data, and the edges of its bins."""
    torch.manual_seed(0)
    x = torch.cat([torch.randn(200, 2) ** 3, (4 * torch.randn(200, 1)).round()], 1)
    bins = rtdl_num_embeddings.compute_bins(x, n_bins=12)
    return [{"x": x.flatten().tolist(), "inputs": 3, "bins": 12, "edges": [b.tolist() for b in bins]}]


def metrics():
    rng = np.random.default_rng(0)
    cases = []

    def classified(name, outputs, classes, k):
        outputs, classes = np.asarray(outputs, float), np.asarray(classes)
        width = outputs.shape[1]
        if width == 1:
            predicted = (outputs[:, 0] > 0).astype(int)
            auc = sk.roc_auc_score(classes, outputs[:, 0])
        else:
            predicted = outputs.argmax(1)
            shares = torch.softmax(torch.tensor(outputs), 1).numpy()
            ovr = {} if width == 2 else {"multi_class": "ovr", "average": "macro"}
            # scikit-learn refuses the area if a class has no rows.
            all_there = len(set(classes.tolist())) == width
            auc = sk.roc_auc_score(classes, shares[:, 1] if width == 2 else shares, **ovr) if all_there else None
        count = max(width, 2)
        top = {} if width < 3 else {
            f"top-k({k})": sk.top_k_accuracy_score(classes, outputs, k=k, labels=range(width)),
        }
        macro = {"average": "macro", "zero_division": 0.0}
        cases.append({
            "name": name, "width": width, "outputs": outputs.flatten().tolist(), "classes": classes.tolist(),
            "confusion": sk.confusion_matrix(classes, predicted, labels=range(count)).flatten().tolist(),
            "metrics": {
                "accuracy": sk.accuracy_score(classes, predicted),
                "balanced-accuracy": sk.balanced_accuracy_score(classes, predicted),
                "precision": sk.precision_score(classes, predicted, **macro),
                "recall": sk.recall_score(classes, predicted, **macro),
                "f1": sk.f1_score(classes, predicted, **macro),
                **({} if auc is None else {"roc-auc": auc}), **top,
            },
        })

    classes = rng.integers(0, 2, 40)
    classified("one output", rng.normal(size=(40, 1)) + classes[:, None], classes, 2)
    classified("one output, ties", np.round(rng.normal(size=(40, 1)) + classes[:, None]), classes, 2)
    classified("two outputs", rng.normal(size=(40, 2)), classes, 2)
    classes = rng.integers(0, 4, 60)
    classified("four classes", rng.normal(size=(60, 4)) + 1.5 * np.eye(4)[classes], classes, 2)
    outputs = rng.normal(size=(60, 4)) + 1.5 * np.eye(4)[classes]
    outputs[:, 2] = -9.0
    classified("a class never predicted", outputs, classes, 3)
    classified("a class never seen", outputs, np.where(classes == 2, 0, classes), 2)

    def fitted(name, outputs, values):
        width = outputs.shape[1]
        cases.append({
            "name": name, "width": width,
            "outputs": outputs.flatten().tolist(), "values": values.flatten().tolist(),
            "metrics": {
                "rmse": sk.root_mean_squared_error(values, outputs),
                "mae": sk.mean_absolute_error(values, outputs),
                "r2": sk.r2_score(values, outputs),
            },
        })

    values = rng.normal(size=(30, 1))
    fitted("one value", values + 0.4 * rng.normal(size=(30, 1)), values)
    values = rng.normal(size=(30, 3)) * [1.0, 5.0, 0.1]
    fitted("three values", values + 0.4 * rng.normal(size=(30, 3)), values)
    values = values.copy()
    values[:, 1] = 2.0
    fitted("a constant value", values + 0.1, values)
    return cases


def write(name, cases):
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    write("networks.json", networks())
    write("metrics.json", metrics())
    write("edges.json", edges())
