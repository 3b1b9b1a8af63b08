"""Sessions whose steps another framework's loop makes, and which that loop's callback tells of each."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from downhill._session import Session

#: What frameworks call the loss over the rows that are not learnt from.
VALID_LOSSES = ("valid_loss", "val_loss", "eval_loss", "validation_loss")

if TYPE_CHECKING:
    _Base = Session
else:
    _Base = object


def settings(
    lr: float | str, run: str | os.PathLike[str] | None, guard: str, plateau: str, epoch: int | None
) -> dict[str, Any]:
    """What callbacks take, as keywords of a session and in plain values that a checkpoint can keep."""
    run = None if run is None else os.fspath(run)
    return {"lr": lr, "run": run, "guard": guard, "plateau": plateau, "epoch": epoch}


class Driven(_Base):
    """What a session does that makes no steps itself; goes in front of a :class:`Session`.

    The loop has its own batches and its own checkpoints: neither is this session's to go back in, or to write.
    """

    #: What a checkpoint of the loop said of where the run was.
    progress: dict[str, Any] | None = None
    #: Whether the step that the loop makes now is one too many: it must leave everything as it is.
    is_over = False

    def __init__(self, *arguments: Any, progress: Any = None, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        if isinstance(progress, dict) and {"run", "progress"} <= progress.keys():
            self.progress = progress

    def begin(self, epoch: int | None, rehearse: Callable[[], None] | None) -> None:
        """Begins the run, or goes on with that of :attr:`progress`; a rate is looked for by ``rehearse``."""
        self._epoch = self._epoch or min(self._total, epoch or max(1, self._total // 100))
        if self.progress is not None:
            self._folder = Path(self.progress["run"])
            self._go_on()
            return
        if self._is_auto and rehearse is None:
            raise ValueError(f"lr={self._spec!r}: there is nothing to look for a rate with; give a rate or a schedule")
        self._begin(())
        if self._is_auto and rehearse is not None:
            rehearse()

    def rehearse(self, loader: Any, step: Callable[[Any], Any]) -> None:
        """Looks for a rate: ``step`` is given batches of the loader until there is one."""
        for batch in self._batches(loader, only_rehearsed=True):
            step(batch)

    def proceed(self) -> bool:
        """Does what there is to do in front of a step of the loop; whether there is one to make."""
        self.is_over = self.stop is not None or not self._goes_on()
        if not self.is_over:
            self._record.begin_step()
            self._between_steps = False
        return not self.is_over

    def take(self, loss: float, rows: int = 1) -> bool:
        """Takes in the loss of a step; whether its update is to be made. If not, everything was brought back."""
        well = self._look(self._mean_of_all(loss), rows)
        self._between_steps = True
        return well

    def figures(self, figures: dict[str, Any]) -> None:
        """Takes in whatever of this a framework measured."""
        found = {}
        for name, value in figures.items():
            try:
                number = float(value)
            except (TypeError, ValueError):
                continue
            found["valid_loss" if name in VALID_LOSSES else name] = number
        if self.stop is None:
            self.metric(**found)

    def where(self) -> dict[str, Any] | None:
        """What a checkpoint of the loop has to say, so that the run can go on with it."""
        if self._record is None or self.stop is not None:
            return self.progress
        if not self._is_alone():
            # A framework may ask one process alone, and must not wait for the others then.
            own = self._record.own
            return self.progress if own is None else {"run": str(self._path), "progress": own.progress()}
        if self._epoch_ended:
            self._end_epoch()
        return {"run": str(self._path), "progress": self._record.progress()}

    def close(self) -> None:
        """Ends the run, as the loop is over."""
        if self.stop is not None or self._record is None:
            return
        self._leave_early = True
        self._goes_on()

    def interrupt(self) -> None:
        """Ends the run, as the loop was left in its middle."""
        if self.stop is None and self._record is not None:
            self._finish("interrupted")

    def _go_on(self) -> None:
        assert self.progress is not None
        settings = self._settings_of_run()
        self._reopen(settings, self.progress["progress"])
        self._epoch_ended = self._record.ends_epoch()
        self._mark()
        self._change_rate(settings["session"]["lr"])

    def _save(self) -> None:
        """The loop writes the checkpoints."""

    def _roll_back(self, cause: str) -> None:
        before = self._made
        super()._roll_back(cause)
        if self.stop is None:
            self._record.note(
                f"{before - self._made} steps were taken back, and the loop goes on with its next batches: it does not make "
                "them again, so the schedule ends as many steps before its end."
            )

