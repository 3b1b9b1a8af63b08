#![doc = include_str!("../README.md")]

mod accumulator;
mod around;
mod drive;
mod elementary;
pub mod excerpt;
mod float;
mod group;
mod init;
pub mod invalid;
mod layout;
mod lookahead;
mod nearest;
mod optimizer;
pub mod random;
mod restraints;
mod rule;
mod schedule;
pub mod simd;
pub mod spec;
pub mod threads;

pub use accumulator::Accumulator;
pub use around::{Averaged, Before, Clip, Decay, Penalty, Prepared, clip_norm_scale};
pub use float::Float;
pub use group::{ByName, ByRole, Group};
pub use init::{Fill, Gain, Glorot, Init, Lsuv, Normal, Orthogonal, Sparse, TruncatedNormal, Uniform};
pub use invalid::Invalid;
pub use layout::{Layout, Role, Tensor};
pub use lookahead::{Every, Lookahead};
pub use nearest::nearest;
pub use optimizer::{Optimizer, Stability};
pub use restraints::Restraints;
pub use rule::{
    Adadelta, Adagrad, Adam, AdamW, Adamax, AmsGrad, Form, Lamb, Lars, Lion, MeasuredRule, Memory, Momentum,
    Muon, NAdam, Nesterov, Over, Prodigy, RAdam, RmsProp, Rule, Scale, ScheduleFreeAdamW, ScheduleFreeSgd,
    Sgd, Slots, State, Step, UpdateRule,
};
pub use schedule::{
    Constant, Cosine, CosineRestarts, Cyclic, Exponential, InverseSqrt, InverseTime, Length, Linear, Mode,
    Noam, OneCycle, Per, Piecewise, Polynomial, Position, Schedule, Sequence, Staircase, Warmup, Wsd,
};
pub use spec::SpecError;
