//! CSV and TSV text into a table: values, delimiter, header and types.

mod blocks;
mod detect;
mod encoding;
mod front;
mod interner;
mod missing;
mod names;
mod number;
mod options;
mod part;
mod read;
mod records;
mod row_numbers;
mod settle;
mod start;
#[cfg(test)]
mod tests;
mod wants;

use crate::column::{Column, Values};
use crate::error::{Place, Row};
use crate::known::Holds;
use crate::{Error, Table};
use part::{Mode, PartColumn, Plan};
use settle::{Said, settle};
use start::Start;
use wants::Want;

pub(crate) use blocks::Open;
pub(crate) use missing::{is_missing_number, missing_texts};
pub use options::ReadOptions;
pub use row_numbers::RowNumbers;

/// The most columns.
pub(crate) const MOST_COLUMNS: usize = 1_000_000;

/// Reads a table from bytes that can be read more than once.
pub(crate) fn parse(file: &str, open: &Open<'_>, options: &ReadOptions) -> Result<Table, Error> {
    let head = start::Head::read(file, open, options.any_size)?;
    let Some(decoded) = start::decoded(file, &head, open, options)? else {
        return table(file, open, &head, options);
    };
    let bytes = decoded.text.as_bytes();
    let open: &Open<'_> = &|| Ok(Box::new(bytes));
    let mut table = table(file, open, &start::Head::read(file, open, options.any_size)?, options)?;
    if let Some(encoding) = decoded.marked {
        table.notes.insert(0, format!("{file} is read as {encoding}, by the mark at its start."));
    }
    Ok(table)
}

/// Reads a table from text in UTF-8.
fn table(file: &str, open: &Open<'_>, head: &start::Head, options: &ReadOptions) -> Result<Table, Error> {
    let start = Start::find(file, head, options)?;
    let width = start.names.len();
    let known = options.known.as_ref();
    let mut table = Table {
        name: file.to_owned(),
        file: file.to_owned(),
        columns: (start.names.iter().enumerate())
            .map(|(number, name)| Column::new(name.clone(), number, Values::Numbers(Vec::new())))
            .collect(),
        rows: 0,
        lines: Vec::new(),
        named: start.named,
        width,
        left_out: Vec::new(),
        target: None,
        notes: start.notes.clone(),
        missing: options.missing.clone().or_else(|| known.and_then(|known| known.missing.clone())),
    };
    let wants = Want::of_columns(&table, options)?;
    let holds =
        known.map_or_else(|| vec![Holds::Anything; width], |known| known.holds(&start.names, start.named));

    // The first pass reads numbers until a column holds something else, and the text of columns that begin
    // with some.
    let sample = start.sample(&wants, &holds, options);
    let mut plan = Plan { delimiter: start.delimiter, modes: sample.modes, missing: start.missing.clone() };
    let read = read::rows(file, open, start.position, &plan, options.any_size)?;
    if read.lines.is_empty() {
        return Err(Error::NoRows { table: file.to_owned() });
    }
    let lines = read.lines;

    // The second reads as text what turned out to be no numbers, or whole ones that 64 bits do not keep.
    let again = |column: &PartColumn| match column {
        PartColumn::Numbers(numbers) if numbers.failed || numbers.rounded.is_some() => Mode::Text,
        _ => Mode::Skip,
    };
    let first_modes = std::mem::replace(&mut plan.modes, read.columns.iter().map(again).collect());
    let texts = if plan.modes.contains(&Mode::Text) {
        read::rows(file, open, start.position, &plan, options.any_size)?.columns
    } else {
        (0..width).map(|_| PartColumn::Skip).collect()
    };

    let said = Said {
        missing: &start.missing,
        decimal: options.decimal,
        likely: sample.likely,
        dates: options.dates,
        lines: &lines,
    };
    let mut columns = Vec::with_capacity(width);
    for (mut column, (first, text)) in table.columns.into_iter().zip(read.columns.into_iter().zip(texts)) {
        let number = column.number;
        let settled = match (first, text) {
            (PartColumn::Skip, _) => {
                table.left_out.push(column.name);
                continue;
            }
            (PartColumn::Numbers(numbers), text) if !numbers.failed => {
                if let (PartColumn::Text(text), Some(first)) = (text, &numbers.rounded) {
                    column.exact = Some(settle::exact(text, first.clone(), &start.missing));
                }
                let example = sample.examples[number].as_deref();
                settle::numbers(&column.name, numbers, first_modes[number], holds[number], example)
            }
            (PartColumn::Text(text), _) | (PartColumn::Numbers(_), PartColumn::Text(text)) => {
                settle(&column.name, text, wants[number], holds[number], &said)
            }
            (PartColumn::Numbers(_), _) => continue,
        };
        let place = |row: usize| Place {
            table: file.to_owned(),
            row: Row::Line(lines.get(row).copied().unwrap_or_default().into()),
            column: column.name.clone(),
        };
        if let Some((row, value)) = settled.not_numeric {
            return Err(Error::NotNumeric { place: place(row), value });
        }
        if let Some((row, value)) = settled.infinite {
            return Err(Error::Infinite { place: place(row), value });
        }
        table.notes.extend(settled.note);
        (column.values, column.written) = (settled.values, settled.written);
        // What a model was trained with decides, where there is one.
        let may_be_left_out = known.is_none() && wants[number] == Want::Infer;
        column.numbers_rows = match (options.row_numbers.unwrap_or_default(), &column.values) {
            (RowNumbers::LeaveOut, Values::Numbers(values)) if may_be_left_out => {
                row_numbers::numbers_rows(&column.name, number, values)
            }
            (RowNumbers::LeaveOut | RowNumbers::Keep, _) => false,
        };
        columns.push(column);
    }
    (table.columns, table.rows, table.lines) = (columns, lines.len(), lines);
    Ok(table)
}
