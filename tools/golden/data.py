"""Writes crates/data/tests/golden/data.json: what scikit-learn makes of the bundled tables.

Run as `python tools/golden/data.py` from the root of the repository, with scikit-learn installed.
"""

import json
import pathlib

import numpy as np
from sklearn import datasets
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

OUT = pathlib.Path(__file__).resolve().parents[2] / "crates" / "data" / "tests" / "golden" / "data.json"


def scaled(loaded, rows):
    """The rows standardised as learnt from themselves, and the first three of them."""
    x = loaded.data[rows]
    scaler = StandardScaler().fit(x)
    keep = x.min(axis=0) < x.max(axis=0)
    return {
        "mean": scaler.mean_[keep].tolist(),
        "std": scaler.scale_[keep].tolist(),
        "rows": scaler.transform(x)[:3, keep].tolist(),
    }


def main():
    golden = {}
    for name, load in [
        ("iris", datasets.load_iris),
        ("wine", datasets.load_wine),
        ("breast-cancer", datasets.load_breast_cancer),
        ("digits", datasets.load_digits),
        ("diabetes", lambda: datasets.load_diabetes(scaled=False)),
    ]:
        loaded = load()
        # Every third row is left out, so that learning from some rows only is tested too.
        rows = np.array([i for i in range(len(loaded.data)) if i % 3 != 2])
        golden[name] = scaled(loaded, rows)
    y = datasets.load_diabetes(scaled=False).target
    y = y[[i for i in range(len(y)) if i % 3 != 2]]
    golden["diabetes"]["target"] = [float(y.mean()), float(y.std())]

    column = [3.0, None, 7.5, -2.0, None, 10.0, 4.25]
    x = np.array([[np.nan if v is None else v] for v in column])
    pipeline = make_pipeline(SimpleImputer(strategy="median", add_indicator=False), StandardScaler())
    golden["missing"] = {"column": column, "scaled": pipeline.fit_transform(x)[:, 0].tolist()}

    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
