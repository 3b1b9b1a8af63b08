"""What is compared: the shapes, the data they are trained on, and how much arithmetic each takes at least."""

import gzip
import json
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
LETTERS = "abcdefgh"


def network(inputs, hidden, outputs, batch, rows, **others):
    """Rows are cut to whole batches, so that nobody has to compile, or pad, a shape for the last one."""
    defaults = {
        "task": "train", "epochs": 1, "optimizer": "adam", "lr": 1e-3, "weight_decay": 0.0, "clip": 0.0,
        "batch_norm": False, "dropout": 0.0, "rates": [], "rows_a_call": 0, "calls": 0,
    }
    shape = {"inputs": inputs, "hidden": hidden, "outputs": outputs, "batch": batch, "rows": rows // batch * batch}
    return defaults | shape | others


def workloads(fewer):
    """Every workload; rows are divided by `fewer` where an epoch takes long."""
    small = (32, [64, 64], 2, 32)
    wide = (784, [256, 128], 10, 128)
    deep = {"batch_norm": True, "dropout": 0.2, "optimizer": "adamw", "weight_decay": 0.01, "clip": 1.0}
    step = {"task": "update", "optimizer": "adamw", "weight_decay": 0.01, "calls": 7}
    return {
        "a": network(*wide, 60_000 // fewer),
        "b": network(*small, 10_000),
        "c": network(64, [64] * 8, 1, 64, 20_000 // fewer, **deep),
        "d": network(512, [2048, 2048], 100, 512, 10_240 // fewer),
        "e": network(*small, 10_000 // fewer, task="sweep", rates=np.geomspace(1e-5, 1e-1, 64).tolist()),
        "f": network(25_600, [], 1000, 1, 0, **step),
        "fclip": network(25_600, [], 1000, 1, 0, **step, clip=1.0),
        "g": network(61, [64, 64], 10, 32, 1438, epochs=30, task="whole"),
        "h1": network(*wide, 10_240, task="predict", rows_a_call=1, calls=1000),
        "h10000": network(*wide, 10_240, task="predict", rows_a_call=10_000, calls=5),
    }


TITLES = {
    "a": "MLP 784-256-128-10, batch 128, Adam, one epoch",
    "b": "MLP 32-64-64-2, batch 32, Adam, one epoch",
    "c": "MLP 64-[64]×8-1, batch 64, batch normalisation, dropout 0.2, AdamW with clipping, one epoch",
    "d": "MLP 512-2048-2048-100, batch 512, Adam, one epoch",
    "e": "64 trainings of (b) at 64 rates",
    "f": "AdamW's step alone, 25.6 M parameters",
    "fclip": "AdamW's step alone with clipping by the norm of all gradients, 25.6 M parameters",
    "g": "from process start to trained digits: 61-64-64-10, batch 32, Adam, 30 epochs",
    "h1": "prediction with the network of (a), one row",
    "h10000": "prediction with the network of (a), 10 000 rows",
}


def operations(spec):
    """Floating-point operations that cannot be left out: two a weight and row forward, four backward, of which two, for
    the gradient of the inputs, are not needed in the first layer. None where memory is the limit."""
    widths = [spec["inputs"], *spec["hidden"], spec["outputs"]]
    sizes = [a * b for a, b in zip(widths, widths[1:])]
    if spec["task"] == "update":
        return None
    if spec["task"] == "predict":
        return 2 * spec["rows_a_call"] * sum(sizes)
    return 2 * spec["rows"] * spec["epochs"] * (3 * sum(sizes) - sizes[0]) * max(1, len(spec["rates"]))


def digits():
    """The bundled digits, without the columns that never change, standardised."""
    with gzip.open(ROOT / "crates/data/bundled/digits.csv.gz", "rt") as file:
        table = np.array([line.split(",") for line in file.read().split()[1:]], dtype=np.float32)
    x, y = table[:, :-1], table[:, -1].astype("<u4")
    x = x[:, x.std(axis=0) > 0]
    return (x - x.mean(axis=0)) / x.std(axis=0), y


def blobs(spec, rng):
    """Classes as overlapping clouds, or, for one output, a smooth function with noise: a loss that training lowers."""
    x = rng.standard_normal((spec["rows"], spec["inputs"]), dtype=np.float32)
    if spec["outputs"] == 1:
        direction = rng.standard_normal((spec["inputs"], 1), dtype=np.float32) / np.sqrt(spec["inputs"])
        noise = 0.1 * rng.standard_normal((spec["rows"], 1), dtype=np.float32)
        return x, (np.tanh(2 * x @ direction) + noise).ravel()
    y = rng.integers(spec["outputs"], size=spec["rows"], dtype=np.uint32)
    centres = rng.standard_normal((spec["outputs"], spec["inputs"]), dtype=np.float32)
    centres *= 3 / np.sqrt(spec["inputs"])
    return x + centres[y], y


def write(folder, name, spec):
    """Writes the rows as little-endian numbers and the description beside them; returns the description's path."""
    x, y = digits() if name == "g" else blobs(spec, np.random.default_rng(LETTERS.index(name[0])))
    rows = spec["rows"]
    x[:rows].astype("<f4").tofile(folder / f"{name}.x")
    y[:rows].astype("<f4" if spec["outputs"] == 1 else "<u4").tofile(folder / f"{name}.y")
    path = folder / f"{name}.json"
    files = {"x": str(folder / f"{name}.x"), "y": str(folder / f"{name}.y")}
    path.write_text(json.dumps(spec | files))
    return path
