#![doc = include_str!("../README.md")]

mod around;
mod float;
mod init;
pub mod invalid;
mod layout;
mod nearest;
mod optimizer;
pub mod random;
mod rule;
mod schedule;
pub mod simd;
pub mod spec;

pub use around::{ClipValue, DecoupledDecay, Penalty, clip_norm_scale};
pub use float::Float;
pub use init::{Fill, Init, Normal, Orthogonal, Sparse, TruncatedNormal, Uniform};
pub use invalid::Invalid;
pub use layout::{Layout, Role, Tensor};
pub use nearest::nearest;
pub use optimizer::{Optimizer, Restraints};
pub use rule::{
    Adadelta, Adagrad, Adam, AdamW, Adamax, AmsGrad, Form, Lion, Momentum, NAdam, Nesterov, RAdam, RmsProp,
    Rule, Sgd, Slots, State, Step, UpdateRule,
};
pub use schedule::{
    Constant, Cosine, CosineRestarts, Cyclic, Exponential, InverseSqrt, InverseTime, Length, Linear, Mode,
    Noam, OneCycle, Per, Piecewise, Polynomial, Position, Schedule, Sequence, Staircase, Warmup, Wsd,
};
pub use spec::SpecError;
