"""Reference values for the tests of downhill-optim and downhill-schedule, from PyTorch, Keras and Optax.

Writes crates/optim/tests/golden/{problems,rules}.json and crates/schedule/tests/golden/schedules.json. Run from anywhere:

    pip install torch==2.15.0 keras==3.15.1 optax==0.2.8 jax==0.10.2 numpy==2.4.6 schedulefree==1.4.1 prodigyopt==1.1.2 pytorch-optimizer==4.1.0
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
import prodigyopt
import pytorch_optimizer
import schedulefree
import torch
from problems import PROBLEMS, gradients, starts, weights

jax.config.update("jax_enable_x64", True)

STEPS = 60
EVERYWHERE = ["quadratic", "rosenbrock", "beale", "logistic", "matrix"]

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
    "lars": (0.05, 0.05, 0.05),
    "lamb": (0.02, 0.02, 0.02),
    "muon": (0.02, 0.05, 0.02),
    "schedule-free-sgd": (0.01, 0.5, 0.1),
    "schedule-free-adamw": (0.05, 0.1, 0.05),
    "prodigy": (1.0, 1.0, 0.3),
    "adan": (0.05, 0.1, 0.05),
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


def by_tensor(make):
    """A trajectory of one optimizer a tensor: `make(start, is_weight, lr)` gives its `move(lr, gradient)`."""

    def run(problem, initial, dtype):
        torch.set_default_dtype(getattr(torch, dtype))
        keras.config.set_floatx(dtype)
        params = starts(problem, dtype)
        moves = [make(p, is_weight, initial) for p, is_weight in zip(params, weights(problem))]
        path = []
        for step in range(STEPS):
            lr = rate(initial, step)
            params = [move(lr, g) for move, g in zip(moves, gradients(problem, step, params))]
            path.append(flat(params))
        return path

    return run


def torch_tensor(start, make):
    """How PyTorch's optimizer `make(parameters)` moves one tensor."""
    p = torch.tensor(start, requires_grad=True)
    optimizer = make([p])

    def move(lr, gradient):
        optimizer.param_groups[0]["lr"] = lr
        p.grad = torch.tensor(gradient)
        optimizer.step()
        return p.detach().numpy().copy()

    return move


def keras_tensor(start, optimizer):
    """How Keras's optimizer moves one tensor."""
    p = keras.Variable(start, dtype=str(start.dtype))
    optimizer.build([p])

    def move(lr, gradient):
        optimizer.learning_rate.assign(lr)
        optimizer.apply([torch.tensor(gradient)])
        return p.value.detach().numpy().copy()

    return move


def frobenius(x, axis, keepdims):
    """Keras's own norm of a float64 has the precision of a float32."""
    return torch.linalg.matrix_norm(x, dim=axis, keepdim=keepdims)


keras.src.ops.norm = frobenius


def muon(momentum=0.95, nesterov=True, scale="rms", beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    """Keras's Muon for matrices, the only one that adds ε to the norm, as Jordan does, and works in the type it is
    given; PyTorch's AdamW for the rest."""

    def make(start, is_weight, lr):
        if not is_weight or start.ndim != 2:
            decay = weight_decay if is_weight else 0.0
            return torch_tensor(
                start, lambda p: torch.optim.AdamW(p, lr, betas=(beta1, beta2), eps=eps, weight_decay=decay)
            )
        inputs, outputs = start.shape
        # Keras multiplies by the root of the longer side.
        rms_rate = 0.2 if scale == "rms" else sqrt(max(1.0, outputs / inputs) / max(inputs, outputs))
        return keras_tensor(
            start,
            keras.optimizers.Muon(
                lr, momentum=momentum, nesterov=nesterov, rms_rate=rms_rate, weight_decay=weight_decay
            ),
        )

    return by_tensor(make)


def lars(momentum=0.9, weight_decay=0.0, trust=0.001):
    """The paper's algorithm 1: Optax divides by the norm of the decayed gradient instead."""

    def make(start, is_weight, lr):
        p, v = start, np.zeros_like(start)
        decay = p.dtype.type(weight_decay if is_weight else 0.0)

        def move(lr, g):
            nonlocal p, v
            norm_p, norm_g = np.linalg.norm(p), np.linalg.norm(g)
            adapts = is_weight and norm_p > 0.0 and norm_g > 0.0
            local = p.dtype.type(trust) * norm_p / (norm_g + decay * norm_p) if adapts else p.dtype.type(1.0)
            v = p.dtype.type(momentum) * v + p.dtype.type(lr) * local * (g + decay * p)
            p = p - v
            return p

        return move

    return by_tensor(make)


def lamb(lr, mask, eps=1e-6, weight_decay=0.01, **settings):
    """Optax's, for weights; the others move as Adam moves them."""
    return optax.multi_transform(
        {
            True: optax.lamb(lr, eps=eps, weight_decay=weight_decay, **settings),
            False: optax.adam(lr, eps=eps, **settings),
        },
        mask,
    )


def schedule_free(make):
    """The authors' `make(parameters, lr)`: both where it trains and where it is evaluated.

    The rate rises first and falls then: what a step counts for in the average is a matter of the highest rate so far."""

    def rising(initial, step):
        return initial * (step + 1) / 30 if step < 30 else rate(initial, step - 30)

    def run(problem, initial, dtype):
        params = [torch.tensor(start, requires_grad=True) for start in starts(problem, dtype)]
        groups = [{"params": [p]} | ({} if w else {"weight_decay": 0.0}) for p, w in zip(params, weights(problem))]
        optimizer = make(groups, initial)
        optimizer.train()
        path, evaluated = [], []
        for step in range(STEPS):
            for group in optimizer.param_groups:
                group["lr"] = rising(initial, step)
            for p, g in zip(params, gradients(problem, step, [p.detach().numpy() for p in params])):
                p.grad = torch.from_numpy(g)
            optimizer.step()
            path.append(flat(params))
            kept = [p.detach().clone() for p in params]
            optimizer.eval()
            evaluated.append(flat(params))
            optimizer.train()
            for p, before in zip(params, kept):
                p.data.copy_(before)  # there and back again is not exact
        return path, evaluated

    run.schedule = "warmup(30, then=inverse-time({}, decay=0.05))"
    return run


def flat(params):
    """Every number of some tensors."""
    return [x for p in params for x in (p.detach().numpy() if torch.is_tensor(p) else np.asarray(p)).ravel().tolist()]


def recorded(double, single, problem, paths):
    """The last of so many steps each, to so many digits: 9 are all of a float32, and 13 are far below 1e-10."""

    def some(path, every, digits):
        return [[float(f"{x:.{digits}g}") for x in params] for params in path[every - 1 :: every]]

    many = len(PROBLEMS[problem]["start"]) > 4
    return {double: some(paths["float64"], 20 if many else 10, 13), single: some(paths["float32"], 20, 9)}


def rules():
    """Each: the spelling, regularization, rates for the quadratic and for Rosenbrock's, and who computes it."""
    t = torch.optim
    value = torch.nn.utils.clip_grad_value_
    k = keras.optimizers

    def rms(**settings):
        return lambda p, lr: t.RMSprop(p, lr, **{"alpha": 0.95, "eps": 1e-8, **settings})

    def adan(**settings):
        return lambda p, lr: pytorch_optimizer.Adan(p, lr, weight_decouple=False, **settings)

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
        ("lars", {}, (5.0, 2.0, 5.0, 5.0, 0.05), by_optax(lambda lr, mask: optax.lars(lr, trust_ratio_mask=mask))),
        (
            "lars(0.5, trust=0.1)",
            {},
            (0.1, 0.02),
            by_optax(lambda lr, mask: optax.lars(lr, momentum=0.5, trust_coefficient=0.1, trust_ratio_mask=mask)),
        ),
        ("lars(weight-decay=0.5, trust=0.02)", {}, (0.2, 0.05), lars(weight_decay=0.5, trust=0.02)),
        ("lars(0, weight-decay=0.1, trust=0.05)", {}, (0.5, 0.2), lars(0.0, weight_decay=0.1, trust=0.05)),
        ("lamb", {}, (0.02, 0.01), by_optax(lamb)),
        (
            "lamb(0.8, beta2=0.95, eps=1e-3, weight-decay=0)",
            {},
            (0.03, 0.005),
            by_optax(lambda lr, mask: lamb(lr, mask, b1=0.8, b2=0.95, eps=1e-3, weight_decay=0.0)),
        ),
        (
            "lamb(beta1=0.7, beta2=0.99, eps=1e-4, weight-decay=0.3)",
            {},
            (0.02, 0.005),
            by_optax(lambda lr, mask: lamb(lr, mask, b1=0.7, b2=0.99, eps=1e-4, weight_decay=0.3)),
        ),
        ("muon", {}, (0.1, 0.02), muon()),
        (
            "muon(0.8, nesterov=false, scale=shape, beta1=0.8, beta2=0.99, eps=1e-3, weight-decay=0.3)",
            {},
            (0.1, 0.01),
            muon(0.8, nesterov=False, scale="shape", beta1=0.8, beta2=0.99, eps=1e-3, weight_decay=0.3),
        ),
        ("schedule-free-sgd", {}, (0.01, 5e-4), schedule_free(lambda p, lr: schedulefree.SGDScheduleFree(p, lr))),
        (
            "schedule-free-sgd(0.7, weight-decay=0.2, r=1, lr-power=1)",
            {},
            (0.01, 4e-4),
            schedule_free(
                lambda p, lr: schedulefree.SGDScheduleFree(
                    p, lr, momentum=0.7, weight_decay=0.2, r=1.0, weight_lr_power=1.0
                )
            ),
        ),
        (
            "schedule-free-adamw",
            {},
            (0.1, 0.05),
            schedule_free(lambda p, lr: schedulefree.AdamWScheduleFree(p, lr)),
        ),
        (
            "schedule-free-adamw(0.95, beta2=0.99, eps=1e-4, weight-decay=0.3, r=0.5, lr-power=0)",
            {},
            (0.1, 0.02),
            schedule_free(
                lambda p, lr: schedulefree.AdamWScheduleFree(
                    p, lr, betas=(0.95, 0.99), eps=1e-4, weight_decay=0.3, r=0.5, weight_lr_power=0.0
                )
            ),
        ),
        ("prodigy", {}, (1.0, 1.0), by_torch(lambda p, lr: prodigyopt.Prodigy(p, lr))),
        (
            "prodigy(0.8, beta2=0.99, eps=1e-6, weight-decay=0.1, d0=1e-2, d-coef=0.5, bias-correction=true)",
            {},
            (0.5, 1.0),
            by_torch(
                lambda p, lr: prodigyopt.Prodigy(
                    p, lr, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1, d0=1e-2, d_coef=0.5, use_bias_correction=True
                )
            ),
        ),
        (
            "prodigy(d0=1e-2, growth-rate=1.05, safeguard-warmup=true)",
            {},
            (0.7, 0.5),
            by_torch(lambda p, lr: prodigyopt.Prodigy(p, lr, d0=1e-2, growth_rate=1.05, safeguard_warmup=True)),
        ),
        ("adan", {}, (0.1, 0.05), by_torch(adan(weight_decay=0.02))),
        (
            "adan(0.9, beta2=0.7, beta3=0.95, eps=1e-3, weight-decay=0.3)",
            {},
            (0.1, 0.05),
            by_torch(adan(betas=(0.9, 0.7, 0.95), eps=1e-3, weight_decay=0.3)),
        ),
    ]


def wide_rules():
    """What treats a matrix that is wider than high differently."""
    return [
        ("muon", 0.02, muon()),
        ("muon(0.8, scale=shape)", 0.02, muon(0.8, scale="shape")),
    ]


def trajectories():
    for optimizer, regularization, rates, run in rules():
        for problem, initial in zip(EVERYWHERE, (rates + RATES[optimizer.split("(")[0]])[:5]):
            entry = {"optimizer": optimizer, "regularization": regularization} | trajectory(problem, initial, run)
            if optimizer == "prodigy":
                # With d₀ = 1e-6 the first steps are of the size of the parameters' last bit, and what it estimates from
                # them is rounding: two float32 orders of the same sums are a tenth apart, and so are all later steps.
                del entry["float32"]
            yield entry
    for optimizer, initial, run in wide_rules():
        yield {"optimizer": optimizer, "regularization": {}} | trajectory("wide", initial, run)


def trajectory(problem, initial, run):
    """What a framework makes of a problem, in both types."""
    schedule = getattr(run, "schedule", "inverse-time({}, decay=0.05)").format(initial)
    entry = {"schedule": schedule, "problem": problem}
    found = {dtype: run(problem, initial, dtype) for dtype in ["float64", "float32"]}
    if isinstance(found["float64"], tuple):
        entry |= recorded("evaluation64", "evaluation32", problem, {t: path[1] for t, path in found.items()})
        found = {dtype: path[0] for dtype, path in found.items()}
    return entry | recorded("float64", "float32", problem, found)


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


def write(crate, name, entries):
    """One entry a line."""
    path = Path(__file__).parents[2] / "crates" / crate / "tests/golden" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries) + "\n]\n")


if __name__ == "__main__":
    write("optim", "problems.json", [{"name": name, **problem} for name, problem in PROBLEMS.items()])
    write("optim", "rules.json", list(trajectories()))
    write(
        "schedule",
        "schedules.json",
        [
            {
                "schedule": schedule,
                "steps_per_epoch": epoch,
                "total_steps": total,
                "rates": [float(f"{rate:.13g}") for rate in rates],
            }
            for schedule, epoch, total, rates in schedules()
        ],
    )
