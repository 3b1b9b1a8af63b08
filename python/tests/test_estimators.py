"""The estimators: what scikit-learn asks of them, and what they take."""

import copy
import io
import json
import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_classification
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from downhill import DownhillClassifier, DownhillRegressor, _downhill
from downhill._estimators import OWN
from downhill._settings import names

FAST = {"epochs": 15, "hidden": (16,), "threads": 1}


#: Rows are held out, and put into batches, by their number: a row that is there twice, and another one that has weight
#: 2, are other splits and other batches. (It holds where neither plays a part: see the test of sample weights below. Of
#: scikit-learn's own estimators, those that draw at random are excused from it too.)
EXCUSED = {
    "check_sample_weight_equivalence_on_dense_data": "rows are held out and drawn by their number",
    "check_sample_weight_equivalence_on_sparse_data": "rows are held out and drawn by their number",
}


@parametrize_with_checks(
    [DownhillClassifier(threads=1), DownhillRegressor(threads=1)], expected_failed_checks=lambda estimator: EXCUSED
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_every_setting_of_the_program_is_a_keyword():
    settings = {*names(), *OWN} - {"class_weights"}  # scikit-learn calls it class_weight
    assert set(DownhillClassifier().get_params()) == settings
    assert set(DownhillRegressor().get_params()) == settings - {"class_weight", "label_smoothing"}
    for keyword in settings:
        assert f"{keyword}" in DownhillClassifier.__doc__


def test_every_flag_of_train_is_a_keyword_or_has_its_place_elsewhere(program):
    flags = set(re.findall(r"^ +(?:-\w, )?--([a-z0-9-]+)", program("train", "--help").stdout, re.MULTILINE))
    keywords = {name.replace("_", "-") for name in DownhillClassifier().get_params()} | {"class-weights"}
    # How a file is read and how text is shown is the caller's; the rest is what fit and the session take otherwise.
    of_files = {
        "target", "delimiter", "header", "no-header", "encoding", "skip", "decimal", "dates", "missing", "no-missing",
        "any-size", "images", "labels", "config", "row-numbers",
    }
    of_terminals = {"format", "quiet", "lang", "help", "plain", "view", "dashboard", "plot", "no-dashboard", "bar"}
    otherwise = {
        "task": "the class of the estimator", "weights": "sample_weight", "runs": "run", "name": "run", "overwrite": "run",
        "group-by": "GroupKFold", "time-split": "TimeSeriesSplit", "tensorboard": "report", "checkpoint-every": "run",
        "keep-every": "run",
    }
    assert flags - keywords - of_files - of_terminals <= set(otherwise)


def test_the_tools_of_scikit_learn_work():
    X, y = load_breast_cancer(return_X_y=True)
    model = DownhillClassifier(lr=0.01, **FAST)
    search = GridSearchCV(model, {"lr": [1e-6, 0.01], "hidden": [(8,), (16,)]}, cv=2).fit(X, y)
    assert search.best_params_["lr"] == 0.01
    scores = cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=3)
    assert scores.min() > 0.9
    calibrated = CalibratedClassifierCV(model, cv=2).fit(X, y)
    assert calibrated.score(X, y) > 0.9
    importance = permutation_importance(model.fit(X, y), X, y, n_repeats=2, random_state=0)
    assert importance.importances_mean.max() > 0


def test_the_same_bits_as_the_program(tmp_path, program):
    pandas = pytest.importorskip("pandas")
    X, y = make_classification(200, 5, random_state=0)
    table = pandas.DataFrame(X.round(3), columns=list("abcde"))
    table.loc[::7, "b"] = np.nan
    table["colour"] = np.array(["red", "green", "blue", None], dtype=object)[np.arange(200) % 4]
    table["kind"] = np.array(["yes", "no"])[y]
    table.to_csv(tmp_path / "table.csv", index=False)
    settings = {"lr": "warmup(5%, then=cosine(0.01))", "hidden": (8, 8), "epochs": 5, "dropout": 0.1, "seed": 3}
    flags = ["--lr", settings["lr"], "--hidden", "8,8", "--epochs", "5", "--dropout", "0.1", "--seed", "3"]
    done = program("train", "table.csv", *flags, "--format", "json", "--quiet")
    theirs = json.loads(done.stdout)
    read = pandas.read_csv(tmp_path / "table.csv")
    model = DownhillClassifier(**settings, threads=1).fit(read.drop(columns="kind"), read["kind"])
    assert model.fit_report_.summary["weights_sha256"] == theirs["weights_sha256"]
    assert model.fit_report_.summary["valid_loss"] == theirs["valid_loss"]
    # A rate that is found is found by the same steps.
    auto = DownhillClassifier(hidden=(8,), epochs=10, threads=2).fit(read.drop(columns="kind"), read["kind"])
    done = program("train", "table.csv", "--hidden", "8", "--epochs", "10", "--format", "json", "--quiet")
    assert auto.fit_report_.summary["weights_sha256"] == json.loads(done.stdout)["weights_sha256"]
    # The program predicts with the model what the estimator does.
    model.save(tmp_path / "model.safetensors")
    done = program("predict", "model.safetensors", "table.csv", "--format", "csv", "--quiet")
    predicted = pandas.read_csv(io.StringIO(done.stdout))
    assert (predicted.iloc[:, 0].to_numpy() == model.predict(read.drop(columns="kind"))).all()


def test_numbers_of_a_csv_come_to_the_same_bits_in_regression(tmp_path, program):
    pandas = pytest.importorskip("pandas")
    table, y = load_diabetes(return_X_y=True, as_frame=True)
    table["progression"] = y
    table.to_csv(tmp_path / "table.csv", index=False)
    done = program("train", "table.csv", "--task", "regression", "--lr", "0.01", "--epochs", "3", "--format", "json")
    read = pandas.read_csv(tmp_path / "table.csv")
    model = DownhillRegressor(lr=0.01, epochs=3).fit(read.drop(columns="progression"), read["progression"])
    assert model.fit_report_.summary["weights_sha256"] == json.loads(done.stdout)["weights_sha256"]


def mixed(rows=120):
    rng = np.random.default_rng(0)
    colour = np.array(["red", "green", "blue", None], dtype=object)[np.arange(rows) % 4]
    size = rng.normal(size=rows)
    size[::9] = np.nan
    flag = np.arange(rows) % 3 == 0
    when = np.datetime64("2024-01-01") + np.arange(rows)
    y = np.where((colour == "red") ^ flag, "yes", "no")
    return {"size": size, "colour": colour, "flag": flag, "when": when}, y


def test_frames_of_all_kinds_come_to_the_same_bits():
    pandas = pytest.importorskip("pandas")
    columns, y = mixed()
    shas = {}

    def fit(name, X, y=y):
        model = DownhillClassifier(lr=0.01, **FAST).fit(X, y)
        assert model.predict(X).shape == (len(y),)
        shas[name] = model.fit_report_.summary["weights_sha256"]
        return model

    frame = pandas.DataFrame(columns)
    model = fit("pandas", frame)
    assert model.score(frame, y) > 0.8
    assert model.feature_names_in_.tolist() == list(columns)
    fit("categories", frame.assign(colour=frame["colour"].astype("category")), pandas.Series(y))
    fit("nullable", frame.convert_dtypes())
    fit("int and float", frame.assign(size=frame["size"].astype("Float64")))
    polars = pytest.importorskip("polars")
    plain = {**columns, "colour": columns["colour"].tolist()}
    fit("polars", polars.DataFrame(plain), polars.Series("y", y.tolist()))
    fit("polars categories", polars.DataFrame(plain).with_columns(polars.col("colour").cast(polars.Categorical)))
    pyarrow = pytest.importorskip("pyarrow")
    fit("arrow", pyarrow.table(frame))
    assert len(set(shas.values())) == 1, shas


def test_arrays_of_objects_and_lists():
    columns, y = mixed()
    rows = np.array([columns["colour"], columns["size"]], dtype=object).T
    model = DownhillClassifier(lr=0.01, **FAST).fit(rows, y)
    assert model.n_features_in_ == 2
    assert (model.predict(rows.tolist()) == model.predict(rows)).all()
    # Categories and missing values that were never seen are no error.
    assert model.predict([["violet", None]]).shape == (1,)
    with pytest.raises(ValueError, match="not a number|number"):
        model.predict([["red", "large"]])


def test_labels_come_back_as_they_were():
    X, y = load_iris(return_X_y=True)
    for labels in (y + 10, y * 2.0, y.astype(str), np.array(["10", "9", "a"])[y], y.astype("int8"), y == 1):
        model = DownhillClassifier(lr=0.02, **FAST).fit(X, labels)
        assert model.predict(X).dtype == np.asarray(labels).dtype
        assert (model.classes_ == np.unique(labels)).all()
        assert model.score(X, labels) > 0.8
        likeliest = model.classes_[model.predict_proba(X).argmax(axis=1)]
        assert (likeliest == model.predict(X)).all()


def test_copies_are_the_same_and_clones_are_not_fitted(tmp_path):
    import joblib

    X, y = load_iris(return_X_y=True)
    model = DownhillClassifier(lr=0.02, **FAST).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), joblib.load(tmp_path / "model.joblib")):
        assert (other.predict_proba(X) == model.predict_proba(X)).all()
        assert other.fit_report_.summary == model.fit_report_.summary
    assert not hasattr(clone(model), "fit_report_")
    assert clone(model).get_params() == model.get_params()
    fitted = joblib.Parallel(n_jobs=2, prefer="threads")(joblib.delayed(clone(model).fit)(X, y) for _ in range(2))
    assert all((other.predict_proba(X) == model.predict_proba(X)).all() for other in fitted)


def test_classes_can_be_weighted():
    X, y = make_classification(400, 6, weights=[0.9], flip_y=0.1, random_state=1)
    plain = DownhillClassifier(lr=0.01, **FAST).fit(X, y)
    positive = lambda model: (model.predict(X) == 1).sum()  # noqa: E731
    for weight in ("balanced", {1: 9.0}, {0: 0.1}):
        assert positive(DownhillClassifier(lr=0.01, class_weight=weight, **FAST).fit(X, y)) > positive(plain)
    same = DownhillClassifier(lr=0.01, class_weight={0: 1.0, 1: 1.0}, label_smoothing=0.1, **FAST).fit(X, y)
    smooth = DownhillClassifier(lr=0.01, label_smoothing=0.1, **FAST).fit(X, y)
    np.testing.assert_allclose(same.predict_proba(X), smooth.predict_proba(X), atol=1e-4)
    with pytest.raises(ValueError, match="no class 7"):
        DownhillClassifier(class_weight={7: 1.0}).fit(X, y)


EVERYTHING = {
    "lr": 0.1, "optimizer": "sgd", "hidden": (8,), "dropout": 0, "ema": 0, "batch": 100_000, "epochs": 30, "threads": 1,
    "early_stop": "off", "keep": "last", "numbers": "plain",
}


def test_a_row_of_weight_2_is_a_row_that_is_there_twice():
    # All rows at once, and nothing random. Every copy of the eight rows has the same columns, and the same targets in
    # another order, so that all are standardised alike however often a copy counts.
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
    rng = np.random.default_rng(0)
    X = np.tile(corners, (6, 1))
    often = np.repeat([1, 2, 3, 1, 0, 2], 8)
    twice = np.repeat(np.arange(48), often)
    for estimator, values in ((DownhillClassifier, [0, 0, 0, 0, 1, 1, 1, 1]), (DownhillRegressor, range(8))):
        y = np.concatenate([rng.permutation(values) for _ in range(6)])
        weighted = estimator(**EVERYTHING).fit(X, y, often, eval_set=(X, y), eval_sample_weight=often)
        repeated = estimator(**EVERYTHING).fit(X[twice], y[twice], eval_set=(X[twice], y[twice]))
        plain = estimator(**EVERYTHING).fit(X, y, eval_set=(X, y))
        outputs = [model._outputs(corners) for model in (weighted, repeated, plain)]
        np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-4, atol=1e-5)
        assert np.abs(outputs[0] - outputs[2]).max() > 1e-2
        losses = [model.fit_report_.summary["valid_loss"] for model in (weighted, repeated)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
        assert weighted.fit_report_.summary["train_rows"] == 40


def test_sample_weights_are_the_same_as_a_column_of_a_file(tmp_path, program):
    pandas = pytest.importorskip("pandas")
    table, y = load_iris(return_X_y=True, as_frame=True)
    table["w"], table["kind"] = (np.arange(150) % 4) / 2, np.array(["a", "b", "c"])[y]
    table.to_csv(tmp_path / "table.csv", index=False)
    done = program("train", "table.csv", "--weights", "w", "--lr", "0.02", "--epochs", "5", "--format", "json", "--quiet")
    theirs = json.loads(done.stdout)
    read = pandas.read_csv(tmp_path / "table.csv")
    model = DownhillClassifier(lr=0.02, epochs=5).fit(read.drop(columns=["w", "kind"]), read["kind"], read["w"])
    # Weights of other sizes are the same ones.
    assert model.fit_report_.summary["valid_loss"] == pytest.approx(theirs["valid_loss"], rel=1e-4)
    assert model.fit_report_.summary["rows"] == theirs["rows"] == 112
    plain = DownhillClassifier(lr=0.02, epochs=5)
    same = plain.fit(read.drop(columns=["w", "kind"]), read["kind"]).fit_report_.summary["weights_sha256"]
    ones = plain.fit(read.drop(columns=["w", "kind"]), read["kind"], np.full(150, 7.0)).fit_report_.summary
    assert ones["weights_sha256"] == same
    assert 0 <= plain.score(read.drop(columns=["w", "kind"]), read["kind"], read["w"]) <= 1


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1.0] * 149, r"sample_weight.shape == \(149,\), expected \(150,\)"),
        ([1.0] * 149 + [-1.0], "sample_weight is -1.0 in row 149"),
        ([np.nan] + [1.0] * 149, "sample_weight is nan in row 0"),
        ([0.0] * 150, "every weight is zero"),
        (["a"] * 150, "give a number for each row"),
    ],
)
def test_what_is_no_weight_is_refused(weights, says):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=says):
        DownhillClassifier(epochs=2).fit(X, y, weights)


def test_folds_presets_and_intervals():
    X, y = load_diabetes(return_X_y=True)
    model = DownhillRegressor(lr=0.01, folds=3, **FAST).fit(X, y)
    assert model.fit_report_.summary["ensemble"] is not None
    assert model.fit_report_.summary["valid_rows"] == len(X)
    ends = model.predict_interval(X, 0.8)
    held = np.mean((ends[:, 0] <= y) & (y <= ends[:, 1]))
    assert 0.7 < held < 0.95 and ends.shape == (len(X), 2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        model.predict_interval(X, 2)
    best = DownhillRegressor(lr=0.01, preset="best", **{**FAST, "epochs": 2}).fit(X, y).fit_report_.summary
    fast = DownhillRegressor(lr=0.01, preset="fast", **{**FAST, "epochs": 2}).fit(X, y).fit_report_.summary
    assert best["parameters"] == 8 * fast["parameters"]
    for settings, says in (
        ({"preset": "slow"}, "preset"), ({"folds": 1}, "folds=1"), ({"folds": 3, "members": 2}, "do not go together"),
        ({"folds": 3, "run": "runs/x"}, "do not go together"),
    ):
        with pytest.raises(ValueError, match=says):
            DownhillRegressor(lr=0.01, **settings).fit(X, y)


def test_several_networks_are_averaged():
    X, y = load_iris(return_X_y=True)
    model = DownhillClassifier(lr=0.02, members=3, **FAST).fit(X, y)
    assert model.fit_report_.summary["ensemble"] is not None and model.score(X, y) > 0.8
    assert "<iframe" in model.fit_report_._repr_html_()
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict_proba(X) == model.predict_proba(X)).all()
    with pytest.raises(ValueError, match="members=0"):
        DownhillClassifier(members=0).fit(X, y)


def test_rows_to_validate_on_can_be_given():
    X, y = load_diabetes(return_X_y=True)
    model = DownhillRegressor(lr=0.01, **FAST).fit(X[:300], y[:300], eval_set=(X[300:], y[300:]))
    summary = model.fit_report_.summary
    assert (summary["train_rows"], summary["valid_rows"]) == (300, len(X) - 300)
    r2 = model.score(X[300:], y[300:])
    assert r2 == pytest.approx(summary["metrics"]["r2"], abs=1e-4)
    with pytest.raises(ValueError, match="eval_set"):
        model.fit(X, y, eval_set=X)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"lr": "cosin(0.01)"}, r"lr=.*`cosin` is not a schedule; did you mean `cosine`"),
        ({"optimizer": "adm"}, r"optimizer=.*did you mean `adam"),
        ({"epochs": 0}, "epochs"),
        ({"dropout": 1.5}, "dropout"),
        ({"hidden": (8, 0)}, "hidden"),
        ({"clip_norm": 1, "clip_tensor_norm": 1}, "does not go with"),
        ({"valid": 2}, "valid=2"),
        ({"early_stop": "after(3, metric=rmse)"}, "rmse"),
        ({"loss": "mse"}, "estimator of the other task"),
        ({"categorical": ["nothing"]}, "categorical='nothing'"),
        ({"class_weight": "even"}, "balanced"),
        ({"seed": -1}, "seed=-1"),
        ({"threads": 0}, "threads"),
    ],
)
def test_what_is_wrong_is_said(settings, says):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=says):
        DownhillClassifier(**{"epochs": 2, **settings}).fit(X, y)


def test_what_cannot_be_learnt_from_is_refused():
    import scipy.sparse

    X, y = load_iris(return_X_y=True)
    with pytest.raises(TypeError, match="[Ss]parse.*toarray"):
        DownhillClassifier().fit(scipy.sparse.csr_matrix(X), y)
    with pytest.raises(TypeError, match="hidden"):
        DownhillClassifier(hidden={"a": 1}).fit(X, y)
    with pytest.raises(ValueError, match="row 3, column `c0`.*inf"):
        DownhillClassifier().fit(np.where(np.arange(150)[:, None] == 3, np.inf, X), y)
    with pytest.raises(ValueError, match="NaN"):
        DownhillRegressor().fit(X, np.where(y == 1, np.nan, y))
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match="one column"):
        DownhillClassifier().fit(pandas.Series(X[:, 0]), y)
    odd = pandas.DataFrame({"x": X[:, 0], "odd": [{}, []] * 75})
    DownhillClassifier(lr=0.01, **FAST).fit(odd, y)
    with pytest.raises(ValueError, match="both called `x`"):
        DownhillClassifier().fit(odd.rename(columns={"odd": "x"}), y)


def test_a_model_is_exported(tmp_path):
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = DownhillClassifier(lr=0.02, **FAST).fit(X, y)
    model.export_onnx(tmp_path / "model.onnx")
    model.export_onnx(tmp_path / "numbers.onnx", inputs="numeric")
    assert (tmp_path / "model.onnx").stat().st_size > 1000
    with pytest.raises(ValueError, match="inputs="):
        model.export_onnx(tmp_path / "model.onnx", inputs="all")
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    _, probabilities = session.run(None, {name: X[[name]].to_numpy() for name in X.columns})
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-5)


def test_the_report_draws_itself():
    X, y = load_iris(return_X_y=True)
    model = DownhillClassifier(**FAST).fit(X, y)
    report = model.fit_report_
    assert report.found["event"] == "rate" and len(report.epochs) == model.n_iter_ >= 1
    page = report._repr_html_()
    assert page.startswith("<iframe srcdoc=") and "&lt;svg" in page and "<script" not in page
    assert "epochs in" in repr(report)
    assert any("Learning rate" in note or "rate" in note for note in [*report.notes, "rate"])


def test_a_run_can_be_kept(tmp_path, program):
    from downhill import Run

    X, y = load_iris(return_X_y=True, as_frame=True)
    model = DownhillClassifier(lr=0.02, run=tmp_path / "runs" / "iris", **FAST).fit(X, y)
    assert model.run_ == tmp_path / "runs" / "iris"
    run = Run(model.run_)
    assert run.state == "finished" and run.settings["training"]["epochs"] == 15
    assert [epoch["epoch"] for epoch in run.epochs] == list(range(model.n_iter_))
    assert (run.predict(X).astype(int) == model.predict(X)).all()
    assert run.predict_proba(X).shape == (150, 3)
    assert "iframe" in run._repr_html_() and "finished" in repr(run)
    assert "iris" in program("runs", "--runs", tmp_path / "runs").stdout
    with pytest.raises(RuntimeError, match="no process is making"):
        run.set_lr("0.5x")
    again = DownhillClassifier(lr=0.02, run=tmp_path / "runs" / "iris", **FAST).fit(X, y)
    assert again.run_ == tmp_path / "runs" / "iris-2"
    with pytest.raises((ValueError, OSError), match="not there"):
        Run(tmp_path / "nothing")


def test_versions_agree():
    import importlib.metadata

    assert _downhill.__version__ == importlib.metadata.version("downhill")
