"""Functions on learning rates: finding one, comparing some, and saying what was wrong."""

from __future__ import annotations

import html
import itertools
import json
import os
import warnings
from typing import Any

import numpy as np

from downhill import _downhill
from downhill._estimators import DownhillClassifier, DownhillRegressor
from downhill._settings import _spelling, names
from downhill._table import one_column


def rates(schedule: float | str, steps: int, *, steps_per_epoch: int | None = None) -> np.ndarray:
    """The learning rates of a schedule.

    Parameters
    ----------
    schedule : float or str
        A number or a schedule: ``"warmup(5%, then=cosine(0.01))"``.
    steps : int
        The length of the run.
    steps_per_epoch : int, optional
        The length of an epoch, for schedules that count in epochs. Default all steps.

    Returns
    -------
    ndarray of shape (steps,)

    Examples
    --------
    >>> from downhill import rates
    >>> rates("linear(0.4, end=0)", 4)
    array([0.4, 0.3, 0.2, 0.1])
    """
    return np.asarray(_downhill.rates(str(schedule), steps, steps if steps_per_epoch is None else steps_per_epoch))


def _estimator(X: Any, y: Any, task: str | None, settings: dict[str, Any]) -> Any:
    """The estimator of the task that the target suggests, or that is named."""
    if task is None:
        values = y.to_numpy() if hasattr(y, "to_numpy") and not isinstance(y, np.ndarray) else np.asarray(y)
        if values.dtype.kind in "OUSb":
            task = "classification"
        else:
            column = ("y", "number", one_column(values, numeric=True))
            task = _downhill.Table([column], True).task("y")
    if task not in ("classification", "regression"):
        raise ValueError(f'task={task!r}: give "classification" or "regression"')
    kind = DownhillClassifier if task == "classification" else DownhillRegressor
    return kind(**settings)


def _one_data(estimator: Any, X: Any, y: Any, eval_set: Any) -> _downhill.Data:
    """The rows to train and to validate on, of one network."""
    for name in ("members", "folds", "run"):
        if getattr(estimator, name) is not None:
            raise ValueError(f"{name} is for fit: here, single networks are trained, and kept nowhere")
    return estimator._data(X, y, eval_set)[0][0]


class FoundRate:
    """A learning rate that was found, and by what.

    Attributes
    ----------
    recommended : float
        The peak rate to train with.
    band : tuple of float
        The rates around the best rehearsal that came within 10% of its loss, and the recommended one.
    schedule : str
        The schedule with that peak, as ``lr`` takes it.
    details : dict
        All that ``downhill find-lr --format json`` says: ``curve``, ``rehearsals``, ``steepest``, ``valley``, ….
    """

    def __init__(self, details: dict[str, Any], svg: str, text: str) -> None:
        self.details = details
        self._svg = svg
        self._text = text

    @property
    def recommended(self) -> float:
        return self.details["recommended"]

    @property
    def band(self) -> tuple[float, float]:
        low, high = self.details["band"]
        return low, high

    @property
    def schedule(self) -> str:
        return self.details["schedule"]

    def plot(self, ax: Any = None) -> Any:
        """Draw the range test and the rehearsals with matplotlib, and return the axes."""
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        curve = [point for point in self.details["curve"] if point["loss"] is not None]
        rehearsals = [point for point in self.details["rehearsals"] if point["loss"] is not None]
        ax.plot([point["lr"] for point in curve], [point["loss"] for point in curve], label="range test")
        ax.plot(
            [point["lr"] for point in rehearsals], [point["loss"] for point in rehearsals], "o", label="rehearsals"
        )
        ax.axvline(self.recommended, linestyle="--", color="C2", label=f"recommended {self.recommended:g}")
        ax.axvspan(*self.band, alpha=0.1, color="C2")
        if curve:
            # Above what it began with, the curve only blows up.
            ax.set_ylim(top=1.2 * max(curve[0]["loss"], *(point["loss"] for point in rehearsals[:1])))
        ax.set(xscale="log", xlabel="learning rate", ylabel="training loss")
        ax.legend()
        return ax

    def svg(self) -> str:
        """The same as Downhill draws it, as SVG."""
        return self._svg

    def _repr_html_(self) -> str:
        return f"<figure>{self._svg}<figcaption>{html.escape(self._text)}</figcaption></figure>"

    def __repr__(self) -> str:
        return f"<FoundRate: {self._text}>"

    def __float__(self) -> float:
        return self.recommended


def find_lr(X: Any, y: Any, *, task: str | None = None, eval_set: Any = None, **settings: Any) -> FoundRate:
    """Find the learning rate for a run, as a fit with ``lr="auto"`` does, and show how.

    A range test and a few rehearsals of the run's whole schedule, in at most a fifth of the steps of the run that the
    same settings make.

    Parameters
    ----------
    X, y : table, array
        The data, as ``fit`` takes it.
    task : "classification" or "regression", optional
        Told from the target unless given: text and few integers are classes.
    eval_set : tuple (X, y), optional
        Rows that are not learnt from.
    **settings
        Those of :class:`DownhillClassifier`. With ``lr``, that schedule is rehearsed at other peaks.

    Returns
    -------
    FoundRate
    """
    estimator = _estimator(X, y, task, settings)
    data = _one_data(estimator, X, y, eval_set)
    details, svg, text = _downhill.find_lr(data, estimator._settings(data), estimator.threads)
    return FoundRate(json.loads(details), svg, text)


class Comparison:
    """What the same run came to with several settings. It draws itself in a notebook.

    Attributes
    ----------
    runs : list of dict
        A run each, in the order of the settings: ``settings``, ``rank`` (1 is the best), ``train_loss``,
        ``valid_loss``, ``score``, ``verdict`` on its learning rate (``"low"``, ``"good"``, ``"high"``,
        ``"very-high"``), ``train_losses`` by epoch, ….
    """

    def __init__(self, runs: list[dict[str, Any]]) -> None:
        self.runs = runs

    @property
    def best(self) -> dict[str, Any]:
        """The settings of the run that ranks first."""
        return min(self.runs, key=lambda run: run["rank"])["settings"]

    def plot(self, ax: Any = None) -> Any:
        """Draw the training losses with matplotlib, and return the axes."""
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        for run in self.runs:
            losses = run["train_losses"]
            verdict = f" ({run['verdict'].replace('-', ' ')})" if run["verdict"] else ""
            ax.plot(range(1, len(losses) + 1), losses, label=_named(run["settings"]) + verdict)
        ax.set(xlabel="epoch", ylabel="training loss", yscale="log")
        ax.legend()
        return ax

    def _rows(self) -> list[list[str]]:
        def number(value: float | None) -> str:
            return "–" if value is None else f"{value:.4g}"

        return [
            [
                str(run["rank"]),
                _named(run["settings"]),
                number(run["train_loss"]),
                number(run["valid_loss"]),
                number(run["score"]),
                (run["verdict"] or "–").replace("-", " "),
            ]
            for run in sorted(self.runs, key=lambda run: run["rank"])
        ]

    _HEADER = ("rank", "settings", "training loss", "validation loss", "score", "learning rate")

    def _repr_html_(self) -> str:
        cells = "".join(f"<th>{name}</th>" for name in self._HEADER)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self._rows()
        )
        return f"<table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>"

    def __repr__(self) -> str:
        rows = [list(self._HEADER), *self._rows()]
        widths = [max(len(row[at]) for row in rows) for at in range(len(self._HEADER))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )


def _named(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in settings.items()) or "as given"


def compare(X: Any, y: Any, *, task: str | None = None, eval_set: Any = None, **settings: Any) -> Comparison:
    """Make the same run with several settings, on the same rows, and judge their learning rates.

    Parameters
    ----------
    X, y : table, array
        The data, as ``fit`` takes it.
    task : "classification" or "regression", optional
        Told from the target unless given.
    eval_set : tuple (X, y), optional
        Rows to validate on.
    **settings
        Those of :class:`DownhillClassifier`; a list has several values, and every combination is a run:
        ``lr=[0.001, 0.01, 0.1], dropout=[0, 0.3]`` are six. (``group`` takes one list for all, and ``seed`` one value:
        the rows are split by it.)

    Returns
    -------
    Comparison
    """
    once = ("group", "categorical", "numeric", "drop")
    several = {name: value for name, value in settings.items() if isinstance(value, list) and name not in once}
    if "seed" in several:
        raise ValueError("seed takes one value here, as the rows are split by it; compare once for each")
    first = {**settings, **{name: values[0] for name, values in several.items() if values}}
    if any(not values for values in several.values()):
        raise ValueError("a list of settings is empty; give values to compare")
    cases = [dict(zip(several, values, strict=True)) for values in itertools.product(*several.values())]
    estimator = _estimator(X, y, task, first)
    data = _one_data(estimator, X, y, eval_set)
    spellings = []
    keys: list[Any] = []
    groups = []
    for case in cases:
        estimator.set_params(**case)
        spellings.append(estimator._settings(data))
        key = [(name, value) for name, value in case.items() if name != "lr"]
        if key not in keys:
            keys.append(key)
        groups.append(keys.index(key))
    runs = json.loads(_downhill.compare(data, spellings, groups, estimator.threads))
    return Comparison([{"settings": case, **run} for case, run in zip(cases, runs, strict=True)])


class Diagnosis:
    """What was wrong with a run.

    Attributes
    ----------
    verdict : str
        Of its learning rate: ``"low"``, ``"good"``, ``"high"`` or ``"very-high"``.
    suggestion : dict or None
        A setting to try, that was tried in a whole run and did better: ``{"lr": "cosine(0.01)"}``.
    findings : list of dict
        What else there is to say, each with its ``evidence`` and its ``suggestion``.
    details : dict
        All that ``downhill diagnose --format json`` says.
    """

    def __init__(self, details: dict[str, Any]) -> None:
        self.details = details

    @property
    def verdict(self) -> str:
        return self.details["verdict"]

    @property
    def suggestion(self) -> dict[str, str] | None:
        return _keyword(self.details["suggestion"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        return [{**finding, "suggestion": _keyword(finding["suggestion"])} for finding in self.details["findings"]]

    def __repr__(self) -> str:
        lines = [f"learning rate: {self.verdict.replace('-', ' ')}", f"  {self.details['evidence']}"]
        if self.suggestion:
            lines.append(f"  try {_named(self.suggestion)}")
        for finding in self.findings:
            lines += [finding["trouble"].replace("-", " "), f"  {finding['evidence']}"]
            lines.append(f"  try {_named(finding['suggestion'])}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def _keyword(suggestion: dict[str, str] | None) -> dict[str, str] | None:
    return suggestion and {suggestion["setting"].replace("-", "_"): suggestion["value"]}


def diagnose(X: Any, y: Any, *, task: str | None = None, eval_set: Any = None, **settings: Any) -> Diagnosis:
    """Find out what is wrong with a run, by trying what would be otherwise. It takes the time of about eight runs.

    Parameters
    ----------
    X, y : table, array
        The data, as ``fit`` takes it.
    task : "classification" or "regression", optional
        Told from the target unless given.
    eval_set : tuple (X, y), optional
        Rows to validate on.
    **settings
        Those of :class:`DownhillClassifier`.

    Returns
    -------
    Diagnosis
    """
    estimator = _estimator(X, y, task, settings)
    data = _one_data(estimator, X, y, eval_set)
    return Diagnosis(json.loads(_downhill.diagnose(data, estimator._settings(data), estimator.threads)))


class SearchResult:
    """What a search came to. It draws itself in a notebook.

    Attributes
    ----------
    trials : list of dict
        The trials in the order in which they were begun: ``settings`` (what was searched, as keywords), ``value`` of the
        metric, ``epochs``, ``state`` (``"complete"``, ``"paused"``, ``"stopped"``, ``"failed"``), ``seconds``, ``note``.
    metric : str
        What was searched for.
    importance : dict
        How much each setting matters for being among the best fifth, as a share; empty with fewer than 10 trials.
    """

    def __init__(self, found: dict[str, Any], svg: str, fixed: dict[str, Any]) -> None:
        self.trials: list[dict[str, Any]] = found["trials"]
        self.metric: str = found["metric"]
        self.importance: dict[str, float] = found["importance"]
        self.higher_is_better: bool = found["higher_is_better"]
        self._best: int | None = found["best"]
        self._svg = svg
        self._fixed = fixed

    @property
    def best_trial(self) -> dict[str, Any]:
        """The trial with the best value.

        Raises
        ------
        ValueError
            If no trial came to a value.
        """
        if self._best is None:
            notes = sorted({trial["note"] for trial in self.trials if trial["note"]})
            raise ValueError(f"no trial came to a value: {'; '.join(notes) or 'there was none'}")
        return self.trials[self._best]

    @property
    def best(self) -> dict[str, Any]:
        """The settings of the best trial, with those that stayed as they were: ``DownhillClassifier(**found.best)``."""
        return {**self._fixed, **self.best_trial["settings"]}

    def table(self) -> Any:
        """The trials as a pandas data frame: a column for each setting, and those of :attr:`trials`."""
        import pandas as pd

        rows = [{**trial["settings"], **{key: trial[key] for key in trial if key != "settings"}} for trial in self.trials]
        return pd.DataFrame(rows)

    def plot(self, ax: Any = None) -> Any:
        """Draw the values of the trials, and the best so far, with matplotlib, and return the axes."""
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        valued = [trial for trial in self.trials if trial["value"] is not None]
        numbers, values = [trial["number"] for trial in valued], [trial["value"] for trial in valued]
        ax.plot(numbers, values, "o", label="trials")
        best = np.maximum.accumulate if self.higher_is_better else np.minimum.accumulate
        if values:
            ax.step(numbers, best(values), where="post", label="best so far")
        ax.set(xlabel="trial", ylabel=f"validation {self.metric}".replace("-", " "))
        ax.legend()
        return ax

    def svg(self) -> str:
        """The study as Downhill draws it, as SVG."""
        return self._svg

    def _repr_html_(self) -> str:
        return f"<figure>{self._svg}<figcaption>{html.escape(repr(self))}</figcaption></figure>"

    def __repr__(self) -> str:
        if self._best is None:
            return f"<SearchResult: {len(self.trials)} trials, none of which came to a value>"
        best = self.best_trial
        return (
            f"<SearchResult: {len(self.trials)} trials; best {self.metric} {best['value']:.4g} with "
            f"{_named(best['settings'])}>"
        )


def search(
    X: Any,
    y: Any,
    *,
    task: str | None = None,
    eval_set: Any = None,
    metric: str = "loss",
    trials: int | None = None,
    epochs_total: int | None = None,
    time: float | None = None,
    sampler: str | None = None,
    stop: str | None = None,
    seeds: int = 1,
    progress: bool = False,
    **settings: Any,
) -> SearchResult:
    """Search for the settings that come to the best metric over the validation rows.

    Parameters
    ----------
    X, y : table, array
        The data, as ``fit`` takes it.
    task : "classification" or "regression", optional
        Told from the target unless given.
    eval_set : tuple (X, y), optional
        Rows to validate on.
    metric : str, default "loss"
        ``"loss"``, ``"accuracy"``, ``"balanced-accuracy"``, ``"f1"``, ``"roc-auc"``, ``"rmse"``, ``"mae"`` or ``"r2"``.
    trials, epochs_total : int, optional
        End after this number of trials, or of epochs of all trials together. Default 50 trials, if nothing else ends it.
    time : float, optional
        End after this number of seconds.
    sampler : str, optional
        How settings are suggested: ``"tpe"``, ``"random"``, ``"sobol"``, ``"grid"``, ``"coarse-to-fine"``. Default TPE.
    stop : str, optional
        Which trials go on: ``"halving(eta=3, rungs=4)"``, ``"median"``, ``"none"``. Default halving.
    seeds : int, default 1
        Search for the mean over this number of random seeds of the training.
    progress : bool, default False
        Whether to show a progress bar (package ``tqdm``).
    **settings
        Those of :class:`DownhillClassifier`. One whose value is a space is searched: ``lr="log(1e-4, 1e-1)"``,
        ``dropout="uniform(0, 0.5)"``, ``batch="int(16, 128)"``, ``optimizer="choice(adamw, muon)"``, or a list of values; a
        number for ``lr`` is the peak of a warmup and a cosine. Without any, the usual ones are searched.

    Returns
    -------
    SearchResult

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C is pressed; the work stops.

    Examples
    --------
    >>> found = search(X, y, trials=20, dropout="uniform(0, 0.5)")  # doctest: +SKIP
    >>> model = DownhillClassifier(**found.best).fit(X, y)  # doctest: +SKIP
    """
    once = ("group", "categorical", "numeric", "drop")
    spaces = {}
    for name, value in list(settings.items()):
        if isinstance(value, list) and name not in once:
            if not value:
                raise ValueError(f"{name}=[]: the list is empty; give values to choose from")
            spaces[name] = f"choice({', '.join(_spelling(name, one) for one in value)})"
        elif isinstance(value, str) and _downhill.is_space(value):
            spaces[name] = value
    fixed = {name: value for name, value in settings.items() if name not in spaces}
    unknown = [name for name in spaces if name not in names()]
    if unknown:
        raise TypeError(f"there is no setting {unknown[0]!r} to search; there are {', '.join(names())}")
    estimator = _estimator(X, y, task, fixed)
    data = _one_data(estimator, X, y, eval_set)
    spelling = estimator._settings(data)
    if "lr" not in settings:
        # The rate is searched, unless it is given.
        spelling = [(name, value) for name, value in spelling if name != "lr"]
    spelling += [(name.replace("_", "-"), value) for name, value in spaces.items()]
    workers = estimator.threads or os.cpu_count() or 1
    with _bar(progress, trials) as tell:
        found, svg = _downhill.search(
            data, spelling, metric, seeds, workers, trials, epochs_total, time, sampler, stop, tell
        )
    return SearchResult(json.loads(found), svg, fixed)


class _bar:
    """A bar of the trials, if one is wanted."""

    def __init__(self, wanted: bool, trials: int | None) -> None:
        self.bar: Any = None
        if wanted:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                warnings.warn("progress=True needs the package tqdm: pip install tqdm", stacklevel=4)
                return
            self.bar = tqdm(total=trials, unit="trial")

    def __enter__(self) -> Any:
        return None if self.bar is None else self.tell

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def tell(self, line: str) -> None:
        if json.loads(line)["event"] == "start":
            self.bar.update()
