#![doc = include_str!("../README.md")]
//! # What lives here
//!
//! Update rules, one file each; what goes around them (penalties, clipping, decay, averages, lookahead);
//! [`Optimizer`], which puts them together over the named tensors of a [`Layout`], with [`Group`]s;
//! initialisers. What may enter: arithmetic on flat slices of parameters and gradients. What may not:
//! networks, data, losses, schedules (a rule is told the rate), files.
#![deny(unsafe_code)]

mod accumulator;
mod drive;
mod group;
mod init;
mod layout;
mod lookahead;
mod optimizer;
mod regularization;
mod rule;
mod transform;

pub use accumulator::Accumulator;
pub use group::{ByName, ByRole, Group};
pub use init::{Fill, Gain, Glorot, Init, Lsuv, Normal, Orthogonal, Sparse, TruncatedNormal, Uniform};
pub use layout::{Layout, Role, Tensor};
pub use lookahead::{Every, Lookahead};
pub use optimizer::{Optimizer, Ran, Run, Stability};
pub use regularization::Regularization;
pub use rule::*;
pub use transform::{Averaged, Before, Clip, Decay, Penalty, Prepared, clip_norm_scale};
