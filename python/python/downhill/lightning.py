"""A callback for the ``Trainer`` of Lightning."""

from __future__ import annotations

import inspect
import os
from typing import Any

import lightning.pytorch as pl

from downhill._driven import settings
from downhill._torch_driven import TorchDriven

__all__ = ["DownhillCallback"]

#: What Lightning reports beside what the module logs.
_NOT_FIGURES = ("epoch", "step")


class DownhillCallback(pl.Callback):
    """Lets Downhill set the learning rate of Lightning's ``Trainer``, guard the run, record it, and take commands.

    ::

        trainer = Trainer(max_epochs=10, callbacks=[DownhillCallback(run="runs/mine")])
        trainer.fit(module, loader, valid_loader)

    ``downhill watch runs/mine``, ``set-lr``, ``pause``, ``stop`` and ``report`` work on the run.

    Parameters
    ----------
    lr : float or str, default "auto"
        The learning rate: a number or a schedule, in the place of the module's own schedulers. ``auto`` in it is found
        first, around the rate that the module's optimizer is made with, by at most a fifth more steps, after which model
        and optimizer are as they were.
    run : str or path, optional
        The folder of the run; a number is added if it is there. Default ``"runs/loop"``.
    guard : str, default "on"
        When the loss stops being a number or blows up, model and optimizer go back to the last good state, at half of the
        rate. The ``Trainer`` goes on with its next batches.
    plateau : str, default "off"
        Cut the rate when nothing gets better: ``"cut(0.5, patience=5)"``.
    epoch : int, optional
        How often the run is measured and looked at, in steps. Default the ``Trainer``'s epoch.

    Attributes
    ----------
    session : Session or None
        The session while the ``Trainer`` trains: ``session.set_lr``, ``session.note``, ``session.found``, ….

    Notes
    -----
    For modules with one optimizer and automatic optimization. What the module logs as ``val_loss`` (or ``valid_loss``) is
    the validation loss by which the best epoch and the plateau go; other figures are recorded by their names. Resuming
    from a checkpoint of the ``Trainer`` goes on with the run, its schedule and its commands.
    """

    def __init__(
        self,
        lr: float | str = "auto",
        run: str | os.PathLike[str] | None = None,
        *,
        guard: str = "on",
        plateau: str = "off",
        epoch: int | None = None,
    ) -> None:
        self._settings = settings(lr, run, guard, plateau, epoch)
        self.session: TorchDriven | None = None
        self._where: Any = None
        self._losses: list[float] = []

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint of the ``Trainer`` keeps of the run."""
        where = None if self.session is None else self.session.where()
        return {} if where is None else where

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what a checkpoint has kept."""
        self._where = state_dict or None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin the run, or go on with it; a rate is found first, where it is to be found."""
        if len(trainer.optimizers) != 1 or not pl_module.automatic_optimization:
            raise ValueError(
                "Downhill's callback is for modules with one optimizer and automatic optimization; a loop of your own can "
                "use downhill.torch.Session"
            )
        steps = trainer.estimated_stepping_batches
        if steps == float("inf") or steps < 1:
            raise ValueError("the length of the run is not known: give the Trainer max_epochs or max_steps")
        if self._where is None:
            steps -= trainer.global_step
        optimizer = trainer.optimizers[0]
        accumulate = trainer.accumulate_grad_batches
        session = TorchDriven(
            pl_module,
            getattr(optimizer, "optimizer", optimizer),
            steps=int(steps),
            accumulate=accumulate,
            progress=self._where,
            **self._settings,
        )

        def rehearse() -> None:
            if str(trainer.precision).startswith("16"):
                raise ValueError(f"lr={self._settings['lr']!r}: no rate is looked for with float16; give one, or use bf16")
            self._rehearse(session, trainer, pl_module)

        batches = trainer.num_training_batches
        epoch = None if batches == float("inf") else max(1, int(batches) // accumulate)
        self.session = session
        session.begin(epoch, rehearse)

    def _rehearse(self, session: TorchDriven, trainer: Any, module: Any) -> None:
        training = module.training
        module.train()
        # Nothing is logged of steps that are taken back.
        for name in ("log", "log_dict"):
            object.__setattr__(module, name, lambda *arguments, **keywords: None)

        def step(batch: Any) -> None:
            batch = trainer.strategy.batch_to_device(batch, dataloader_idx=0)
            with trainer.precision_plugin.train_step_context():
                arguments = (batch, 0) if _takes_index(module) else (batch,)
                output = module.training_step(*arguments)
            loss = output["loss"] if isinstance(output, dict) else output
            if loss is None:
                raise ValueError("training_step returned no loss, by which a learning rate is looked for; give one")
            session.step(loss)

        try:
            session.rehearse(trainer.train_dataloader, step)
        finally:
            for name in ("log", "log_dict"):
                object.__delattr__(module, name)
            module.train(training)

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Set the rate of the step; wait in a pause."""
        if self.session is not None and self.session._between_steps:
            self._losses = []
            if not self.session.proceed():
                trainer.should_stop = True

    def on_before_backward(self, trainer: Any, pl_module: Any, loss: Any) -> None:
        """Take down the loss of a batch, which Lightning has divided by the number of batches of a step."""
        self._losses.append(float(loss.detach()) * trainer.accumulate_grad_batches)

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        """Look at the loss: go back, or let the step be made."""
        if self.session is not None:
            self.session.before_update(sum(self._losses) / max(1, len(self._losses)))

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop the ``Trainer`` where the run is over."""
        if self.session is not None and self.session.stop is not None:
            trainer.should_stop = True

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Take in what was measured."""
        if self.session is not None and not trainer.sanity_checking:
            found = {name: value for name, value in trainer.callback_metrics.items() if name not in _NOT_FIGURES}
            self.session.figures(found)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """End the run."""
        if self.session is not None:
            self.session.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End the run, as something went wrong or Ctrl-C was pressed."""
        if self.session is not None:
            self.session.interrupt()


def _takes_index(module: Any) -> bool:
    """Whether ``training_step`` takes the number of the batch."""
    return "batch_idx" in inspect.signature(module.training_step).parameters
