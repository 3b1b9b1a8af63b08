"""Estimators for scikit-learn's users."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import _check_feature_names, check_consistent_length, check_is_fitted

from downhill import _downhill
from downhill._report import FitReport
from downhill._settings import spelled
from downhill._table import Column, Frame, frame, one_column, target

#: The parameters that are not settings of training.
OWN = ("members", "folds", "valid", "categorical", "numeric", "drop", "threads", "run", "progress", "class_weight")

_PARAMETERS = """
    Every parameter is called and spelled as by the program, ``downhill train --help``, with an underscore for a dash;
    None is the program's default, which may depend on the data. The same settings on the same rows come to the same
    weights as there, bit for bit.

    Parameters
    ----------
    preset : str, optional
        How much time the fit may take: ``"fast"`` takes numbers as they are; ``"best"`` averages 8 networks. Other
        parameters override it. Default ``"default"``.
    hidden : tuple of int or str, optional
        The sizes of the hidden layers, or ``"none"`` for a linear model. Default ``(128, 128)``.
    activation : str, optional
        The activation: ``"relu"``, ``"gelu"``, ``"leaky-relu"``, … Default ReLU.
    init : str, optional
        The initialiser of the weights: ``"he-normal"``, ``"glorot-uniform"``, … Default by the activation.
    batch_norm : bool, optional
        Whether to normalise over the batch in front of every activation. Default False.
    dropout : float, optional
        The dropout rate behind every activation. Default 0.2.
    numbers : str, optional
        How numbers enter the network: ``"plain"``, as they are, or ``"piecewise-linear(bins=16)"``, with a value for each
        of their bins beside them. Default ``"auto"``: by rows, columns and task.
    ensemble : int or str, optional
        How many networks share the weights of the hidden layers and are trained as one, their predictions averaged: a
        number, or ``"auto"``. Default by the table.
    lr : float or str, default "auto"
        The learning rate: a number, a schedule such as ``"cosine(0.01)"`` or ``"warmup(5%, then=step(0.1,
        every=10ep))"``, or ``"auto"``, which finds the peak of a warmup and a cosine by trying, in at most a fifth of
        the steps of the run.
    optimizer : str, optional
        The update rule: ``"adamw"``, ``"momentum(0.9)"``, ``"muon"``, … Default AdamW.
    momentum : float or str, optional
        A schedule for the momentum, μ or β₁. Default the optimizer's own value.
    plateau : str, optional
        Cut the rate when nothing gets better: ``"cut(0.5, patience=5, backtrack=true)"``. Default ``"off"``.
    guard : str, optional
        What to do when the run blows up: ``"on"``, which goes back and lowers the rate, or ``"off"``. Default on.
    track : str, optional
        What is measured on the way: ``"sharpness(10ep)"``. Default nothing.
    group : str or list of str, optional
        Rates and decays of some tensors: ``["role(bias, lr=2)"]``. Default none.
    ema : float, optional
        β of an average of the weights, which is what is measured and kept; 0 for none. Default 0.99.
    lookahead : str, optional
        Pull the weights back towards slow ones: ``"every(5, alpha=0.5)"``. Default off.
    loss : str, optional
        The loss to minimise: {losses}.
    epochs : int, optional
        The number of epochs. Default 60.
    batch : int, optional
        The batch size. Chosen from the number of rows, 16 to 128, unless given.
    accumulate : int, optional
        The number of batches whose gradients are accumulated for each step. Default 1.
    early_stop : int or str, optional
        Stop after this number of epochs without improvement, or ``"after(10, metric={metric})"``, or ``"off"``.
        Default 30.
    keep : str, optional
        Which weights are kept: ``"best"``, those of the best epoch, or ``"last"``. Default best.
    l1, l2 : float, optional
        The weights of the penalties. Default 0.
    weight_decay : float, optional
        The optimizer's own weight decay if it has one, otherwise decoupled decay. Default the optimizer's.
    independent_decay : float, optional
        The share of each weight that is taken away at every step, whatever the rate. Default 0.
    max_norm : float, optional
        Scale the weights into each unit down to this norm. Default none.
    clip_norm, clip_tensor_norm, clip_value : float, optional
        Scale gradients down to this norm, all together or each tensor's by itself; limit each to ± this value. Default
        none.
{classes}    seed : int, optional
        The random seed, of the split too. Default 0.
    members : int, optional
        Train this many networks at once, with seeds of their own, and average their predictions. Default 1, and 8 with
        ``preset="best"``.
    folds : int, optional
        Cross-validate: train this many networks at once, each without a part of the rows that it is validated on, and
        average their predictions; ``fit_report_.summary["ensemble"]`` has the mean of their losses and scores. Default
        none.
    valid : float, default 0.2
        The share of the rows that is held out to validate on, by which the weights that are kept are chosen. Not used
        where ``fit`` is given an ``eval_set``.
    categorical, numeric, drop : list of str or int, optional
        Columns to take as categories, or as numbers, whatever they hold, and columns to leave out; by name or by
        number.
    threads : int, optional
        The number of threads, which changes no bit of the result. Default one a core.
    run : str or path, optional
        The folder to keep the run in, such as ``"runs/mine"``; a number is added if it is there. The program's
        ``watch``, ``set-lr``, ``report``, ``runs`` and ``predict`` work on it, and :class:`Run` opens it. Default none:
        the run is kept in ``fit_report_`` alone.
    progress : bool, default False
        Whether to show a progress bar (package ``tqdm``).

    Attributes
    ----------
{attributes}    fit_report_ : FitReport
        How the fit went; it draws itself in a notebook.
    n_features_in_ : int
        The number of columns.
    feature_names_in_ : ndarray of str
        The names of the columns, where the table had some.
    n_iter_ : int
        The number of epochs that were made.
    run_ : Path or None
        The folder of the run, if it is kept in one.

    Notes
    -----
    Columns may be numbers, categories, text, booleans and dates, with missing values, as they are: numbers are
    standardised and filled with the median, missing ones marked; categories become a feature each, with one for those
    that are rare or never seen. Text that is different in almost every row, and constant columns, are left out.

    With ``sample_weight``, the losses of training and validation are weighted means; what is learnt of the columns (means,
    categories, …) is learnt of all rows whose weight is above 0. There is no ``partial_fit``.
"""


class _Estimator(BaseEstimator):
    """What both estimators do."""

    _task: str

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.non_deterministic = False
        return tags

    def _target(self, y: Any, name: str) -> Column:
        raise NotImplementedError

    def _settings(self, data: _downhill.Data) -> list[tuple[str, str]]:
        settings = {name: value for name, value in self.get_params(deep=False).items() if name not in OWN}
        return spelled(settings)

    def _frame(self, X: Any) -> Frame:
        said = {name: getattr(self, name) for name in ("categorical", "numeric", "drop")}
        return frame(X, estimator=self, **said)

    def _data(
        self, X: Any, y: Any, eval_set: Any, sample_weight: Any = None, eval_sample_weight: Any = None
    ) -> tuple[list[_downhill.Data], Frame]:
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None."
            )
        X_frame = self._frame(X)
        check_consistent_length(X, y)
        name = getattr(y, "name", None)
        name = X_frame.free_name(name if isinstance(name, str) and name else "target")
        column = self._target(y, name)
        if X_frame.rows < 2:
            raise ValueError(
                f"Found a table with n_samples={X_frame.rows}: at least 2 are needed, one to train on and one to "
                "validate on"
            )
        weights = _weights(sample_weight, X_frame.rows, "sample_weight")
        table = X_frame.table(column)
        folds = self.folds
        if folds is not None and (isinstance(folds, bool) or not isinstance(folds, int | np.integer) or folds < 2):
            raise ValueError(f"folds={folds!r}: give a number of folds from 2 on")
        if eval_set is None:
            if eval_sample_weight is not None:
                raise ValueError("eval_sample_weight is the weight of the rows of eval_set, which is not given")
            seed = 0 if self.seed is None else self.seed
            if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
                raise ValueError(f"seed={seed!r}: give a whole number from 0 on")
            valid = self.valid
            if not isinstance(valid, float | int) or not 0 < valid < 1:
                raise ValueError(f"valid={valid!r}: give a share of the rows above 0 and below 1, such as 0.2")
            if folds is not None:
                if self.run is not None:
                    raise ValueError("folds and run do not go together: networks of folds are kept in the model alone")
                return table.folds(name, self._task, int(folds), int(seed), weights), X_frame
            return [table.split(name, self._task, float(valid), int(seed), weights)], X_frame
        if folds is not None:
            raise ValueError("folds and eval_set do not go together: each fold is validated on rows of its own")
        if isinstance(eval_set, list) and len(eval_set) == 1:
            eval_set = eval_set[0]
        if not isinstance(eval_set, tuple | list) or len(eval_set) != 2:
            raise ValueError("eval_set: give the rows to validate on and their targets, as (X, y)")
        other = self._frame(eval_set[0])
        check_consistent_length(*eval_set)
        other_weights = _weights(eval_sample_weight, other.rows, "eval_sample_weight")
        other_table = other.table(self._other_target(eval_set[1], name))
        return [table.validate_on(name, self._task, other_table, weights, other_weights)], X_frame

    def _other_target(self, y: Any, name: str) -> Column:
        return self._target(y, name)

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, eval_set: Any = None, eval_sample_weight: Any = None
    ) -> Self:
        """Train a network.

        Parameters
        ----------
        X : data frame, Arrow table or array of shape (n_samples, n_features)
            The rows to learn from: a data frame of pandas or polars, anything with Arrow's PyCapsule interface, an
            array, or a list of rows.
        y : array of shape (n_samples,)
            What is to be predicted.
        sample_weight : array of shape (n_samples,), optional
            How much each row counts, a number from 0 on: one of weight 2 counts as two rows, one of weight 0 is left out.
            Default all rows the same.
        eval_set : tuple (X, y), optional
            Rows to validate on. Unless given, the share ``valid`` of the rows is held out.
        eval_sample_weight : array, optional
            How much each row of ``eval_set`` counts.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a setting or the data cannot be taken; the message says what, where and what to do.
        ArithmeticError
            If the loss stops being a finite number before an epoch has ended.
        KeyboardInterrupt
            If Ctrl-C is pressed: the estimator is then as it was before.
        """
        data, X_frame = self._data(X, y, eval_set, sample_weight, eval_sample_weight)
        settings = self._settings(data[0])
        runs, name = None, None
        if self.run is not None:
            folder = Path(os.fspath(self.run))
            runs, name = folder.parent, folder.name
        members = self.members
        if members is not None and (not isinstance(members, int | np.integer) or not 1 <= members <= 1000):
            raise ValueError(f"members={members!r}: give a number of networks from 1 to 1000")
        if members is not None and self.folds is not None:
            raise ValueError("members and folds do not go together: there is a network for each fold")
        with _progress(self.progress) as tell:
            threads = self.threads
            fitted = _downhill.fit(data, settings, threads, runs, name, tell, None if members is None else int(members))
        if fitted["interrupted"]:
            where = f" in {name}; it was saved up to there" if name else ""
            raise KeyboardInterrupt(f"the run was stopped{where}")
        self._model = fitted["model"]
        self._classes_of(self._model)
        _check_feature_names(self, X, reset=True)
        self.n_features_in_ = X_frame.width
        self.fit_report_ = FitReport(json.loads(fitted["summary"]), fitted["toml"], fitted["log"])
        self.n_iter_ = max(1, self.fit_report_.summary["epochs"])
        kept = self.fit_report_.summary["run"]
        self.run_ = Path(kept) if kept else None
        return self

    def _classes_of(self, model: _downhill.Model) -> None:
        """Takes over the order of the model's classes, where there are some."""

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "fit_report_")
        X_frame = self._frame(X)
        _check_feature_names(self, X, reset=False)
        if X_frame.width != self.n_features_in_:
            raise ValueError(
                f"X has {X_frame.width} features, but {type(self).__name__} is expecting {self.n_features_in_} features as "
                "input"
            )
        return self._model.predict(X_frame.table())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model, preprocessing included, as a file for ``downhill predict`` and ``downhill evaluate``.

        Parameters
        ----------
        path : str or path
            Where: ``"model.safetensors"``.
        """
        check_is_fitted(self, "fit_report_")
        self._model.save(path)

    def export_onnx(self, path: str | os.PathLike[str], *, inputs: str = "table") -> None:
        """Write the model, preprocessing included, as an ONNX file, which any runtime predicts with.

        Parameters
        ----------
        path : str or path
            Where: ``"model.onnx"``.
        inputs : "table" or "numeric", default "table"
            What the file is given: columns as they are, with texts; or numbers alone, for runtimes without texts.
        """
        check_is_fitted(self, "fit_report_")
        content = self._model.to_onnx(inputs)
        with open(path, "wb") as file:
            file.write(content)


def _weights(weights: Any, rows: int, name: str) -> np.ndarray | None:
    """Weights of rows as the engine takes them; none where all are the same."""
    if weights is None:
        return None
    if hasattr(weights, "to_numpy") and not isinstance(weights, np.ndarray):
        weights = weights.to_numpy()
    weights = np.asarray(weights)
    if weights.dtype.kind not in "fiub":
        raise ValueError(f"{name}: give a number for each row")
    if weights.ndim == 0:
        weights = np.full(rows, weights)
    if weights.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got {weights.ndim}D array: {name}")
    if len(weights) != rows:
        raise ValueError(f"{name}.shape == {weights.shape}, expected {(rows,)}!")
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"{name} is {weights[row]} in row {row}: give numbers from 0 on")
    if not (weights > 0).any():
        raise ValueError(f"{name}: every weight is zero; give rows that count a weight above 0")
    weights = weights.astype(np.float64)
    # Only their ratios count, and those of very different sizes must fit into 32 bits.
    return (weights / weights.max()).astype(np.float32) if not (weights == weights[0]).all() else None


class _progress:
    """A bar of the epochs, if one is wanted."""

    def __init__(self, wanted: bool) -> None:
        self.bar: Any = None
        if wanted:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                warnings.warn("progress=True needs the package tqdm: pip install tqdm", stacklevel=4)
                return
            self.bar = tqdm(unit="epoch", desc="looking for a learning rate")

    def __enter__(self) -> Any:
        return None if self.bar is None else self.tell

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def tell(self, line: str) -> None:
        event = json.loads(line)
        if event["event"] == "start":
            self.bar.total = event["total_steps"] // max(1, event["steps_per_epoch"])
            self.bar.set_description("training")
        elif event["event"] == "epoch":
            self.bar.update(event["epoch"] + 1 - self.bar.n)
            self.bar.set_postfix(loss=f"{event['train_loss']:.4g}", valid=f"{event['valid_loss']:.4g}")


class DownhillClassifier(ClassifierMixin, _Estimator):
    __doc__ = (
        "A network that predicts classes, trained at the right learning rate.\n"
        + _PARAMETERS.format(
            losses='``"cross-entropy"`` or ``"binary-cross-entropy"``',
            metric="accuracy",
            classes="    label_smoothing : float, optional\n"
            "        The share of each label that is spread evenly over all classes. Default 0.\n"
            '    class_weight : "balanced" or dict, optional\n'
            '        How much the rows of each class count: ``"balanced"`` lets every class count the same, a dict has a\n'
            "        weight for each label. Default all rows the same.\n",
            attributes="    classes_ : ndarray of shape (n_classes,)\n        The labels, sorted.\n",
        )
        + """
    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from downhill import DownhillClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = DownhillClassifier(epochs=30, seed=1).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """
    )

    _task = "classification"

    def __init__(
        self,
        *,
        preset: str | None = None,
        hidden: Any = None,
        activation: str | None = None,
        init: str | None = None,
        batch_norm: bool | None = None,
        dropout: float | None = None,
        numbers: str | None = None,
        ensemble: int | str | None = None,
        lr: float | str = "auto",
        optimizer: str | None = None,
        momentum: float | str | None = None,
        plateau: str | None = None,
        guard: str | None = None,
        track: str | None = None,
        group: str | list[str] | None = None,
        ema: float | None = None,
        lookahead: str | None = None,
        loss: str | None = None,
        epochs: int | None = None,
        batch: int | None = None,
        accumulate: int | None = None,
        early_stop: int | str | None = None,
        keep: str | None = None,
        l1: float | None = None,
        l2: float | None = None,
        weight_decay: float | None = None,
        independent_decay: float | None = None,
        max_norm: float | None = None,
        clip_norm: float | None = None,
        clip_tensor_norm: float | None = None,
        clip_value: float | None = None,
        label_smoothing: float | None = None,
        class_weight: str | dict[Any, float] | None = None,
        seed: int | None = None,
        members: int | None = None,
        folds: int | None = None,
        valid: float = 0.2,
        categorical: list[str | int] | None = None,
        numeric: list[str | int] | None = None,
        drop: list[str | int] | None = None,
        threads: int | None = None,
        run: str | os.PathLike[str] | None = None,
        progress: bool = False,
    ) -> None:
        self.preset = preset
        self.hidden = hidden
        self.activation = activation
        self.init = init
        self.batch_norm = batch_norm
        self.dropout = dropout
        self.numbers = numbers
        self.ensemble = ensemble
        self.lr = lr
        self.optimizer = optimizer
        self.momentum = momentum
        self.plateau = plateau
        self.guard = guard
        self.track = track
        self.group = group
        self.ema = ema
        self.lookahead = lookahead
        self.loss = loss
        self.epochs = epochs
        self.batch = batch
        self.accumulate = accumulate
        self.early_stop = early_stop
        self.keep = keep
        self.l1 = l1
        self.l2 = l2
        self.weight_decay = weight_decay
        self.independent_decay = independent_decay
        self.max_norm = max_norm
        self.clip_norm = clip_norm
        self.clip_tensor_norm = clip_tensor_norm
        self.clip_value = clip_value
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.seed = seed
        self.members = members
        self.folds = folds
        self.valid = valid
        self.categorical = categorical
        self.numeric = numeric
        self.drop = drop
        self.threads = threads
        self.run = run
        self.progress = progress

    def _target(self, y: Any, name: str) -> Column:
        column, self._found_classes = target(y, name)
        return column

    def _other_target(self, y: Any, name: str) -> Column:
        return target(y, name)[0]

    def _places(self, texts: list[str], classes: np.ndarray) -> list[int]:
        """For each of the engine's classes the place of its label."""
        place: dict[Any, int] = {}
        for at, label in enumerate(classes.tolist()):
            number = isinstance(label, int | float) and not isinstance(label, bool)
            place[float(label) if number else str(label)] = at
        numbers = classes.dtype.kind in "iuf"
        return [place[float(text) if numbers else text] for text in texts]

    def _settings(self, data: _downhill.Data) -> list[tuple[str, str]]:
        settings = super()._settings(data)
        weights = self.class_weight
        if weights is None:
            return settings
        if isinstance(weights, str):
            if weights != "balanced":
                raise ValueError(f'class_weight={weights!r}: give "balanced", or a dict of a weight for each label')
            return [*settings, ("class-weights", "balanced")]
        labels = [self._found_classes[place] for place in self._places(data.classes, self._found_classes)]
        unknown = [label for label in weights if label not in labels]
        if unknown:
            raise ValueError(f"class_weight: there is no class {unknown[0]!r}; there are {labels}")
        if any(name == "loss" for name, _ in settings):
            raise ValueError("class_weight goes with the loss cross-entropy, which is the default: leave `loss` out")
        smoothing = [value for name, value in settings if name == "label-smoothing"]
        settings = [setting for setting in settings if setting[0] != "label-smoothing"]
        listed = ", ".join(repr(float(weights.get(label, 1.0))) for label in labels)
        also = f", label-smoothing={smoothing[0]}" if smoothing else ""
        return [*settings, ("loss", f"cross-entropy(class-weights=[{listed}]{also})")]

    def _classes_of(self, model: _downhill.Model) -> None:
        self.classes_ = self._found_classes
        del self._found_classes
        places = self._places(model.classes, self.classes_)
        # A class that is in no row to train on has no output.
        self._columns = np.asarray(places)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities of the classes.

        Parameters
        ----------
        X : data frame, Arrow table or array of shape (n_samples, n_features)
            The rows, with the columns of those that were learnt from.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        outputs = self._outputs(X).astype(np.float64)
        found = np.zeros((len(outputs), len(self.classes_)))
        found[:, self._columns] = outputs / outputs.sum(axis=1, keepdims=True)
        return found

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class of each row.

        Parameters
        ----------
        X : data frame, Arrow table or array of shape (n_samples, n_features)
            The rows, with the columns of those that were learnt from.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels as they were given.
        """
        outputs = self._outputs(X)
        return self.classes_[self._columns[outputs.argmax(axis=1)]]


class DownhillRegressor(RegressorMixin, _Estimator):
    __doc__ = (
        "A network that predicts a number, trained at the right learning rate.\n"
        + _PARAMETERS.format(
            losses='``"mse"``, ``"mae"`` or ``"huber"``', metric="mae", classes="", attributes=""
        )
        + """
    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from downhill import DownhillRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = DownhillRegressor(epochs=30, seed=1).fit(X, y)
    >>> model.score(X, y) > 0.4
    True
    """
    )

    _task = "regression"

    def __init__(
        self,
        *,
        preset: str | None = None,
        hidden: Any = None,
        activation: str | None = None,
        init: str | None = None,
        batch_norm: bool | None = None,
        dropout: float | None = None,
        numbers: str | None = None,
        ensemble: int | str | None = None,
        lr: float | str = "auto",
        optimizer: str | None = None,
        momentum: float | str | None = None,
        plateau: str | None = None,
        guard: str | None = None,
        track: str | None = None,
        group: str | list[str] | None = None,
        ema: float | None = None,
        lookahead: str | None = None,
        loss: str | None = None,
        epochs: int | None = None,
        batch: int | None = None,
        accumulate: int | None = None,
        early_stop: int | str | None = None,
        keep: str | None = None,
        l1: float | None = None,
        l2: float | None = None,
        weight_decay: float | None = None,
        independent_decay: float | None = None,
        max_norm: float | None = None,
        clip_norm: float | None = None,
        clip_tensor_norm: float | None = None,
        clip_value: float | None = None,
        seed: int | None = None,
        members: int | None = None,
        folds: int | None = None,
        valid: float = 0.2,
        categorical: list[str | int] | None = None,
        numeric: list[str | int] | None = None,
        drop: list[str | int] | None = None,
        threads: int | None = None,
        run: str | os.PathLike[str] | None = None,
        progress: bool = False,
    ) -> None:
        self.preset = preset
        self.hidden = hidden
        self.activation = activation
        self.init = init
        self.batch_norm = batch_norm
        self.dropout = dropout
        self.numbers = numbers
        self.ensemble = ensemble
        self.lr = lr
        self.optimizer = optimizer
        self.momentum = momentum
        self.plateau = plateau
        self.guard = guard
        self.track = track
        self.group = group
        self.ema = ema
        self.lookahead = lookahead
        self.loss = loss
        self.epochs = epochs
        self.batch = batch
        self.accumulate = accumulate
        self.early_stop = early_stop
        self.keep = keep
        self.l1 = l1
        self.l2 = l2
        self.weight_decay = weight_decay
        self.independent_decay = independent_decay
        self.max_norm = max_norm
        self.clip_norm = clip_norm
        self.clip_tensor_norm = clip_tensor_norm
        self.clip_value = clip_value
        self.seed = seed
        self.members = members
        self.folds = folds
        self.valid = valid
        self.categorical = categorical
        self.numeric = numeric
        self.drop = drop
        self.threads = threads
        self.run = run
        self.progress = progress

    def _target(self, y: Any, name: str) -> Column:
        return (name, "number", one_column(y, numeric=True))

    def predict(self, X: Any) -> np.ndarray:
        """The prediction for each row, in the target's own unit.

        Parameters
        ----------
        X : data frame, Arrow table or array of shape (n_samples, n_features)
            The rows, with the columns of those that were learnt from.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._outputs(X)

    def predict_interval(self, X: Any, level: float = 0.9) -> np.ndarray:
        """Intervals that hold the target of a share of rows: split conformal prediction by the errors on the validation
        rows.

        Parameters
        ----------
        X : data frame, Arrow table or array of shape (n_samples, n_features)
            The rows, with the columns of those that were learnt from.
        level : float, default 0.9
            The share of rows whose target is to lie within, between 0 and 1.

        Returns
        -------
        ndarray of shape (n_samples, 2)
            The lower and the upper end for each row.
        """
        predicted = self._outputs(X)
        margin = self._model.margin(level)
        return np.column_stack([predicted - margin, predicted + margin])
