"""The numbers that the metrics of probabilities in crates/nn are tested against: scikit-learn's.

    pip install scikit-learn==1.9.1
    python tools/golden/confidence.py

writes crates/nn/tests/golden/confidence.json.
"""

import json
from pathlib import Path

import numpy as np
import sklearn.metrics as sk
from sklearn.calibration import calibration_curve

FILE = Path(__file__).parents[2] / "crates/nn/tests/golden/confidence.json"
rng = np.random.default_rng(7)


def case(name, probabilities, labels):
    rows, classes = probabilities.shape
    # The same 32 bits on both sides.
    probabilities = probabilities.astype(np.float32).astype(np.float64)
    everything = list(range(classes))
    if classes == 2:
        score, came_true = probabilities[:, 1], labels == 1
        brier = sk.brier_score_loss(labels, score)
    else:
        score, came_true = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
        brier = sk.brier_score_loss(labels, probabilities / probabilities.sum(axis=1, keepdims=True), labels=everything)
    shares, means = calibration_curve(came_true, score, n_bins=10, strategy="uniform")
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, 11)[1:-1], score), minlength=10)
    counts = counts[counts > 0]
    made = {
        "name": name,
        "classes": classes,
        "probabilities": probabilities.ravel().tolist(),
        "labels": labels.tolist(),
        "log_loss": sk.log_loss(labels, probabilities.astype(np.float32), labels=everything),
        "brier": brier,
        "calibration_error": float((counts * np.abs(shares - means)).sum() / rows),
        "bins": [[int(n), float(p), float(s)] for n, p, s in zip(counts, means, shares)],
    }
    if classes == 2:
        false, true, at = sk.roc_curve(labels, score, drop_intermediate=False)
        precision, recall, _ = sk.precision_recall_curve(labels, score)
        made["roc"] = [[float(f), float(t)] for f, t in zip(false, true)]
        made["thresholds"] = [float(t) for t in at[1:]]
        # From the highest threshold on, without the point that is added at its end.
        made["precision_recall"] = [[float(r), float(p)] for r, p in zip(recall[-2::-1], precision[-2::-1])]
        made["average_precision"] = float(sk.average_precision_score(labels, score))
        false_positive, false_negative = 1.0, 4.0
        costs = [
            sk.confusion_matrix(labels, score >= t).ravel() @ [0, false_positive, false_negative, 0] / rows for t in at
        ]
        made["costs"] = [float(cost) for cost in costs]
    return made


def binary(rows, step=None):
    logits = rng.normal(size=rows) * 2
    labels = (rng.random(rows) < 1 / (1 + np.exp(-1.5 * logits))).astype(int)
    p = 1 / (1 + np.exp(-logits))
    p = np.round(p / step) * step if step else p
    return np.stack([1 - p, p], axis=1), labels


def several(rows, classes):
    logits = rng.normal(size=(rows, classes)) * 1.5
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(classes, p=row) for row in shares])
    return shares, labels


cases = [
    case("two classes", *binary(60)),
    # Ties, and probabilities on the edges of bins.
    case("two classes in steps", *binary(60, 0.125)),
    case("three classes", *several(60, 3)),
    case("seven classes", *several(80, 7)),
]
FILE.write_text(json.dumps(cases) + "\n")
