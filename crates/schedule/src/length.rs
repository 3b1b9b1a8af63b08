//! Lengths of time in a run.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Per, Position};
use downhill_core::{Invalid, excerpt};

/// A length of time: `500` (steps, or epochs under `per=epoch`), `3ep` (epochs) or `5%` (of the run).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// So many of what the schedule counts, steps unless it says otherwise.
    Steps(u64),
    /// So many epochs; parts of one count.
    Epochs(f64),
    /// A share of the whole run, 1 being all of it.
    Share(f64),
}

impl Default for Length {
    /// The whole run.
    fn default() -> Self {
        Self::Share(1.0)
    }
}

impl Length {
    /// The length in steps, in a run as long as that of `position`; parts of a step count, but nothing is
    /// shorter than one.
    pub fn in_steps(self, position: Position) -> f64 {
        self.steps(Per::Step, position)
    }

    /// The length in steps; parts of a step count, but nothing is shorter than one (a share of no run left).
    pub(super) fn steps(self, per: Per, position: Position) -> f64 {
        let steps = match self {
            Self::Steps(n) => n as f64 * per.steps(position),
            Self::Epochs(n) => n * position.steps_per_epoch as f64,
            Self::Share(share) => share * position.total_steps as f64,
        };
        steps.max(1.0)
    }

    /// How many of this length have passed at a position.
    pub(super) fn passed(self, per: Per, position: Position) -> f64 {
        per.time(position, 0) * per.steps(position) / self.steps(per, position)
    }

    /// Whether this length is shorter than another whatever the run, or as long.
    pub(super) fn within(self, other: Self) -> bool {
        match (self, other) {
            (Self::Steps(a), Self::Steps(b)) => a <= b,
            (Self::Epochs(a), Self::Epochs(b)) | (Self::Share(a), Self::Share(b)) => a <= b,
            _ => false,
        }
    }

    /// Checks its range, as the setting `key` of `owner`.
    pub fn check(self, owner: &'static str, key: &'static str) -> Result<(), Invalid> {
        let wrong =
            |wanted: &str| Err(Invalid { owner, key, message: format!("must be {wanted}, not {self}") });
        match self {
            Self::Steps(0) => wrong("at least 1"),
            Self::Epochs(n) if !(n > 0.0 && n.is_finite()) => wrong("above 0ep"),
            Self::Share(share) if !(share > 0.0 && share <= 1.0) => wrong("above 0% and at most 100%"),
            _ => Ok(()),
        }
    }
}

/// How many whole lengths fit into a time that is `count` of them. 7% of 100 steps are 7.000000000000001, so
/// a hair less than a whole number is one.
pub(super) fn whole(count: f64) -> f64 {
    (count + 1e-9).floor()
}

/// The share that so many percent are. The point is moved, for dividing by 100 would round: there are shares
/// that no number of percent would give.
fn percent(text: &str) -> Option<f64> {
    shifted(text.trim(), -2)?.parse().ok().filter(|share: &f64| share.is_finite())
}

/// The number in `text` with its decimal point moved `by` places.
fn shifted(text: &str, by: i32) -> Option<String> {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    Some(format!("{digits}e{}", exponent.parse::<i32>().ok()?.saturating_add(by)))
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(n) => write!(f, "{n}"),
            Self::Epochs(n) => write!(f, "{n}ep"),
            // Plain if that reads back as the same share, else digit by digit: 9.999999999999998e1%.
            Self::Share(share) => {
                let exact = shifted(&format!("{share:e}"), 2).unwrap_or_default();
                let short = exact.parse().unwrap_or(share * 100.0).to_string();
                write!(
                    f,
                    "{}%",
                    if percent(&short) == Some(*share) || !share.is_finite() { short } else { exact }
                )
            }
        }
    }
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("expected a length such as `500`, `3ep` or `5%`, found `{}`", excerpt::word(text));
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(wrong);
        if let Some(share) = text.strip_suffix('%') {
            percent(share).map(Self::Share).ok_or_else(wrong)
        } else if let Some(epochs) = text.strip_suffix("ep") {
            Ok(Self::Epochs(number(epochs)?))
        } else {
            text.trim().parse().map(Self::Steps).map_err(|_| wrong())
        }
    }
}

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Steps(n) => serializer.serialize_u64(*n),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Length;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length such as `500`, `3ep` or `5%`")
            }

            fn visit_u64<E: de::Error>(self, steps: u64) -> Result<Length, E> {
                Ok(Length::Steps(steps))
            }

            fn visit_i64<E: de::Error>(self, steps: i64) -> Result<Length, E> {
                let wrong = || E::invalid_value(Unexpected::Signed(steps), &self);
                steps.to_string().parse().map_err(|_| wrong())
            }

            fn visit_f64<E: de::Error>(self, steps: f64) -> Result<Length, E> {
                let wrong = || E::invalid_value(Unexpected::Float(steps), &self);
                steps.to_string().parse().map_err(|_| wrong())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Length, E> {
                text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}
