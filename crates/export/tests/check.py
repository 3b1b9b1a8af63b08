"""Runs exported networks in onnxruntime beside the predictions of Downhill.

python check.py CASES.json, where each case has: name, model (a file), inputs (name -> kind and values; null is
missing), rows, perhaps values that are refused, and either probabilities and labels, or values and their unit. Prints the largest difference of each.
"""

import datetime as dt
import json
import sys

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-5
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
FORMS = ["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%d/%m/%Y", "%H:%M"]


def seconds(text):
    """Seconds since 1970, or since midnight, by Python's calendar."""
    if text is None:
        return np.nan
    for form in FORMS:
        try:
            moment = dt.datetime.strptime(text, form).replace(tzinfo=dt.timezone.utc)
        except ValueError:
            continue
        if form == "%H:%M":
            moment = moment.replace(year=1970)
        return (moment - EPOCH).total_seconds()
    sys.exit(f"no date: {text!r}")


def tensor(column, rows):
    kind, values = column["kind"], column["values"]
    if kind == "string":
        return np.array(["" if v is None else v for v in values], dtype=object).reshape(rows, -1)
    if kind == "int64":
        return np.array(values, dtype=np.int64).reshape(rows, -1)
    if kind == "date":
        return np.array([seconds(v) for v in values]).reshape(rows, -1)
    numbers = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    return numbers.astype(np.float32 if kind == "float" else np.float64).reshape(rows, -1)


def wrong_types_fail(session, feeds, name):
    """A tensor of another type is refused."""
    for key, value in feeds.items():
        other = value.astype(np.int32) if value.dtype != object else np.zeros(value.shape)
        try:
            with np.errstate(invalid="ignore"):
                session.run(None, {**feeds, key: other})
        except Exception:
            continue
        sys.exit(f"{name}: {key} was taken as {other.dtype}")


def bad_values_fail(session, feeds, case):
    """Values that stand for nothing, put in the first place, are refused."""
    for key, values in case.get("refused", {}).items():
        for value in values:
            bad = feeds[key].copy()
            bad[0, 0] = value
            try:
                session.run(None, {**feeds, key: bad})
            except Exception:
                continue
            sys.exit(f"{case['name']}: {key} may be {value}")


def check(case):
    name, rows = case["name"], case["rows"]
    onnx.checker.check_model(onnx.load(case["model"]), full_check=True)
    session = onnxruntime.InferenceSession(case["model"], providers=["CPUExecutionProvider"])
    with np.errstate(invalid="ignore"):
        feeds = {key: tensor(column, rows) for key, column in case["inputs"].items()}
        wrong_types_fail(session, feeds, name)
        bad_values_fail(session, feeds, case)
    outputs = dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds)))
    if "probabilities" in case:
        wanted = np.array(case["probabilities"], dtype=np.float64).reshape(rows, -1)
        found = outputs["probabilities"]
        difference = np.abs(found - wanted).max()
        ordered = np.sort(wanted, axis=1)
        clear = ordered[:, -1] - ordered[:, -2] > 2 * TOLERANCE
        labels = np.array(case["labels"])
        if not (outputs["label"].astype(labels.dtype) == labels)[clear].all():
            sys.exit(f"{name}: other labels")
    else:
        wanted = np.array(case["values"]).reshape(rows, -1)
        found = outputs["prediction"]
        difference = (np.abs(found - wanted) / np.maximum(case["unit"], np.abs(wanted))).max()
    if rows > 1 and np.ptp(wanted, axis=0).max() == 0:
        sys.exit(f"{name}: all rows are predicted alike, which tests nothing")
    if not (np.isfinite(found).all() and difference <= TOLERANCE):
        row = int(np.abs(found - wanted).max(axis=1).argmax())
        sys.exit(f"{name}: {difference} apart in row {row}: {found[row]} for {wanted[row]}")
    print(f"{name}: {difference:.1e}")


for case in json.load(open(sys.argv[1], encoding="utf-8")):
    check(case)
