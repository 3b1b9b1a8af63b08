//! Rows for cross-validation: several splits, each with other rows held out.

use crate::column::{MISSING, Values, Written};
use crate::encode::check_classes;
use crate::error::count as plural;
use crate::{Error, Split, Table, Task};
use downhill_core::random::{Purpose, stream};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// How rows are divided for cross-validation: each fold trains on some rows and validates on others.
///
/// Unless told otherwise, every row is held out in one fold, at random, and each class is spread evenly over
/// the folds (Kohavi 1995). A class of one row is always trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Folds {
    /// The number of folds, at least 2.
    pub count: usize,
    /// A column, by name or by number, whose rows with the same value are never both trained and validated on
    /// in a fold; rows without a value count as having the same one. It is no input of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<String>,
    /// Whether each fold trains on what comes before what it validates on. The rows, in their order, are cut
    /// into one part more than there are folds; the first fold trains on the first part and validates on the
    /// second, the next trains on the first two, and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_split: Option<TimeOrder>,
}

/// The order of rows in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Spelt", into = "Spelt")]
pub enum TimeOrder {
    /// As they stand in the file: `true`.
    File,
    /// By a column of numbers or dates, by name or by number. Rows of the same time are never divided.
    Column(String),
}

/// How an order is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected true, for the order of the file, or a column's name in quotes")]
enum Spelt {
    File(bool),
    Column(String),
}

impl TryFrom<Spelt> for TimeOrder {
    type Error = String;

    fn try_from(spelt: Spelt) -> Result<Self, String> {
        match spelt {
            Spelt::File(true) => Ok(Self::File),
            Spelt::File(false) => Err("leave `time-split` out, if rows are not to be split by time".into()),
            Spelt::Column(column) => Ok(Self::Column(column)),
        }
    }
}

impl From<TimeOrder> for Spelt {
    fn from(order: TimeOrder) -> Self {
        match order {
            TimeOrder::File => Self::File(true),
            TimeOrder::Column(column) => Self::Column(column),
        }
    }
}

impl Folds {
    /// So many folds, each of which validates on rows chosen at random.
    pub fn new(count: usize) -> Self {
        Self { count, group_by: None, time_split: None }
    }

    /// Whether there are several, and not told to be by group and by time at once.
    ///
    /// # Errors
    ///
    /// If not.
    pub fn check(&self) -> Result<(), Error> {
        if self.count < 2 {
            let count = self.count;
            return Err(Error::Folds(format!(
                "there must be at least 2 folds, and not {count}: each is trained without the rows that it \
                 validates on"
            )));
        }
        if self.group_by.is_some() && self.time_split.is_some() {
            return Err(Error::Folds("folds are either by group or in the order of time, not both".into()));
        }
        Ok(())
    }
}

/// Divides the rows that have a target into folds, a pure function of the table, the folds and the seed; in
/// the order of time, of the table alone.
///
/// # Errors
///
/// If there are fewer than two folds, more folds than rows, groups or moments, a column is not there or not
/// of times, or there are more classes than one for two rows.
pub fn folds(
    table: &Table,
    target: usize,
    task: Task,
    folds: &Folds,
    seed: u64,
) -> Result<Vec<Split>, Error> {
    folds_up_to(table, target, task, folds, seed, usize::MAX)
}

/// As [`folds`](folds()), with an error where there are more classes than expected.
pub(crate) fn folds_up_to(
    table: &Table,
    target: usize,
    task: Task,
    folds: &Folds,
    seed: u64,
    most_classes: usize,
) -> Result<Vec<Split>, Error> {
    folds.check()?;
    let rows = table.rows_with(target)?;
    // The class of each row of the table; in regression all rows are of the same.
    let classes = match task {
        Task::Regression => vec![0; table.rows],
        Task::Classification => {
            let categories = table.column(target)?.categories();
            check_classes(table, target, &rows, &categories, most_classes)?;
            categories.codes.into_owned()
        }
    };
    let too_few = |what: &str, found: usize| {
        Error::Folds(format!("{} has {found} {what}: too few for {} folds", table.file, folds.count))
    };
    if rows.len() < folds.count {
        return Err(too_few("rows with a target", rows.len()));
    }
    let held_out = match (&folds.group_by, &folds.time_split) {
        (_, Some(order)) => return in_time(table, rows, order, folds.count),
        (Some(column), None) => {
            let groups = groups(table, target, &rows, column)?;
            if groups.len() < folds.count {
                return Err(too_few(&format!("groups by `{column}`"), groups.len()));
            }
            by_group(groups, &classes, folds.count, seed)
        }
        (None, None) => at_random(&rows, &classes, task, folds.count, seed),
    };
    let split = |mut valid: Vec<u32>| {
        valid.sort_unstable();
        let mut held = vec![false; table.rows];
        valid.iter().for_each(|&row| held[row as usize] = true);
        let train = rows.iter().copied().filter(|&row| !held[row as usize]).collect();
        Split { train, valid }
    };
    let splits: Vec<Split> = held_out.into_iter().map(split).collect();
    match splits.iter().all(|split| !split.valid.is_empty()) {
        true => Ok(splits),
        false => {
            Err(too_few("rows of classes with more than one", splits.iter().map(|s| s.valid.len()).sum()))
        }
    }
}

/// Deals out the rows of each class, shuffled, to the folds in turn: their sizes differ by no more than one
/// row, and so do those of each class in them.
fn at_random(rows: &[u32], classes: &[u32], task: Task, count: usize, seed: u64) -> Vec<Vec<u32>> {
    let most = rows.iter().map(|&row| classes[row as usize]).max().unwrap_or(0);
    let mut of_classes = vec![Vec::new(); most as usize + 1];
    rows.iter().for_each(|&row| of_classes[classes[row as usize] as usize].push(row));
    if task == Task::Classification {
        // Without its only row, a class would not be known.
        of_classes.retain(|rows| rows.len() > 1);
    }
    let mut rng = stream(seed, Purpose::Split, 1);
    let mut folds = vec![Vec::new(); count];
    let mut next = (0..count).cycle();
    for mut rows in of_classes {
        rows.shuffle(&mut rng);
        rows.into_iter().zip(&mut next).for_each(|(row, fold)| folds[fold].push(row));
    }
    folds
}

/// The rows of each value of a column, those without one last.
fn groups(table: &Table, target: usize, rows: &[u32], column: &str) -> Result<Vec<Vec<u32>>, Error> {
    let at = table.column_index(column)?;
    if at == target {
        return Err(Error::Folds(format!("`{column}` is the target, and rows cannot be grouped by it")));
    }
    let categories = table.columns[at].categories();
    let mut groups = vec![Vec::new(); categories.texts.len() + 1];
    for &row in rows {
        let code = categories.codes[row as usize];
        let group = if code == MISSING { categories.texts.len() } else { code as usize };
        groups[group].push(row);
    }
    groups.retain(|group| !group.is_empty());
    Ok(groups)
}

/// Gives each group, the largest first, to the fold that has the least of its classes so far: that with the
/// lowest sum of squares of each class's shares, over the folds.
fn by_group(mut groups: Vec<Vec<u32>>, classes: &[u32], count: usize, seed: u64) -> Vec<Vec<u32>> {
    groups.shuffle(&mut stream(seed, Purpose::Split, 1));
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let class = |row: &u32| classes[*row as usize] as usize;
    let most = groups.iter().flatten().map(class).max().unwrap_or(0);
    let mut of_class = vec![0u64; most + 1];
    groups.iter().flatten().for_each(|row| of_class[class(row)] += 1);
    let mut folds = vec![(Vec::<u32>::new(), vec![0u64; most + 1]); count];
    for (at, group) in groups.into_iter().enumerate() {
        let cost = |(rows, has): &(Vec<u32>, Vec<u64>)| -> (f64, usize) {
            // What the sum grows by, but for what is the same for all folds.
            let share = |row: &u32| has[class(row)] as f64 / of_class[class(row)] as f64;
            (group.iter().map(share).sum(), rows.len())
        };
        let cheaper = |a: &(usize, (f64, usize)), b: &(usize, (f64, usize))| {
            a.1.0.total_cmp(&b.1.0).then(a.1.1.cmp(&b.1.1)).then(a.0.cmp(&b.0))
        };
        // As many groups as folds go to one each, so that none is left empty.
        let open = folds.iter().enumerate().filter(|(_, (rows, _))| at >= count || rows.is_empty());
        let fold = open.map(|(fold, has)| (fold, cost(has))).min_by(cheaper).map_or(0, |(fold, _)| fold);
        group.iter().for_each(|row| folds[fold].1[class(row)] += 1);
        folds[fold].0.extend(group);
    }
    folds.into_iter().map(|(rows, _)| rows).collect()
}

/// Each fold trains on the parts before that which it validates on.
fn in_time(table: &Table, rows: Vec<u32>, order: &TimeOrder, count: usize) -> Result<Vec<Split>, Error> {
    let mut timed: Vec<(f64, u32)> = match order {
        TimeOrder::File => rows.into_iter().map(|row| (f64::from(row), row)).collect(),
        TimeOrder::Column(column) => {
            let times = times(table, column)?;
            let time = |row: u32| match times[row as usize] {
                time if time.is_nan() => {
                    let place = table.place(row as usize, column);
                    Err(Error::Folds(format!("{place}: no time, and rows are to be split by it")))
                }
                time => Ok((time, row)),
            };
            rows.into_iter().map(time).collect::<Result<_, _>>()?
        }
    };
    timed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let parts = count + 1;
    let mut cuts = Vec::with_capacity(parts + 1);
    cuts.push(0);
    for part in 1..parts {
        let mut cut = (timed.len() * part / parts).max(1);
        while cut < timed.len() && timed[cut].0 == timed[cut - 1].0 {
            cut += 1;
        }
        cuts.push(cut);
    }
    cuts.push(timed.len());
    if cuts.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(Error::Folds(format!(
            "{} cannot be cut into the {parts} parts in time that {} need: too few of its {} are of different times",
            table.file,
            plural(count, "fold", "folds"),
            plural(timed.len(), "row", "rows")
        )));
    }
    let sorted = |range: &[(f64, u32)]| {
        let mut rows: Vec<u32> = range.iter().map(|&(_, row)| row).collect();
        rows.sort_unstable();
        rows
    };
    let split = |fold: usize| Split {
        train: sorted(&timed[..cuts[fold + 1]]),
        valid: sorted(&timed[cuts[fold + 1]..cuts[fold + 2]]),
    };
    Ok((0..count).map(split).collect())
}

/// The times in a column, NaN where there is none.
fn times(table: &Table, name: &str) -> Result<Vec<f64>, Error> {
    let column = &table.columns[table.column_index(name)?];
    let wrong = |row: usize| {
        let place = table.place(row, &column.name);
        let value = column.text(row).unwrap_or_default().into_owned();
        Error::Folds(format!("{place}: `{value}` is neither a number nor a date to split rows in time by"))
    };
    let times = match (&column.values, column.written) {
        (Values::Text { .. }, Written::Dates(order)) => column.seconds(order),
        _ => column.numbers(column.notation()),
    };
    times.map(std::borrow::Cow::into_owned).map_err(wrong)
}
