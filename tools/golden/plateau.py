"""What PyTorch's ReduceLROnPlateau makes of series of a metric, for the tests of downhill-run.

    pip install torch==2.15.0
    python tools/golden/plateau.py

writes crates/run/tests/golden/plateau.json: one case a line, with the settings under PyTorch's names, the metric
after each epoch, and the rate that is in force after it was seen.
"""

import json
from itertools import product
from math import cos
from pathlib import Path

import torch

EPOCHS = 30
INITIAL = 0.1


def falling(epoch):
    """A loss that falls quickly, then slowly, and trembles."""
    return 2.0 / (1.0 + 0.5 * epoch) + 0.1 * cos(2.5 * epoch)


def settling(epoch):
    """A loss that falls to its end and stays there, but for changes of a thousandth."""
    return max(1.0 - 0.1 * epoch, 0.25) + 0.001 * cos(epoch)


def rising(epoch):
    """A loss that turns half way."""
    return 1.0 - 0.04 * min(epoch, 15) + 0.02 * max(epoch - 15, 0) + 0.05 * cos(1.7 * epoch)


# In 64ths where the threshold is absolute, so that "better by exactly the threshold" is that.
SERIES = {series.__name__: [round(64 * series(epoch)) / 64 for epoch in range(EPOCHS)] for series in [falling, rising]}
SERIES["settling"] = [round(settling(epoch), 6) for epoch in range(EPOCHS)]
SERIES["constant"] = [0.5] * EPOCHS


def rates(metrics, settings):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=INITIAL)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
    found = []
    for metric in metrics:
        scheduler.step(metric)
        found.append(float(f"{optimizer.param_groups[0]['lr']:.10g}"))
    return found


def settings():
    """Each: a series, whether it is turned upside down into one to be maximised, and what PyTorch is told."""
    for series, patience, mode in product(SERIES, range(4), ["min", "max"]):
        yield series, {"mode": mode, "patience": patience, "factor": 0.5, "threshold": 1e-4}
    for series, cooldown, patience in product(SERIES, [1, 3], [0, 2]):
        yield series, {"mode": "min", "patience": patience, "factor": 0.1, "threshold": 1e-4, "cooldown": cooldown}
    for series, mode, threshold in product(["falling", "rising", "settling"], ["min", "max"], [0.03125, 0.125]):
        for threshold_mode in ["rel", "abs"]:
            yield series, {
                "mode": mode,
                "patience": 1,
                "factor": 0.5,
                "threshold": threshold,
                "threshold_mode": threshold_mode,
            }
    for series, min_lr in product(SERIES, [0.01, 0.03]):
        yield series, {"mode": "min", "patience": 0, "factor": 0.3, "threshold": 0.0, "cooldown": 1, "min_lr": min_lr}
    # Below zero: only an absolute threshold means the same there.
    for patience in [0, 2]:
        yield "below zero", {
            "mode": "min",
            "patience": patience,
            "factor": 0.5,
            "threshold": 0.03125,
            "threshold_mode": "abs",
        }


def cases():
    defaults = {"threshold_mode": "rel", "cooldown": 0, "min_lr": 0.0}
    for series, told in settings():
        told = {**defaults, **told}
        metrics = SERIES["falling" if series == "below zero" else series]
        if series == "below zero":
            metrics = [metric - 2.0 for metric in metrics]
        if told["mode"] == "max":
            metrics = [3.0 - metric for metric in metrics]  # still above zero, as an accuracy is
        metrics = [round(metric, 6) for metric in metrics]
        yield {**told, "initial": INITIAL, "metrics": metrics, "rates": rates(metrics, told)}


path = Path(__file__).parents[2] / "crates/run/tests/golden/plateau.json"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases()) + "\n]\n")
