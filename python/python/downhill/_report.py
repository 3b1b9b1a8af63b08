"""How a fit went."""

from __future__ import annotations

import html
import json
import os
from functools import cached_property
from typing import Any

from downhill import _downhill


def framed(page: str, height: int = 640) -> str:
    """A page inside another: nothing of it gets out, and nothing of the other in."""
    return (
        f'<iframe srcdoc="{html.escape(page, quote=True)}" sandbox="" style="width:100%;height:{height}px;'
        'border:1px solid #8884" title="report of a run"></iframe>'
    )


class FitReport:
    """How a fit went: what it came to, its epochs, its learning rate. It draws itself in a notebook.

    Attributes
    ----------
    summary : dict
        What the run came to, as ``downhill train --format json`` says it: rows, epochs, losses, metrics, seconds,
        ``weights_sha256``.
    settings : str
        All settings as a file that ``downhill train --config`` takes, defaults spelled out.
    log : str
        The events of the run, a line each, as a run's ``events.jsonl``.
    """

    def __init__(self, summary: dict[str, Any], settings: str, log: str) -> None:
        self.summary = summary
        self.settings = settings
        self.log = log

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """What happened, in its order, each with its ``time`` in seconds since 1970."""
        return [json.loads(line) for line in self.log.splitlines()]

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """The epochs, in their order: ``epoch`` (from 0), ``lr``, ``train_loss``, ``valid_loss``, ``metrics``, …"""
        return [event for event in self.events if event["event"] == "epoch"]

    @property
    def found(self) -> dict[str, Any] | None:
        """How the learning rate was found, if it was."""
        return next((event for event in self.events if event["event"] == "rate"), None)

    @property
    def notes(self) -> list[str]:
        """What a person should know, in sentences."""
        return [event["text"] for event in self.events if event["event"] == "note"]

    def html(self) -> str:
        """The report as a page that fetches nothing and runs nothing."""
        return _downhill.report(self.settings, self.log)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page into a file."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.html())

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses with matplotlib, and return the axes."""
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        epochs = self.epochs
        at = [epoch["epoch"] + 1 for epoch in epochs]
        ax.plot(at, [epoch["train_loss"] for epoch in epochs], label="training")
        ax.plot(at, [epoch["valid_loss"] for epoch in epochs], label="validation")
        ax.set(xlabel="epoch", ylabel="loss")
        ax.legend()
        return ax

    def _repr_html_(self) -> str:
        return framed(self.html())

    def __repr__(self) -> str:
        summary = self.summary
        kept = f"; the weights of epoch {summary['best_epoch']} are kept" if summary.get("best_epoch") else ""
        return (
            f"<FitReport: {summary['epochs']} epochs in {summary['seconds']:.1f} s{kept}; "
            f"validation loss {summary['valid_loss']:.4g}>"
        )
