"""How a rival in Python talks to the runner.

    SCRIPT DESCRIPTION THREADS [VARIANT]

A rival gives `serve` a class whose instances hold one workload: `fresh(seed)` makes new weights and a new optimizer,
`train()` trains them for the workload's epochs and returns when the work is done, `loss()` is the mean loss on the first
rows without dropout (of a sweep, one for every rate), and `predict(x)` turns rows of NumPy into outputs of NumPy. `fresh`
and `loss` are not timed. A second class holds the optimizer's step alone, on one tensor of weights that begins as zeros:
`prepare()`, not timed, sees to its gradient, `step()` moves it, and `size()` is the mean of the weights' absolute values.
After an untimed round, every line of standard input is answered with a round in JSON.
"""

import json
import statistics
import sys
import time

import numpy as np

MEASURED_ROWS = 2048


class Unable(Exception):
    """What a rival cannot do, and why."""


class Workload:
    """A description, with its rows."""

    def __init__(self, spec):
        self.__dict__.update(spec)
        self.x = np.fromfile(spec["x"], dtype="<f4").reshape(self.rows, self.inputs)
        self.regression = self.outputs == 1
        self.y = np.fromfile(spec["y"], dtype="<f4") if self.regression else np.fromfile(spec["y"], dtype="<i4")
        self.widths = [self.inputs, *self.hidden, self.outputs]
        self.steps = self.rows // self.batch
        self.measured = slice(0, min(MEASURED_ROWS, self.rows))


def predicting(work, rival):
    """Seconds a call."""
    starts = [i * work.rows_a_call % (work.rows - work.rows_a_call + 1) for i in range(work.calls)]
    begin = time.perf_counter()
    for start in starts:
        outputs = rival.predict(work.x[start:start + work.rows_a_call])
    seconds = (time.perf_counter() - begin) / work.calls
    assert outputs.shape == (work.rows_a_call, work.outputs)
    return seconds


def training(work, rival, seed):
    rival.fresh(seed)
    begin = time.perf_counter()
    rival.train()
    return time.perf_counter() - begin


def gradient(work):
    """Numbers of both signs, of which none dies out, for the only layer's weights."""
    count = work.inputs * work.outputs
    return ((np.arange(count) % 2003 - 1001) * 1e-5).astype(np.float32).reshape(work.inputs, work.outputs)


def updating(work, rival):
    """Seconds a step: the median, as a step is short."""
    times = []
    for _ in range(work.calls):
        rival.prepare()
        begin = time.perf_counter()
        rival.step()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def say(**answer):
    print(json.dumps(answer), flush=True)


def turn(work, rival, seed):
    """The seconds and the loss of a round."""
    if work.task == "update":
        return updating(work, rival), rival.size()
    seconds = predicting(work, rival) if work.task == "predict" else training(work, rival, seed)
    return seconds, statistics.median(np.ravel(rival.loss()).tolist())


def serve(train, update):
    try:
        with open(sys.argv[1]) as file:
            work = Workload(json.load(file))
        make = update if work.task == "update" else train
        rival = make(work, int(sys.argv[2]), *sys.argv[3:])
        if work.task == "whole":
            training(work, rival, 0)
            say(loss=rival.loss())
            return
        if work.task == "predict":
            training(work, rival, 0)
        turn(work, rival, 0)
    except Unable as why:
        say(unable=str(why))
        return
    say(version=rival.version)
    for seed, _ in enumerate(sys.stdin, start=1):
        seconds, loss = turn(work, rival, seed)
        say(seconds=seconds, loss=loss)
