#![doc = include_str!("../README.md")]

pub mod activation;
mod calibrate;
mod curvature;
mod error;
mod evaluate;
mod graph;
mod inference;
pub mod loss;
pub mod metric;
mod mlp;
mod model;
mod numbers;
mod op;
mod shape;
mod statistics;
mod step;
mod sum;
mod targets;
mod trace;

pub use activation::{Elu, Gelu, Identity, LeakyRelu, Mish, Relu, Selu, Sigmoid, Silu, Softplus, Tanh};
pub use calibrate::Calibration;
pub use curvature::Hessian;
pub use error::Error;
pub use inference::Inference;
pub use loss::Loss;
pub use metric::{ConfusionMatrix, Metric};
pub use mlp::Mlp;
pub use model::Model;
pub use numbers::{Auto, Numbers, Plain, QuantileBins};
pub use op::*;
pub use shape::Shape;
pub use step::{Batch, Workspace};
pub use targets::Targets;
pub use trace::Trace;
