//! What the tests of derivatives go through.

pub const ACTIVATIONS: [&str; 11] = [
    "relu",
    "leaky-relu(0.2)",
    "elu(0.7)",
    "selu",
    "gelu",
    "silu",
    "mish",
    "tanh",
    "sigmoid",
    "softplus",
    "identity",
];

pub const LOSSES: [&str; 7] = [
    "cross-entropy",
    "cross-entropy(0.1)",
    "cross-entropy(0.1, class-weights=[1, 0.2, 3])",
    "binary-cross-entropy",
    "mse",
    "mae",
    "huber(0.3)",
];
