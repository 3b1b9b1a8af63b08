"""The problems that update rules are compared on, and what each is of: layout, start and data.

The gradients are written here once for all frameworks, in NumPy, in the type under test. All data are small fractions
of powers of two, so that both types and both languages have the same numbers.
"""

import numpy as np

# Half of a sum of squares, badly scaled, its minimum away from zero.
SCALES = [0.1, 1.0, 10.0, 100.0]
CENTRES = [1.0, -2.0, 3.0, 0.5]
ROWS_PER_STEP = 8


def numbers(seed, rows, columns, unit):
    """A table of multiples of `unit` from −15 to 15, by a linear congruential generator."""
    table = []
    for _ in range(rows):
        row = []
        for _ in range(columns):
            seed = (seed * 1103515245 + 12345) % 2**31
            row.append(((seed >> 16) % 31 - 15) * unit)
        table.append(row)
    return table


def noisy_labels(inputs):
    """0 or 1, by a plane with noise on it: no plane separates them."""
    noise = numbers(5, len(inputs), 1, 0.125)
    return [[1.0 if 2 * a - b + 0.5 * c + n > 0.25 else 0.0] for (a, b, c), (n,) in zip(inputs, noise)]


def tensors(*described):
    layout, offset = [], 0
    for name, shape, role in described:
        layout.append({"name": name, "shape": shape, "offset": offset, "role": role})
        offset += int(np.prod(shape))
    return {"tensors": layout}


def plain(length):
    return tensors(("weight", [length], "weight"))


FEATURES = numbers(1, 64, 3, 0.125)

PROBLEMS = {
    "quadratic": {"layout": plain(4), "start": [-3.0, 4.0, 2.0, -1.0]},
    "rosenbrock": {"layout": plain(2), "start": [-1.2, 1.0]},
    "beale": {"layout": plain(2), "start": [1.0, 0.25]},
    # Logistic regression, eight rows a step, one batch after the other: the gradient is a noisy one.
    "logistic": {
        "layout": plain(4),  # three slopes and the intercept
        "start": [0.5, 0.25, -0.75, 0.125],
        "inputs": FEATURES,
        "targets": noisy_labels(FEATURES),
    },
    # Half of the mean squared error of a linear layer.
    "matrix": {
        "layout": tensors(("0.weight", [4, 3], "weight"), ("0.bias", [3], "bias")),
        "start": sum(numbers(2, 4, 3, 0.0625), []) + [0.5, -0.25, 0.125],
        "inputs": numbers(3, 6, 4, 0.125),
        "targets": numbers(4, 6, 3, 0.25),
    },
    # The same with fewer inputs than outputs.
    "wide": {
        "layout": tensors(("0.weight", [2, 5], "weight"), ("0.bias", [5], "bias")),
        "start": sum(numbers(6, 2, 5, 0.0625), []) + [0.5, -0.25, 0.125, 0.0, -0.5],
        "inputs": numbers(7, 6, 2, 0.125),
        "targets": numbers(8, 6, 5, 0.25),
    },
}


def starts(problem, dtype):
    """What each tensor of a problem starts from."""
    start = np.asarray(PROBLEMS[problem]["start"], dtype)
    layout = PROBLEMS[problem]["layout"]["tensors"]
    return [start[t["offset"] :][: int(np.prod(t["shape"]))].reshape(t["shape"]).copy() for t in layout]


def weights(problem):
    """Of each tensor, whether it is a weight: what is penalised and decayed."""
    return [t["role"] == "weight" for t in PROBLEMS[problem]["layout"]["tensors"]]


def gradients(problem, step, params):
    """The gradient of each tensor, of the type of the first."""
    p, dtype = params[0], params[0].dtype
    if problem == "quadratic":
        return [np.asarray(SCALES, dtype) * (p - np.asarray(CENTRES, dtype))]
    if problem == "rosenbrock":
        x, y = p
        valley = y - x * x
        return [np.stack([-2.0 * (1.0 - x) - 400.0 * x * valley, 200.0 * valley])]
    if problem == "beale":
        x, y = p
        a, b, c = 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y
        by_x = a * (y - 1.0) + b * (y * y - 1.0) + c * (y * y * y - 1.0)
        by_y = x * (a + 2.0 * b * y + 3.0 * c * y * y)
        return [np.stack([2.0 * by_x, 2.0 * by_y])]
    inputs, targets = (np.asarray(PROBLEMS[problem][name], dtype) for name in ["inputs", "targets"])
    if problem == "logistic":
        first = step * ROWS_PER_STEP % len(inputs)
        inputs, targets = (table[first : first + ROWS_PER_STEP] for table in [inputs, targets[:, 0]])
        error = 1.0 / (1.0 + np.exp(-(inputs @ p[:3] + p[3]))) - targets
        return [np.append(error @ inputs, error.sum()) / dtype.type(ROWS_PER_STEP)]
    error = (inputs @ p + params[1] - targets) / dtype.type(len(inputs))
    return [inputs.T @ error, error.sum(axis=0)]
