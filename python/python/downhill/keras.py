"""A callback for ``fit`` of Keras 3, with PyTorch as its backend."""

from __future__ import annotations

import os
from typing import Any

import keras
import torch

from downhill._driven import Driven, settings
from downhill._session import Session

__all__ = ["DownhillCallback"]


class DownhillCallback(keras.callbacks.Callback):
    """Lets Downhill set the learning rate of a Keras model's ``fit``, guard the run, record it, and take commands.

    ::

        model.compile("adam", "mse")
        model.fit(x, y, epochs=20, callbacks=[DownhillCallback("cosine(0.001)", run="runs/mine")])

    ``downhill watch runs/mine``, ``set-lr``, ``pause``, ``stop`` and ``report`` work on the run.

    Parameters
    ----------
    lr : float or str, default "auto"
        The learning rate: a number or a schedule. ``auto`` in it is found first, around the rate that the optimizer is made
        with, on ``batches``, by at most a fifth more steps, after which model and optimizer are as they were.
    run : str or path, optional
        The folder of the run; a number is added if it is there. Default ``"runs/loop"``.
    batches : iterable, optional
        What ``auto`` is looked for on, as Keras gives no callback its rows: batches ``(x, y)``, a list of them or a
        ``DataLoader``, that can be gone through again.
    guard : str, default "on"
        When the loss stops being a number or blows up, model and optimizer go back to the last good state, at half of the
        rate. ``fit`` goes on with its next batches.
    plateau : str, default "off"
        Cut the rate when nothing gets better: ``"cut(0.5, patience=5)"``.
    epoch : int, optional
        How often the run is measured and looked at, in steps. Default Keras's epoch.

    Attributes
    ----------
    session : Session or None
        The session while the model trains: ``session.set_lr``, ``session.note``, ``session.found``, ….
    """

    def __init__(
        self,
        lr: float | str = "auto",
        run: str | os.PathLike[str] | None = None,
        *,
        batches: Any = None,
        guard: str = "on",
        plateau: str = "off",
        epoch: int | None = None,
    ) -> None:
        super().__init__()
        if keras.backend.backend() != "torch":
            raise RuntimeError(
                f"Keras runs on {keras.backend.backend()} here, whose weights cannot be brought back in the middle of a fit: "
                "set the environment variable KERAS_BACKEND=torch before Keras is imported"
            )
        self._settings = settings(lr, run, guard, plateau, epoch)
        self._batches = batches
        self.session: Any = None
        self._seen = (0.0, 0.0)
        self._too_many: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin the run; a rate is found first, where it is to be found."""
        if self.session is not None:
            self.session.interrupt()
        steps, epochs = self.params.get("steps"), self.params.get("epochs")
        if not steps or not epochs:
            raise ValueError("the length of the run is not known: give fit steps_per_epoch")
        model = self.model
        usual = _rate_of(model.optimizer)
        self.session = _KerasSession(model, steps=steps * epochs, usual=usual, **self._settings)

        def rehearse() -> None:
            model.train()
            model.reset_metrics()
            self._seen = (0.0, 0.0)
            self.session.rehearse(self._batches, self._rehearse)
            model.reset_metrics()

        if self.session._is_auto and self._batches is None:
            raise ValueError(
                f"lr={self._settings['lr']!r}: give what to look for a rate on as `batches`, as Keras gives a callback no rows; "
                "or give a rate or a schedule"
            )
        self.session.begin(steps, rehearse)

    def _rehearse(self, batch: Any) -> None:
        x, y = batch[0], batch[1]
        self.model.train_on_batch(x, y)
        # The update is made already; what is rehearsed is taken back.
        self.session.take(self._loss_of_batch())

    def _loss_of_batch(self) -> float:
        """The loss of the last batch, from the running mean that Keras keeps."""
        tracker = next(metric for metric in self.model.metrics if metric.name == "loss")
        total, count = float(tracker.total.value), float(tracker.count.value)
        before_total, before_count = self._seen if count > self._seen[1] else (0.0, 0.0)
        self._seen = (total, count)
        return (total - before_total) / (count - before_count)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keras's running means begin anew."""
        self._seen = (0.0, 0.0)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the rate of the step; wait in a pause."""
        if not self.session.proceed():
            # This batch is trained on whatever a callback says.
            self.model.stop_training = True
            self._too_many = self.session._snapshot()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the loss; go back where it has blown up."""
        if self.session.is_over:
            self.session._restore(self._too_many)
            self._too_many = None
            return
        loss = self._loss_of_batch()
        if not self.session.take(loss):
            # What is no number would stay in the running mean.
            self.model.reset_metrics()
            self._seen = (0.0, 0.0)
        if self.session.stop is not None:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Take in what was measured."""
        self.session.figures({name: value for name, value in (logs or {}).items() if name.startswith("val_")})

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """End the run."""
        self.session.close()


class _KerasSession(Driven, Session):
    """A session over the variables of a Keras model and its optimizer."""

    def __init__(self, model: Any, **keywords: Any) -> None:
        self._keras_model = model
        super().__init__(
            self._values,
            self._assign,
            lambda lr: model.optimizer.learning_rate.assign(lr),
            settings={"framework": f"keras {keras.__version__}", "optimizer": type(model.optimizer).__name__},
            **keywords,
        )

    def _variables(self) -> list[Any]:
        model = self._keras_model
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        return [*model.variables, *model.optimizer.variables]

    def _values(self) -> list[Any]:
        return [variable.value.detach().clone() for variable in self._variables()]

    def _assign(self, values: list[Any]) -> None:
        for variable, value in zip(self._variables(), values, strict=True):
            variable.assign(value)

    def _parameters(self) -> int:
        return int(self._keras_model.count_params())

    def _random_states(self) -> dict[str, Any]:
        return {**super()._random_states(), "torch": torch.get_rng_state()}

    def _set_random_states(self, states: dict[str, Any]) -> None:
        super()._set_random_states(states)
        torch.set_rng_state(states["torch"])


def _rate_of(optimizer: Any) -> float:
    if isinstance(getattr(optimizer, "_learning_rate", None), keras.optimizers.schedules.LearningRateSchedule):
        raise ValueError(
            "the optimizer has a schedule of Keras's own: make it with the number that usually suits, and give the schedule to "
            "Downhill's callback"
        )
    return float(optimizer.learning_rate)
