"""Sessions for PyTorch, on data made here."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import downhill  # noqa: E402
import downhill.torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

torch.set_num_threads(1)


def images(rows=512, seed=0):
    """Squares and crosses with noise, of 12 × 12 pixels."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 2, (rows,), generator=generator)
    x = 0.6 * torch.randn(rows, 1, 12, 12, generator=generator)
    place = torch.arange(3, 9)
    x[y == 0, 0, 3:9, 3] += 1
    x[y == 0, 0, 3:9, 8] += 1
    for at in place:
        x[y == 1, 0, at, at] += 1
        x[y == 1, 0, at, 11 - at] += 1
    return TensorDataset(x, y)


def network(seed=0, dropout=0.1):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Dropout(dropout),
        nn.Linear(54, 2),
    )


def train(run, model, loader, until=None, spoil=()):
    losses = []
    for x, y in run.steps(loader):
        loss = nn.functional.cross_entropy(model(x), y)
        if (run.step_number, len(losses)) in spoil:
            loss = loss * float("nan")
        losses.append(float(loss.detach()))
        run.step(loss, rows=len(y))
        if until is not None and run.step_number == until and not run.rehearsing:
            break
    return losses


def setting(folder, data=None, **settings):
    model = network()
    optimizer = settings.pop("optimizer", None)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3) if optimizer is None else optimizer(model)
    loader = DataLoader(data or images(), batch_size=32, shuffle=True)
    run = downhill.torch.Session(model, optimizer, run=folder, **settings)
    return run, model, loader


def events(folder, kind):
    return [event for event in downhill.Run(folder).events if event["event"] == kind]


def test_a_convolutional_network_is_trained_at_the_rate_that_is_found(tmp_path):
    def last(lr):
        run, model, loader = setting(tmp_path / str(lr), lr=lr, steps=200)
        losses = train(run, model, loader)
        return float(np.mean(losses[-20:])), run

    loss, run = last("warmup(5%, then=cosine(auto))")
    grid = {lr: last(f"warmup(5%, then=cosine({lr}))")[0] for lr in (1e-3, 1e-2, 1e-1)}
    assert run.found["steps"] <= 40 and run.stop == "finished"
    # Of what the best rate gains over the first guess.
    gained = (np.log(2) - loss) / (np.log(2) - min(grid.values()))
    assert gained > 0.8, (loss, run.found["recommended"], grid)
    page = (run.path / "report.html").read_text()
    assert "AdamW" in page


def test_a_small_transformer_is_trained(tmp_path):
    torch.manual_seed(0)
    tokens = torch.randint(0, 8, (256, 6))
    data = TensorDataset(tokens, tokens[:, 0] % 2)
    model = nn.Sequential(
        nn.Embedding(8, 16), nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True), nn.Flatten(),
        nn.Linear(96, 2),
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    run = downhill.torch.Session(model, optimizer, lr="auto", steps=120, run=tmp_path / "transformer")
    losses = train(run, model, DataLoader(data, batch_size=32, shuffle=True))
    assert np.mean(losses[-10:]) < 0.2


def test_auto_leaves_no_trace(tmp_path):
    run, model, loader = setting(tmp_path / "auto", lr="auto", steps=100)
    torch.manual_seed(5)
    found = train(run, model, loader)[run.found["steps"] :]
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    run, model, loader = setting(tmp_path / "given", lr=run.found["schedule"], steps=100)
    torch.manual_seed(5)
    assert train(run, model, loader) == found
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("step", [13, 47])
def test_a_nan_is_gone_back_from_at_half_the_rate(tmp_path, step):
    run, model, loader = setting(tmp_path / "nan", lr=0.01, steps=80)
    torch.manual_seed(1)
    losses = train(run, model, loader, spoil={(step, step)})
    (rollback,) = events(tmp_path / "nan", "rollback")
    assert (rollback["step"], rollback["scale"]) == (step, 0.5) and rollback["to"] in (0, 16, 32)
    assert run.stop == "finished" and run.optimizer.param_groups[0]["lr"] == 0.005
    # The batch after going back is the one that was made from there.
    assert losses[step + 1] == losses[rollback["to"]]
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())


@pytest.mark.parametrize("until", [20, 32])
def test_what_was_left_goes_on_with_the_same_losses(tmp_path, until):
    settings = {"lr": "cosine(0.01)", "steps": 60}
    run, model, loader = setting(tmp_path / "whole", **settings)
    torch.manual_seed(1)
    whole = train(run, model, loader)
    run, model, loader = setting(tmp_path / "part", **settings)
    torch.manual_seed(1)
    first = train(run, model, loader, until=until)
    run, model, loader = setting(tmp_path / "part", resume=True, **settings)
    with torch.no_grad():
        model[0].weight.fill_(7)
    torch.manual_seed(2)
    rest = train(run, model, loader)
    assert first + rest == whole


SCRIPT = """
import os, sys
sys.path.insert(0, os.environ["TESTS"])
from test_torch import *
import downhill._session
downhill._session._CHECKPOINT_AGE = 0.0
downhill._session._CHECKPOINT_SHARE = 0
run, model, loader = setting(sys.argv[1], lr="cosine(0.01)", steps=60, resume=True)
torch.manual_seed(1)
kill_at = int(sys.argv[2])
for x, y in run.steps(loader):
    if run.step_number == kill_at:
        os.kill(os.getpid(), 9)
    loss = nn.functional.cross_entropy(model(x), y)
    print(repr(float(loss.detach())), flush=True)
    run.step(loss)
"""


def test_what_was_killed_goes_on_with_the_same_losses(tmp_path):
    environment = {**os.environ, "TESTS": os.path.dirname(__file__)}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "part"), "40"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == -9, done.stderr
    first = [float(line) for line in done.stdout.split()]
    assert downhill.Run(tmp_path / "part").state == "crashed"
    settings = {"lr": "cosine(0.01)", "steps": 60}
    run, model, loader = setting(tmp_path / "whole", **settings)
    torch.manual_seed(1)
    whole = train(run, model, loader)
    run, model, loader = setting(tmp_path / "part", resume=True, **settings)
    rest = train(run, model, loader)
    # The last checkpoint is that of the second epoch.
    assert first == whole[:40] and rest == whole[32:]


def test_groups_keep_their_ratios(tmp_path):
    def optimizer(model):
        groups = [{"params": model[0].parameters()}, {"params": model[-1].parameters(), "lr": 1e-2}]
        return torch.optim.SGD(groups, lr=1e-3, momentum=0.9)

    run, model, loader = setting(tmp_path / "groups", lr="linear(0.1, end=0)", steps=10, optimizer=optimizer)
    rates = []
    for x, y in run.steps(loader):
        run.step(nn.functional.cross_entropy(model(x), y))
        rates.append([group["lr"] for group in run.optimizer.param_groups])
    np.testing.assert_allclose(rates, [[rate, 10 * rate] for rate in downhill.rates("linear(0.1, end=0)", 10)])


def test_accumulated_batches_are_one_step(tmp_path):
    run, model, loader = setting(tmp_path / "accumulate", lr=0.1, steps=6, accumulate=4, optimizer=sgd)
    calls = 0
    for x, y in run.steps(loader):
        run.step(nn.functional.mse_loss(model(x)[:, 0], y.float()), rows=32)
        calls += 1
    assert calls == 24 and run.step_number == 6 and downhill.Run(run.path).settings["session"]["steps-per-epoch"] == 4
    # One step of four batches is the step of all their rows.
    x, y = images(64).tensors
    results = []
    for accumulate in (1, 4):
        torch.manual_seed(0)
        model = nn.Linear(144, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        run = downhill.torch.Session(
            model, optimizer, lr=0.1, steps=1, accumulate=accumulate, run=tmp_path / f"a{accumulate}"
        )
        for xs, ys in run.steps(DataLoader(TensorDataset(x, y), batch_size=64 // accumulate)):
            run.step(nn.functional.mse_loss(model(xs.flatten(1))[:, 0], ys.float()))
        results.append(model.weight.detach().clone())
    torch.testing.assert_close(*results)


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


def test_a_step_that_the_scaler_leaves_out_does_not_count(tmp_path):
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=1000)
    run, model, loader = setting(tmp_path / "amp", lr=0.01, steps=20, scaler=scaler, clip_norm=1.0)
    losses = []
    for x, y in run.steps(loader):
        before = model[-1].weight.detach().clone()
        loss = nn.functional.cross_entropy(100 * model(x), y)
        losses.append(float(loss.detach()))
        made = run.step(loss)
        assert made == (not torch.equal(model[-1].weight, before))
    assert run.step_number == 20 and len(losses) > 20 and scaler.get_scale() < 2.0**127
    assert not events(run.path, "rollback")


def test_the_overhead_is_small(tmp_path):
    steps = 2000
    run = downhill.Session(lambda: {}, lambda _: None, lambda _: None, lr="cosine(1)", steps=steps, run=tmp_path / "run")
    began = time.perf_counter()
    for _ in run.steps([None] * 1000):
        run.step(1.0)
    each = (time.perf_counter() - began) / steps
    print(f"{1e6 * each:.0f} µs a step")
    assert each < 500e-6  # it is about a tenth of that on a machine with nothing else to do


def test_optimizers_without_a_rate_are_refused(tmp_path):
    model = network()
    with pytest.raises(ValueError, match="first group"):
        downhill.torch.Session(model, torch.optim.SGD(model.parameters(), lr=0.0), steps=10)
    with pytest.raises(ValueError, match="accumulate=0"):
        downhill.torch.Session(model, sgd(model), steps=10, accumulate=0)


def test_tensors_of_all_types_are_kept(tmp_path):
    from downhill import _tree

    types = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool)
    tree = {str(kind): torch.arange(6).reshape(2, 3).to(kind) for kind in types}
    tree["scalar"], tree["empty"] = torch.tensor(1.5), torch.zeros(0, 3)
    tree["turned"] = torch.arange(6.0).reshape(2, 3).T
    _tree.save(tmp_path / "tree.safetensors", tree)
    back = _tree.load(tmp_path / "tree.safetensors")
    for name, tensor in tree.items():
        assert back[name].dtype == tensor.dtype and torch.equal(back[name], tensor), name


TWO = """
import os, sys
sys.path.insert(0, os.environ["TESTS"])
from test_torch import *
rank, port, folder, resume, until = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] == "resume", int(sys.argv[5])
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port, RANK=str(rank), WORLD_SIZE="2")
torch.distributed.init_process_group("gloo")
torch.manual_seed(rank)
net = nn.parallel.DistributedDataParallel(network())
data = images(256, seed=rank)
torch.manual_seed(10 + rank)
run = downhill.torch.Session(
    net, torch.optim.SGD(net.parameters(), lr=0.05), lr="cosine(auto)", steps=40, run=folder, resume=resume
)
rates = []
for x, y in run.steps(DataLoader(data, batch_size=32, shuffle=True)):
    loss = nn.functional.cross_entropy(net(x), y)
    if rank == 1 and not resume and run.step_number == 13 and not rates.count("nan"):
        loss, _ = loss * float("nan"), rates.append("nan")
    if not run.rehearsing:
        rates.append((run.step_number, run.lr, float(loss.detach())))
    run.step(loss)
    if run.step_number == until and not run.rehearsing:
        break
weights = sum(float(value.double().sum()) for value in net.parameters())
print(json.dumps({"rates": rates, "weights": weights, "stop": run.stop, "seed": torch.initial_seed()}), flush=True)
torch.distributed.destroy_process_group()
os._exit(0)  # without the interpreter's own end, at which a thread of torch's may abort the process
"""


def test_of_two_processes_the_first_decides(tmp_path):
    import socket

    def both(folder, resume="new", until=-1):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = str(found.getsockname()[1])
        environment = {**os.environ, "TESTS": os.path.dirname(__file__)}
        command = [sys.executable, "-c", TWO]
        arguments = [port, str(folder), resume, str(until)]
        processes = [
            subprocess.Popen(
                [*command, str(rank), *arguments],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
            )
            for rank in range(2)
        ]
        done = [process.communicate(timeout=300) for process in processes]
        assert [process.returncode for process in processes] == [0, 0], done
        return [json.loads(out.splitlines()[-1]) for out, _ in done]

    first, second = both(tmp_path / "run")
    assert first["stop"] == second["stop"] == "finished" and first["weights"] == second["weights"]
    steps = [[entry[:2] for entry in process["rates"] if entry != "nan"] for process in (first, second)]
    assert steps[0] == steps[1]
    (rollback,) = events(tmp_path / "run", "rollback")
    assert rollback["step"] == 13 and rollback["scale"] == 0.5
    assert rollback["to"] == 8 and len(steps[0]) == 40 + 6
    assert steps[0][14] == [8, pytest.approx(steps[0][8][1] / 2)]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
