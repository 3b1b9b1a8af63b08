//! The arguments of a figure, each checked.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use super::Error;

/// As many characters of what was given are repeated in a message.
const EXCERPT: usize = 60;

/// What a figure was asked with. Every argument has a default.
pub(super) struct Arguments<'a> {
    figure: &'static str,
    given: &'a BTreeMap<String, String>,
}

impl<'a> Arguments<'a> {
    /// Fails if there is an argument that is not one of those `known`.
    pub fn new(
        figure: &'static str,
        known: &'static [&'static str],
        given: &'a BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        match given.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Error::UnknownArgument { figure, name: excerpt(name), known }),
            None => Ok(Self { figure, given }),
        }
    }

    /// An argument that is not what it has to be.
    pub fn wrong(&self, name: &'static str, wanted: impl Into<String>) -> Error {
        let value = self.given.get(name).map_or(String::new(), |value| excerpt(value));
        Error::Argument { figure: self.figure, name, value, wanted: wanted.into() }
    }

    fn parsed<T>(
        &self,
        name: &'static str,
        default: T,
        range: RangeInclusive<T>,
        kind: &str,
    ) -> Result<T, Error>
    where
        T: Copy + Display + PartialOrd + std::str::FromStr,
    {
        let Some(text) = self.given.get(name) else { return Ok(default) };
        // Not a number is in no range.
        match text.trim().parse::<T>() {
            Ok(value) if range.contains(&value) => Ok(value),
            _ => Err(self.wrong(name, format!("{kind} from {} to {}", range.start(), range.end()))),
        }
    }

    /// A number in a range.
    pub fn number(&self, name: &'static str, default: f64, range: RangeInclusive<f64>) -> Result<f64, Error> {
        self.parsed(name, default, range, "a number")
    }

    /// A whole number in a range.
    pub fn whole(&self, name: &'static str, default: u64, range: RangeInclusive<u64>) -> Result<u64, Error> {
        self.parsed(name, default, range, "a whole number")
    }

    /// One of some words; the first is the default.
    pub fn choice(&self, name: &'static str, words: &[&'static str]) -> Result<&'static str, Error> {
        let Some(text) = self.given.get(name) else { return Ok(words[0]) };
        match words.iter().find(|word| **word == text.trim()) {
            Some(word) => Ok(word),
            None => Err(self.wrong(name, format!("one of `{}`", words.join("`, `")))),
        }
    }

    /// A text of a bounded length.
    pub fn text(&self, name: &'static str, default: &'static str, longest: usize) -> Result<&'a str, Error> {
        match self.given.get(name) {
            None => Ok(default),
            Some(text) if text.chars().count() <= longest => Ok(text),
            Some(_) => Err(self.wrong(name, format!("at most {longest} characters"))),
        }
    }
}

/// The beginning of a text, in one line.
pub(super) fn excerpt(text: &str) -> String {
    let short: String = text.chars().take(EXCERPT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() > EXCERPT { format!("{short}…") } else { short }
}
