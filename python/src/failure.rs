//! Errors of the crates as Python's, with what helps in the words of the package.

use std::error::Error as StdError;
use std::io::ErrorKind;

use downhill::{data, run, train};
use pyo3::PyErr;
use pyo3::exceptions::{
    PyArithmeticError, PyFileNotFoundError, PyKeyboardInterrupt, PyOSError, PyRuntimeError, PyValueError,
};

/// An error of the crates as the exception that Python has for it.
pub fn raise(error: impl StdError + 'static) -> PyErr {
    let error: &(dyn StdError + 'static) = &error;
    let text = match remedy(error) {
        Some(remedy) => format!("{error}; {remedy}"),
        None => error.to_string(),
    };
    if let Some(kind) = io_kind(error) {
        return match kind {
            ErrorKind::NotFound => PyFileNotFoundError::new_err(text),
            _ => PyOSError::new_err(text),
        };
    }
    match error.downcast_ref::<train::Error>() {
        Some(train::Error::Interrupted) => PyKeyboardInterrupt::new_err(text),
        Some(train::Error::Diverged { .. }) => PyArithmeticError::new_err(text),
        _ => match record(error) {
            Some(run::Error::UnderWay { .. }) => PyRuntimeError::new_err(text),
            _ => PyValueError::new_err(text),
        },
    }
}

fn record<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a run::Error> {
    error.downcast_ref().or_else(|| match error.downcast_ref() {
        Some(train::Error::Record(error)) => Some(error),
        _ => None,
    })
}

/// What the system said, where it was the system.
fn io_kind(error: &(dyn StdError + 'static)) -> Option<ErrorKind> {
    match record(error) {
        Some(run::Error::Io { source, .. }) => Some(source.kind()),
        _ => None,
    }
}

/// The keyword or the class that helps.
fn remedy(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    let data = error.downcast_ref().or_else(|| match error.downcast_ref() {
        Some(train::Error::Data(error)) => Some(error),
        _ => None,
    });
    if let Some(error) = data {
        return match error {
            data::Error::NotNumeric { .. } => Some(
                "if it holds categories, name it in `categorical`, or let its column be of text when fitting",
            ),
            data::Error::TooFewRows { .. } => Some("`eval_set` gives other rows to validate on"),
            data::Error::TooFewLeft { .. } => Some("give a smaller share as `valid`"),
            data::Error::TooManyClasses { numeric: true, .. } => Some("DownhillRegressor predicts numbers"),
            _ => None,
        };
    }
    match error.downcast_ref::<train::Error>()? {
        train::Error::OtherTask { .. } => Some("or take the estimator of the other task"),
        train::Error::TooManyUnits { .. } => Some("the settings are `hidden` and `batch`"),
        train::Error::Diverged { .. } => Some("`clip_norm=1` clips them"),
        _ => None,
    }
}
