#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod batch;
pub mod bundled;
mod column;
mod csv;
mod dataset;
mod encode;
mod error;
mod examples;
mod file;
mod idx;
#[cfg(feature = "ndarray")]
mod ndarray;
mod spelling;
mod split;
mod table;
mod task;
mod vocabulary;

pub use batch::permutation;
pub use column::{Column, Kind};
pub use csv::ReadOptions;
pub use dataset::{Dataset, Target};
pub use encode::Encoder;
pub use error::{Error, Place, Row};
pub use examples::{Examples, Targets};
pub use split::{Split, split};
pub use table::Table;
pub use task::Task;
