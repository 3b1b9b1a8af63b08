//! How a command fails.

use crate::remedy::remedy;

/// A command that could not be done.
pub enum Failure {
    /// With a message that says what, where and what to do.
    Message(String),
    /// The command line asks for what does not go together, with a message that says what.
    Usage(String),
    /// By a person, after saving.
    Interrupted,
    /// Whoever read our output does not want more of it.
    PipeClosed,
}

impl<E: std::error::Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Message(match remedy(&error) {
            Some(remedy) => format!("{error}; {remedy}"),
            None => error.to_string(),
        })
    }
}

impl Failure {
    /// What there is to say of it, if there is something.
    pub fn text(self) -> String {
        match self {
            Self::Message(text) | Self::Usage(text) => text,
            Self::Interrupted | Self::PipeClosed => String::new(),
        }
    }
}
