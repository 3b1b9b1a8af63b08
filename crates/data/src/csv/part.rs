//! The rows of one block of text, read column by column.

use super::interner::Interner;
use super::missing::Missing;
use super::number;
use super::records::{After, Field, Records, Unclosed};
use crate::notation::Notation;

/// How a column is read on one pass over the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mode {
    Skip,
    /// As numbers, plain ones or in a notation, until a value is something else.
    Numbers(Option<Notation>),
    Text,
}

/// How the rows of a text are read.
pub(super) struct Plan {
    pub delimiter: u8,
    pub modes: Vec<Mode>,
    pub missing: Missing,
}

/// What a row is not.
pub(super) enum Fault {
    /// Of as many values as the others; its line, counted from 1 in the block, and how many it has.
    Ragged(u64, usize),
    /// Without a quote that is never closed.
    Unclosed(u64),
}

/// Some rows.
#[derive(Default)]
pub(super) struct Part {
    pub columns: Vec<PartColumn>,
    /// The line of each row, counted from 1 in the block.
    pub lines: Vec<u32>,
}

pub(super) enum PartColumn {
    Skip,
    Numbers(Numbers),
    Text(Interner),
}

/// A column of numbers, as far as it is one.
#[derive(Default)]
pub(super) struct Numbers {
    /// NaN where missing.
    pub values: Vec<f64>,
    /// Whether some value is something else: then these are of no use.
    pub failed: bool,
    /// The first infinite number: its row and how it is written.
    pub infinite: Option<(usize, String)>,
    /// The first row with a whole number that 64 bits do not keep, and that number.
    pub rounded: Option<(usize, String)>,
}

impl PartColumn {
    pub fn new(mode: Mode) -> Self {
        match mode {
            Mode::Skip => Self::Skip,
            Mode::Numbers(_) => Self::Numbers(Numbers::default()),
            Mode::Text => Self::Text(Interner::default()),
        }
    }

    /// Puts the values of another, read in the same mode, behind these.
    pub fn append(&mut self, other: Self) {
        match (self, other) {
            (Self::Numbers(all), Self::Numbers(more)) => all.append(more),
            (Self::Text(all), Self::Text(more)) => all.append(&more),
            _ => {}
        }
    }
}

impl Numbers {
    fn append(&mut self, more: Self) {
        let rows = self.values.len();
        let later = |found: Option<(usize, String)>| found.map(|(row, text)| (rows + row, text));
        self.infinite = self.infinite.take().or(later(more.infinite));
        self.rounded = self.rounded.take().or(later(more.rounded));
        self.failed |= more.failed;
        if self.failed {
            self.values = Vec::new();
        } else if rows == 0 {
            self.values = more.values;
        } else {
            self.values.extend_from_slice(&more.values);
        }
    }

    fn read(&mut self, field: &Field<'_>, notation: Option<Notation>, missing: &Missing) {
        if self.failed {
            return;
        }
        let number = match notation {
            None => number::parse(&field.text),
            Some(notation) => notation.parse(&field.text),
        };
        let row = self.values.len();
        if let Some(number) = number
            && !missing.anywhere(&field.text)
        {
            if number.is_infinite() && self.infinite.is_none() {
                self.infinite = Some((row, field.text.trim().to_owned()));
            }
            if self.rounded.is_none() && number::is_rounded(&field.text, number) {
                self.rounded = Some((row, field.text.trim().to_owned()));
            }
            self.values.push(number);
        } else if missing.anywhere(&field.text) || (!field.quoted && missing.among_numbers(&field.text)) {
            self.values.push(f64::NAN);
        } else {
            self.failed = true;
            self.values = Vec::new();
        }
    }
}

/// Reads the rows of a block.
pub(super) fn read(text: &str, plan: &Plan, expected_rows: usize) -> Result<Part, Fault> {
    let width = plan.modes.len();
    let mut part = Part {
        columns: plan.modes.iter().map(|&mode| PartColumn::new(mode)).collect(),
        lines: Vec::with_capacity(expected_rows),
    };
    for column in &mut part.columns {
        if let PartColumn::Numbers(numbers) = column {
            numbers.values.reserve(expected_rows);
        }
    }
    // A number that is named as missing must be looked at as text.
    let fast = !plan.missing.names_numbers();
    let mut records = Records::new(text, plan.delimiter);
    while let Some(line) = records.start_row() {
        let mut count = 0;
        loop {
            read_value(&mut records, plan, count, part.columns.get_mut(count), fast)?;
            count += 1;
            if records.end_field() == After::Line {
                break;
            }
        }
        if count != width {
            return Err(Fault::Ragged(line, count));
        }
        part.lines.push(line as u32);
    }
    Ok(part)
}

fn read_value(
    records: &mut Records<'_>,
    plan: &Plan,
    number: usize,
    column: Option<&mut PartColumn>,
    fast: bool,
) -> Result<(), Fault> {
    let unclosed = |Unclosed(line)| Fault::Unclosed(line);
    match column {
        Some(PartColumn::Numbers(numbers)) => {
            let Mode::Numbers(notation) = plan.modes[number] else { return Ok(()) };
            if notation.is_none()
                && fast
                && !numbers.failed
                && let Some(value) = records.number()
            {
                numbers.values.push(value);
                return Ok(());
            }
            numbers.read(&records.field().map_err(unclosed)?, notation, &plan.missing);
        }
        Some(PartColumn::Text(interner)) => {
            interner.push(&records.field().map_err(unclosed)?, &plan.missing);
        }
        Some(PartColumn::Skip) | None => {
            records.field().map_err(unclosed)?;
        }
    }
    Ok(())
}
