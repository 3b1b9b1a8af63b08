//! Classification or regression.

use crate::column::{MISSING, Values};
use crate::{Error, Table};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// More distinct integers than this in a target are quantities, not classes.
const MOST_INTEGER_CLASSES: usize = 20;

/// What is to be predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// One of several classes.
    Classification,
    /// A number.
    Regression,
}

impl Task {
    /// The task that a target suggests.
    ///
    /// Text is classes. Numbers are classes if all are integers, with at most 20 distinct ones that occur
    /// twice or more on average (two distinct integers are always classes); otherwise they are quantities.
    ///
    /// # Errors
    ///
    /// If the table has no such column.
    pub fn of(table: &Table, target: usize) -> Result<Self, Error> {
        let column = table.column(target)?;
        if matches!(column.values, Values::Text { .. }) {
            return Ok(Self::Classification);
        }
        if let Some(exact) = &column.exact {
            let rows = exact.codes.iter().filter(|&&code| code != MISSING).count();
            let few = exact.texts.len() <= MOST_INTEGER_CLASSES;
            let repeated = exact.texts.len() <= 2 || exact.texts.len() * 2 <= rows;
            return Ok(if few && repeated { Self::Classification } else { Self::Regression });
        }
        let mut distinct = HashSet::new();
        let mut rows = 0;
        for number in (0..column.len()).filter_map(|row| column.number(row)) {
            distinct.insert((number + 0.0).to_bits());
            rows += 1;
            if number.fract() != 0.0 || distinct.len() > MOST_INTEGER_CLASSES {
                return Ok(Self::Regression);
            }
        }
        let repeated = distinct.len() <= 2 || distinct.len() * 2 <= rows;
        Ok(if repeated { Self::Classification } else { Self::Regression })
    }
}

impl Display for Task {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Classification => "classification",
            Self::Regression => "regression",
        })
    }
}

impl FromStr for Task {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "classification" => Ok(Self::Classification),
            "regression" => Ok(Self::Regression),
            _ => Err(Error::Invalid(format!("there is no task `{word}`. Say classification or regression"))),
        }
    }
}
