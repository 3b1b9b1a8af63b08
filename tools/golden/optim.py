"""Reference values for the tests of downhill-optim, from PyTorch, Keras and Optax.

Writes crates/optim/tests/golden/{problems,rules,schedules}.json. Run from anywhere:

    pip install torch==2.15.0 keras==3.15.1 optax==0.2.8 jax==0.10.2 numpy==2.4.6
    python tools/golden/optim.py
"""

import json
import os
from math import sqrt
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import torch
from problems import PROBLEMS, gradients, starts, weights

jax.config.update("jax_enable_x64", True)

STEPS = 60

# The rates on Beale's function, the logistic regression and the matrix problem; on the first two each rule has its own.
RATES = {
    "sgd": (0.01, 0.5, 0.1),
    "momentum": (0.002, 0.1, 0.02),
    "nesterov": (0.002, 0.1, 0.02),
    "adagrad": (0.2, 0.2, 0.2),
    "rmsprop": (0.02, 0.02, 0.02),
    "adadelta": (0.5, 5.0, 2.0),
    "adam": (0.05, 0.1, 0.05),
    "amsgrad": (0.05, 0.1, 0.05),
    "adamw": (0.05, 0.1, 0.05),
    "nadam": (0.05, 0.1, 0.05),
    "adamax": (0.05, 0.1, 0.05),
    "radam": (0.02, 0.1, 0.05),
    "lion": (0.02, 0.02, 0.02),
}


def rate(initial, step):
    """The rate falls on the way: inverse-time(initial, decay=0.05)."""
    return initial / (1.0 + 0.05 * step)


def by_torch(make, clip=None, l1=0.0):
    """A trajectory of PyTorch's optimizer `make(parameters, lr)`."""

    def run(problem, initial, dtype):
        torch.set_default_dtype(getattr(torch, dtype))  # the type of what NAdam keeps of its momentums
        decayed = weights(problem)
        params = [torch.tensor(start, requires_grad=True) for start in starts(problem, dtype)]
        groups = [{"params": [p]} | ({} if w else {"weight_decay": 0.0}) for p, w in zip(params, decayed)]
        optimizer = make(groups, initial)
        path = []
        for step in range(STEPS):
            for group in optimizer.param_groups:
                group["lr"] = rate(initial, step)
            for p, g in zip(params, gradients(problem, step, [p.detach().numpy() for p in params])):
                p.grad = torch.from_numpy(g)
            if clip is not None:
                clip(params)
            if l1 > 0.0:
                (l1 * sum(p.abs().sum() for p, w in zip(params, decayed) if w)).backward()  # adds to the gradient
            optimizer.step()
            path.append(flat(params))
        return path

    return run


def by_keras(make):
    """A trajectory of Keras's optimizer `make(lr)`."""

    def run(problem, initial, dtype):
        keras.config.set_floatx(dtype)
        decayed = weights(problem)
        params = [keras.Variable(start, dtype=dtype, name=str(i)) for i, start in enumerate(starts(problem, dtype))]
        optimizer = make(initial)
        optimizer.exclude_from_weight_decay(var_list=[p for p, w in zip(params, decayed) if not w])
        optimizer.build(params)
        path = []
        for step in range(STEPS):
            optimizer.learning_rate.assign(rate(initial, step))
            grads = gradients(problem, step, [p.value.detach().numpy().copy() for p in params])
            optimizer.apply([torch.from_numpy(g) for g in grads])
            path.append(flat([p.value for p in params]))
        return path

    return run


def by_optax(make):
    """A trajectory of Optax's optimizer `make(schedule, mask)`; the mask says what is decayed."""

    def run(problem, initial, dtype):
        params = [jnp.array(start) for start in starts(problem, dtype)]
        optimizer = make(lambda step: rate(initial, step), weights(problem))
        state = optimizer.init(params)
        path = []
        for step in range(STEPS):
            grads = [jnp.array(g) for g in gradients(problem, step, [np.asarray(p) for p in params])]
            updates, state = optimizer.update(grads, state, params)
            params = optax.apply_updates(params, updates)
            assert all(p.dtype == dtype for p in params)
            path.append(flat(params))
        return path

    return run


def flat(params):
    """Every number of some tensors."""
    return [x for p in params for x in (p.detach().numpy() if torch.is_tensor(p) else np.asarray(p)).ravel().tolist()]


def recorded(path, every, digits):
    """The last of so many steps each, to so many digits: 9 are all of a float32, and 13 are far below 1e-10."""
    return [[float(f"{x:.{digits}g}") for x in params] for params in path[every - 1 :: every]]


def rules():
    """Each: the spelling, restraints, rates for the quadratic and for Rosenbrock's, and who computes it."""
    t = torch.optim
    value = torch.nn.utils.clip_grad_value_
    k = keras.optimizers

    def rms(**settings):
        return lambda p, lr: t.RMSprop(p, lr, **{"alpha": 0.95, "eps": 1e-8, **settings})

    def rms_trace(momentum, **settings):
        settings = {"decay": 0.9, "eps": 1e-8, "eps_in_sqrt": False, **settings}
        return lambda lr, mask: optax.rmsprop(lr, momentum=momentum, **settings)

    return [
        ("sgd", {}, (0.015, 1e-3), by_torch(lambda p, lr: t.SGD(p, lr))),
        ("sgd", {}, (0.004, 3e-4), by_torch(lambda p, lr: t.SGD(p, lr))),
        ("momentum", {}, (0.01, 2e-4), by_keras(lambda lr: k.SGD(lr, momentum=0.9))),
        ("momentum(0.5)", {}, (0.015, 5e-4), by_keras(lambda lr: k.SGD(lr, momentum=0.5))),
        ("momentum(form=buffer)", {}, (0.01, 2e-4), by_torch(lambda p, lr: t.SGD(p, lr, momentum=0.9))),
        ("momentum(0.5, form=buffer)", {}, (0.015, 5e-4), by_torch(lambda p, lr: t.SGD(p, lr, momentum=0.5))),
        ("nesterov", {}, (0.01, 2e-4), by_keras(lambda lr: k.SGD(lr, momentum=0.9, nesterov=True))),
        ("nesterov(0.6)", {}, (0.01, 4e-4), by_keras(lambda lr: k.SGD(lr, momentum=0.6, nesterov=True))),
        (
            "nesterov(form=buffer)",
            {},
            (0.01, 2e-4),
            by_torch(lambda p, lr: t.SGD(p, lr, momentum=0.9, nesterov=True)),
        ),
        (
            "nesterov(0.6, form=buffer)",
            {},
            (0.01, 4e-4),
            by_torch(lambda p, lr: t.SGD(p, lr, momentum=0.6, nesterov=True)),
        ),
        ("adagrad", {}, (0.5, 0.1), by_torch(lambda p, lr: t.Adagrad(p, lr))),
        (
            "adagrad(eps=1e-3, initial=0.1)",
            {},
            (0.2, 0.3),
            by_torch(lambda p, lr: t.Adagrad(p, lr, eps=1e-3, initial_accumulator_value=0.1)),
        ),
        ("rmsprop", {}, (0.05, 0.01), by_torch(lambda p, lr: t.RMSprop(p, lr, alpha=0.9, eps=1e-8))),
        (
            "rmsprop(rho=0.99, eps=1e-2)",
            {},
            (0.02, 0.005),
            by_torch(lambda p, lr: t.RMSprop(p, lr, alpha=0.99, eps=1e-2)),
        ),
        ("rmsprop(centered=true)", {}, (0.05, 0.01), by_torch(rms(alpha=0.9, centered=True))),
        ("rmsprop(0.95, eps=1e-2, centered=true)", {}, (0.05, 0.01), by_torch(rms(eps=1e-2, centered=True))),
        ("rmsprop(momentum=0.9, form=buffer)", {}, (0.01, 0.002), by_torch(rms(alpha=0.9, momentum=0.9))),
        (
            "rmsprop(momentum=0.5, centered=true, form=buffer)",
            {},
            (0.02, 0.005),
            by_torch(rms(alpha=0.9, momentum=0.5, centered=True)),
        ),
        ("rmsprop(momentum=0.9)", {}, (0.01, 0.002), by_optax(rms_trace(momentum=0.9))),
        (
            "rmsprop(0.95, 1e-3, centered=true, momentum=0.6)",
            {},
            (0.02, 0.005),
            by_optax(rms_trace(decay=0.95, eps=1e-3, centered=True, momentum=0.6)),
        ),
        (
            "rmsprop(momentum=0.9, form=buffer)",
            {"clip_value": 5.0, "l2": 0.1},
            (0.01, 0.002),
            by_torch(rms(alpha=0.9, momentum=0.9, weight_decay=0.1), clip=lambda p: value(p, 5.0)),
        ),
        ("adadelta", {}, (1.0, 1.0), by_torch(lambda p, lr: t.Adadelta(p, lr, rho=0.95))),
        ("adadelta(eps=1e-7)", {}, (5.0, 2.0), by_keras(lambda lr: k.Adadelta(lr, rho=0.95))),
        ("adadelta(0.9, eps=1e-3)", {}, (1.0, 0.5), by_torch(lambda p, lr: t.Adadelta(p, lr, rho=0.9, eps=1e-3))),
        ("adam", {}, (0.1, 0.05), by_torch(lambda p, lr: t.Adam(p, lr))),
        (
            "adam(beta1=0.8, beta2=0.95, eps=1e-3)",
            {},
            (0.2, 0.02),
            by_torch(lambda p, lr: t.Adam(p, lr, betas=(0.8, 0.95), eps=1e-3)),
        ),
        ("amsgrad", {}, (0.1, 0.05), by_torch(lambda p, lr: t.Adam(p, lr, amsgrad=True))),
        (
            "amsgrad(0.5, beta2=0.7, eps=1e-3)",
            {},
            (0.3, 0.02),
            by_torch(lambda p, lr: t.Adam(p, lr, betas=(0.5, 0.7), eps=1e-3, amsgrad=True)),
        ),
        ("adamw", {}, (0.1, 0.05), by_torch(lambda p, lr: t.AdamW(p, lr, weight_decay=0.01))),
        (
            "adamw(beta1=0.7, beta2=0.99, eps=1e-4, weight-decay=0.3)",
            {},
            (0.1, 0.02),
            by_torch(lambda p, lr: t.AdamW(p, lr, betas=(0.7, 0.99), eps=1e-4, weight_decay=0.3)),
        ),
        ("nadam", {}, (0.1, 0.05), by_torch(lambda p, lr: t.NAdam(p, lr))),
        (
            "nadam(0.8, beta2=0.95, eps=1e-3, momentum-decay=0.1)",
            {},
            (0.2, 0.02),
            by_torch(lambda p, lr: t.NAdam(p, lr, betas=(0.8, 0.95), eps=1e-3, momentum_decay=0.1)),
        ),
        ("nadam(momentum-decay=0)", {}, (0.1, 0.05), by_torch(lambda p, lr: t.NAdam(p, lr, momentum_decay=0))),
        ("nadam(0.99, eps=1e-7, momentum-decay=1)", {}, (0.1, 0.05), by_keras(lambda lr: k.Nadam(lr, beta_1=0.99))),
        ("nadam(momentum-decay=1e5)", {}, (0.1, 0.05), by_optax(lambda lr, mask: optax.nadam(lr))),
        (
            "nadam",
            {"weight_decay": 0.2},
            (0.1, 0.05),
            by_torch(lambda p, lr: t.NAdam(p, lr, weight_decay=0.2, decoupled_weight_decay=True)),
        ),
        ("adamax", {}, (0.1, 0.05), by_torch(lambda p, lr: t.Adamax(p, lr))),
        (
            "adamax(0.8, beta2=0.95, eps=1e-2)",
            {},
            (0.1, 0.05),
            by_torch(lambda p, lr: t.Adamax(p, lr, betas=(0.8, 0.95), eps=1e-2)),
        ),
        ("radam", {}, (0.01, 0.002), by_torch(lambda p, lr: t.RAdam(p, lr))),
        (
            "radam(0.8, beta2=0.9, eps=1e-3)",
            {},
            (0.015, 0.002),
            by_torch(lambda p, lr: t.RAdam(p, lr, betas=(0.8, 0.9), eps=1e-3)),
        ),
        ("radam(beta2=0.6)", {}, (0.015, 1e-3), by_torch(lambda p, lr: t.RAdam(p, lr, betas=(0.9, 0.6)))),
        ("lion", {}, (0.05, 0.02), by_keras(lambda lr: k.Lion(lr))),
        (
            "lion(0.5, beta2=0.8, weight-decay=0.3)",
            {},
            (0.05, 0.02),
            by_optax(lambda lr, mask: optax.lion(lr, b1=0.5, b2=0.8, weight_decay=0.3, mask=mask)),
        ),
        ("sgd", {"l2": 0.5}, (0.01, 1e-3), by_torch(lambda p, lr: t.SGD(p, lr, weight_decay=0.5))),
        ("adam", {"l2": 0.1}, (0.1, 0.05), by_torch(lambda p, lr: t.Adam(p, lr, weight_decay=0.1))),
        ("sgd", {"l1": 0.5}, (0.01, 1e-3), by_torch(lambda p, lr: t.SGD(p, lr), l1=0.5)),
        (
            "rmsprop(rho=0.99)",
            {"l1": 0.1, "l2": 0.2},
            (0.05, 0.01),
            by_torch(lambda p, lr: t.RMSprop(p, lr, alpha=0.99, eps=1e-8, weight_decay=0.2), l1=0.1),
        ),
        (
            "sgd",
            {"clip_norm": 5.0},
            (0.02, 0.01),
            by_optax(lambda lr, mask: optax.chain(optax.clip_by_global_norm(5.0), optax.sgd(lr))),
        ),
        (
            "adam",
            {"clip_norm": 1.0},
            (0.1, 0.05),
            by_optax(lambda lr, mask: optax.chain(optax.clip_by_global_norm(1.0), optax.adam(lr))),
        ),
        (
            "momentum(0.8, form=buffer)",
            {"clip_norm": 20.0},
            (0.01, 5e-4),
            by_optax(lambda lr, mask: optax.chain(optax.clip_by_global_norm(20.0), optax.sgd(lr, momentum=0.8))),
        ),
        (
            "momentum(form=buffer)",
            {"clip_value": 3.0},
            (0.01, 5e-3),
            by_torch(lambda p, lr: t.SGD(p, lr, momentum=0.9), clip=lambda p: value(p, 3.0)),
        ),
        (
            "adam",
            {"clip_value": 0.5, "l2": 0.05},
            (0.1, 0.002),
            by_torch(lambda p, lr: t.Adam(p, lr, weight_decay=0.05), clip=lambda p: value(p, 0.5)),
        ),
        (
            "momentum",
            {"weight_decay": 0.4},
            (0.01, 2e-4),
            by_keras(lambda lr: k.SGD(lr, momentum=0.9, weight_decay=0.4)),
        ),
        (
            "rmsprop",
            {"weight_decay": 0.1},
            (0.05, 0.01),
            by_optax(
                lambda lr, mask: optax.chain(
                    optax.scale_by_rms(decay=0.9, eps=1e-8, eps_in_sqrt=False),
                    optax.add_decayed_weights(0.1, mask),
                    optax.scale_by_learning_rate(lr),
                )
            ),
        ),
        (
            "adam",
            {"clip_norm": 10.0, "clip_value": 2.0, "weight_decay": 0.2},
            (0.1, 0.01),
            by_optax(
                lambda lr, mask: optax.chain(
                    optax.clip_by_global_norm(10.0), optax.clip(2.0), optax.adamw(lr, weight_decay=0.2, mask=mask)
                )
            ),
        ),
    ]


def trajectories():
    for optimizer, restraints, rates, run in rules():
        for problem, initial in zip(PROBLEMS, rates + RATES[optimizer.split("(")[0]]):
            yield {
                "optimizer": optimizer,
                "restraints": restraints,
                "schedule": f"inverse-time({initial}, decay=0.05)",
                "problem": problem,
                "float64": recorded(run(problem, initial, "float64"), 20 if problem == "matrix" else 10, 13),
                "float32": recorded(run(problem, initial, "float32"), 20, 9),
            }


def torch_rates(initial, make, count):
    """The rates of `count` steps under PyTorch's scheduler `make(optimizer)`."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=initial)
    scheduler = make(optimizer)
    rates = []
    for _ in range(count):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def keras_rates(schedule, count):
    return [float(schedule(torch.tensor(step, dtype=torch.float64))) for step in range(count)]


def optax_rates(schedule, count):
    return [float(schedule(jnp.asarray(step))) for step in range(count)]


def stable(peak, warmup, hold, decay, end):
    """Optax's schedule that rises, holds and falls; its first step is a step above zero."""
    rise = optax.linear_schedule(peak / warmup, peak, warmup - 1)
    fall = optax.linear_schedule(peak, end, decay)
    return optax.join_schedules([rise, optax.constant_schedule(peak), fall], [warmup, warmup + hold])


def schedules():
    """Each: the spelling, steps an epoch, steps in all, the rate of each step or epoch."""
    s = torch.optim.lr_scheduler
    k = keras.optimizers.schedules
    keras.config.set_floatx("float64")

    def warmed(optimizer):
        rise = s.LinearLR(optimizer, start_factor=1 / 20, total_iters=19)
        fall = s.CosineAnnealingLR(optimizer, T_max=180)
        return s.SequentialLR(optimizer, [rise, fall], milestones=[20])

    return [
        ("constant(0.1)", 1, 300, torch_rates(0.1, lambda o: s.ConstantLR(o, factor=1.0), 300)),
        ("exponential(0.1, rate=0.98)", 1, 300, torch_rates(0.1, lambda o: s.ExponentialLR(o, 0.98), 300)),
        ("exponential(0.1, rate=0.9, per=epoch)", 7, 280, torch_rates(0.1, lambda o: s.ExponentialLR(o, 0.9), 40)),
        ("step(0.3, every=30)", 1, 300, torch_rates(0.3, lambda o: s.StepLR(o, 30, 0.5), 300)),
        ("step(0.3, every=7%, factor=0.1)", 1, 100, torch_rates(0.3, lambda o: s.StepLR(o, 7, 0.1), 100)),
        ("step(0.3, every=3ep, factor=0.8)", 7, 280, torch_rates(0.3, lambda o: s.StepLR(o, 21, 0.8), 280)),
        ("step(0.3, every=3, factor=0.8, per=epoch)", 7, 280, torch_rates(0.3, lambda o: s.StepLR(o, 3, 0.8), 40)),
        ("cosine(0.1)", 1, 300, torch_rates(0.1, lambda o: s.CosineAnnealingLR(o, 300), 300)),
        (
            "cosine(0.1, end=0.001, over=40, per=epoch)",
            7,
            280,
            torch_rates(0.1, lambda o: s.CosineAnnealingLR(o, 40, eta_min=0.001), 40),
        ),
        (
            "cosine-restarts(0.1, first=30)",
            1,
            300,
            torch_rates(0.1, lambda o: s.CosineAnnealingWarmRestarts(o, 30), 300),
        ),
        (
            "cosine-restarts(0.1, first=7%, end=0.01)",
            1,
            100,
            torch_rates(0.1, lambda o: s.CosineAnnealingWarmRestarts(o, 7, eta_min=0.01), 100),
        ),
        (
            "cosine-restarts(0.1, first=10, t-mul=2, end=0.001)",
            1,
            320,
            torch_rates(0.1, lambda o: s.CosineAnnealingWarmRestarts(o, 10, T_mult=2, eta_min=0.001), 320),
        ),
        (
            "cosine-restarts(0.1, first=1, t-mul=3, per=epoch)",
            7,
            280,
            torch_rates(0.1, lambda o: s.CosineAnnealingWarmRestarts(o, 1, T_mult=3), 40),
        ),
        (
            "cosine-restarts(0.1, first=20, t-mul=1.5, m-mul=0.8)",
            1,
            300,
            keras_rates(k.CosineDecayRestarts(0.1, 20, t_mul=1.5, m_mul=0.8), 300),
        ),
        (
            "cosine-restarts(0.1, first=20, t-mul=1, m-mul=0.7)",
            1,
            300,
            keras_rates(k.CosineDecayRestarts(0.1, 20, t_mul=1.0, m_mul=0.7), 300),
        ),
        (
            "inverse-time(0.2, decay=0.05)",
            1,
            300,
            torch_rates(0.2, lambda o: s.LambdaLR(o, lambda t: 1 / (1 + 0.05 * t)), 300),
        ),
        (
            "inverse-time(0.2, decay=0.01)",
            1,
            300,
            keras_rates(k.InverseTimeDecay(0.2, decay_steps=1, decay_rate=0.01), 300),
        ),
        (
            "inverse-time(0.2, decay=1, per=epoch, from=1)",
            7,
            280,
            torch_rates(0.2, lambda o: s.LambdaLR(o, lambda t: 1 / (2 + t)), 40),
        ),
        ("inverse-sqrt(0.5)", 1, 300, torch_rates(0.5, lambda o: s.LambdaLR(o, lambda t: 1 / sqrt(t + 1)), 300)),
        (
            "inverse-sqrt(0.5, from=100)",
            1,
            300,
            torch_rates(0.5, lambda o: s.LambdaLR(o, lambda t: 1 / sqrt(t + 100)), 300),
        ),
        ("warmup(20, then=cosine(0.1))", 1, 200, torch_rates(0.1, warmed, 200)),
        (
            "piecewise(0.1, at=[30, 80, 200], rates=[0.05, 0.025, 0.0125])",
            1,
            300,
            torch_rates(0.1, lambda o: s.MultiStepLR(o, [30, 80, 200], 0.5), 300),
        ),
        (
            "piecewise(0.1, at=[30, 60%, 35ep], rates=[0.01, 0.5, 0])",
            7,
            280,
            optax_rates(optax.piecewise_constant_schedule(0.1, {30: 0.1, 168: 50.0, 245: 0.0}), 280),
        ),
        (
            "piecewise(0.1, at=[3, 50%], rates=[0.01, 0.001], per=epoch)",
            7,
            280,
            torch_rates(0.1, lambda o: s.MultiStepLR(o, [3, 20], 0.1), 40),
        ),
        ("linear(0.1)", 1, 300, keras_rates(k.PolynomialDecay(0.1, 300, 0.0), 300)),
        (
            "linear(0.1, end=0.02, over=50%)",
            1,
            300,
            torch_rates(0.1, lambda o: s.LinearLR(o, start_factor=1.0, end_factor=0.2, total_iters=150), 300),
        ),
        (
            "linear(0.03, end=0.1, over=20, per=epoch)",
            7,
            280,
            torch_rates(0.1, lambda o: s.LinearLR(o, start_factor=0.3, end_factor=1.0, total_iters=20), 40),
        ),
        ("polynomial(0.1, power=2)", 1, 300, torch_rates(0.1, lambda o: s.PolynomialLR(o, 300, power=2.0), 300)),
        (
            "polynomial(0.1, end=0.01, over=200, power=0.5)",
            1,
            300,
            keras_rates(k.PolynomialDecay(0.1, 200, 0.01, power=0.5), 300),
        ),
        ("one-cycle(0.1)", 1, 300, torch_rates(0.1, lambda o: s.OneCycleLR(o, 0.1, total_steps=300), 300)),
        (
            "one-cycle(0.3, over=297, start=17%, div=10, final-div=100)",
            1,
            297,
            torch_rates(
                0.1,
                lambda o: s.OneCycleLR(
                    o, 0.3, total_steps=297, pct_start=0.17, div_factor=10.0, final_div_factor=100.0
                ),
                297,
            ),
        ),
        (
            "one-cycle(0.1, start=8, per=epoch)",
            7,
            280,
            torch_rates(0.1, lambda o: s.OneCycleLR(o, 0.1, total_steps=40, pct_start=0.2), 40),
        ),
        (
            "cyclic(0.001, 0.1, half=40)",
            1,
            300,
            torch_rates(0.1, lambda o: s.CyclicLR(o, 0.001, 0.1, 40, cycle_momentum=False), 300),
        ),
        (
            "cyclic(0.01, 0.1, half=7%, mode=triangular2)",
            1,
            300,
            torch_rates(
                0.1, lambda o: s.CyclicLR(o, 0.01, 0.1, 21, mode="triangular2", cycle_momentum=False), 300
            ),
        ),
        (
            "cyclic(0.01, 0.1, half=3ep, mode=exp-range, gamma=0.99)",
            7,
            280,
            torch_rates(
                0.1,
                lambda o: s.CyclicLR(o, 0.01, 0.1, 21, mode="exp_range", gamma=0.99, cycle_momentum=False),
                280,
            ),
        ),
        ("wsd(0.1, warmup=20, decay=100)", 1, 300, optax_rates(stable(0.1, 20, 180, 100, 0.0), 300)),
        ("wsd(0.1, warmup=10%, decay=50%, end=0.02)", 1, 300, optax_rates(stable(0.1, 30, 120, 150, 0.02), 300)),
        (
            "noam(1, model=512, warmup=40)",
            1,
            300,
            torch_rates(
                1.0, lambda o: s.LambdaLR(o, lambda t: 512**-0.5 * min((t + 1) ** -0.5, (t + 1) * 40**-1.5)), 300
            ),
        ),
        (
            "noam(2, model=64, warmup=30%)",
            1,
            300,
            torch_rates(
                2.0, lambda o: s.LambdaLR(o, lambda t: 64**-0.5 * min((t + 1) ** -0.5, (t + 1) * 90**-1.5)), 300
            ),
        ),
        (
            "sequence(first=exponential(0.1, rate=0.98), for=100, then=cosine(0.1))",
            1,
            300,
            torch_rates(
                0.1,
                lambda o: s.SequentialLR(o, [s.ExponentialLR(o, 0.98), s.CosineAnnealingLR(o, 200)], milestones=[100]),
                300,
            ),
        ),
        (
            "sequence(cosine(0.1), 20%, sequence(0.05, 100, linear(0.05)))",
            1,
            300,
            optax_rates(
                optax.join_schedules(
                    [
                        optax.cosine_decay_schedule(0.1, 60),
                        optax.constant_schedule(0.05),
                        optax.linear_schedule(0.05, 0.0, 140),
                    ],
                    [60, 160],
                ),
                300,
            ),
        ),
    ]


def write(name, entries):
    """One entry a line."""
    path = Path(__file__).parents[2] / "crates/optim/tests/golden" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries) + "\n]\n")


if __name__ == "__main__":
    write("problems.json", [{"name": name, **problem} for name, problem in PROBLEMS.items()])
    write("rules.json", list(trajectories()))
    write(
        "schedules.json",
        [
            {"schedule": schedule, "steps_per_epoch": epoch, "total_steps": total, "rates": [float(f"{rate:.13g}") for rate in rates]}
            for schedule, epoch, total, rates in schedules()
        ],
    )
