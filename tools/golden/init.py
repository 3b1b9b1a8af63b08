"""Reference values for the gains of activations, from PyTorch and by quadrature.

Writes crates/nn/tests/golden/gains.json. Run from anywhere:

    pip install torch==2.15.0 mpmath==1.3.0
    python tools/golden/init.py

PyTorch has a gain for some activations. For the others it is He's: what keeps the mean square at 1 where the
inputs of the activation are standard normal, 1/√E[f(z)²], by adaptive quadrature in 50 digits.
"""

import json
from pathlib import Path

import mpmath as mp
import torch

mp.mp.dps = 50

TORCH = {
    "identity": ("linear", None),
    "sigmoid": ("sigmoid", None),
    "tanh": ("tanh", None),
    "relu": ("relu", None),
    "leaky-relu": ("leaky_relu", None),
    "leaky-relu(0)": ("leaky_relu", 0),
    "leaky-relu(0.3)": ("leaky_relu", 0.3),
    "selu": ("selu", None),
}


def elu(alpha):
    return lambda z: z if z > 0 else alpha * mp.expm1(z)


HE = {
    "elu": elu(1),
    "elu(0.3)": elu(mp.mpf("0.3")),
    "gelu": lambda z: z * mp.ncdf(z),
    "silu": lambda z: z / (1 + mp.exp(-z)),
    "mish": lambda z: z * mp.tanh(mp.log1p(mp.exp(z))),
    "softplus": lambda z: mp.log1p(mp.exp(z)),
}


def by_he(f):
    mean_square = mp.quad(lambda z: f(z) ** 2 * mp.npdf(z), [-40, -10, -3, 0, 3, 10, 40])
    return float(1 / mp.sqrt(mean_square))


gains = {name: torch.nn.init.calculate_gain(*of) for name, of in TORCH.items()}
gains |= {name: by_he(f) for name, f in HE.items()}
path = Path(__file__).parents[2] / "crates/nn/tests/golden/gains.json"
path.write_text(json.dumps(gains, indent=1) + "\n")
