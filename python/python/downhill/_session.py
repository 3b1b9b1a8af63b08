"""A record, and a hand on the learning rate, for a training loop of your own."""

from __future__ import annotations

import json
import math
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from downhill import _downhill, _tree

#: At most one of so many steps is spent on looking for a rate, in so many rehearsals of so many steps at most.
_SHARE = 5
_REHEARSALS = 6
_MOST_REHEARSED = 4000
#: A rehearsal has at least so many steps, and is judged by its last ones: one of so many, but never by its first, whose
#: loss is the same for every rate.
_FEWEST_REHEARSED = 3
_JUDGED = 5
_FEWEST_JUDGED = 4
#: A checkpoint takes at most one of so many seconds, and there is none before this age.
_CHECKPOINT_SHARE = 200
_CHECKPOINT_AGE = 1.0
#: Few rows draw a high rate back, as it overfits; how many a loop has is not known, and is taken to be many.
_MANY_ROWS = 1_000_000
_PLACE = "auto"
#: What a loader at its end gives.
_END = object()


class Session:
    """A session for a training loop of your own: the schedule, steering, the guard, the log, the folder.

    It knows nothing of networks. What it needs is three functions: one that takes a snapshot, one that goes back to it,
    and one that sets the learning rate. :class:`downhill.torch.Session` has them for PyTorch.

    Parameters
    ----------
    snapshot : callable
        Returns the state of what is trained: a tree of dictionaries, lists, numbers and arrays that later steps do not
        change.
    restore : callable
        Takes what ``snapshot`` returned, and brings everything back to it.
    set_lr : callable
        Takes the rate of the next step. (``session.lr`` is the same, for loops that ask.)
    lr : float or str, default "auto"
        The learning rate: a number or a schedule, in which ``auto`` stands for a rate that is to be found:
        ``"warmup(5%, then=cosine(auto))"``, which is what ``"auto"`` alone is. It is found by rehearsals of that
        schedule, in at most a fifth of the steps, each from the state that the loop begins with.
    steps : int
        The length of the run in steps.
    usual : float, optional
        The rate that usually suits what is trained, about which ``auto`` looks.
    epoch : int, optional
        The length of an epoch in steps: how often the run is measured, saved, and looked at by guard and plateau.
        Default the length of the loader, if that is known, else a hundredth of the run.
    run : str or path, optional
        The folder of the run, such as ``"runs/mine"``; a number is added if it is there. Default ``"runs/loop"``.
    data : str, default "loop"
        What the data is called, for people.
    guard : str, default "on"
        What to do when the loss stops being a number or blows up: ``"on"`` goes back to the last good state at half of
        the rate; ``"off"``.
    plateau : str, default "off"
        Cut the rate when nothing gets better: ``"cut(0.5, patience=5)"``.
    resume : bool, default False
        Go on with the run in the folder, if there is one, from its last checkpoint. Another ``lr`` than that of the run
        is a change from there on, and logged.
    settings : dict, optional
        More to be written into ``run.toml``, for people.

    Attributes
    ----------
    lr : float
        The rate of the next step.
    step_number : int
        The number of steps made.
    rehearsing : bool
        Whether the steps that are made now are only to find a rate, and will be taken back.
    path : Path or None
        The folder; none while a rate is looked for.
    stop : str or None
        Why the run stopped: ``"finished"``, ``"ended"``, ``"interrupted"``, ``"diverged"``.
    found : dict or None
        How the rate was found.

    Examples
    --------
    >>> import downhill
    >>> state = {"x": 1.0}
    >>> def restore(snapshot):
    ...     state.update(snapshot)
    >>> run = downhill.Session(
    ...     lambda: dict(state), restore, lambda lr: None, lr="linear(0.1, end=0)", steps=20, run="runs/parabola"
    ... )  # doctest: +SKIP
    >>> for batch in run.steps([None] * 10):  # doctest: +SKIP
    ...     if run.step(state["x"] ** 2):
    ...         state["x"] -= run.lr * 2 * state["x"]
    """

    def __init__(
        self,
        snapshot: Callable[[], Any],
        restore: Callable[[Any], None],
        set_lr: Callable[[float], None],
        *,
        lr: float | str = "auto",
        steps: int,
        usual: float | None = None,
        epoch: int | None = None,
        run: str | os.PathLike[str] | None = None,
        data: str = "loop",
        guard: str = "on",
        plateau: str = "off",
        resume: bool = False,
        settings: dict[str, Any] | None = None,
    ) -> None:
        if not isinstance(steps, int) or steps < 1:
            raise ValueError(f"steps={steps!r}: give the length of the run as a number of steps above 0")
        if epoch is not None and (not isinstance(epoch, int) or epoch < 1):
            raise ValueError(f"epoch={epoch!r}: give the length of an epoch as a number of steps above 0")
        self._snapshot = snapshot
        self._restore = restore
        self._set_lr = set_lr
        self._spec = f"warmup(5%, then=cosine({_PLACE}))" if str(lr) == _PLACE else str(lr)
        self._total = steps
        self._usual = usual
        self._epoch = epoch
        self._folder = Path(os.fspath(run)) if run is not None else Path("runs") / "loop"
        self._data = data
        self._guard = guard
        self._plateau = plateau
        self._resume = resume
        self._more = settings or {}
        self._is_auto = _PLACE in self._spec
        # What is wrong is said before anything is done.
        _downhill.schedule(self._with_rate(1.0 if usual is None else usual))
        if self._is_auto and usual is None:
            raise ValueError(f'lr={lr!r}: give the rate that usually suits as `usual`, about which "auto" looks')
        if usual is not None and not (math.isfinite(usual) and usual > 0):
            raise ValueError(f"usual={usual!r}: give a rate above 0")

        self.lr = 0.0
        self.rehearsing = False
        self.stop: str | None = None
        self.found: dict[str, Any] | None = None
        self._record: Any = None
        # What anybody may ask is known without asking the record, which may be another process's.
        self._path: Path | None = None
        self._made = 0
        self._rehearsal: _Rehearsals | None = None
        self._well: Any = None  # the snapshot to go back to
        self._best: Any = None  # that of the best epoch, where the plateau goes back to it
        self._moved = 0  # how often the state was changed under the loop
        self._figures: dict[str, float] = {}
        self._epoch_ended = False
        self._between_steps = True
        self._start: Any = None  # the random states with which the loader was begun
        self._taken = 0  # the batches that it has given since
        self._saved: list[int] = []
        self._saved_at = time.monotonic()
        self._saving_took = 0.0
        self._leave_early = False

    # What a subclass may say.

    def _random_states(self) -> dict[str, Any]:
        """The states of everything random that the loop may use."""
        name, keys, place, has_gauss, gauss = np.random.get_state()  # noqa: NPY002: it is others who use it
        version, internal, following = random.getstate()
        return {
            "python": {"version": version, "state": list(internal), "gauss": following},
            "numpy": {"name": name, "keys": np.asarray(keys).copy(), "place": place, "gauss": [has_gauss, gauss]},
        }

    def _set_random_states(self, states: dict[str, Any]) -> None:
        python, numpy = states["python"], states["numpy"]
        random.setstate((python["version"], tuple(python["state"]), python["gauss"]))
        np.random.set_state((numpy["name"], numpy["keys"], numpy["place"], *numpy["gauss"]))  # noqa: NPY002

    def _batches_per_step(self) -> int:
        """How many batches of the loader a step takes."""
        return 1

    def _parameters(self) -> int:
        """The number of parameters, if it is known."""
        return 0

    def _agreed(self, decide: Callable[[], Any]) -> Any:
        """What is decided, where several processes must do the same."""
        return decide()

    def _mean_of_all(self, loss: float) -> float:
        """The mean loss over all processes."""
        return loss

    def _of_all(self, mine: Any) -> list[Any]:
        """What each process has, in their order."""
        return [mine]

    def _place(self) -> int:
        """Which of them this process is."""
        return 0

    def _is_alone(self) -> bool:
        return True

    # The loop.

    def steps(self, loader: Any) -> Iterator[Any]:
        """The batches for the steps that there are to make.

        It begins the loader again when it is at its end; waits where somebody has paused the run; and begins where it
        has to after a rollback, a rehearsal or a resume.

        Parameters
        ----------
        loader : iterable or callable
            What gives the batches of an epoch, again each time it is begun: a ``DataLoader``, a list, or a function of
            the number of the epoch. Its order must follow from the random states of Python, NumPy (and PyTorch).

        Yields
        ------
        batch
        """
        if self.stop is not None:
            return
        if iter_once(loader):
            raise ValueError(
                "the loader can be gone through only once: give something that can be begun again, such as a "
                "DataLoader, a list, or a function of the epoch that returns an iterator"
            )
        if self._record is None and self._rehearsal is None:
            self._begin(loader)
        try:
            yield from self._batches(loader)
        except GeneratorExit:
            self._interrupt()
            raise

    def _batches(self, loader: Any, only_rehearsed: bool = False) -> Iterator[Any]:
        """The batches for the steps that there are to make, or for those alone that a rate is looked for with."""
        batches: Iterator[Any] | None = None
        while self._goes_on() and (self.rehearsing or not only_rehearsed):
            if batches is None:
                batches = self._sought(loader)
            moved = self._moved
            batch = next(batches, _END)
            if batch is _END:
                batches = self._new_epoch(loader)
                batch = next(batches, _END)
            if batch is _END:
                raise ValueError("the loader has no batch")
            self._taken += 1
            self._between_steps = False
            if self._record is not None:
                self._record.begin_step()
            yield batch
            if moved != self._moved:
                batches = None

    def step(self, loss: Any, rows: int = 1) -> bool:
        """Take in the loss of a batch, before the parameters are updated.

        Parameters
        ----------
        loss : float
            The mean loss of the batch.
        rows : int, default 1
            How many rows it has, for people.

        Returns
        -------
        bool
            Whether the update is to be made. False if the loss has blown up: then the state was brought back to an
            earlier one, and the update must not be made.
        """
        well = self._look(self._mean_of_all(float(loss)), rows)
        self._between_steps = True
        return well

    def metric(self, **figures: float) -> None:
        """Report figures of now: ``valid_loss``, by which the best epoch and the plateau go, and others by any name.

        They are taken for those of the epoch that has just ended, or ends next, and of those after it until others are
        reported. As long as no ``valid_loss`` is, the mean training loss stands in its place.

        Parameters
        ----------
        **figures : float
            ``valid_loss=0.3, accuracy=0.93``.
        """
        if self.rehearsing:
            return
        self._figures.update({name: float(figure) for name, figure in figures.items()})

    def set_lr(self, lr: float | str) -> None:
        """Change the rate from the next step on, as ``downhill set-lr`` does: a rate, a factor such as ``"0.5x"``, a
        schedule, or ``"schedule"`` for the run's own."""
        self._running().command(json.dumps({"command": "set-lr", "lr": str(lr)}))

    def note(self, text: str) -> None:
        """Write a sentence for people into the log."""
        self._running().note(text)

    def end(self) -> None:
        """End the run after this step, as if it were its last."""
        if not self.rehearsing:
            self._leave_early = True

    @property
    def path(self) -> Path | None:
        """The folder of the run; none while a rate is looked for."""
        return self._path

    @property
    def step_number(self) -> int:
        """The number of steps made; those that were gone back over do not count."""
        return self._made

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._interrupt()

    def _running(self) -> Any:
        if self._record is None or self.stop is not None:
            raise RuntimeError("the run is not under way: it is while its steps are made, and no rate is looked for")
        return self._record

    # What happens between steps.

    def _goes_on(self) -> bool:
        """Does what there is to do in front of a step; whether there is a step to make."""
        if self._rehearsal is not None:
            return self._rehearse()
        record = self._record
        assert record is not None
        if self._epoch_ended:
            self._end_epoch()
        to_do = record.poll() if self.stop is None else []
        step, total = record.position
        self._made = step
        if self.stop is not None:
            return False
        if "stop" in to_do:
            self._save()
            return self._finish("interrupted")
        if step >= total or "end" in to_do or self._leave_early:
            if record.ends_epoch():
                self._end_epoch()
            self._save()
            return self._finish("finished" if step >= total else "ended")
        if "checkpoint" in to_do:
            self._save()
        self.lr = record.rate()
        self._set_lr(self.lr)
        return True

    def _look(self, loss: float, rows: int) -> bool:
        if self._rehearsal is not None:
            return self._rehearsal.take(loss)
        record = self._running()
        verdict = record.step(loss, rows)
        if verdict == "well":
            self._made += 1
            self._epoch_ended = record.ends_epoch()
            return True
        self._roll_back(verdict)
        return False

    def _roll_back(self, cause: str) -> None:
        record = self._running()
        if self._well is not None and record.roll_back(cause):
            self._made = record.position[0]
            self._go_to(self._well)
            self._epoch_ended = False
            return
        # The last good state is what is left.
        if self._well is not None:
            self._go_to(self._well)
        self._finish("diverged")

    def _end_epoch(self) -> None:
        record = self._running()
        self._epoch_ended = False
        figures = dict(self._figures)
        valid_loss = figures.pop("valid_loss", None)
        look, best, cut = record.end_epoch(valid_loss, list(figures.items()))
        if look == "stuck":
            self._roll_back("stuck" if valid_loss is None or math.isfinite(valid_loss) else "not-finite")
            return
        if self._backtracks():
            if best:
                self._best = self._whole()
            elif cut and self._best is not None:
                self._go_to({**self._whole(), "state": self._best["state"]})
        if look == "well" and self._guard != "off":
            record.mark()
            self._well = self._whole()
        if self._agreed(self._is_time_to_save):
            self._save()

    def _is_time_to_save(self) -> bool:
        age = time.monotonic() - self._saved_at
        return age >= max(_CHECKPOINT_AGE, _CHECKPOINT_SHARE * self._saving_took)

    def _backtracks(self) -> bool:
        return "backtrack=true" in self._plateau.replace(" ", "")

    def _finish(self, reason: str) -> bool:
        self.stop = reason
        if self._record is not None:
            self._record.finish(reason)
        self._well = self._best = None
        return False

    def _interrupt(self) -> None:
        """The loop was left before its end: what can be saved is."""
        if self.stop is not None:
            return
        if self._rehearsal is not None:
            self._rehearsal.give_up()
            self._rehearsal = None
            self.rehearsing = False
        if self._record is None:
            self.stop = "interrupted"
            return
        if not self._is_alone():
            # The others may be anywhere.
            self.stop = "interrupted"
            self._record.leave()
            return
        # In the middle of a step, nobody knows what the state is.
        if self._between_steps:
            if self._epoch_ended:
                self._end_epoch()
            if self.stop is None:
                self._save()
        if self.stop is None:
            self._finish("interrupted")

    # Snapshots.

    def _whole(self) -> dict[str, Any]:
        """Everything that decides what the loop does next."""
        return {
            "state": self._snapshot(),
            "random": self._random_states(),
            "loader": {"start": self._start, "taken": self._taken},
        }

    def _go_to(self, whole: dict[str, Any]) -> None:
        self._restore(whole["state"])
        self._set_random_states(whole["random"])
        self._start, self._taken = whole["loader"]["start"], whole["loader"]["taken"]
        self._moved += 1

    def _sought(self, loader: Any) -> Iterator[Any]:
        """The loader where it was: begun with the random states of then, and gone on to the batch that is next."""
        if self._start is None or self._taken >= length(loader, math.inf):
            return self._new_epoch(loader)
        now = self._random_states()
        self._set_random_states(self._start)
        batches = begun(loader, self._start.get("epoch", 0))
        for _ in range(self._taken):
            next(batches, None)
        self._set_random_states(now)
        return batches

    def _new_epoch(self, loader: Any) -> Iterator[Any]:
        epoch = 0 if self._start is None else self._start.get("epoch", 0) + 1
        self._start = {**self._random_states(), "epoch": epoch}
        self._taken = 0
        return begun(loader, epoch)

    def _save(self) -> None:
        """Write a checkpoint."""
        record = self._running()
        began = time.monotonic()
        step = record.position[0]
        mine = self._whole()
        all_of_them = self._of_all({"random": mine["random"], "loader": mine["loader"]})
        path, progress = record.checkpoint_path(), record.progress()
        if self._place() == 0:
            _tree.save(path, {"state": mine["state"], "processes": all_of_them, "progress": progress})
        self._saved = [*[saved for saved in self._saved if saved != step], step][-2:]
        record.saved(self._saved)
        self._saved_at = time.monotonic()
        self._saving_took = self._saved_at - began

    # The beginning.

    def _with_rate(self, rate: float) -> str:
        """The schedule with a rate in the place of ``auto``."""
        return self._spec.replace(_PLACE, repr(float(rate)))

    def _begin(self, loader: Any) -> None:
        if self._epoch is None:
            batches = length(loader, 0)
            known = batches // self._batches_per_step() if batches else 0
            self._epoch = min(self._total, known) if known else max(1, self._total // 100)
        if self._resume and self._agreed((self._folder / "run.toml").exists):
            self._go_on()
            return
        if self._is_auto:
            self._rehearsal = _Rehearsals(self, self._total)
            self.rehearsing = True
        else:
            self._create(self._spec)

    def _create(self, schedule: str) -> None:
        schedule = _downhill.schedule(schedule)
        epoch = self._epoch
        assert epoch is not None

        def create() -> _downhill.Session:
            return _downhill.Session.create(
                self._folder.parent,
                self._folder.name,
                self._data,
                self._toml(schedule),
                schedule,
                self._guard,
                self._plateau,
                self._total,
                epoch,
                self._parameters(),
            )

        self._record = self._opened(create)
        if self.found is not None:
            self._record.found(json.dumps(self.found))
        self._mark()

    def _opened(self, open_record: Callable[[], _downhill.Session]) -> Any:
        """The record of the run, of which there is one, whoever many make the run."""
        held: list[_downhill.Session] = []
        self._agreed(lambda: held.append(open_record()))
        record = held[0] if self._is_alone() else _Shared(held[0] if held else None, self._agreed)
        self._path, self._made = Path(record.path), record.position[0]
        return record

    def _toml(self, schedule: str) -> str:
        def text(value: Any) -> str:
            return json.dumps(value if isinstance(value, bool | int | float | str) else str(value), ensure_ascii=False)

        assert self._epoch is not None
        lines = [
            "[data]",
            f"from = {text(self._data)}",
            "",
            "[training]",
            f"epochs = {math.ceil(self._total / self._epoch)}",
            f"lr = {text(schedule)}",
            'keep = "last"',
            f"guard = {text(self._guard)}",
            f"plateau = {text(self._plateau)}",
            "",
            "[session]",
            f"lr = {text(self._spec)}",
            f"steps = {self._total}",
            f"steps-per-epoch = {self._epoch}",
            *(f"{json.dumps(name)} = {text(value)}" for name, value in self._more.items()),
        ]
        return "\n".join(lines) + "\n"

    def _go_on(self) -> None:
        """Goes on with the run in the folder from the latest checkpoint that can be read."""
        settings = self._settings_of_run()
        step, whole, damaged = self._agreed(self._latest)
        if whole is not None:
            if len(whole["processes"]) != len(self._of_all(None)):
                raise ValueError(
                    f"the run {self._folder} was made by {len(whole['processes'])} processes, and goes on only with as many"
                )
            self._saved = [step]
        self._reopen(settings, None if whole is None else whole["progress"])
        for text in damaged:
            self._record.note(text)
        if whole is not None:
            self._go_to({"state": whole["state"], **whole["processes"][self._place()]})
        self._mark()
        self._change_rate(settings["session"]["lr"])

    def _settings_of_run(self) -> dict[str, Any]:
        """What ``run.toml`` says."""
        settings = json.loads(self._agreed(lambda: _downhill.run_settings(self._folder)))
        if settings.get("session") is None:
            raise ValueError(f"the run {self._folder} was not made by a session: it cannot be resumed by one")
        return settings

    def _reopen(self, settings: dict[str, Any], progress: str | None) -> None:
        """Goes on with the record of the run in the folder from where ``progress`` says, or from its beginning."""
        self._epoch = settings["session"]["steps-per-epoch"]
        self._record = self._opened(
            lambda: _downhill.Session.resume(
                self._folder,
                progress,
                settings["training"]["lr"],
                self._guard,
                self._plateau,
                self._total,
                settings["session"]["steps-per-epoch"],
            )
        )

    def _mark(self) -> None:
        """Takes the state of now as the one to go back to."""
        if self._guard != "off":
            self._record.mark()
            self._well = self._whole()

    def _change_rate(self, before: str) -> None:
        """Changes the rate of a run that is resumed, where another is given than it was made with."""
        if self._spec == before:
            return
        if self._is_auto:
            raise ValueError(
                f"lr={self._spec!r}: the run {self._folder} is under way at {before!r}, and no rate is looked for in its "
                "middle; give a rate, a factor such as '0.5x', or a schedule"
            )
        change = _downhill.schedule(self._spec)
        events = [json.loads(line) for line in self._agreed(lambda: _downhill.events(self._folder))]
        commands = [event["command"] for event in events if event["event"] == "command"]
        changes = [command["lr"] for command in commands if command["command"] == "set-lr"]
        # It may have been changed to that before.
        if not changes or changes[-1] != change:
            self._record.command(json.dumps({"command": "set-lr", "lr": change}))

    def _latest(self) -> tuple[int, Any, list[str]]:
        """The latest checkpoint that can be read, and what is wrong with those after it."""
        damaged: list[str] = []
        for step, path in _downhill.checkpoints(self._folder):
            try:
                return step, _tree.load(path), damaged
            except _tree.DamagedError as error:
                damaged.append(f"{error}: going back to the one before it")
        return 0, None, damaged

    # The search for a rate.

    def _rehearse(self) -> bool:
        rehearsal = self._rehearsal
        assert rehearsal is not None
        rate = rehearsal.next_rate()
        if rate is not None:
            self.lr = rate
            self._set_lr(rate)
            return True
        self.found = rehearsal.found()
        self._rehearsal = None
        self.rehearsing = False
        self._create(self.found["schedule"])
        return self._goes_on()


class _Shared:
    """The record of a run that several processes make: the first has it, and the others hear what it says."""

    def __init__(self, record: _downhill.Session | None, agreed: Callable[[Callable[[], Any]], Any]) -> None:
        self.own = record
        self._agreed = agreed

    @property
    def path(self) -> Any:
        return self._agreed(lambda: self.own and self.own.path)

    @property
    def position(self) -> Any:
        return self._agreed(lambda: self.own and self.own.position)

    def leave(self) -> None:
        """Ends the record without the others."""
        if self.own is not None:
            self.own.finish("interrupted")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *arguments: self._agreed(lambda: getattr(self.own, name)(*arguments))


class _Rehearsals:
    """The rehearsals of a schedule, each from the same state and on the same batches."""

    def __init__(self, session: Session, total: int) -> None:
        self.session = session
        self.total = total
        assert session._usual is not None and session._epoch is not None
        self.usual = session._usual
        self.epoch = session._epoch
        budget = total // _SHARE
        self.most = min(_REHEARSALS, budget)
        self.steps = min(budget // max(1, self.most), _MOST_REHEARSED)
        self.began = time.monotonic()
        self.start = session._whole()
        self.tried: list[tuple[int, list[float] | None]] = []
        self.points: dict[int, float] = {}
        self.made = 0
        self.guess: float | None = None
        self.rung: int | None = None
        self.losses: list[float] = []
        self.spoilt = False

    def next_rate(self) -> float | None:
        """The rate of the next step; none if there is nothing left to rehearse. A rehearsal that is over is taken
        back."""
        if self.rung is not None and (self.spoilt or len(self.losses) >= self.steps):
            judged = self.losses[1:][-max(_FEWEST_JUDGED, self.steps // _JUDGED) :]
            self.tried.append((self.rung, None if self.spoilt else judged))
            self.session._go_to(self.start)
            self.rung = None
        if self.rung is None:
            if self.steps < _FEWEST_REHEARSED or len(self.tried) >= self.most:
                return None
            following = _downhill.next_rehearsal(self.tried, self.guess or math.inf, self.usual)
            if following is None:
                return None
            self.rung, self.rate = following
            self.points[self.rung] = self.rate
            self.schedule = self.session._with_rate(self.rate)
            self.losses, self.spoilt = [], False
        # The middle of the part of the run that the step stands for.
        at = int((len(self.losses) + 0.5) / self.steps * self.total)
        return _downhill.rate_at(self.schedule, at, self.total, self.epoch)

    def take(self, loss: float) -> bool:
        """Takes in the loss of a step; whether to make its update."""
        self.made += 1
        if not math.isfinite(loss):
            self.spoilt = True
            self.session._moved += 1
            return False
        if self.guess is None:
            self.guess = loss
        self.losses.append(loss)
        if len(self.losses) >= self.steps:
            # What follows begins with the loader's first batch again.
            self.session._moved += 1
        return True

    def give_up(self) -> None:
        """Takes back what was tried."""
        self.session._go_to(self.start)

    def found(self) -> dict[str, Any]:
        """What the rehearsals come to."""
        longer = self.total / max(1, self.steps)
        recommended, why, band = _downhill.conclude_rehearsals(
            self.tried, self.guess or math.inf, self.usual, longer, _MANY_ROWS
        )
        points = [
            {"lr": self.points[rung], "loss": None if losses is None else sum(losses) / len(losses)}
            for rung, losses in sorted(self.tried)
        ]
        return {
            "recommended": recommended,
            "usual": self.usual,
            "choice": json.loads(why),
            "band": band,
            "schedule": _downhill.schedule(self.session._with_rate(recommended)),
            "steepest": None,
            "valley": None,
            "minimum_tenth": None,
            "diverges": None,
            "steps": self.made,
            "run_steps": self.total,
            "seconds": time.monotonic() - self.began,
            "rehearsals": points,
            "curve": [],
        }


def iter_once(loader: Any) -> bool:
    """Whether something can be gone through only once."""
    return not callable(loader) and isinstance(loader, Iterator)


def begun(loader: Any, epoch: int) -> Iterator[Any]:
    """The batches of an epoch."""
    batches: Iterable[Any] = loader(epoch) if callable(loader) and not hasattr(loader, "__iter__") else loader
    return iter(batches)


def length(loader: Any, unknown: Any) -> Any:
    """The number of batches of an epoch, if it is known."""
    try:
        return len(loader)
    except TypeError:
        return unknown
