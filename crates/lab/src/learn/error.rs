//! What can be wrong with a question.

use std::fmt;

use downhill_core::Invalid;

/// A figure that could not be made, and why.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no such figure.
    UnknownFigure {
        /// What was asked for.
        name: String,
        /// The figure that was meant, if one is spelt nearly like that.
        nearest: Option<&'static str>,
    },
    /// The figure has no such argument.
    UnknownArgument {
        /// The figure.
        figure: &'static str,
        /// The argument.
        name: String,
        /// Those that it has.
        known: &'static [&'static str],
    },
    /// An argument that cannot be read, or is out of its range.
    Argument {
        /// The figure.
        figure: &'static str,
        /// The argument.
        name: &'static str,
        /// What was given, if it is short.
        value: String,
        /// What it has to be.
        wanted: String,
    },
    /// A setting that the engine does not take.
    Setting(Invalid),
    /// A training that could not be made.
    Training(downhill_train::Error),
    /// A search that could not be made.
    Search(downhill_search::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFigure { name, nearest: Some(nearest) } => {
                write!(f, "there is no figure `{name}`; did you mean `{nearest}`?")
            }
            Self::UnknownFigure { name, nearest: None } => write!(f, "there is no figure `{name}`"),
            Self::UnknownArgument { figure, name, known } => {
                write!(f, "the figure `{figure}` has no argument `{name}`; it has `{}`", known.join("`, `"))
            }
            Self::Argument { figure, name, value, wanted } => {
                write!(f, "`{name}` of the figure `{figure}` must be {wanted}, not `{value}`")
            }
            Self::Setting(error) => error.fmt(f),
            Self::Training(error) => error.fmt(f),
            Self::Search(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::UnknownFigure { .. } | Self::UnknownArgument { .. } | Self::Argument { .. } => None,
            Self::Setting(error) => Some(error),
            Self::Training(error) => Some(error),
            Self::Search(error) => Some(error),
        }
    }
}

impl From<Invalid> for Error {
    fn from(error: Invalid) -> Self {
        Self::Setting(error)
    }
}

impl From<downhill_train::Error> for Error {
    fn from(error: downhill_train::Error) -> Self {
        Self::Training(error)
    }
}

impl From<downhill_search::Error> for Error {
    fn from(error: downhill_search::Error) -> Self {
        Self::Search(error)
    }
}
