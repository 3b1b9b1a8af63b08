//! What is wrong with a spec, and where.

use std::fmt;
use std::ops::Range;

use serde::de::{Expected, Unexpected};

use crate::{excerpt, nearest};

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
        write!(f, "{}\n{}", self.message, excerpt::marked(&self.text, self.span.clone()))
    }
}

impl std::error::Error for SpecError {}

/// A fault before its text is put to it.
#[derive(Debug)]
pub(super) struct Fault {
    message: Message,
    span: Option<Range<usize>>,
}

/// What is wrong, with what serde does not know left open.
#[derive(Debug)]
enum Message {
    /// All there is to say.
    Whole(String),
    /// `expected a number, found …`: the place says what was found.
    Expected(String),
    /// `` `adm` is not … ``: whoever asked for the word knows what it was to be. The rest is a suggestion.
    UnknownWord { word: String, among: String },
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { message: Message::Whole(message.into()), span: Some(span) }
    }

    /// Something else was wanted here.
    pub(super) fn expected(wanted: impl fmt::Display) -> Self {
        Self { message: Message::Expected(plain(&wanted.to_string()).to_string()), span: None }
    }

    /// Says where it is, unless a place closer to it is known.
    pub(super) fn at(mut self, span: &Range<usize>) -> Self {
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    /// Says what an unknown word was to be: `an optimizer`.
    pub(super) fn naming(mut self, what: &str) -> Self {
        if let Message::UnknownWord { word, among } = &self.message {
            self.message = Message::Whole(format!("`{}` is not {what}{among}", excerpt::word(word)));
        }
        self
    }

    pub(super) fn in_text(self, text: &str) -> SpecError {
        let span = self.span.clone().unwrap_or(0..text.len());
        let mut message = self.to_string();
        if matches!(self.message, Message::Expected(_)) {
            message += &format!(", found `{}`", one_line(&excerpt::word(&text[span.clone()])));
        }
        SpecError { text: text.to_string(), span, message }
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

/// The text with spaces for line breaks and the like, so that carets stand under it.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What serde says it expects, in plain words.
fn plain(expected: &str) -> &str {
    match expected {
        "f32" | "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a boolean" => "`true` or `false`",
        "a string" | "a character" => "a word",
        "a sequence" => "a list",
        other => other,
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Message::Whole(message) => f.write_str(message),
            Message::Expected(wanted) => write!(f, "expected {wanted}"),
            Message::UnknownWord { word, among } => write!(f, "`{}` is unknown{among}", excerpt::word(word)),
        }
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: Message::Whole(message.to_string()), span: None }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn unknown_variant(word: &str, expected: &'static [&'static str]) -> Self {
        let message = Message::UnknownWord { word: word.to_string(), among: among(word, expected) };
        Self { message, span: None }
    }

    fn unknown_field(key: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format!("unknown key `{}`{}", excerpt::word(key), among(key, expected)))
    }

    fn missing_field(key: &'static str) -> Self {
        Self::custom(format!("the key `{key}` is missing: it has no default"))
    }
}
