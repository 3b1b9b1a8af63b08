//! What goes around a rule: each piece takes a rule and is one, and all of it stays one pass over memory.

mod clip;
mod decay;
mod penalty;

pub use clip::{ClipValue, clip_norm_scale};
pub use decay::DecoupledDecay;
pub use penalty::Penalty;
