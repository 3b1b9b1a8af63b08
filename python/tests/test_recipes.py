"""Every snippet of Python in the documentation, run as it stands."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: What the recipes begin with, and small enough to be quick.
TABLES = """
from sklearn.datasets import load_breast_cancer
X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_test, y_test = X[400:], y[400:]
X, y = X[:400].iloc[:, :6], y[:400]
X_test = X_test.iloc[:, :6]
X_valid, y_valid = X_test, y_test
table, labels, others = X, y, X_test
w = y * 2.0 + 1
import matplotlib
matplotlib.use("agg")
"""

TORCH = """
import torch, downhill, downhill.torch
from torch.utils.data import DataLoader, TensorDataset
torch.set_num_threads(1)
torch.manual_seed(0)
features = torch.randn(256, 10)
rows_y = (features[:, 0] > 0).long()
model = torch.nn.Linear(10, 2)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
loader = DataLoader(TensorDataset(features, rows_y), batch_size=32)
loss_of = torch.nn.functional.cross_entropy
validate = lambda model: float(loss_of(model(features), rows_y).detach())
accuracy = lambda model: float((model(features).argmax(1) == rows_y).float().mean())
"""

TRAINER = """
class Rows(torch.utils.data.Dataset):
    def __len__(self):
        return 256
    def __getitem__(self, at):
        return {"x": features[at], "labels": rows_y[at]}
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Linear(10, 2)
    def forward(self, x, labels=None):
        logits = self.body(x)
        return {"loss": loss_of(logits, labels), "logits": logits}
from transformers import Trainer, TrainingArguments
model, rows = Net(), Rows()
args = TrainingArguments(output_dir="out", num_train_epochs=4, report_to=[], use_cpu=True, save_strategy="no")
"""

LIGHTNING = """
import lightning.pytorch as pl
class Module(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Linear(10, 2)
    def training_step(self, batch, batch_idx):
        return loss_of(self.body(batch[0]), batch[1])
    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-2)
module = Module()
Trainer = functools.partial(pl.Trainer, accelerator="cpu", logger=False, enable_checkpointing=False)
"""

KERAS = """
import os
os.environ["KERAS_BACKEND"] = "torch"
import keras
x, y = features.numpy(), rows_y.numpy()
model = keras.Sequential([keras.layers.Dense(2, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
"""

JAX = """
import numpy as np, downhill
params, state = np.ones(3), np.zeros(3)
def restore(snapshot):
    global params, state
    params, state = snapshot
batches = lambda epoch: iter([np.ones(3)] * 10)
value_and_grad = lambda params, batch: (float((params**2).sum()), 2 * params * batch)
update = lambda params, state, gradient, lr: (params - lr * gradient, state)
"""


def snippets(path):
    """The snippets of a page, each with the line that it begins at."""
    text = path.read_text()
    for found in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield text[: found.start()].count("\n") + 2, found[1]


def needs(code):
    """The packages that a snippet needs, and what it takes for granted."""
    if "downhill.transformers" in code:
        return ("transformers", "accelerate"), TORCH + TRAINER
    if "downhill.lightning" in code:
        return ("lightning",), "import functools\n" + TORCH + LIGHTNING
    if "downhill.keras" in code:
        return ("keras",), TORCH + KERAS
    if "accelerator" in code:
        return ("accelerate",), TORCH + "import accelerate\naccelerator = accelerate.Accelerator(cpu=True)\n"
    if "downhill.torch" in code:
        return ("torch",), TORCH
    if "downhill.Session" in code:
        return (), JAX
    return ("pandas", "matplotlib"), TABLES


def pages():
    for page in ("docs/python.md", "python/README.md"):
        for line, code in snippets(ROOT / page):
            yield pytest.param(page, line, code, id=f"{page}:{line}")


@pytest.mark.parametrize(("page", "line", "code"), list(pages()))
def test_a_snippet_runs(tmp_path, page, line, code):
    packages, before = needs(code)
    for package in ("torch", *packages) if TORCH in before else packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not here")
    # What the page says is imported for all of its snippets, and what earlier ones made.
    first = "from downhill import DownhillClassifier, DownhillRegressor, Run, compare, diagnose, find_lr, search\n"
    if "Run(" in code and "DownhillClassifier(run=" not in code:
        first += "DownhillClassifier(lr=0.01, epochs=2, run='runs/mine').fit(*__import__('sklearn.datasets').datasets.load_iris(return_X_y=True))\n"
    if "model.save" in code or "export_onnx" in code or "model.predict" in code and "fit" not in code:
        before += "model = DownhillClassifier(lr=0.01, epochs=2).fit(X, y)\n"
    # Small enough for a test: the lengths that a person would take are cut.
    quick = re.sub(r"(steps)=[\d_]+", r"\1=40", code)
    script = "\n".join([first, before, quick])
    script = script.replace("DownhillClassifier().fit", "DownhillClassifier(epochs=3).fit")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{page}, line {line}:\n{code}\n{done.stderr[-3000:]}"


def test_the_pages_have_snippets():
    assert len(list(pages())) >= 15
