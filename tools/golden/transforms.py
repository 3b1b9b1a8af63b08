"""Reference values for what goes around a rule: averages, lookahead, bounds, groups, and a momentum on a schedule.

Writes crates/optim/tests/golden/transforms.json. Needs what optim.py needs:

    python tools/golden/transforms.py

Each line is a line of rules.json with `transforms`, which says what is around the rule, and where it has one, with the
average or the slow weights as `evaluation64` and `evaluation32`. `momentum` lists the rule's momentum, or β₁, at each
step; `groups` what a role has in the place of everybody's, its `lr` a share of the rate.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import jax.numpy as jnp
import keras
import numpy as np
import optax
import torch
from optim import STEPS, by_optax, flat, rate, recorded, write
from problems import PROBLEMS, gradients, starts, weights
from torch.optim.swa_utils import AveragedModel

keras.config.set_epsilon(0.0)  # else its largest norm is held to within that share only


def falling(initial):
    return f"inverse-time({initial}, decay=0.05)"


def by_torch(make, before=None, after=None, scheduler=None):
    """A trajectory of PyTorch's `make(parameters, lr)`, with something done `before` and `after` each step."""

    def run(problem, initial, dtype):
        torch.set_default_dtype(getattr(torch, dtype))
        model = torch.nn.ParameterList([torch.tensor(start) for start in starts(problem, dtype)])
        params = list(model)
        groups = [{"params": [p], "initial": initial, "weight": w} for p, w in zip(params, weights(problem))]
        optimizer = make(groups, initial)
        clock = scheduler(optimizer) if scheduler else None
        path, evaluated, keep = [], [], {}
        for step in range(STEPS):
            if clock is None:
                for group in optimizer.param_groups:
                    group["lr"] = rate(group["initial"], step)
            for p, g in zip(params, gradients(problem, step, [p.detach().numpy() for p in params])):
                p.grad = torch.from_numpy(g)
            if before is not None:
                before(optimizer, step)
            optimizer.step()
            if after is not None:
                evaluated.append(after(model, keep))
            path.append(flat(params))
            if clock is not None:
                clock.step()
        return (path, evaluated) if evaluated else path

    return run


def undecayed_biases(make):
    def made(groups, lr):
        for group in groups:
            if not group["weight"]:
                group["weight_decay"] = 0.0
        return make(groups, lr)

    return made


def averaged(beta):
    """PyTorch's `AveragedModel`, with a decay that rises: at first, weights count in proportion to their step."""

    def average(averaged, current, steps):
        decay = min(beta, int(steps) / (int(steps) + 2))
        for mean, value in zip(averaged, current):
            mean.lerp_(value, 1 - decay)

    def after(model, keep):
        if "average" not in keep:
            keep["average"] = AveragedModel(model, multi_avg_fn=average)
        keep["average"].update_parameters(model)
        return flat(list(keep["average"].module))

    return after


def independent(decay):
    """AdamW's decay, by PyTorch, with the rate divided out again."""

    def before(optimizer, step):
        for group in optimizer.param_groups:
            group["weight_decay"] = decay / group["lr"] if group["weight"] else 0.0

    return before


def lookahead(make, k, alpha):
    """Optax's: the fast weights, and the slow ones."""

    def run(problem, initial, dtype):
        params = optax.LookaheadParams.init_synced([jnp.array(start) for start in starts(problem, dtype)])
        optimizer = optax.lookahead(make(lambda step: rate(initial, step)), k, alpha)
        state = optimizer.init(params)
        path, evaluated = [], []
        for step in range(STEPS):
            grads = [jnp.array(g) for g in gradients(problem, step, [np.asarray(p) for p in params.fast])]
            updates, state = optimizer.update(grads, state, params)
            params = optax.apply_updates(params, updates)
            assert all(p.dtype == dtype for p in [*params.fast, *params.slow])
            path.append(flat(params.fast))
            evaluated.append(flat(params.slow))
        return path, evaluated

    return run


def tensor_by_tensor(clip, rule):
    """Clips each tensor by itself. Keras's `clipnorm` does so too, but with the precision of float32; PyTorch clips to a
    little less, since it adds 1e-6 to the norm."""
    return optax.chain(optax.multi_transform({0: clip, 1: clip}, [0, 1]), rule)


def by_keras(make, constraint):
    """A trajectory of Keras's `make(lr)`, whose matrices are held to a constraint."""

    def run(problem, initial, dtype):
        keras.config.set_floatx(dtype)
        params = [keras.Variable(start, dtype=dtype, name=str(i)) for i, start in enumerate(starts(problem, dtype))]
        for p, w in zip(params, weights(problem)):
            if w:
                p.constraint = constraint
        optimizer = make(initial)
        optimizer.build(params)
        path = []
        for step in range(STEPS):
            optimizer.learning_rate.assign(rate(initial, step))
            grads = gradients(problem, step, [p.value.detach().numpy().copy() for p in params])
            optimizer.apply([torch.from_numpy(g) for g in grads], params)
            path.append(flat([p.value for p in params]))
        return path

    return run


def group_of(role, **settings):
    """Settings of PyTorch's groups of one role; `lr` is a share of everybody's."""

    def prepare(groups):
        for group in groups:
            if group["weight"] == (role == "weight"):
                if "lr" in settings:
                    group["initial"] *= settings["lr"]
                if "weight_decay" in settings:
                    group["weight_decay"] = settings["weight_decay"]
            elif not group["weight"]:
                group["weight_decay"] = 0.0
        return groups

    return prepare


def momentums(make, key, **settings):
    """What PyTorch's OneCycleLR makes of the momentum, which falls while the rate rises."""
    optimizer = make([torch.nn.Parameter(torch.zeros(1))], 0.1)
    clock = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=STEPS, **settings)
    found = []
    for _ in range(STEPS):
        value = optimizer.param_groups[0][key]
        found.append(value[0] if isinstance(value, tuple) else value)
        optimizer.step()
        clock.step()
    return [float(f"{value:.16g}") for value in found]


def cycle(peak, **settings):
    return lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, total_steps=STEPS, **settings)


def cases():
    """Each: the rule, what is around it, the problem, the schedule, its first rate and who computes it."""
    t, k = torch.optim, keras.optimizers
    sgd = lambda p, lr: t.SGD(p, lr)
    buffer = lambda p, lr: t.SGD(p, lr, momentum=0.9)
    adam = lambda p, lr: t.Adam(p, lr)
    adamw = undecayed_biases(lambda p, lr: t.AdamW(p, lr, weight_decay=0.3))

    for beta in [0.9, 0.99]:
        for rule, make, problem, lr in [("sgd", sgd, "logistic", 0.5), ("adam", adam, "matrix", 0.05)]:
            yield rule, {"ema": beta}, problem, falling(lr), lr, by_torch(make, after=averaged(beta))
    for count, alpha in [(5, 0.5), (7, 0.8)]:
        for rule, make, problem, lr in [
            ("sgd", optax.sgd, "rosenbrock", 1e-3),
            ("adam", optax.adam, "matrix", 0.05),
            ("momentum(form=buffer)", lambda lr: optax.sgd(lr, momentum=0.9), "logistic", 0.1),
        ]:
            yield rule, {"lookahead": [count, alpha]}, problem, falling(lr), lr, lookahead(make, count, alpha)
    for limit in [1.0, 3.0]:
        for rule, make, lr in [
            ("sgd", optax.sgd, 0.1),
            ("momentum(form=buffer)", lambda lr: optax.sgd(lr, momentum=0.9), 0.05),
        ]:
            run = by_optax(lambda lr, _, make=make: tensor_by_tensor(optax.clip_by_global_norm(limit), make(lr)))
            yield rule, {"clip_tensor_norm": limit}, "matrix", falling(lr), lr, run
        transforms = {"max_norm": limit / 2}
        most = keras.constraints.MaxNorm(limit / 2, axis=0)
        yield "sgd", transforms, "matrix", falling(0.1), 0.1, by_keras(lambda lr: k.SGD(lr), most)
        yield "momentum", transforms, "matrix", falling(0.02), 0.02, by_keras(lambda lr: k.SGD(lr, momentum=0.9), most)
    for decay in [0.001, 0.05]:
        run = by_torch(lambda p, lr: t.AdamW(p, lr), before=independent(decay))
        for problem in ["quadratic", "matrix"]:
            yield "adam", {"independent_decay": decay}, problem, falling(0.05), 0.05, run
    for rule, make, role, settings in [
        ("adam", adam, "bias", {"lr": 2.0}),
        ("momentum(form=buffer)", buffer, "bias", {"lr": 2.0}),
        ("adamw(weight-decay=0.3)", lambda p, lr: t.AdamW(p, lr, weight_decay=0.3), "weight", {"weight_decay": 0.0}),
        (
            "adamw(weight-decay=0.3)",
            lambda p, lr: t.AdamW(p, lr, weight_decay=0.3),
            "weight",
            {"lr": 0.5, "weight_decay": 0.1},
        ),
    ]:
        lr, prepare = (0.02 if rule.startswith("momentum") else 0.05), group_of(role, **settings)
        run = by_torch(lambda p, lr, make=make, prepare=prepare: make(prepare(p), lr))
        yield rule, {"groups": [{"role": role, **settings}]}, "matrix", falling(lr), lr, run
    for settings in [{}, {"base_momentum": 0.5, "max_momentum": 0.8, "pct_start": 0.5}]:
        start = settings.get("pct_start", 0.3)
        for rule, make, key, problem, peak in [
            ("momentum(form=buffer)", buffer, "momentum", "quadratic", 0.01),
            ("momentum(form=buffer)", buffer, "momentum", "logistic", 0.2),
            ("nesterov(form=buffer)", lambda p, lr: t.SGD(p, lr, 0.9, nesterov=True), "momentum", "matrix", 0.05),
            ("adam", adam, "betas", "logistic", 0.1),
            ("adamw(weight-decay=0.3)", adamw, "betas", "matrix", 0.1),
        ]:
            momentum = {key: settings[key] for key in ["base_momentum", "max_momentum"] if key in settings}
            keys = "".join(f", {key.replace('_', '-')}={value}" for key, value in momentum.items())
            schedule = f"one-cycle({peak}, start={start * 100:.0f}%{keys})"
            run = by_torch(make, scheduler=cycle(peak, **settings))
            yield rule, {"momentum": momentums(make_plain(make), key, **settings)}, problem, schedule, peak, run


def make_plain(make):
    """The same optimizer for parameters without groups."""
    return lambda params, lr: make([{"params": params, "weight": True}], lr)


def entries():
    for rule, transforms, problem, schedule, lr, run in cases():
        entry = {"optimizer": rule, "regularization": {}, "transforms": transforms, "schedule": schedule, "problem": problem}
        found = {dtype: run(problem, lr, dtype) for dtype in ["float64", "float32"]}
        if isinstance(found["float64"], tuple):
            entry |= recorded("evaluation64", "evaluation32", problem, {t: path[1] for t, path in found.items()})
            found = {dtype: path[0] for dtype, path in found.items()}
        yield entry | recorded("float64", "float32", problem, found)


write("optim", "transforms.json", list(entries()))
