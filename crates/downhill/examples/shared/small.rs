//! A table cut down to what a benchmark has time for.

use std::error::Error;

use downhill::prelude::*;

/// At most so many of the rows, four fifths of them to train on.
pub fn small(table: &Table, seed: u64, rows: usize) -> Result<Dataset, Box<dyn Error>> {
    let all = table.default_target().split(0.2, seed)?;
    Ok(Dataset::from_examples(thinned(&all.train, rows * 4 / 5)?, thinned(&all.valid, rows / 5)?)?)
}

/// At most so many of the rows, evenly taken.
pub fn thinned(examples: &Examples, most: usize) -> Result<Examples, Box<dyn Error>> {
    let kept: Vec<usize> = (0..examples.rows()).step_by(examples.rows().div_ceil(most).max(1)).collect();
    let x = kept.iter().flat_map(|&row| examples.row(row)).copied().collect();
    let y = match &examples.y {
        Targets::Classes { labels, classes } => {
            Targets::Classes { labels: kept.iter().map(|&row| labels[row]).collect(), classes: *classes }
        }
        Targets::Values(values) => Targets::Values(kept.iter().map(|&row| values[row]).collect()),
    };
    Ok(Examples::new(x, examples.features, y)?)
}
