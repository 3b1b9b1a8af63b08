//! Rows to train on and rows held out.

use crate::column::MISSING;
use crate::encode::check_classes;
use crate::{Error, Table, Task};
use downhill_core::random::{Purpose, stream};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// The numbers of the rows of each part, ascending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The rows to train on.
    pub train: Vec<u32>,
    /// The rows held out to validate on.
    pub valid: Vec<u32>,
}

/// Divides the rows that have a target at random, a pure function of the table, the share and the seed.
///
/// `share` (0 to 1, both excluded) of the rows, rounded, are held out: at least one, and never all. With classes, the
/// same share of each class is, up to one row, and no class loses its last row to validation.
///
/// # Errors
///
/// If the share is not between 0 and 1, if there are too few rows to hold one out, or more classes than one for two rows.
pub fn split(table: &Table, target: usize, task: Task, share: f64, seed: u64) -> Result<Split, Error> {
    split_up_to(table, target, task, share, seed, usize::MAX)
}

/// As [`split`](split()), with an error where there are more classes than expected.
pub(crate) fn split_up_to(
    table: &Table,
    target: usize,
    task: Task,
    share: f64,
    seed: u64,
    most_classes: usize,
) -> Result<Split, Error> {
    if !(share > 0.0 && share < 1.0) {
        return Err(Error::Share(share));
    }
    let rows = table.rows_with(target)?;
    let mut groups = match task {
        Task::Regression => vec![rows.clone()],
        Task::Classification => {
            let categories = table.column(target)?.categories();
            check_classes(table, target, &rows, &categories, most_classes)?;
            let mut groups = vec![Vec::new(); categories.texts.len()];
            for &row in &rows {
                let code = categories.codes[row as usize];
                if code != MISSING {
                    groups[code as usize].push(row);
                }
            }
            groups
        }
    };
    groups.retain(|group| !group.is_empty());
    let held_out = allot(&groups, rows.len(), share);
    if held_out.iter().sum::<usize>() == 0 {
        return Err(Error::TooFewRows { table: table.file.clone(), rows: rows.len() });
    }

    let mut rng = stream(seed, Purpose::Split, 0);
    let mut split = Split { train: Vec::with_capacity(rows.len()), valid: Vec::new() };
    for (group, held_out) in groups.iter_mut().zip(held_out) {
        group.shuffle(&mut rng);
        let (valid, train) = group.split_at(held_out);
        split.valid.extend(valid);
        split.train.extend(train);
    }
    split.train.sort_unstable();
    split.valid.sort_unstable();
    Ok(split)
}

/// How many rows of each group to hold out: its share rounded down, and one more where the most is lost by that until
/// the share of all rows is reached.
fn allot(groups: &[Vec<u32>], rows: usize, share: f64) -> Vec<usize> {
    let total = ((rows as f64 * share).round() as usize).clamp(1, rows.saturating_sub(1).max(1));
    let wanted = |group: &Vec<u32>| group.len() as f64 * share;
    let mut held_out: Vec<usize> =
        groups.iter().map(|group| (wanted(group) as usize).min(group.len() - 1)).collect();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by(|&a, &b| wanted(&groups[b]).fract().total_cmp(&wanted(&groups[a]).fract()).then(a.cmp(&b)));
    let mut left = total.saturating_sub(held_out.iter().sum());
    for group in order {
        if left > 0 && held_out[group] + 1 < groups[group].len() {
            held_out[group] += 1;
            left -= 1;
        }
    }
    held_out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(sizes: &[usize]) -> Vec<Vec<u32>> {
        sizes.iter().map(|&size| vec![0; size]).collect()
    }

    #[test]
    fn shares_add_up_and_no_group_loses_all() {
        assert_eq!(allot(&groups(&[50, 50, 50]), 150, 0.2), [10, 10, 10]);
        assert_eq!(allot(&groups(&[7, 7, 7]), 21, 0.5), [4, 4, 3]);
        assert_eq!(allot(&groups(&[1, 1, 8]), 10, 0.2), [0, 0, 2]);
        assert_eq!(allot(&groups(&[2, 2]), 4, 0.99), [1, 1]);
        assert_eq!(allot(&groups(&[3, 3]), 6, 0.001), [1, 0]);
        assert_eq!(allot(&groups(&[1, 1]), 2, 0.5), [0, 0]);
    }

    #[test]
    fn the_same_seed_holds_out_the_same_rows() {
        let table = Table::bundled("iris").unwrap();
        let split = |seed| split(&table, 4, Task::Classification, 0.2, seed).unwrap();
        assert_eq!(split(7), split(7));
        assert_ne!(split(7), split(8));
        // If this changes, runs made before can no longer be replayed.
        assert_eq!(split(7).valid[..5], [2, 6, 7, 13, 16]);
    }
}
