//! What is wrong with a spec, and where.

use std::fmt;
use std::ops::Range;

use crate::nearest;

/// A spec that cannot be read: what is wrong, the place, and the nearest right word.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecError {
    text: String,
    span: Range<usize>,
    message: String,
}

impl SpecError {
    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The part of the text that it is about, in bytes.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text[..self.span.start].chars().count();
        let marked = self.text[self.span.clone()].chars().count().max(1);
        write!(f, "{}\n  {}\n  {:before$}{:^<marked$}", self.message, self.text, "", "")
    }
}

impl std::error::Error for SpecError {}

/// A fault before its text is put to it.
#[derive(Debug)]
pub(super) struct Fault {
    message: String,
    span: Option<Range<usize>>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { message: message.into(), span: Some(span) }
    }

    /// Says where it is, unless a place closer to it is known.
    pub(super) fn at(mut self, span: &Range<usize>) -> Self {
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    pub(super) fn in_text(self, text: &str, what: &str) -> SpecError {
        let whole = 0..text.len();
        let message = self.message.replace("{what}", what);
        SpecError { text: text.to_string(), span: self.span.unwrap_or(whole), message }
    }
}

/// The words there are, and the one that may have been meant.
fn among(word: &str, expected: &[&str]) -> String {
    match nearest(word, expected.iter().copied()) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None if expected.is_empty() => String::new(),
        None => format!("; there is `{}`", expected.join("`, `")),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), span: None }
    }

    fn invalid_type(found: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::custom(format!("expected {expected}, found {found}"))
    }

    fn unknown_variant(word: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format!("`{word}` is not {{what}}{}", among(word, expected)))
    }

    fn unknown_field(key: &str, expected: &'static [&'static str]) -> Self {
        let among = if expected.is_empty() { "; there is none".into() } else { among(key, expected) };
        Self::custom(format!("unknown key `{key}`{among}"))
    }

    fn missing_field(key: &'static str) -> Self {
        Self::custom(format!("the key `{key}` is missing: it has no default"))
    }
}
