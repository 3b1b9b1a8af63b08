//! What can go wrong in a run.

use std::fmt;
use std::path::PathBuf;

use downhill_core::Invalid;
use downhill_data::Task;

/// A run that could not be made, and why: what was wrong, where, and what to do.
///
/// No message names a flag: a program that has some adds the one that helps, by the variant.
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
    /// No data is named.
    NoData,
    /// The data was in a program's memory, and is in no file: [`Source::in_memory`](crate::Source::in_memory).
    InMemory,
    /// Options of how tables are read, of data that is read as it is: a bundled data set, or images.
    NotReadAsTable {
        /// The data, as it was named.
        from: String,
    },
    /// A setting that is for classes where a number is the target, or the other way round. Leave the setting
    /// out, or take the task that it is for.
    OtherTask {
        /// What was set.
        setting: OfTask,
        /// The task that it is for.
        wants: Task,
    },
    /// A network that takes more memory than can be meant. Make its layers or the batch smaller.
    TooManyUnits {
        /// The units of all layers.
        units: u64,
        /// The rows that are seen at once.
        rows: usize,
    },
    /// None of the checkpoints of a run can be read. Train again with its configuration.
    NoCheckpoint {
        /// The folder of the run.
        run: PathBuf,
        /// What is wrong with each of them.
        damaged: Vec<String>,
    },
    /// A log that does not end with the weights that a run came to. The run must come to its end first.
    NoEnd {
        /// The folder of the run.
        run: PathBuf,
    },
    /// Validation data for a cross-validation, in which each fold validates on its own rows. Leave it out.
    ValidationOfFolds,
    /// Something that is done with one network only, of a run of several. Take one of them.
    Several {
        /// The folder of the run.
        run: PathBuf,
        /// The folder of one of them.
        one: PathBuf,
    },
    /// A branch with another initialiser than its run, whose weights it begins with. Leave it as it is.
    BranchInit,
    /// A branch whose end is where it begins.
    BranchIsOver {
        /// The epochs at its end.
        epochs: u64,
    },
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
        /// The feature of the row that is furthest from what it was in training, and what it is once it is
        /// standardised, if that is much.
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

/// What is for one task only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfTask {
    /// The loss of this name.
    Loss(String),
    /// Label smoothing, for classes.
    LabelSmoothing,
    /// Weights of classes.
    ClassWeights,
}

/// Says what is for another task than that of the target, and what to take instead.
fn other_task(f: &mut fmt::Formatter<'_>, setting: &OfTask, wants: Task) -> fmt::Result {
    let (target, loss, task) = match wants {
        Task::Classification => ("a number", "mse", "classes"),
        Task::Regression => ("classes", "cross-entropy", "regression"),
    };
    match setting {
        OfTask::Loss(name) => {
            write!(f, "the loss {name} is for {task}, and the target is {target}; take {loss}")
        }
        OfTask::LabelSmoothing => {
            write!(f, "label smoothing is for {task}, and the target is {target}; leave it out")
        }
        OfTask::ClassWeights => {
            write!(f, "class weights are for {task}, and the target is {target}; leave them out")
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(error) => error.fmt(f),
            Self::Network(error) => error.fmt(f),
            Self::Setting(invalid) => invalid.fmt(f),
            Self::Record(error) => error.fmt(f),
            Self::Mismatch(message) => f.write_str(message),
            Self::NoData => f.write_str("no data is named: give a bundled data set, a file or a folder"),
            Self::InMemory => f.write_str(
                "it was in the memory of the program that made the run, and is in no file: train again from there. The \
                 run can be looked at, reported, and predicted with",
            ),
            Self::NotReadAsTable { from } => {
                write!(
                    f,
                    "{from} is read as it is: options of reading are for files of tables; leave them out"
                )
            }
            Self::OtherTask { setting, wants } => other_task(f, setting, *wants),
            Self::TooManyUnits { units, rows } => write!(
                f,
                "a network of {units} units takes too much memory at {rows} rows a step; make its layers or \
                 the batch smaller"
            ),
            Self::NoCheckpoint { run, damaged } => {
                write!(f, "no checkpoint of {} can be used: {}", run.display(), damaged.join("; "))
            }
            Self::NoEnd { run } => write!(
                f,
                "the log of the run {} does not end with its weights: it is under way, was killed, or \
                 ended without any",
                run.display()
            ),
            Self::ValidationOfFolds => f.write_str(
                "in cross-validation each fold validates on its own rows; leave the validation data out",
            ),
            Self::Several { run, one } => write!(
                f,
                "the run {} is of several networks, and this is done with one: take one of them, such as {}",
                run.display(),
                one.display()
            ),
            Self::BranchInit => {
                f.write_str("a branch begins with the weights of its run, and nothing initialises them")
            }
            Self::BranchIsOver { epochs } => write!(
                f,
                "the branch would be over where it begins, after {epochs} epochs: give it more, or branch \
                 off earlier"
            ),
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
                 try a tenth of it, or clip the gradients",
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
