//! What can go wrong in a run.

use std::fmt;
use std::path::PathBuf;

use downhill_core::Invalid;

/// A run that could not be made, and why: what was wrong, where, and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The data.
    Data(downhill_data::Error),
    /// The network.
    Network(downhill_nn::Error),
    /// A setting out of its range.
    Setting(Invalid),
    /// The record of the run: its files, its folder, its log.
    Record(downhill_run::Error),
    /// Settings that do not go with each other or with the data.
    Mismatch(String),
    /// The data of a run is not what the run was trained with any more.
    DataChanged {
        /// The folder of the run.
        run: PathBuf,
    },
    /// A prediction that is not a finite number.
    NotFinite {
        /// The row: its table and its line.
        place: String,
        /// What was to be predicted, by the name of its column, if it has one.
        target: Option<String>,
        /// The feature of the row that is furthest from what it was in training, and what it is once it is standardised, if
        /// that is much.
        cause: Option<(String, f32)>,
    },
    /// Somebody asked for an end before there was anything to save.
    Interrupted,
    /// The loss stopped being a number.
    Diverged {
        /// The step at which it did, counted from 0.
        step: u64,
        /// Its epoch, counted from 0.
        epoch: u64,
        /// The learning rate in force.
        lr: f64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(error) => error.fmt(f),
            Self::Network(error) => error.fmt(f),
            Self::Setting(invalid) => invalid.fmt(f),
            Self::Record(error) => error.fmt(f),
            Self::Mismatch(message) => f.write_str(message),
            Self::DataChanged { run } => write!(
                f,
                "the data of the run {} has changed since the run was trained: it cannot go on, be branched off, replayed \
                 or diagnosed as if the data had not; bring the old data back, or train again",
                run.display()
            ),
            Self::NotFinite { place, target, cause } => {
                let target = target.as_ref().map_or(String::new(), |target| format!(" of `{target}`"));
                write!(f, "{place}: the prediction{target} is not a finite number")?;
                match cause {
                    Some((feature, value)) => write!(
                        f,
                        "; the column of `{feature}` is {value:e} standard deviations from its mean in training there"
                    ),
                    None => f.write_str(": the weights of the model are too large, or no numbers themselves"),
                }
            }
            Self::Interrupted => {
                f.write_str("interrupted before the first step: there is nothing to go on with")
            }
            Self::Diverged { step, epoch, lr } => write!(
                f,
                "the loss stopped being a finite number at step {step} (epoch {}), at a learning rate of {lr:.3e}; \
                 try a tenth of it, or --clip-norm 1",
                epoch + 1
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Data(error) => Some(error),
            Self::Network(error) => Some(error),
            Self::Setting(invalid) => Some(invalid),
            Self::Record(error) => Some(error),
            _ => None,
        }
    }
}

impl From<downhill_data::Error> for Error {
    fn from(error: downhill_data::Error) -> Self {
        Self::Data(error)
    }
}

impl From<downhill_nn::Error> for Error {
    fn from(error: downhill_nn::Error) -> Self {
        Self::Network(error)
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Setting(invalid)
    }
}

impl From<downhill_run::Error> for Error {
    fn from(error: downhill_run::Error) -> Self {
        Self::Record(error)
    }
}
