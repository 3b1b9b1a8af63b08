"""Sessions over a PyTorch optimizer whose steps another framework's loop makes."""

from __future__ import annotations

from typing import Any

import downhill.torch
from downhill._driven import Driven


class TorchDriven(Driven, downhill.torch.Session):
    """A session that sets the rates of an optimizer which a trainer steps."""

    def __init__(self, model: Any, optimizer: Any, **keywords: Any) -> None:
        # A scheduler of the trainer's own may have changed the rates already.
        for group in optimizer.param_groups:
            group["lr"] = group.get("initial_lr", group["lr"])
        super().__init__(model, optimizer, **keywords)

    def before_update(self, loss: float) -> None:
        """Takes in the loss of a step that is to be made now: at the rate in force, or, where the run has just gone
        back or is over, with no gradient, which leaves everything as it is."""
        if self.is_over or not self.take(loss):
            self.optimizer.zero_grad(set_to_none=True)
        else:
            self._set_rates(self.lr)
