"""Runs that are kept in folders, whoever made them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from downhill import _downhill
from downhill._report import framed


class Run:
    """A run that is kept in a folder: made by an estimator, a session or the program. It draws itself in a notebook.

    Parameters
    ----------
    path : str or path
        The folder, such as ``"runs/mine"``.

    Examples
    --------
    >>> from downhill import Run
    >>> run = Run("runs/mine")  # doctest: +SKIP
    >>> run.set_lr("0.5x")      # while it is under way in another process  # doctest: +SKIP
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.overview  # noqa: B018: what is no run is said at once

    @property
    def overview(self) -> dict[str, Any]:
        """The run in a line: ``state``, ``best_epoch``, ``valid_loss``, ``metrics``, ``epochs``, …"""
        return json.loads(_downhill.overview(self.path))

    @property
    def state(self) -> str:
        """What it is doing, or how it ended: ``"running"``, ``"finished"``, ``"interrupted"``, ``"crashed"``, …"""
        return self.overview["state"]

    @property
    def settings(self) -> dict[str, Any]:
        """Its ``run.toml``."""
        return json.loads(_downhill.run_settings(self.path))

    @property
    def events(self) -> list[dict[str, Any]]:
        """What happened, in its order, each with its ``time`` in seconds since 1970."""
        return [json.loads(line) for line in _downhill.events(self.path)]

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """The epochs that ended, in their order: ``epoch`` (from 0), ``lr``, ``train_loss``, ``valid_loss``, …"""
        return [event for event in self.events if event["event"] == "epoch"]

    @property
    def notes(self) -> list[str]:
        """What a person should know, in sentences."""
        return [event["text"] for event in self.events if event["event"] == "note"]

    def html(self) -> str:
        """The report as a page that fetches nothing and runs nothing."""
        return _downhill.run_report(self.path)

    def predict(self, X: Any) -> np.ndarray:
        """Predict the rows of a table with the model of the run.

        Parameters
        ----------
        X : data frame, Arrow table or array of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels as text, or numbers.
        """
        outputs, classes = self._outputs(X)
        return outputs if classes is None else classes[outputs.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities of the classes for the rows of a table, in the order of :attr:`classes`."""
        outputs, classes = self._outputs(X)
        if classes is None:
            raise ValueError(f"the run {self.path} predicts a number, which has no probability")
        return outputs.astype(np.float64)

    @property
    def classes(self) -> list[str]:
        """The labels of the classes, as text."""
        return self._model().classes

    def _model(self) -> _downhill.Model:
        return _downhill.Model.load(self.path / "model.safetensors")

    def _outputs(self, X: Any) -> tuple[np.ndarray, np.ndarray | None]:
        from downhill._table import frame

        model = self._model()
        outputs = model.predict(frame(X).table())
        return outputs, np.asarray(model.classes) if model.task == "classification" else None

    def diagnose(self, threads: int | None = None) -> Any:
        """Find out what was wrong with the run, by making it again; see :func:`downhill.diagnose`."""
        from downhill._functions import Diagnosis

        return Diagnosis(json.loads(_downhill.diagnose_run(self.path, threads)))

    def set_lr(self, lr: float | str) -> dict[str, Any]:
        """Change the rate of the run, which is under way in another process.

        Parameters
        ----------
        lr : float or str
            A rate, a factor such as ``"0.5x"``, a schedule, or ``"schedule"`` for what it was started with.

        Returns
        -------
        dict
            The ``step`` from which on it holds, and the rates before and after.
        """
        return self._tell(command="set-lr", lr=str(lr))

    def undo(self) -> dict[str, Any]:
        """Take back the last change of the rate."""
        return self._tell(command="undo")

    def pause(self) -> dict[str, Any]:
        """Let the run wait, until :meth:`go_on`."""
        return self._tell(command="pause")

    def go_on(self) -> dict[str, Any]:
        """Let the run go on after a pause."""
        return self._tell(command="continue")

    def stop(self) -> dict[str, Any]:
        """Save and stop the run; it can be resumed."""
        return self._tell(command="stop")

    def end(self) -> dict[str, Any]:
        """End the run, as if its last step were made."""
        return self._tell(command="end")

    def checkpoint(self) -> dict[str, Any]:
        """Let the run write a checkpoint."""
        return self._tell(command="checkpoint")

    def _tell(self, **command: str) -> dict[str, Any]:
        return json.loads(_downhill.steer(self.path, json.dumps(command)))

    def _repr_html_(self) -> str:
        return framed(self.html())

    def __repr__(self) -> str:
        overview = self.overview
        loss = overview["valid_loss"]
        best = "" if loss is None else f", validation loss {loss:.4g} after epoch {overview['best_epoch']}"
        return f"<Run {str(self.path)!r}: {overview['state']}, {overview['epochs']} epochs{best}>"
