"""Sessions for training loops in PyTorch."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from typing import Any

import torch

from downhill._session import Session as _Session

__all__ = ["Session"]


def _copied(value: Any) -> Any:
    """A tree whose tensors later steps do not change."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copied(item) for item in value)
    return value


class Session(_Session):
    """A session for a training loop in PyTorch: the schedule, steering, the guard, the log, the folder.

    ::

        run = downhill.torch.Session(model, optimizer, lr="warmup(5%, then=cosine(auto))", steps=10_000, run="runs/mine")
        for x, y in run.steps(loader):
            run.step(loss_of(model(x), y))

    ``run.step`` makes the backward pass and the optimizer's step at the rate in force. While the loop runs, ``downhill
    watch runs/mine`` shows it, ``downhill set-lr runs/mine 0.5x`` changes its rate, and ``downhill report runs/mine``
    draws it. When the loss stops being a number or blows up, the model, the optimizer, the random states and the
    loader go back to where the run was well, and the rate is halved.

    Parameters
    ----------
    model : torch.nn.Module
        What is trained.
    optimizer : torch.optim.Optimizer
        Its rate is set before every step. Groups of parameters keep the ratios of their rates to that of the first
        group, which is the one that ``lr`` is about.
    lr : float or str, default "auto"
        The learning rate: a number or a schedule, in which ``auto`` stands for a rate that is to be found, around the
        one that the optimizer was made with: ``"warmup(5%, then=cosine(auto))"``, which is what ``"auto"`` alone is.
        The loop makes up to a fifth more steps for that; all of them are taken back.
    steps : int
        The length of the run in steps of the optimizer.
    accumulate : int, default 1
        The number of batches whose gradients make a step: ``run.step`` is called for every batch, and every so many
        calls are a step.
    scaler : torch.amp.GradScaler, optional
        For training in mixed precision. A step that the scaler leaves out, as its gradients overflow, does not count.
    clip_norm : float, optional
        Scale the gradients down to this norm, all together.
    also : iterable, optional
        More that has ``state_dict`` and ``load_state_dict``, and belongs to snapshots: an average of the weights, say.
    epoch, run, data, guard, plateau, resume
        As for :class:`downhill.Session`. With ``resume=True``, the run in the folder goes on from its last checkpoint
        with the same losses as if it had never stopped (on the same machine, where PyTorch itself is reproducible).

    Notes
    -----
    A snapshot in memory takes as much room as the model and the optimizer do; there is one, with guard and rehearsals
    together two. With more than one process (``torch.distributed``), the first decides, and the others hear of it.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        lr: float | str = "auto",
        steps: int,
        accumulate: int = 1,
        scaler: Any = None,
        clip_norm: float | None = None,
        also: Iterable[Any] = (),
        epoch: int | None = None,
        run: str | os.PathLike[str] | None = None,
        data: str = "loop",
        guard: str = "on",
        plateau: str = "off",
        resume: bool = False,
    ) -> None:
        if not isinstance(accumulate, int) or accumulate < 1:
            raise ValueError(f"accumulate={accumulate!r}: give a number of batches above 0")
        self.model = model
        self.optimizer = optimizer
        self.scaler = scaler
        self.accumulate = accumulate
        self.clip_norm = clip_norm
        self.also = list(also)
        self._bases = [float(group["lr"]) for group in optimizer.param_groups]
        if not self._bases[0] > 0:
            raise ValueError(
                f"the optimizer's first group has the learning rate {self._bases[0]}: make it with the one that usually "
                "suits, as the rates of other groups, and where `auto` looks, go by it"
            )
        self._gathered = 0
        self._gathered_loss = 0.0
        super().__init__(
            self._take_snapshot,
            self._go_back,
            self._set_rates,
            lr=lr,
            steps=steps,
            usual=self._bases[0],
            epoch=epoch,
            run=run,
            data=data,
            guard=guard,
            plateau=plateau,
            resume=resume,
            settings={
                "framework": f"torch {torch.__version__}",
                "optimizer": type(optimizer).__name__,
                "accumulate": accumulate,
            },
        )

    def step(self, loss: torch.Tensor, rows: int = 1) -> bool:
        """Make the backward pass of a batch, and, once a step is whole, the optimizer's step at the rate in force.

        Parameters
        ----------
        loss : torch.Tensor
            The mean loss of the batch, a scalar.
        rows : int, default 1
            How many rows it has, for people.

        Returns
        -------
        bool
            Whether the step was well. False if the run went back, or the scaler left the step out.
        """
        # All processes make the backward pass, or none.
        value = self._mean_of_all(float(loss.detach()))
        is_finite = math.isfinite(value)
        if is_finite:
            share = loss / self.accumulate
            (share if self.scaler is None else self.scaler.scale(share)).backward()
        self._gathered += 1
        self._gathered_loss += value / self.accumulate
        if is_finite and self._gathered < self.accumulate:
            return True
        mean, self._gathered, self._gathered_loss = self._gathered_loss, 0, 0.0
        if is_finite and self._overflows():
            self.optimizer.zero_grad(set_to_none=True)
            self._between_steps = True
            return False
        if not self._look(mean, rows * self.accumulate):
            self.optimizer.zero_grad(set_to_none=True)
            self._between_steps = True
            return False
        self._update()
        self._between_steps = True
        return True

    def _overflows(self) -> bool:
        """Whether the scaler will leave the step out. It learns from it."""
        if self.scaler is None or not self.scaler.is_enabled():
            return False
        self.scaler.unscale_(self.optimizer)
        grads = [
            parameter.grad
            for group in self.optimizer.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        if all(bool(torch.isfinite(grad).all()) for grad in grads):
            return False
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return True

    def _update(self) -> None:
        if self.clip_norm is not None:
            parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
            torch.nn.utils.clip_grad_norm_(parameters, self.clip_norm)
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)

    def _batches_per_step(self) -> int:
        return self.accumulate

    def _parameters(self) -> int:
        return sum(parameter.numel() for group in self.optimizer.param_groups for parameter in group["params"])

    def _set_rates(self, lr: float) -> None:
        for group, base in zip(self.optimizer.param_groups, self._bases, strict=False):
            rate = lr * base / self._bases[0]
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def _take_snapshot(self) -> dict[str, Any]:
        return _copied(
            {
                "model": dict(self.model.state_dict()),
                "optimizer": self.optimizer.state_dict(),
                "scaler": None if self.scaler is None else self.scaler.state_dict(),
                "also": [thing.state_dict() for thing in self.also],
            }
        )

    def _go_back(self, snapshot: dict[str, Any]) -> None:
        # What is loaded is taken over as it is, and the snapshot must stay what it was.
        snapshot = _copied(snapshot)
        self.model.load_state_dict(snapshot["model"])
        self.optimizer.load_state_dict(snapshot["optimizer"])
        self.optimizer.zero_grad(set_to_none=True)
        if self.scaler is not None and snapshot["scaler"] is not None:
            self.scaler.load_state_dict(snapshot["scaler"])
        for thing, state in zip(self.also, snapshot["also"], strict=True):
            thing.load_state_dict(state)
        self._gathered, self._gathered_loss = 0, 0.0

    def _is_alone(self) -> bool:
        distributed = torch.distributed
        return not (distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1)

    def _place(self) -> int:
        return 0 if self._is_alone() else torch.distributed.get_rank()

    def _agreed(self, decide: Callable[[], Any]) -> Any:
        if self._is_alone():
            return decide()
        box: list[Any] = [None]
        if self._place() == 0:
            try:
                box = [(decide(), None)]
            except Exception as error:
                box = [(None, error)]
        torch.distributed.broadcast_object_list(box, src=0)
        value, raised = box[0]
        if raised is not None:
            raise raised
        return value

    def _mean_of_all(self, loss: float) -> float:
        if self._is_alone():
            return loss
        return sum(self._of_all(loss)) / torch.distributed.get_world_size()

    def _of_all(self, mine: Any) -> list[Any]:
        if self._is_alone():
            return [mine]
        all_of_them: list[Any] = [None] * torch.distributed.get_world_size()
        torch.distributed.all_gather_object(all_of_them, mine)
        return all_of_them

    def _random_states(self) -> dict[str, Any]:
        states = super()._random_states()
        states["torch"] = torch.get_rng_state()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            states["cuda"] = torch.cuda.get_rng_state_all()
        return states

    def _set_random_states(self, states: dict[str, Any]) -> None:
        super()._set_random_states(states)
        torch.set_rng_state(states["torch"])
        if "cuda" in states and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(states["cuda"])
