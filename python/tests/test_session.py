"""Sessions for loops that know nothing of Downhill: here a parabola."""

import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import downhill
from downhill import _tree


class Parabola:
    """x ← x − rate·(2x + noise), with noise from NumPy's random state: what a resume must bring back."""

    def __init__(self, x=1.0, noise=0.0):
        self.x = np.asarray(x)
        self.noise = noise
        self.rates = []
        self.losses = []

    def session(self, **settings):
        return downhill.Session(lambda: {"x": self.x.copy()}, self.restore, self.rates.append, **settings)

    def restore(self, snapshot):
        self.x = np.asarray(snapshot["x"]).copy()

    def train(self, run, batches=10, until=None, spoil=()):
        for batch in run.steps([float(i) for i in range(batches)]):
            loss = float(self.x**2) if (run.step_number, len(self.losses)) not in spoil else float("nan")
            gradient = 2 * self.x + self.noise * (np.random.normal() + batch / 10)
            self.losses.append(loss)
            if run.step(loss):
                self.x = self.x - run.lr * gradient
            if until is not None and run.step_number == until and not run.rehearsing:
                break
        return self


def events(folder, kind):
    return [event for event in downhill.Run(folder).events if event["event"] == kind]


def test_a_schedule_is_followed_and_kept(tmp_path, program):
    folder = tmp_path / "runs" / "parabola"
    parabola = Parabola()
    run = parabola.session(lr="linear(0.1, end=0)", steps=25, run=folder, data="x squared")
    for _ in run.steps([None] * 10):
        assert run.step(float(parabola.x**2))
        parabola.x = parabola.x - run.lr * 2 * parabola.x
        if run.step_number % 10 == 0:
            run.metric(valid_loss=float(parabola.x**2), distance=float(parabola.x))
    np.testing.assert_allclose(parabola.rates, downhill.rates("linear(0.1, end=0)", 25))
    assert run.stop == "finished" and run.path == folder and run.step_number == 25
    kept = downhill.Run(folder)
    assert kept.state == "finished" and len(kept.epochs) == 3
    assert kept.epochs[1]["metrics"] == {"distance": pytest.approx(kept.epochs[1]["valid_loss"] ** 0.5)}
    assert kept.settings["training"]["lr"] .startswith("linear(initial=0.1, end=0")
    # What the program does with runs, it does with this one.
    listed = program("runs", "--runs", tmp_path / "runs").stdout
    assert "parabola" in listed and "distance" in listed and "finished" in listed
    page = (folder / "report.html").read_text()
    assert "x squared" in page and "distance" in page and "NaN" not in page
    program("report", folder)
    # And says what it cannot do.
    assert "only that loop knows" in program("predict", folder, "iris", check=False).stderr
    for command in ("resume", "replay", "diagnose"):
        done = program(command, folder, check=False)
        assert done.returncode == 1 and "a training loop of its own" in done.stderr, done.stderr
    assert "Make this run again" not in page


def test_a_loss_that_is_no_number_is_gone_back_from_at_half_the_rate(tmp_path):
    folder = tmp_path / "nan"
    parabola = Parabola()
    run = parabola.session(lr=0.1, steps=60, epoch=10, run=folder)
    parabola.train(run, spoil={(33, 33)})
    assert run.stop == "finished"
    (rollback,) = events(folder, "rollback")
    assert (rollback["step"], rollback["to"], rollback["scale"], rollback["cause"]) == (33, 30, 0.5, "not-finite")
    assert parabola.rates[33] == 0.1 and parabola.rates[34] == 0.05 and len(parabola.losses) == 64
    # The step is made again from what it was made from.
    assert parabola.losses[34] == parabola.losses[30]


def test_a_loss_that_blows_up_is_gone_back_from_until_the_rate_is_low_enough(tmp_path):
    parabola = Parabola()
    run = parabola.session(lr=1.6, steps=40, epoch=10, run=tmp_path / "spike")
    parabola.train(run)
    assert run.stop == "finished" and abs(parabola.x) < 1e-3
    assert {rollback["cause"] for rollback in events(tmp_path / "spike", "rollback")} == {"spike"}
    without = Parabola()
    run = without.session(lr=1e200, steps=40, run=tmp_path / "off", guard="off")
    without.train(run)
    assert run.stop == "diverged" and downhill.Run(tmp_path / "off").state == "diverged"


def test_a_plateau_cuts_the_rate(tmp_path):
    parabola = Parabola(noise=1.0)
    np.random.seed(0)
    run = parabola.session(
        lr=0.5, steps=200, epoch=10, run=tmp_path / "plateau", plateau="cut(0.5, patience=2, backtrack=true)"
    )
    parabola.train(run)
    cuts = events(tmp_path / "plateau", "cut")
    assert cuts and cuts[0]["scale"] == 0.5 and cuts[0]["back_to"] is not None
    assert parabola.rates[-1] == 0.5 * cuts[-1]["scale"]


@pytest.mark.parametrize("until", [37, 40])
def test_what_was_left_goes_on_as_if_it_had_not_been(tmp_path, until):
    settings = {"lr": "cosine(0.1)", "steps": 100, "epoch": 20, "data": "noise"}
    np.random.seed(1)
    whole = Parabola(noise=0.3)
    whole.train(whole.session(run=tmp_path / "whole", **settings))
    np.random.seed(1)
    part = Parabola(noise=0.3)
    part.train(part.session(run=tmp_path / "cut", **settings), until=until)
    assert downhill.Run(tmp_path / "cut").state == "interrupted"
    np.random.seed(99)
    rest = Parabola(x=123.0, noise=0.3)
    rest.train(rest.session(run=tmp_path / "cut", resume=True, **settings))
    assert part.losses + rest.losses == whole.losses
    assert part.rates + rest.rates == pytest.approx(whole.rates, abs=0)
    assert downhill.Run(tmp_path / "cut").state == "finished"


SCRIPT = """
import os, sys
sys.path.insert(0, os.environ["TESTS"])
from test_session import Parabola
import numpy as np
np.random.seed(1)
parabola = Parabola(noise=0.3)
run = parabola.session(lr="cosine(0.1)", steps=100, epoch=20, run=sys.argv[1], resume=True)
run._saving_took = 0.0
import downhill._session
downhill._session._CHECKPOINT_AGE = 0.0
downhill._session._CHECKPOINT_SHARE = 0
kill_at = int(sys.argv[2])
for batch in run.steps([float(i) for i in range(10)]):
    if run.step_number == kill_at:
        os._exit(9)
    loss = float(parabola.x**2)
    print(repr(loss), flush=True)
    if run.step(loss):
        parabola.x = parabola.x - run.lr * (2 * parabola.x + 0.3 * (np.random.normal() + batch / 10))
"""


def test_what_was_killed_goes_on_from_its_checkpoint(tmp_path):
    def losses(folder, kill_at):
        environment = {**os.environ, "TESTS": os.path.dirname(__file__)}
        command = [sys.executable, "-c", SCRIPT, str(folder), str(kill_at)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
        assert done.returncode == (9 if kill_at >= 0 else 0), done.stderr
        return [float(line) for line in done.stdout.split()]

    whole = losses(tmp_path / "whole", -1)
    first = losses(tmp_path / "cut", 50)
    assert downhill.Run(tmp_path / "cut").state == "crashed"
    second = losses(tmp_path / "cut", -1)
    assert first == whole[:50] and second == whole[40:]


def test_a_damaged_checkpoint_is_gone_back_over(tmp_path):
    settings = {"lr": 0.1, "steps": 40, "epoch": 10, "run": tmp_path / "run"}
    parabola = Parabola()
    run = parabola.session(**settings)
    for _ in run.steps([None] * 10):
        run.step(float(parabola.x**2))
        parabola.x = parabola.x - run.lr * 2 * parabola.x
        if run.step_number in (15, 25):
            run._save()
        if run.step_number == 25:
            break
    latest = tmp_path / "run" / "checkpoints" / "step-00000025.safetensors"
    latest.write_bytes(latest.read_bytes()[:-3])
    rest = Parabola()
    run = rest.session(resume=True, **settings)
    rest.train(run)
    assert len(rest.losses) == 25 and any("damaged" in note for note in downhill.Run(tmp_path / "run").notes)


def test_the_rate_is_changed_from_another_process_and_again_on_resume(tmp_path, program):
    settings = {"lr": 0.1, "steps": 400, "epoch": 10, "run": tmp_path / "run"}
    parabola = Parabola()
    run = parabola.session(**settings)
    told = None
    for _ in run.steps([None] * 10):
        run.step(float(parabola.x**2))
        parabola.x = parabola.x - run.lr * 2 * parabola.x
        if run.step_number == 20:
            run._save()
            told = threading.Thread(target=program, args=("set-lr", tmp_path / "run", "0.5x"))
            told.start()
        if told is not None:
            time.sleep(0.005 if run.lr == 0.1 else 0)
        if run.lr == 0.05 and run.step_number % 10 == 5:
            break
    told.join()
    (command,) = events(tmp_path / "run", "command")
    at = command["step"]
    assert command["lr"] == 0.05 and at >= 20 and parabola.rates[at - 1 : at + 1] == [0.1, 0.05]
    # Only the checkpoint before it is left: the command is applied again at its step.
    for path in (tmp_path / "run" / "checkpoints").iterdir():
        if path.name != "step-00000020.safetensors":
            path.unlink()
    rest = Parabola()
    run = rest.session(resume=True, **settings)
    rest.train(run, until=at + 5)
    assert rest.rates[: at - 20 + 2] == [0.1] * (at - 20) + [0.05] * 2
    assert len(events(tmp_path / "run", "command")) == 1


def test_another_rate_on_resume_is_a_change_that_is_logged(tmp_path):
    settings = {"steps": 40, "epoch": 10, "run": tmp_path / "run"}
    parabola = Parabola()
    parabola.train(parabola.session(lr=0.1, **settings), until=20)
    for until in (30, None):  # it is changed once
        rest = Parabola()
        rest.train(rest.session(lr="linear(0.2, end=0)", resume=True, **settings), until=until)
    commands = events(tmp_path / "run", "command")
    assert len(commands) == 1 and commands[0]["step"] == 20
    assert rest.rates[0] == pytest.approx(0.1) and rest.rates[-1] == pytest.approx(0.01)


def test_a_pause_is_waited_for_and_a_stop_can_be_resumed(tmp_path, program):
    settings = {"lr": 0.1, "steps": 100_000, "epoch": 10, "run": tmp_path / "run"}
    parabola = Parabola()
    run = parabola.session(**settings)
    seen = {}

    def steer():
        time.sleep(0.2)
        seen["paused"] = program("pause", tmp_path / "run").stdout
        at = run.step_number
        time.sleep(0.3)
        seen["made"] = run.step_number - at
        program("continue", tmp_path / "run")
        program("stop", tmp_path / "run")

    other = threading.Thread(target=steer)
    other.start()
    for _ in run.steps([None] * 10):
        run.step(float(parabola.x**2))
        time.sleep(0.0005)
    other.join()
    assert "paused before step" in seen["paused"] and seen["made"] <= 1
    assert run.stop == "interrupted" and downhill.Run(tmp_path / "run").state == "interrupted"


def test_auto_finds_a_rate_and_leaves_no_trace(tmp_path):
    np.random.seed(3)
    auto = Parabola(noise=0.1)
    run = auto.session(lr="auto", usual=0.003, steps=300, run=tmp_path / "auto")
    auto.train(run)
    found = run.found
    assert found["steps"] <= 60 and found["recommended"] > 0.01
    (logged,) = events(tmp_path / "auto", "rate")
    assert logged["recommended"] == found["recommended"]
    # From there on it is the run that has that schedule.
    np.random.seed(3)
    given = Parabola(noise=0.1)
    given.train(given.session(lr=found["schedule"], steps=300, run=tmp_path / "given"))
    assert auto.losses[found["steps"] :] == given.losses
    # What is found stays found.
    again = Parabola(noise=0.1)
    run = again.session(lr="auto", usual=0.003, steps=310, run=tmp_path / "auto", resume=True)
    again.train(run)
    assert len(again.losses) == 10


def test_a_rate_has_its_place_in_any_schedule(tmp_path):
    parabola = Parabola()
    run = parabola.session(lr="step(auto, every=100, factor=0.5)", usual=0.01, steps=300, run=tmp_path / "run")
    parabola.train(run)
    assert run.found["schedule"].startswith(f"step(initial={run.found['recommended']}")


def test_a_loop_that_is_too_short_takes_the_usual_rate(tmp_path):
    parabola = Parabola()
    run = parabola.session(lr="auto", usual=0.01, steps=10, run=tmp_path / "run")
    parabola.train(run)
    assert run.found["recommended"] == 0.01 and run.found["choice"] == "too-few-steps" and len(parabola.losses) == 10


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"lr": "cosin(0.1)", "steps": 10}, "did you mean `cosine`"),
        ({"lr": 0.1, "steps": 0}, "steps=0"),
        ({"lr": "auto", "steps": 10}, "usual"),
        ({"lr": 0.1, "steps": 10, "epoch": 0}, "epoch=0"),
        ({"lr": 0.1, "steps": 10, "guard": "onn"}, "guard="),
        ({"lr": 0.1, "steps": 10, "plateau": "cut(2)"}, "factor"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, settings, says):
    with pytest.raises(ValueError, match=says):
        Parabola().train(Parabola().session(run=tmp_path / "run", **settings))
    assert not (tmp_path / "run").exists()


def test_a_loader_must_begin_again(tmp_path):
    run = Parabola().session(lr=0.1, steps=10, run=tmp_path / "run")
    with pytest.raises(ValueError, match="only once"):
        next(run.steps(iter([1, 2])))
    with pytest.raises(ValueError, match="no batch"):
        list(run.steps([]))
    run = Parabola().session(lr=0.1, steps=7, run=tmp_path / "function")
    given = []
    for batch in run.steps(lambda epoch: iter([(epoch, 0), (epoch, 1), (epoch, 2)])):
        given.append(batch)
        run.step(1.0)
    assert given == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0)]


def test_snapshots_are_read_back_as_they_were(tmp_path):
    tree = {
        "numbers": [1, 2.5, -0.0, float("inf"), 2**70, True, None, "x"],
        "tuple": (1, (2, "b")),
        3: {"array": np.arange(6, dtype=np.float32).reshape(2, 3), "flag": np.array(True)},
        "$odd": np.float64(0.1),
    }
    _tree.save(tmp_path / "tree.safetensors", tree)
    back = _tree.load(tmp_path / "tree.safetensors")
    assert back["numbers"] == tree["numbers"] and back["tuple"] == tree["tuple"] and back["$odd"] == 0.1
    assert back[3]["array"].dtype == np.float32 and (back[3]["array"] == tree[3]["array"]).all()
    with pytest.raises(TypeError, match=r"snapshot\.bad is a set"):
        _tree.save(tmp_path / "bad.safetensors", {"bad": {1, 2}})
    assert not list(tmp_path.glob("*.tmp"))
    content = (tmp_path / "tree.safetensors").read_bytes()
    for damaged in (content[:5], content[:-1], b"\xff" * len(content), json.dumps({}).encode()):
        (tmp_path / "damaged").write_bytes(damaged)
        with pytest.raises(_tree.DamagedError):
            _tree.load(tmp_path / "damaged")
