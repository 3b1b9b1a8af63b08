//! What is known of a table's columns before it is read.

use crate::column::{Column, Written};
use crate::notation::Notation;
use crate::{Kind, Table};

/// What is known of the columns of a table before it is read: their names and what they hold, as in the table
/// that a model was trained on. See [`ReadOptions::known`](crate::ReadOptions) and
/// [`Encoder::known`](crate::Encoder::known).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whether the columns have names of their own.
    pub(crate) named: bool,
    /// The number of columns of the file.
    pub(crate) width: usize,
    /// The position of the target in the file, which another file may lack.
    pub(crate) target: Option<usize>,
    pub(crate) columns: Vec<KnownColumn>,
    /// The values that stand for missing ones, where they were named.
    pub(crate) missing: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownColumn {
    pub name: String,
    pub number: usize,
    /// Whether a table without it is of no use.
    pub needed: bool,
    pub holds: Holds,
}

/// What a column is known to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Anything,
    /// Categories, even where those of another table look like numbers or like missing ones.
    Text,
    Written(Written),
}

impl Holds {
    pub fn numbers(notation: Notation) -> Self {
        if notation.is_plain() { Self::Anything } else { Self::Written(Written::Notation(notation)) }
    }

    pub fn of(column: &Column) -> Self {
        match (column.kind(), column.written) {
            (Kind::Categorical, _) => Self::Text,
            (_, Written::Plain) => Self::Anything,
            (_, written) => Self::Written(written),
        }
    }
}

impl Known {
    /// What a table that was read tells of another with the same columns.
    pub fn of(table: &Table) -> Self {
        let column = |column: &Column| KnownColumn {
            name: column.name.clone(),
            number: column.number,
            needed: true,
            holds: Holds::of(column),
        };
        Self {
            named: table.named,
            width: table.width,
            target: None,
            columns: table.columns.iter().map(column).collect(),
            missing: table.missing.clone(),
        }
    }

    /// What this or another tells of the same columns: where one of them does not know a column, what the other
    /// knows of it.
    pub fn or(mut self, other: Self) -> Self {
        let there: std::collections::HashSet<usize> =
            self.columns.iter().map(|column| column.number).collect();
        self.columns.extend(other.columns.into_iter().filter(|column| !there.contains(&column.number)));
        self
    }

    /// Whether some names hold those of all the columns that are needed.
    pub(crate) fn are_in(&self, names: &[String]) -> bool {
        let here: std::collections::HashSet<&String> = names.iter().collect();
        let mut needed = self.columns.iter().filter(|column| column.needed).peekable();
        self.named && needed.peek().is_some() && needed.all(|column| here.contains(&column.name))
    }

    /// What each of these columns holds; found by name if they have names, else by position.
    pub(crate) fn holds(&self, names: &[String], named: bool) -> Vec<Holds> {
        let mut holds = vec![Holds::Anything; names.len()];
        let places: std::collections::HashMap<&str, usize> =
            names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        let absent = self.target.filter(|_| self.width.checked_sub(1) == Some(names.len()));
        for column in &self.columns {
            let place = match (named && self.named, absent) {
                (true, _) => places.get(column.name.as_str()).copied(),
                (false, Some(target)) if column.number == target => None,
                (false, Some(target)) if column.number > target => Some(column.number - 1),
                (false, None) if self.width != names.len() => None,
                (false, _) => Some(column.number),
            };
            if let Some(holds) = place.and_then(|place| holds.get_mut(place)) {
                *holds = column.holds;
            }
        }
        holds
    }
}
