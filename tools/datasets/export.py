"""Exports the bundled data sets from scikit-learn to crates/data/bundled/*.csv.gz.

Run as `python tools/datasets/export.py` from the root of the repository, with scikit-learn installed. The files are
the same whenever the data are: numbers are written in their shortest exact form, and the gzip header holds no time.
"""

import csv
import gzip
import io
import pathlib

from sklearn import datasets

OUT = pathlib.Path(__file__).resolve().parents[2] / "crates" / "data" / "bundled"


def number(value):
    value = float(value)
    return str(int(value)) if value.is_integer() else repr(value)


def export(name, loaded, target, labels=None):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*loaded.feature_names, target])
    for row, y in zip(loaded.data, loaded.target):
        writer.writerow([*map(number, row), labels[y] if labels is not None else number(y)])
    path = OUT / f"{name}.csv.gz"
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.getvalue().encode())
    rows, columns = loaded.data.shape
    print(f"{path.name}: {rows} x {columns + 1}, {path.stat().st_size} bytes")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    iris = datasets.load_iris()
    export("iris", iris, "species", iris.target_names)
    wine = datasets.load_wine()
    export("wine", wine, "cultivar", wine.target_names)
    cancer = datasets.load_breast_cancer()
    export("breast-cancer", cancer, "diagnosis", cancer.target_names)
    export("digits", datasets.load_digits(), "digit")
    # The measurements as they are stored; the scaling that `load_diabetes` applies by default is only arithmetic.
    export("diabetes", datasets.load_diabetes(scaled=False), "progression")


if __name__ == "__main__":
    main()
