//! The columns of a model, found again in a table.

use super::{Encoder, Encoding, Input};
use crate::{Error, Kind, Table};
use std::collections::HashMap;

pub(super) fn pixel_name(number: usize) -> String {
    format!("p{number}")
}

/// Finds the columns of an encoder in a table.
pub(super) struct Finder<'a> {
    table: &'a Table,
    /// Otherwise by position.
    pub by_name: bool,
    names: HashMap<&'a str, usize>,
    numbers: HashMap<usize, usize>,
    /// The number of the target in the training table, where this one lacks it: columns behind it have moved
    /// up by one.
    absent: Option<usize>,
}

impl<'a> Finder<'a> {
    pub fn new(encoder: &Encoder, table: &'a Table) -> Result<Self, Error> {
        let by_name = encoder.named && table.named;
        let absent = (table.width.checked_add(1) == Some(encoder.width)).then_some(encoder.target.number);
        if !by_name && absent.is_none() && table.width != encoder.width {
            let (expected, found) = (encoder.width, table.width);
            return Err(Error::ColumnCount { table: table.file.clone(), expected, found });
        }
        let names = table.columns.iter().enumerate().map(|(i, column)| (column.name.as_str(), i)).collect();
        let numbers = table.columns.iter().enumerate().map(|(i, column)| (column.number, i)).collect();
        Ok(Self { table, by_name, names, numbers, absent })
    }

    fn find(&self, name: &str, number: usize) -> Option<usize> {
        if self.by_name {
            return self.names.get(name).copied();
        }
        let number = match self.absent {
            Some(target) if number > target => number - 1,
            _ => number,
        };
        self.numbers.get(&number).copied()
    }

    pub fn target(&self, encoder: &Encoder) -> Option<usize> {
        if self.absent.is_some() && !self.by_name {
            return None;
        }
        self.find(&encoder.target.column, encoder.target.number)
    }

    /// The positions in the table of the columns of each input.
    pub fn inputs(&self, encoder: &Encoder) -> Result<Vec<Vec<usize>>, Error> {
        let pixels = |input: &Input| {
            if matches!(input.encoding, Encoding::Pixels { .. }) { input.encoding.width() } else { 0 }
        };
        let expected = encoder.inputs.iter().map(pixels).fold(0, usize::saturating_add);
        let target = self.target(encoder).and_then(|target| self.table.columns.get(target));
        let found =
            self.table.pixels() - usize::from(target.is_some_and(|target| target.kind() == Kind::Pixel));
        if expected > 0 && found > 0 && expected != found {
            return Err(Error::ImageSize { table: self.table.file.clone(), expected, found });
        }
        let mut missing = Vec::new();
        let mut inputs = Vec::with_capacity(encoder.inputs.len());
        for input in &encoder.inputs {
            let mut columns = Vec::new();
            if let Encoding::Pixels { count, .. } = input.encoding {
                // A damaged model may name any count: stop at the first that is not there.
                for i in 0..count {
                    let number = input.number.saturating_add(i);
                    match self.find(&pixel_name(number), number) {
                        Some(column) => columns.push(column),
                        None => {
                            missing.push(pixel_name(number));
                            break;
                        }
                    }
                }
            } else {
                match self.find(&input.column, input.number) {
                    Some(column) => columns.push(column),
                    None => missing.push(input.column.clone()),
                }
            }
            inputs.push(columns);
        }
        if missing.is_empty() {
            Ok(inputs)
        } else {
            let columns = self.table.column_names();
            Err(Error::MissingColumns { table: self.table.file.clone(), missing, columns })
        }
    }
}
