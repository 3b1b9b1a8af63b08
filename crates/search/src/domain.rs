//! What a setting may be.

use std::fmt;
use std::str::FromStr;

use downhill_core::nearest;

use crate::{Error, Value};

/// Numbers are suggested to so many significant digits: more are never what makes the difference, and nobody
/// wants to type them.
const DIGITS: i32 = 4;

/// What a setting may be: `log(1e-4, 1e-1)`, `uniform(0, 0.5)`, `int(1, 8)`, `choice(adamw, muon,
/// momentum(0.9))`.
///
/// Samplers see a domain as the interval [0, 1] or, of a choice, as the number of its options.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// Any number from `low` to `high`, evenly on a logarithmic scale; both are above 0.
    Log {
        /// The lowest.
        low: f64,
        /// The highest.
        high: f64,
    },
    /// As [`Log`](Self::Log), of multiples of a number that whoever uses the settings knows: a learning rate
    /// as so many times the one that usually suits the optimizer.
    Times {
        /// The lowest.
        low: f64,
        /// The highest.
        high: f64,
    },
    /// Any number from `low` to `high`, evenly.
    Uniform {
        /// The lowest.
        low: f64,
        /// The highest.
        high: f64,
    },
    /// A whole number from `low` to `high`, both included.
    Int {
        /// The lowest.
        low: i64,
        /// The highest.
        high: i64,
    },
    /// One of several words. They are separated by a comma and a space, since a word may have commas of its
    /// own, as in
    /// `choice(64, 128,128)`; if no comma has a space behind it, by every comma outside of brackets.
    Choice(Vec<String>),
}

const NAMES: [&str; 5] = ["log", "times", "uniform", "int", "choice"];

impl Domain {
    /// Whether a text is meant to be a domain, and not a value: it begins with the name of one and a bracket.
    pub fn is_meant(text: &str) -> bool {
        let name = text.split('(').next().unwrap_or_default().trim();
        text.contains('(') && NAMES.contains(&name)
    }

    /// The number of options, if they can be counted.
    pub fn options(&self) -> Option<usize> {
        match self {
            Self::Log { .. } | Self::Times { .. } | Self::Uniform { .. } => None,
            Self::Int { low, high } => usize::try_from(high.abs_diff(*low)).ok()?.checked_add(1),
            Self::Choice(words) => Some(words.len()),
        }
    }

    /// The value at a place: of a choice, the option with the number `at`; otherwise at that share of the way
    /// from the lowest to the highest, which is clamped to [0, 1].
    pub(crate) fn value(&self, at: f64) -> Value {
        let share = at.clamp(0.0, 1.0);
        match self {
            Self::Log { low, high } | Self::Times { low, high } => {
                let number = (low.ln() + share * (high.ln() - low.ln())).exp();
                Value::Number(rounded(number, *low, *high))
            }
            Self::Uniform { low, high } => Value::Number(rounded(low + share * (high - low), *low, *high)),
            Self::Int { low, high } => {
                let count = (high - low) as f64 + 1.0;
                Value::Number((*low as f64 + (share * count).floor()).min(*high as f64))
            }
            Self::Choice(words) => Value::Word(words[(at.max(0.0) as usize).min(words.len() - 1)].clone()),
        }
    }

    /// The place of a value, if it is one of the domain.
    pub(crate) fn place(&self, value: &Value) -> Option<f64> {
        match (self, value) {
            (Self::Log { low, high } | Self::Times { low, high }, Value::Number(number)) => {
                let within = (*low..=*high).contains(number);
                within.then(|| (number.ln() - low.ln()) / (high.ln() - low.ln()))
            }
            (Self::Uniform { low, high }, Value::Number(number)) => {
                (*low..=*high).contains(number).then(|| (number - low) / (high - low))
            }
            (Self::Int { low, high }, Value::Number(number)) => {
                let within = (*low as f64..=*high as f64).contains(number);
                within.then(|| (number - *low as f64 + 0.5) / ((high - low) as f64 + 1.0))
            }
            (Self::Choice(words), Value::Word(word)) => {
                words.iter().position(|other| other == word).map(|at| at as f64)
            }
            (Self::Choice(_), Value::Number(_)) | (_, Value::Word(_)) => None,
        }
    }

    fn check(self, text: &str) -> Result<Self, Error> {
        let wrong = |why: String| Err(Error::spelling(text, why));
        match &self {
            Self::Log { low, high } | Self::Times { low, high } | Self::Uniform { low, high }
                if low > high =>
            {
                wrong(format!("the lowest value, {low}, is above the highest, {high}; swap them"))
            }
            Self::Int { low, high } if low > high => {
                wrong(format!("the lowest value, {low}, is above the highest, {high}; swap them"))
            }
            Self::Log { low, .. } | Self::Times { low, .. } if *low <= 0.0 => wrong(format!(
                "a logarithmic scale has no {low}; begin above 0, or take uniform for a linear scale"
            )),
            Self::Log { low, high } | Self::Times { low, high } | Self::Uniform { low, high }
                if low == high =>
            {
                wrong(format!("both ends are {low}, so there is nothing to search; give the value itself"))
            }
            Self::Int { low, high } if low == high => {
                wrong(format!("both ends are {low}, so there is nothing to search; give the value itself"))
            }
            // Beyond, not every whole number is a float.
            Self::Int { low, high } if low.unsigned_abs().max(high.unsigned_abs()) > 1 << 53 => {
                wrong("whole numbers are at most 2^53 here".into())
            }
            Self::Choice(words) if words.is_empty() => {
                wrong("there is nothing to choose from; give options such as choice(relu, gelu)".into())
            }
            Self::Choice(words) if words.len() == 1 => wrong(format!(
                "there is only one option, so there is nothing to search; give the value itself, {}",
                words[0]
            )),
            Self::Choice(words) => {
                match words.iter().enumerate().find(|(at, word)| words[..*at].contains(word)) {
                    Some((_, twice)) => wrong(format!(
                        "the option {twice} is there twice; options with commas of their own, as 128,128, are \
                         separated by a comma and a space"
                    )),
                    None => Ok(self),
                }
            }
            Self::Log { .. } | Self::Times { .. } | Self::Uniform { .. } | Self::Int { .. } => Ok(self),
        }
    }
}

/// A number to a few significant digits, inside its limits.
fn rounded(number: f64, low: f64, high: f64) -> f64 {
    if number == 0.0 {
        return number;
    }
    // By way of the decimal spelling, so that the result is the number that its digits say.
    let text = format!("{number:.*e}", (DIGITS - 1) as usize);
    text.parse::<f64>().unwrap_or(number).clamp(low, high)
}

/// The parts of a text between its commas outside of brackets.
fn separated(text: &str, spaced: bool) -> Vec<String> {
    let mut depth = 0i32;
    let mut parts = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        let separates = character == ',' && depth <= 0;
        if separates && (!spaced || characters.peek().is_none_or(|next| next.is_whitespace())) {
            parts.push(String::new());
        } else {
            parts.last_mut().expect("there is always one").push(character);
        }
    }
    parts.into_iter().map(|part| part.trim().to_string()).collect()
}

fn options(text: &str) -> Vec<String> {
    let spaced = separated(text, true);
    let parts = if spaced.len() > 1 { spaced } else { separated(text, false) };
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

impl FromStr for Domain {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |why: String| Error::spelling(text, why);
        let trimmed = text.trim();
        let (name, rest) = trimmed.split_once('(').ok_or_else(|| {
            wrong(
                "expected a space such as log(1e-4, 1e-1), uniform(0, 0.5), int(1, 8) or choice(a, b)".into(),
            )
        })?;
        let name = name.trim();
        let inside = rest.strip_suffix(')').ok_or_else(|| wrong("the closing bracket is missing".into()))?;
        if !NAMES.contains(&name) {
            return Err(wrong(match nearest(name, NAMES) {
                Some(meant) => format!("`{name}` is not a space; did you mean `{meant}`?"),
                None => format!("`{name}` is not a space; there is `{}`", NAMES.join("`, `")),
            }));
        }
        let domain = match name {
            "choice" => Self::Choice(options(inside)),
            "int" => {
                let [low, high] = ends(text, name, inside, "whole numbers such as int(1, 8)", |part| {
                    part.parse::<i64>().ok()
                })?;
                Self::Int { low, high }
            }
            _ => {
                let hint = "numbers such as 1e-4, 0.1";
                let [low, high] = ends(text, name, inside, hint, |part| {
                    part.parse::<f64>().ok().filter(|number| number.is_finite())
                })?;
                match name {
                    "log" => Self::Log { low, high },
                    "times" => Self::Times { low, high },
                    _ => Self::Uniform { low, high },
                }
            }
        };
        domain.check(text)
    }
}

/// The two ends of a range.
fn ends<T>(
    text: &str,
    name: &str,
    inside: &str,
    hint: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<[T; 2], Error> {
    let parts: Vec<&str> = inside.split(',').map(str::trim).collect();
    let [low, high] = parts[..] else {
        return Err(Error::spelling(
            text,
            format!("`{name}` has two ends, the lowest and the highest: {hint}"),
        ));
    };
    let read = |part: &str| {
        read(part)
            .ok_or_else(|| Error::spelling(text, format!("`{part}` is not an end of a range; give {hint}")))
    };
    Ok([read(low)?, read(high)?])
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |f: &mut fmt::Formatter<'_>, name: &str, low: f64, high: f64| {
            write!(f, "{name}({}, {})", Value::Number(low), Value::Number(high))
        };
        match self {
            Self::Log { low, high } => range(f, "log", *low, *high),
            Self::Times { low, high } => range(f, "times", *low, *high),
            Self::Uniform { low, high } => range(f, "uniform", *low, *high),
            Self::Int { low, high } => write!(f, "int({low}, {high})"),
            Self::Choice(words) => write!(f, "choice({})", words.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Domain {
        text.parse().unwrap()
    }

    fn error(text: &str) -> String {
        text.parse::<Domain>().unwrap_err().to_string()
    }

    #[test]
    fn what_is_printed_reads_back() {
        for text in [
            "log(0.0001, 0.1)",
            "log(1e-5, 1)",
            "times(0.03, 30)",
            "uniform(-2, 0.5)",
            "int(-3, 8)",
            "choice(adamw, muon, momentum(0.9))",
            "choice(64, 128,128, 256,256,256)",
        ] {
            assert_eq!(domain(text).to_string(), text);
        }
        assert_eq!(domain(" log( 1e-4 , 1e-1 ) "), Domain::Log { low: 1e-4, high: 0.1 });
    }

    #[test]
    fn options_with_commas_of_their_own_are_separated_by_spaces() {
        let words = |text: &str| match domain(text) {
            Domain::Choice(words) => words,
            other => panic!("{other}"),
        };
        assert_eq!(words("choice(64, 128,128)"), ["64", "128,128"]);
        assert_eq!(words("choice(64,128)"), ["64", "128"]);
        assert_eq!(words("choice(adam(0.9, 0.99),sgd)"), ["adam(0.9, 0.99)", "sgd"]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, says) in [
            ("log(1, 0.1)", "the lowest value, 1, is above the highest, 0.1"),
            ("int(5, 2)", "the lowest value, 5, is above the highest, 2"),
            ("log(0, 1)", "a logarithmic scale has no 0"),
            ("uniform(1, 1)", "nothing to search"),
            ("choice()", "nothing to choose from"),
            ("choice(a)", "only one option"),
            ("choice(128,128)", "there twice"),
            ("unifrm(1, 2)", "did you mean `uniform`?"),
            ("log(1)", "two ends"),
            ("log(1, x)", "`x` is not an end"),
            ("log(1, inf)", "`inf` is not an end"),
            ("int(1, 2.5)", "`2.5` is not an end"),
            ("log(1, 2", "closing bracket"),
            ("0.1", "expected a space"),
        ] {
            assert!(error(text).contains(says), "{text}: {}", error(text));
        }
    }

    #[test]
    fn places_and_values_fit_each_other() {
        for text in ["log(1e-4, 1e-1)", "uniform(-1, 3)", "int(2, 9)", "choice(a, b, c)"] {
            let domain = domain(text);
            for step in 0..=20 {
                let at = match matches!(domain, Domain::Choice(_)) {
                    true => f64::from(step % 3),
                    false => f64::from(step) / 20.0,
                };
                let value = domain.value(at);
                let place = domain.place(&value).unwrap();
                assert_eq!(domain.value(place), value, "{text} at {at}");
            }
        }
        assert_eq!(domain("log(1e-4, 1)").value(0.5), Value::Number(0.01));
        assert_eq!(domain("int(1, 4)").value(1.0), Value::Number(4.0));
        assert_eq!(domain("uniform(0, 1)").place(&Value::Number(2.0)), None);
    }

    #[test]
    fn a_spec_is_no_domain() {
        assert!(Domain::is_meant("log(1, 2)") && Domain::is_meant("choice(a)"));
        assert!(!Domain::is_meant("cosine(0.1)") && !Domain::is_meant("log") && !Domain::is_meant("0.1"));
    }
}
