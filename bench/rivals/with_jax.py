"""JAX with Optax: a jitted step with its buffers donated (`step`), or the whole epoch in `lax.scan` (`scan`), and for a
sweep that with `vmap` over the rates."""

from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np
import optax

from protocol import Unable, gradient, serve


def init(work, key):
    params = []
    for i, (inputs, outputs) in enumerate(zip(work.widths, work.widths[1:])):
        key, part = jax.random.split(key)
        layer = {"weight": jax.random.normal(part, (inputs, outputs)) * (2 / inputs) ** 0.5}
        if work.batch_norm and i < len(work.hidden):
            layer["scale"] = jnp.ones(outputs)
        layer["shift"] = jnp.zeros(outputs)
        params.append(layer)
    return params


def forward(work, params, statistics, x, key=None):
    """The outputs, and the statistics of batch normalisation after them; without a key, as in prediction."""
    moved = []
    for i, layer in enumerate(params):
        x = x @ layer["weight"]
        if "scale" in layer:
            mean, variance = statistics[i]
            if key is not None:
                batch_mean, batch_variance = x.mean(axis=0), x.var(axis=0)
                unbiased = batch_variance * (len(x) / (len(x) - 1))
                moved.append((0.9 * mean + 0.1 * batch_mean, 0.9 * variance + 0.1 * unbiased))
                mean, variance = batch_mean, batch_variance
            x = (x - mean) * (jax.lax.rsqrt(variance + 1e-5) * layer["scale"])
        x = x + layer["shift"]
        if i == len(params) - 1:
            break
        x = jax.nn.relu(x)
        if work.dropout and key is not None:
            key, part = jax.random.split(key)
            x = jnp.where(jax.random.bernoulli(part, 1 - work.dropout, x.shape), x / (1 - work.dropout), 0)
    return x, moved


def mean_loss(work, outputs, y):
    if work.regression:
        return jnp.mean((outputs[:, 0] - y) ** 2)
    return optax.softmax_cross_entropy_with_integer_labels(outputs, y).mean()


def rule(work):
    """The optimizer without its rate, which is one more factor."""
    parts = [optax.scale_by_adam()]
    if work.clip:
        parts.insert(0, optax.clip_by_global_norm(work.clip))
    if work.optimizer == "adamw":
        parts.append(optax.add_decayed_weights(work.weight_decay))
    return optax.chain(*parts)


def update(rule, lr, params, moments, grads):
    moves, moments = rule.update(grads, moments, params)
    return jax.tree.map(lambda p, move: p - lr * move, params, moves), moments


class Rival:
    version = f"{jax.__version__}, Optax {version('optax')}"

    def __init__(self, work, threads, variant):
        if work.rates and variant != "scan":
            raise Unable("a sweep is measured with scan")
        self.work, self.scans = work, variant == "scan"
        self.x, self.y = jnp.asarray(work.x), jnp.asarray(work.y)
        self.rule = rule(work)
        state, epoch = self.make_state, self.epoch
        if work.rates:
            state, epoch = jax.vmap(state), jax.vmap(epoch, in_axes=(0, 0, None, None, None))
        self.make_state = jax.jit(state)
        self.run_epoch = jax.jit(epoch, donate_argnums=0)
        self.run_step = jax.jit(self.step, donate_argnums=0)
        self.run_forward = jax.jit(lambda params, statistics, x: forward(work, params, statistics, x)[0])

    def make_state(self, key):
        params = init(self.work, key)
        statistics = [(jnp.zeros(len(p["scale"])), jnp.ones(len(p["scale"]))) for p in params if "scale" in p]
        return params, statistics, self.rule.init(params)

    def step(self, state, lr, x, y, rows, key):
        params, statistics, moments = state

        def objective(params):
            outputs, moved = forward(self.work, params, statistics, x[rows], key)
            return mean_loss(self.work, outputs, y[rows]), moved

        grads, statistics = jax.grad(objective, has_aux=True)(params)
        params, moments = update(self.rule, lr, params, moments, grads)
        return params, statistics, moments

    def order(self, key):
        return jax.random.permutation(key, self.work.rows).reshape(self.work.steps, self.work.batch)

    def epoch(self, state, lr, x, y, key):
        keys = jax.random.split(key, self.work.steps)
        body = lambda state, item: (self.step(state, lr, x, y, *item), None)
        return jax.lax.scan(body, state, (self.order(key), keys))[0]

    def fresh(self, seed):
        self.key = jax.random.key(seed)
        key = jax.random.split(self.key, len(self.work.rates)) if self.work.rates else self.key
        self.lr = jnp.asarray(self.work.rates or self.work.lr)
        self.state = jax.block_until_ready(self.make_state(key))

    def train(self):
        for epoch in range(self.work.epochs):
            key = jax.random.fold_in(self.key, epoch)
            if self.scans:
                self.state = self.run_epoch(self.state, self.lr, self.x, self.y, key)
                continue
            keys = jax.random.split(key, self.work.steps) if self.work.dropout else [key] * self.work.steps
            for rows, part in zip(np.asarray(self.order(key)), keys):
                self.state = self.run_step(self.state, self.lr, self.x, self.y, rows, part)
        jax.block_until_ready(self.state)

    def loss(self):
        work = self.work
        measure = lambda params, statistics: mean_loss(
            work, forward(work, params, statistics, self.x[work.measured])[0], self.y[work.measured]
        )
        measure = jax.vmap(measure) if work.rates else measure
        return measure(*self.state[:2]).tolist()

    def predict(self, x):
        return np.asarray(self.run_forward(*self.state[:2], x))


class Update:
    version = Rival.version

    def __init__(self, work, threads, variant):
        if variant != "step":
            raise Unable("one step needs no scan")
        optimizer = rule(work)
        self.run = jax.jit(lambda *state: update(optimizer, work.lr, *state), donate_argnums=(0, 1))
        self.grads = jnp.asarray(gradient(work))
        self.params = jnp.zeros_like(self.grads)
        self.moments = optimizer.init(self.params)

    def prepare(self):
        pass

    def step(self):
        self.params, self.moments = jax.block_until_ready(self.run(self.params, self.moments, self.grads))

    def size(self):
        return float(jnp.abs(self.params).mean())


if __name__ == "__main__":
    serve(Rival, Update)
