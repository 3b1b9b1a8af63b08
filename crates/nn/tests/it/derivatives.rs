//! What the tests of derivatives go through.

use downhill_nn::LayerSpec;

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

/// These rows of inputs, with categories in the place of the first where the network begins with an
/// embedding.
pub fn with_categories(layers: &[LayerSpec], inputs: usize, mut x: Vec<f64>) -> Vec<f64> {
    if let Some(LayerSpec::Embedding(embedding)) = layers.first() {
        for (i, row) in x.chunks_mut(inputs).enumerate() {
            for (j, (x, &count)) in row.iter_mut().zip(&embedding.categories).enumerate() {
                *x = ((5 * i + j) % count) as f64;
            }
        }
    }
    x
}
