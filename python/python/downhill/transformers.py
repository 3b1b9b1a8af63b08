"""A callback for the ``Trainer`` of Hugging Face's transformers."""

from __future__ import annotations

import os
from typing import Any

import torch
from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState

from downhill._driven import settings
from downhill._torch_driven import TorchDriven

__all__ = ["DownhillCallback"]


class DownhillCallback(TrainerCallback, ExportableState):
    """Lets Downhill set the learning rate of a ``Trainer``, guard the run, record it, and take commands.

    ::

        trainer = Trainer(model, args, train_dataset=rows, callbacks=[DownhillCallback(run="runs/mine")])
        trainer.train()

    ``downhill watch runs/mine``, ``set-lr``, ``pause``, ``stop`` and ``report`` work on the run.

    Parameters
    ----------
    lr : float or str, default "auto"
        The learning rate: a number or a schedule, in the place of the ``Trainer``'s own scheduler. ``auto`` in it is found
        first, around the ``learning_rate`` of the training arguments, by at most a fifth more steps that are taken back.
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
    The loss is the one that the model returns. Resuming from a checkpoint of the ``Trainer`` goes on with the run, its
    schedule and its commands.
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
        self._losses: list[tuple[float, bool]] = []
        self._hook: Any = None

    def state(self) -> dict[str, Any]:
        """What a checkpoint of the ``Trainer`` keeps of the run."""
        where = None if self.session is None else self.session.where()
        return {"args": self._settings, "attributes": {"where": where}}

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin the run, or go on with it; a rate is found first, where it is to be found."""
        model, optimizer, loader = kwargs["model"], kwargs["optimizer"], kwargs["train_dataloader"]
        self._end()
        kept = (getattr(state, "stateful_callbacks", None) or {}).get(type(self).__name__) if state.global_step else None
        kept = kept[-1] if isinstance(kept, list) and kept else kept
        where = kept["attributes"].get("where") if isinstance(kept, dict) else None
        session = TorchDriven(
            model,
            getattr(optimizer, "optimizer", optimizer),
            steps=state.max_steps if where else state.max_steps - state.global_step,
            accumulate=args.gradient_accumulation_steps,
            progress=where,
            **self._settings,
        )

        def rehearse() -> None:
            if args.fp16:
                raise ValueError(f"lr={self._settings['lr']!r}: no rate is looked for with fp16; give one, or use bf16")
            training = model.training
            model.train()
            session.rehearse(loader, lambda batch: session.step(_loss_of(model(**batch))))
            model.train(training)

        batches = len(loader) if hasattr(loader, "__len__") else 0
        session.begin(max(1, batches // args.gradient_accumulation_steps) if batches else None, rehearse)
        self.session = session
        self._hook = model.register_forward_hook(self._hear, with_kwargs=True)

    def _hear(self, module: Any, arguments: Any, keywords: dict[str, Any], output: Any) -> None:
        """Takes down the loss of a batch that is learnt from."""
        if module.training and torch.is_grad_enabled():
            # Of a loss that is divided by the rows of all batches of the step, the sum is the mean.
            is_share = keywords.get("num_items_in_batch") is not None
            self._losses.append((float(_loss_of(output).detach()), is_share))

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Set the rate of the step; wait in a pause."""
        self._losses = []
        if self.session is not None:
            self.session.proceed()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at the loss: go back, or let the step be made."""
        if self.session is None:
            return
        if not self._losses:
            raise RuntimeError("the model was not called in this step, so its loss is not known")
        is_share = self._losses[0][1]
        loss = sum(loss for loss, _ in self._losses) / (1 if is_share else len(self._losses))
        self.session.before_update(loss)
        # The rate that the Trainer shows is what its scheduler set last.
        scheduler = kwargs["lr_scheduler"]
        scheduler = getattr(scheduler, "scheduler", scheduler)
        scheduler._last_lr = [group["lr"] for group in self.session.optimizer.param_groups]

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        """Stop the ``Trainer`` where the run is over."""
        if self.session is not None and self.session.stop is not None:
            control.should_training_stop = True
            control.should_save = self.session.stop == "interrupted"
        return control

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take in what was measured."""
        if self.session is not None:
            measured = kwargs["metrics"].items()
            self.session.figures(
                {name if name == "eval_loss" else name.removeprefix("eval_"): value for name, value in measured}
            )

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End the run."""
        if self.session is not None:
            self.session.close()
        self._end()

    def _end(self) -> None:
        if self._hook is not None:
            self._hook.remove()
            self._hook = None
        if self.session is not None:
            self.session.interrupt()


def _loss_of(output: Any) -> Any:
    loss = output.get("loss") if isinstance(output, dict) else getattr(output, "loss", None)
    if loss is None and isinstance(output, tuple | list) and len(output) > 0:
        loss = output[0]
    if not isinstance(loss, torch.Tensor) or loss.ndim > 0:
        raise ValueError(
            "the model returns no loss, which is what Downhill goes by: its forward is to return it as `loss` where it is "
            "given labels"
        )
    return loss
