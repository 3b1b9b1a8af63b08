#![doc = include_str!("../README.md")]
//! # What lives here
//!
//! Schedules, each a pure function in a file of its own, and the clock they are read by: [`Position`],
//! [`Length`], [`Per`]. What may enter: anything that follows from the position in a run and its own settings
//! alone. What may not: state, anything that reacts to losses (a policy, which belongs to the training loop),
//! update rules, threads, and dependencies beyond `serde` and the light part of `downhill-core`.
#![forbid(unsafe_code)]

mod clock;
mod constant;
mod cosine;
mod cosine_restarts;
mod cyclic;
mod exponential;
mod inverse_sqrt;
mod inverse_time;
mod length;
mod linear;
mod noam;
mod one_cycle;
mod piecewise;
mod polynomial;
mod scaled;
mod schedule;
mod sequence;
mod staircase;
mod warmup;
mod wsd;

pub use clock::{Per, Position};
pub use constant::Constant;
pub use cosine::Cosine;
pub use cosine_restarts::CosineRestarts;
pub use cyclic::{Cyclic, Mode};
pub use exponential::Exponential;
pub use inverse_sqrt::InverseSqrt;
pub use inverse_time::InverseTime;
pub use length::Length;
pub use linear::Linear;
pub use noam::Noam;
pub use one_cycle::OneCycle;
pub use piecewise::Piecewise;
pub use polynomial::Polynomial;
pub use schedule::Schedule;
pub use sequence::Sequence;
pub use staircase::Staircase;
pub use warmup::Warmup;
pub use wsd::Wsd;
