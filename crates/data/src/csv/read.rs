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
    let mut all = Rows::new(file, plan);
    let mut batch = next_batch(&mut blocks, plan)?;
    let mut parsed = Vec::new();
    while !batch.is_empty() {
        let expected = all.expected;
        let mut others = || (all.append(std::mem::take(&mut parsed)), next_batch(&mut blocks, plan));
        let (parts, (appended, next)) = match &batch[..] {
            // The only one of a small file, or of a single thread.
            [only] => (vec![parse(only, plan, expected)], others()),
            // While some threads parse, one appends the rows before and reads the text behind.
            _ => rayon::join(|| batch.par_iter().map(|block| parse(block, plan, expected)).collect(), others),
        };
        appended?;
        parsed = parts;
        batch = match next {
            Ok(next) => next,
            // What is wrong further up in the file comes first.
            Err(error) => return all.append(parsed).and(Err(error)),
        };
    }
    all.append(parsed)?;
    Ok(all.part)
}

/// The rows of a block, and the line that the block begins with.
type Parsed = (u64, Result<Part, Fault>);

fn parse(block: &Block, plan: &Plan, expected: usize) -> Parsed {
    (block.line, part::read(&block.text, plan, expected))
}

/// A block for each thread; none at the end.
fn next_batch(blocks: &mut Blocks<'_>, plan: &Plan) -> Result<Vec<Block>, Error> {
    let at_once = rayon::current_num_threads().max(1);
    let mut batch = Vec::with_capacity(at_once);
    while batch.len() < at_once
        && let Some(block) = blocks.next(plan.delimiter)?
    {
        batch.push(block);
    }
    Ok(batch)
}

/// The rows read so far.
struct Rows<'a> {
    file: &'a str,
    part: Part,
    /// How many rows a block has, as far as is known.
    expected: usize,
}

impl<'a> Rows<'a> {
    fn new(file: &'a str, plan: &Plan) -> Self {
        let columns = plan.modes.iter().map(|&mode| PartColumn::new(mode)).collect();
        Self { file, part: Part { columns, lines: Vec::new() }, expected: 0 }
    }

    /// Puts the rows of blocks behind the others, in the order of the file.
    fn append(&mut self, parsed: Vec<Parsed>) -> Result<(), Error> {
        let all = &mut self.part;
        for (first, part) in parsed {
            let part = part.map_err(|fault| error(self.file, fault, first, all.columns.len()))?;
            self.expected = part.lines.len() + part.lines.len() / 16;
            let line = |line: u32| u32::try_from(first - 1 + u64::from(line)).unwrap_or(u32::MAX);
            all.lines.extend(part.lines.into_iter().map(line));
            for (column, more) in all.columns.iter_mut().zip(part.columns) {
                column.append(more);
            }
            if all.lines.len() >= MISSING as usize {
                return Err(Error::Invalid(format!(
                    "{} has more than {MISSING} rows. Split it into files",
                    self.file
                )));
            }
        }
        Ok(())
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
