#![doc = include_str!("../README.md")]

pub mod activation;
mod calibrate;
mod copies;
mod error;
mod hessian;
pub mod layer;
pub mod loss;
pub mod metric;
mod mlp;
mod model;
mod spec;
mod statistics;
mod sum;
mod targets;
mod trace;
mod workspace;

pub use activation::{Elu, Gelu, Identity, LeakyRelu, Mish, Relu, Selu, Sigmoid, Silu, Softplus, Tanh};
pub use calibrate::Calibration;
pub use error::Error;
pub use hessian::Hessian;
pub use layer::{BatchNorm, Dense, Dropout, LayerNorm};
pub use loss::Loss;
pub use metric::{ConfusionMatrix, Metric};
pub use mlp::Mlp;
pub use model::Model;
pub use spec::{Activation, LayerSpec};
pub use targets::Targets;
pub use trace::Trace;
pub use workspace::{Batch, Workspace};
