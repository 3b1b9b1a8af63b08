#![doc = include_str!("../README.md")]
//! # What lives here
//!
//! What several crates need and none of them is about: the two [`Float`] types and loops compiled for every
//! vector unit ([`simd`]), work handed from thread to thread ([`threads`]), randomness as a function
//! ([`random`]), the language that rules, schedules, initialisers and layers are spelt in ([`spec`]), types
//! of other crates that are read by name ([`registry`]), and errors of settings ([`Invalid`]). What may
//! enter: what at least two crates need and does not depend on training. What may not: anything that knows
//! a rule, a schedule, a network, a data set or a run, and a dependency that the light part (specs and
//! errors) would have to carry.
#![deny(unsafe_code)]

#[cfg(feature = "float")]
mod buffer;
#[cfg(feature = "float")]
mod element;
#[cfg(feature = "float")]
mod elementary;
pub mod excerpt;
#[cfg(feature = "float")]
mod float;
pub mod invalid;
mod nearest;
#[cfg(feature = "random")]
pub mod random;
#[cfg(feature = "registry")]
pub mod registry;
#[cfg(feature = "float")]
pub mod simd;
pub mod spec;
#[cfg(feature = "threads")]
pub mod threads;
#[cfg(feature = "float")]
mod transpose;

#[cfg(feature = "float")]
pub use buffer::Buffer;
#[cfg(feature = "float")]
pub use element::Element;
#[cfg(feature = "float")]
pub use float::Float;
pub use invalid::Invalid;
pub use nearest::nearest;
pub use spec::SpecError;
