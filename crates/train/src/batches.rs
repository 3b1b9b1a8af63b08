//! Which rows make up a step and its batches, by their places in the order of an epoch.

use std::ops::Range;

use downhill_nn::LayerSpec;

use crate::{Config, Error};

/// How an epoch is cut into steps, and a step into batches.
///
/// A network with batch normalisation cannot learn from a batch of one row: that row is its own mean, and all
/// rows look the same. Where the last batch of an epoch would have one row, it takes another from the batch
/// before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batches {
    rows: usize,
    batch: usize,
    /// The rows of a step.
    pub rows_per_step: usize,
    /// Whether the last batch takes a row from the one before it.
    takes_one: bool,
}

impl Batches {
    /// Of a configuration whose batch is `batch`, on so many training rows.
    ///
    /// # Errors
    ///
    /// If there would be batches of one row under batch normalisation.
    pub fn new(config: &Config, batch: usize, rows: usize) -> Result<Self, Error> {
        let layers = config.network.described();
        let normalises = layers.iter().any(|layer| matches!(layer, LayerSpec::BatchNorm(_)));
        let refused = |what: String| {
            Err(Error::Mismatch(format!(
                "batch normalisation cannot train on a batch of one row, which would be its own mean: {what}, or leave \
                 batch normalisation out"
            )))
        };
        match (batch, rows) {
            _ if !normalises => {}
            (_, 1) => return refused("there is only one training row; take more".into()),
            (1, _) => return refused("take at least 2 rows a batch".into()),
            (2, _) if rows % 2 == 1 => {
                return refused(format!(
                    "of {rows} training rows, batches of 2 leave one over; take 3 a batch"
                ));
            }
            _ => {}
        }
        Ok(Self {
            rows,
            batch,
            rows_per_step: batch.saturating_mul(config.accumulate),
            takes_one: normalises && rows > 1 && rows % batch == 1,
        })
    }

    /// The number of steps of an epoch.
    pub fn steps_per_epoch(self) -> usize {
        self.rows.div_ceil(self.rows_per_step)
    }

    /// The rows of one of an epoch's steps.
    pub fn step(self, index: usize) -> Range<usize> {
        let first = index.saturating_mul(self.rows_per_step);
        self.cut(first)..self.cut(first.saturating_add(self.rows_per_step))
    }

    /// The rows of each batch of a step.
    pub fn of_step(self, index: usize) -> impl Iterator<Item = Range<usize>> {
        let first = index.saturating_mul(self.rows_per_step);
        let end = first.saturating_add(self.rows_per_step).min(self.rows);
        let firsts = (first..end).step_by(self.batch);
        firsts.map(move |first| self.cut(first)..self.cut(first.saturating_add(self.batch)))
    }

    /// Where the order of the rows is cut that would be cut here.
    fn cut(self, at: usize) -> usize {
        if self.takes_one && at + 1 == self.rows { at - 1 } else { at.min(self.rows) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Network;

    fn config(batch_norm: bool, accumulate: usize) -> Config {
        let mut network = Network::mlp([4]);
        network.batch_norm = batch_norm;
        Config { network: network.into(), accumulate, ..Config::default() }
    }

    /// The number of rows in each batch of each step.
    fn sizes(batches: Batches) -> Vec<Vec<usize>> {
        let steps = 0..batches.steps_per_epoch();
        steps.map(|step| batches.of_step(step).map(|rows| rows.len()).collect()).collect()
    }

    #[test]
    fn a_last_batch_of_one_row_takes_another() {
        for rows in 4..60 {
            for batch in 3..=rows {
                for accumulate in 1..5 {
                    let [plain, normalised] = [false, true]
                        .map(|norm| Batches::new(&config(norm, accumulate), batch, rows).unwrap());
                    let sizes = [plain, normalised].map(sizes);
                    let what = format!("{rows} rows, {accumulate} batches of {batch}: {sizes:?}");
                    if rows % batch == 1 {
                        assert!(sizes[1].iter().flatten().all(|&rows| rows >= 2), "{what}");
                    } else {
                        assert_eq!(sizes[0], sizes[1], "{what}");
                    }
                    for batches in [plain, normalised] {
                        let seen: Vec<usize> =
                            (0..batches.steps_per_epoch()).flat_map(|step| batches.step(step)).collect();
                        assert_eq!(seen, (0..rows).collect::<Vec<_>>(), "{what}");
                        for step in 0..batches.steps_per_epoch() {
                            assert!(batches.of_step(step).flatten().eq(batches.step(step)), "{what}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn batches_of_one_row_are_refused_where_they_cannot_be_avoided() {
        for (batch, rows) in [(1, 40), (2, 41), (1, 1)] {
            assert!(Batches::new(&config(false, 1), batch, rows).is_ok());
            let why = Batches::new(&config(true, 1), batch, rows).unwrap_err().to_string();
            assert!(why.contains("batch normalisation cannot train on a batch of one row"), "{why}");
        }
        assert!(Batches::new(&config(true, 1), 2, 40).is_ok());
    }
}
