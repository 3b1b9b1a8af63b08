//! All rows of a text, block by block, several at once.

use super::blocks::{Block, Blocks, Open};
use super::part::{self, Fault, Part, PartColumn, Plan};
use crate::Error;
use crate::column::MISSING;
use rayon::prelude::*;

/// Reads all rows from a position, in bytes and lines, on.
pub(super) fn rows(
    file: &str,
    open: &Open<'_>,
    position: (usize, u64),
    plan: &Plan,
    any_size: bool,
) -> Result<Part, Error> {
    let mut blocks = Blocks::new(file, open()?, position, any_size)?;
    let mut all =
        Part { columns: plan.modes.iter().map(|&mode| PartColumn::new(mode)).collect(), lines: Vec::new() };
    let at_once = rayon::current_num_threads().max(1);
    // How many rows a block has, as far as is known.
    let mut expected = 0;
    loop {
        let mut batch: Vec<Block> = Vec::with_capacity(at_once);
        while batch.len() < at_once
            && let Some(block) = blocks.next(plan.delimiter)?
        {
            batch.push(block);
        }
        let parts: Vec<Result<Part, Fault>> = match &batch[..] {
            [] => return Ok(all),
            [only] => vec![part::read(&only.text, plan, expected)],
            _ => batch.par_iter().map(|block| part::read(&block.text, plan, expected)).collect(),
        };
        for (block, part) in batch.iter().zip(parts) {
            let part = part.map_err(|fault| error(file, fault, block.line, plan.modes.len()))?;
            expected = part.lines.len() + part.lines.len() / 16;
            let line = |line: u32| u32::try_from(block.line - 1 + u64::from(line)).unwrap_or(u32::MAX);
            all.lines.extend(part.lines.into_iter().map(line));
            for (column, more) in all.columns.iter_mut().zip(part.columns) {
                column.append(more);
            }
            if all.lines.len() >= MISSING as usize {
                return Err(Error::Invalid(format!(
                    "{file} has more than {MISSING} rows. Split it into files"
                )));
            }
        }
    }
}

/// What is wrong with a row of a block that begins with the line `first`.
fn error(file: &str, fault: Fault, first: u64, expected: usize) -> Error {
    let table = file.to_owned();
    match fault {
        Fault::Ragged(line, found) => Error::Ragged { table, line: first - 1 + line, expected, found },
        Fault::Unclosed(line) => Error::UnclosedQuote { table, line: first - 1 + line },
    }
}
