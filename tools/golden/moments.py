"""The moments of PyTorch's and Keras's initialisers, for the tests of downhill-optim.

    pip install torch==2.15.0 keras==3.15.1 numpy==2.4.6
    python tools/golden/moments.py

writes crates/optim/tests/golden/moments.json: of a million values of each initialiser for 400 inputs and 100 outputs,
their mean, standard deviation, largest absolute value and the share of zeros. Initialisers that leave nothing to chance
are given whole, for 3 inputs and 2 outputs.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

INPUTS, OUTPUTS, TIMES = 400, 100, 25
init, k = torch.nn.init, keras.initializers


def by_torch(fill):
    """PyTorch's weights are [outputs, inputs]."""

    def make(inputs, outputs):
        weights = torch.empty(outputs, inputs, dtype=torch.float64)
        fill(weights)
        return weights.T.numpy()

    return make


def by_keras(initializer):
    """Keras's are [inputs, outputs]; a new seed each time."""
    return lambda inputs, outputs: initializer()((inputs, outputs), dtype="float64").numpy()


RANDOM = [
    ("normal", by_keras(k.RandomNormal)),
    ("normal(2)", by_torch(lambda w: init.normal_(w, std=2.0))),
    ("truncated-normal", by_torch(lambda w: init.trunc_normal_(w, std=0.05, a=-0.1, b=0.1))),
    ("truncated-normal(1)", by_torch(lambda w: init.trunc_normal_(w))),
    ("uniform", by_keras(k.RandomUniform)),
    ("uniform(2)", by_torch(lambda w: init.uniform_(w, -2.0, 2.0))),
    ("glorot-uniform", by_torch(lambda w: init.xavier_uniform_(w))),
    ("glorot-uniform", by_keras(k.GlorotUniform)),
    ("glorot-normal", by_torch(lambda w: init.xavier_normal_(w))),
    ("he-uniform", by_torch(lambda w: init.kaiming_uniform_(w, nonlinearity="relu"))),
    ("he-uniform", by_keras(k.HeUniform)),
    ("he-normal", by_torch(lambda w: init.kaiming_normal_(w, nonlinearity="relu"))),
    ("lecun-uniform", by_keras(k.LecunUniform)),
    ("lecun-normal", by_torch(lambda w: init.kaiming_normal_(w, nonlinearity="linear"))),
    ("orthogonal", by_torch(lambda w: init.orthogonal_(w))),
    ("orthogonal(2)", by_keras(lambda: k.Orthogonal(gain=2.0))),
    # Martens leaves each unit as many inputs: PyTorch does so for a matrix that is [inputs, outputs].
    ("sparse(0.9)", by_torch(lambda w: init.sparse_(w.T, 0.9))),
    ("sparse(0.25, std=2)", by_torch(lambda w: init.sparse_(w.T, 0.25, std=2.0))),
]

WHOLE = [
    ("zeros", by_torch(init.zeros_)),
    ("ones", by_torch(init.ones_)),
    ("constant(0.5)", by_torch(lambda w: init.constant_(w, 0.5))),
    ("identity", by_torch(init.eye_)),
    ("identity", by_keras(k.Identity)),
]


def entries():
    for name, make in RANDOM:
        values = np.concatenate([make(INPUTS, OUTPUTS).ravel() for _ in range(TIMES)])
        yield {
            "init": name,
            "mean": float(f"{values.mean():.6g}"),
            "std": float(f"{values.std():.6g}"),
            "largest": float(f"{np.abs(values).max():.6g}"),
            "zeros": float((values == 0.0).mean()),
        }
    for name, make in WHOLE:
        yield {"init": name, "values": make(3, 2).ravel().tolist()}


torch.manual_seed(0)
keras.utils.set_random_seed(0)
path = Path(__file__).parents[2] / "crates/optim/tests/golden/moments.json"
path.write_text("[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries()) + "\n]\n")
