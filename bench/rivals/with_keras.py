"""Keras with `fit`, compiled by XLA, on the backend that is named: jax or tensorflow."""

import os
import sys

BACKEND = sys.argv[3]
os.environ["KERAS_BACKEND"] = BACKEND
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

from protocol import gradient, serve


def build(work):
    network = [keras.Input((work.inputs,))]
    for units in work.hidden:
        network.append(layers.Dense(units, use_bias=not work.batch_norm))
        if work.batch_norm:
            network.append(layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
        network.append(layers.ReLU())
        if work.dropout:
            network.append(layers.Dropout(work.dropout))
    return keras.Sequential([*network, layers.Dense(work.outputs)])


def make_optimizer(work):
    common = {"learning_rate": work.lr, "epsilon": 1e-8, "global_clipnorm": work.clip or None}
    if work.optimizer == "adamw":
        return keras.optimizers.AdamW(weight_decay=work.weight_decay, **common)
    return keras.optimizers.Adam(**common)


def set_up(threads):
    """The version, after the backend has its threads."""
    if BACKEND == "tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        return f"{keras.__version__}, TensorFlow {tensorflow.__version__}"
    import jax

    return f"{keras.__version__}, JAX {jax.__version__}"


class Rival:
    def __init__(self, work, threads, _):
        self.version = set_up(threads)
        self.work = work
        self.model = build(work)
        optimizer = make_optimizer(work)
        loss = "mse" if work.regression else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        # So many batches a call, where the usual one spends most of its time between them.
        together = max(number for number in range(1, 33) if work.steps % number == 0)
        self.model.compile(optimizer, loss, jit_compile=True, steps_per_execution=together)
        optimizer.build(self.model.trainable_variables)
        # Another training begins with these weights and moments; a new model would be compiled again.
        self.begin = self.model.get_weights()
        self.moments = [np.array(value) for value in optimizer.variables]

    def fresh(self, seed):
        keras.utils.set_random_seed(seed)
        self.reset()

    def reset(self):
        self.model.set_weights(self.begin)
        for variable, value in zip(self.model.optimizer.variables, self.moments):
            variable.assign(value)

    def fit(self):
        work = self.work
        self.model.fit(work.x, work.y, batch_size=work.batch, epochs=work.epochs, verbose=0)

    def train(self):
        if not self.work.rates:
            return self.fit()
        self.losses = []
        for rate in self.work.rates:
            self.reset()
            self.model.optimizer.learning_rate = rate
            self.fit()
            self.losses.append(self.measure())

    def measure(self):
        x, y = self.work.x[self.work.measured], self.work.y[self.work.measured]
        return float(self.model.evaluate(x, y, batch_size=len(x), verbose=0))

    def loss(self):
        return self.losses if self.work.rates else self.measure()

    def predict(self, x):
        return self.model.predict_on_batch(x)


class Update:
    """A step of the optimizer, compiled as `fit` compiles it."""

    def __init__(self, work, threads, _):
        self.version = set_up(threads)
        grads = gradient(work)
        self.weight = keras.Variable(np.zeros_like(grads))
        self.grads = keras.ops.convert_to_tensor(grads)
        optimizer = make_optimizer(work)
        optimizer.build([self.weight])
        self.step = self.on_tensorflow(optimizer) if BACKEND == "tensorflow" else self.on_jax(optimizer)

    def on_tensorflow(self, optimizer):
        import tensorflow

        return tensorflow.function(lambda: optimizer.apply([self.grads]), jit_compile=True)

    def on_jax(self, optimizer):
        import jax

        def apply(moments, params, grads):
            return optimizer.stateless_apply(moments, grads, params)

        run = jax.jit(apply, donate_argnums=(0, 1))
        moments = optimizer.variables

        def step():
            found = run([m.value for m in moments], [self.weight.value], [self.grads])
            for variable, value in zip([self.weight, *moments], [*found[0], *found[1]]):
                variable.assign(value)
            jax.block_until_ready(self.weight.value)

        return step

    def prepare(self):
        pass

    def size(self):
        return float(np.abs(self.weight.numpy()).mean())


if __name__ == "__main__":
    serve(Rival, Update)
