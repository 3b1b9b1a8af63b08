"""Train neural networks on tables at the right learning rate.

Estimators for scikit-learn's users (:class:`DownhillClassifier`, :class:`DownhillRegressor`), functions on learning
rates (:func:`find_lr`, :func:`compare`, :func:`diagnose`, :func:`search`), runs that are kept in folders (:class:`Run`), and sessions
for training loops of your own (:class:`Session`, and :class:`downhill.torch.Session` for PyTorch).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from downhill._downhill import __version__

if TYPE_CHECKING:
    from downhill._estimators import DownhillClassifier, DownhillRegressor
    from downhill._functions import Comparison, Diagnosis, FoundRate, SearchResult, compare, diagnose, find_lr, rates, search
    from downhill._report import FitReport
    from downhill._run import Run
    from downhill._session import Session

__all__ = [
    "Comparison",
    "Diagnosis",
    "DownhillClassifier",
    "DownhillRegressor",
    "FitReport",
    "FoundRate",
    "Run",
    "SearchResult",
    "Session",
    "__version__",
    "compare",
    "diagnose",
    "find_lr",
    "rates",
    "search",
]

# Loaded when they are first asked for, so that the program and a session need no scikit-learn.
_WHERE = {
    "Comparison": "_functions",
    "Diagnosis": "_functions",
    "DownhillClassifier": "_estimators",
    "DownhillRegressor": "_estimators",
    "FitReport": "_report",
    "FoundRate": "_functions",
    "Run": "_run",
    "SearchResult": "_functions",
    "Session": "_session",
    "compare": "_functions",
    "diagnose": "_functions",
    "find_lr": "_functions",
    "rates": "_functions",
    "search": "_functions",
}


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(importlib.import_module(f"downhill.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'downhill' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
