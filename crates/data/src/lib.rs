#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod batch;
mod booleans;
pub mod bundled;
mod column;
mod csv;
mod dataset;
mod dates;
mod encode;
mod error;
mod examples;
mod file;
mod folds;
mod idx;
mod known;
mod memory;
#[cfg(feature = "ndarray")]
mod ndarray;
mod notation;
mod spelling;
mod split;
mod table;
mod task;
mod vocabulary;

pub use batch::permutation;
pub use column::{Column, Kind};
pub use csv::{ReadOptions, RowNumbers};
pub use dataset::{Dataset, Target};
pub use dates::{Cycle, DateOrder};
pub use encode::{Encoder, Encoding, Input};
pub use error::{Error, Excess, IdxProblem, Place, Row, TooLarge};
pub use examples::{Examples, Targets};
pub use folds::{Folds, TimeOrder, folds};
pub use known::Known;
pub use notation::{Decimal, Notation};
pub use split::{Split, split};
pub use table::Table;
pub use task::Task;
