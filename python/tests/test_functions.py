"""Functions on learning rates, the program, and Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris, make_classification

import downhill

FAST = {"epochs": 10, "hidden": (8,), "threads": 2}


def test_a_rate_is_found_and_drawn():
    X, y = load_iris(return_X_y=True)
    found = downhill.find_lr(X, y, **FAST)
    low, high = found.band
    assert low <= found.recommended <= high and float(found) == found.recommended
    assert "cosine" in found.schedule
    assert "<svg" in found._repr_html_() and "Learning rate" in repr(found)
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    axes = found.plot()
    assert axes.get_xscale() == "log" and len(axes.lines) >= 3
    # It is the rate that a fit finds.
    model = downhill.DownhillClassifier(**FAST).fit(X, y)
    assert model.fit_report_.found["recommended"] == found.recommended
    assert "r2" in downhill.DownhillRegressor(**FAST).fit(*load_diabetes(return_X_y=True)).fit_report_.summary["metrics"]


def test_settings_are_compared():
    X, y = load_iris(return_X_y=True)
    compared = downhill.compare(X, y, lr=[1e-6, 0.01], dropout=[0, 0.2], **FAST)
    assert len(compared.runs) == 4 and compared.best["lr"] == 0.01
    assert [run["verdict"] for run in compared.runs if run["settings"]["lr"] == 1e-6] == ["low", "low"]
    assert "validation loss" in repr(compared) and compared._repr_html_().count("<tr>") == 5
    with pytest.raises(ValueError, match="seed"):
        downhill.compare(X, y, seed=[1, 2])


def test_a_run_is_diagnosed():
    X, y = load_iris(return_X_y=True)
    diagnosis = downhill.diagnose(X, y, lr=1e-6, **FAST)
    assert diagnosis.verdict == "low" and "lr" in diagnosis.suggestion
    assert "learning rate: low" in repr(diagnosis)


def test_settings_are_searched():
    X, y = load_iris(return_X_y=True)
    settings = {"epochs": 5, "threads": 2, "hidden": [(4,), (8,)], "dropout": "uniform(0, 0.5)", "activation": "relu"}
    found = downhill.search(X, y, trials=12, seeds=1, lr="log(1e-3, 1e-1)", **settings)
    assert len(found.trials) == 12 and set(found.trials[0]["settings"]) == {"lr", "hidden", "dropout"}
    assert set(found.importance) == {"lr", "hidden", "dropout"} and found.metric == "loss"
    values = [trial["value"] for trial in found.trials if trial["value"] is not None]
    assert found.best_trial["value"] == min(values)
    # The best settings are keywords, and come to the same bits.
    model = downhill.DownhillClassifier(**found.best).fit(X, y)
    if found.best_trial["state"] == "complete":
        assert model.fit_report_.summary["valid_loss"] == pytest.approx(found.best_trial["value"], rel=1e-6)
    assert found.best["activation"] == "relu" and "best loss" in repr(found)
    assert "<svg" in found._repr_html_() and len(found.table()) == 12
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    assert found.plot().get_xlabel() == "trial"
    # A function of its settings.
    again = downhill.search(X, y, trials=12, seeds=1, lr="log(1e-3, 1e-1)", **{**settings, "threads": 1})
    assert [trial["value"] for trial in again.trials] == [trial["value"] for trial in found.trials]
    usual = downhill.search(X, y, trials=2, epochs=2, metric="accuracy")
    assert {"lr", "hidden", "optimizer"} <= set(usual.best) and usual.higher_is_better
    for wrong, says in (
        ({"metric": "los"}, "did you mean `loss`"), ({"dropout": "uniform(0, 2)"}, "dropout"), ({"lr": []}, "empty"),
        ({"optimizer": "choice(adm)"}, "adm"), ({"stop": "halvin"}, "stop"), ({"sampler": "tp"}, "sampler"),
        ({"seed": "int(1, 3)"}, "seed"), ({"members": 2}, "members"),
    ):
        with pytest.raises((ValueError, TypeError), match=says):
            downhill.search(X, y, trials=1, **wrong)


def test_ctrl_c_ends_a_search():
    X, y = make_classification(2000, 20, random_state=0)
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        downhill.search(X, y, trials=1000, epochs=100_000, early_stop="off", stop="none", threads=1, lr=1e-4)
    assert time.monotonic() - began < 20


def test_rates_of_a_schedule():
    np.testing.assert_allclose(downhill.rates("linear(0.4, end=0)", 4), [0.4, 0.3, 0.2, 0.1])
    with pytest.raises(ValueError, match="did you mean `linear`"):
        downhill.rates("liner(0.4)", 4)


def test_the_program_is_in_the_package(program):
    done = program("--version")
    assert done.stdout == f"downhill {downhill.__version__}\n"
    assert program("train", "iris", "--lr", "cosin(1)", check=False).returncode == 2
    assert program("train", "nothing", check=False).returncode == 1
    assert "iris" in program("datasets").stdout


def test_ctrl_c_ends_a_fit():
    X, y = make_classification(2000, 20, random_state=0)
    model = downhill.DownhillClassifier(lr=1e-4, epochs=100_000, early_stop="off", hidden=(64,), threads=1)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert time.monotonic() - began < 20 and not hasattr(model, "fit_report_")


def test_others_go_on_while_a_network_is_trained():
    X, y = make_classification(2000, 20, random_state=0)
    counted = 0
    done = threading.Event()

    def count():
        nonlocal counted
        while not done.is_set():
            counted += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    downhill.DownhillClassifier(lr=0.01, epochs=20, threads=1).fit(X, y)
    done.set()
    thread.join()
    assert counted > 20


def test_the_program_needs_no_scikit_learn():
    code = "import sys, downhill, downhill._program; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
