//! Flags that several commands have; those that only one has stand above its function.

mod ensemble;
mod format;
mod merge;
mod network;
mod number;
mod preset;
mod read;
mod recorded;
mod running;
mod setup;
mod sizes;
mod source;
mod training;
mod using;
mod value;
mod view;

pub use ensemble::{EnsembleArgs, FoldsArgs, divide};
pub use format::Format;
pub use network::NetworkArgs;
pub use number::{epochs, not_negative, some_rows, threads, whole_number};
pub use preset::Preset;
pub use recorded::{AgainArgs, RunsArgs, SteerArgs};
pub use running::{RunArgs, Running, Threads};
pub use setup::SetupArgs;
pub use sizes::{Sizes, repeated_sizes};
pub use source::SourceArgs;
pub use training::{RateArgs, TrainingArgs};
pub use using::UseArgs;
pub use value::{Numbers, Spelt, numbers, path_as_text, state};
pub use view::{View, ViewArgs};
