//! What can go wrong in a search.

use std::fmt;

/// A search that could not be made, and why.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The spelling of a domain, a sampler or a rule.
    Spelling {
        /// What was written.
        text: String,
        /// What is wrong with it, and what would be right.
        why: String,
    },
    /// Settings of the search that do not go together.
    Mismatch(String),
    /// The objective failed for reasons other than its settings being bad.
    Objective(String),
    /// A line of a study's log that does not say what it should.
    Log {
        /// What the log is called.
        log: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The database that the study is in cannot be reached, which may pass.
    Unreachable(String),
    /// A file could not be read or written.
    Record(downhill_run::Error),
    /// A network could not be trained, whatever the settings.
    Train(downhill_train::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spelling { text, why } => write!(f, "`{text}`: {why}"),
            Self::Mismatch(why) | Self::Objective(why) | Self::Unreachable(why) => f.write_str(why),
            Self::Log { log, line, why } => write!(f, "{log}, line {line}: {why}"),
            Self::Record(error) => error.fmt(f),
            Self::Train(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Record(error) => Some(error),
            Self::Train(error) => Some(error),
            Self::Spelling { .. }
            | Self::Mismatch(_)
            | Self::Objective(_)
            | Self::Unreachable(_)
            | Self::Log { .. } => None,
        }
    }
}

impl From<downhill_run::Error> for Error {
    fn from(error: downhill_run::Error) -> Self {
        Self::Record(error)
    }
}

impl From<downhill_train::Error> for Error {
    fn from(error: downhill_train::Error) -> Self {
        Self::Train(error)
    }
}

impl Error {
    pub(crate) fn spelling(text: &str, why: impl Into<String>) -> Self {
        Self::Spelling { text: text.to_string(), why: why.into() }
    }
}
