//! From a table to what a trainer takes.

use crate::encode::{Encoder, MOST_CLASSES};
use crate::error::count;
use crate::folds::folds_up_to;
use crate::notation::Notation;
use crate::split::split_up_to;
use crate::{Error, Examples, Folds, Split, Table, Targets, Task};

/// What a trainer takes: examples to train on and examples to validate on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Dataset {
    /// What to call it.
    pub name: String,
    /// The examples to train on.
    pub train: Examples,
    /// The examples to validate on.
    pub valid: Examples,
    /// How the columns of a table became these numbers; none for plain data.
    pub encoder: Option<Encoder>,
    /// What is worth telling a person, in sentences.
    pub notes: Vec<String>,
}

impl Dataset {
    /// A data set of plain numbers.
    ///
    /// # Errors
    ///
    /// If the two parts differ in the number of features, in the task or in the number of classes.
    pub fn from_examples(train: Examples, valid: Examples) -> Result<Self, Error> {
        let invalid = |problem: String| Err(Error::Invalid(problem));
        if train.features != valid.features {
            return invalid(format!(
                "the training rows have {} features and the validation rows {}",
                train.features, valid.features
            ));
        }
        match (&train.y, &valid.y) {
            (Targets::Classes { classes: a, .. }, Targets::Classes { classes: b, .. }) if a != b => {
                return invalid(format!(
                    "the training rows are of {a} classes and the validation rows of {b}"
                ));
            }
            (Targets::Classes { .. }, Targets::Values(_)) | (Targets::Values(_), Targets::Classes { .. }) => {
                return invalid("one part has classes as targets and the other numbers".to_owned());
            }
            _ => {}
        }
        Ok(Self { name: "data".to_owned(), train, valid, encoder: None, notes: Vec::new() })
    }

    /// The number of features of a row.
    pub fn features(&self) -> usize {
        self.train.features
    }

    /// What is to be predicted.
    pub fn task(&self) -> Task {
        match self.train.y {
            Targets::Classes { .. } => Task::Classification,
            Targets::Values(_) => Task::Regression,
        }
    }

    /// The number of classes; none in regression.
    pub fn classes(&self) -> Option<usize> {
        match self.train.y {
            Targets::Classes { classes, .. } => Some(classes),
            Targets::Values(_) => None,
        }
    }

    /// The number of values that a network has to give for a row: one for each class, or one for a number.
    pub fn outputs(&self) -> usize {
        match self.train.y {
            Targets::Classes { classes, .. } => classes,
            Targets::Values(_) => 1,
        }
    }
}

/// A table with a column chosen as the target: the step from a [`Table`] to a [`Dataset`].
///
/// ```
/// use downhill_data::{Table, Task};
///
/// let table = Table::bundled("diabetes")?;
/// let data = table.target("progression").task(Task::Regression).split(0.2, 7)?;
/// assert_eq!((data.train.rows(), data.valid.rows()), (354, 88));
/// # Ok::<(), downhill_data::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Target<'a> {
    table: &'a Table,
    name: Option<String>,
    task: Option<Task>,
    weights: Option<Vec<f32>>,
    valid_weights: Option<Vec<f32>>,
}

/// A target that was found, and what is to be done with it.
struct Chosen {
    column: usize,
    task: Task,
    /// The most classes that are taken for what is meant.
    most_classes: usize,
    notes: Vec<String>,
}

impl<'a> Target<'a> {
    pub(crate) fn new(table: &'a Table, name: Option<&str>) -> Self {
        Self { table, name: name.map(str::to_owned), task: None, weights: None, valid_weights: None }
    }

    /// Classification or regression, where [`Task::of`] is not to decide.
    pub fn task(mut self, task: Task) -> Self {
        self.task = Some(task);
        self
    }

    /// How much each row of the table counts in the losses of training and validation: a number from 0 on. A
    /// row of weight 2 counts as two rows, one of weight 0 is left out. What is learnt of the columns (means,
    /// standard deviations, categories) is learnt of the rows that are not left out, all the same.
    pub fn weights(mut self, weights: Vec<f32>) -> Self {
        self.weights = Some(weights);
        self
    }

    /// The same of the other table that [`validate_on`](Self::validate_on) takes.
    pub fn valid_weights(mut self, weights: Vec<f32>) -> Self {
        self.valid_weights = Some(weights);
        self
    }

    /// Holds out a share of the rows to validate on, at random: see [`split`](crate::split()).
    ///
    /// Rows without a target are left out, and a note says so.
    ///
    /// # Errors
    ///
    /// As [`split`](crate::split()) and [`Encoder::fit`], or if there is no such column or no value in it.
    pub fn split(self, share: f64, seed: u64) -> Result<Dataset, Error> {
        let Chosen { column, task, most_classes, mut notes } = self.choose()?;
        let Split { train, valid } = split_up_to(self.table, column, task, share, seed, most_classes)?;
        let parts = Split { train: self.counted(train, true)?, valid: self.counted(valid, false)? };
        let (encoder, learnt) = Encoder::learn(self.table, &parts.train, column, task, most_classes)?;
        let train =
            weighted(encoder.encode(self.table, &parts.train)?, self.weights.as_deref(), &parts.train)?;
        let valid =
            weighted(encoder.encode(self.table, &parts.valid)?, self.weights.as_deref(), &parts.valid)?;
        notes.extend(learnt);
        notes.extend(self.lonely_classes(&encoder, &train, &valid, &parts.train));
        Ok(Dataset { name: self.table.name.clone(), train, valid, encoder: Some(encoder), notes })
    }

    /// Divides the rows for cross-validation: see [`folds`](crate::folds()). Each fold has an encoder of its
    /// own, learnt from the rows that it trains on; only the classes are those of all rows.
    ///
    /// ```
    /// use downhill_data::{Folds, Table};
    ///
    /// let table = Table::bundled("iris")?;
    /// let folds = table.target("species").folds(&Folds::new(5), 7)?;
    /// assert_eq!(folds.len(), 5);
    /// assert_eq!((folds[0].train.rows(), folds[0].valid.rows()), (120, 30));
    /// # Ok::<(), downhill_data::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`folds`](crate::folds()) and [`Encoder::fit`], or if there is no such column or no value in it.
    pub fn folds(self, folds: &Folds, seed: u64) -> Result<Vec<Dataset>, Error> {
        let numbers: Vec<usize> = (0..folds.count).collect();
        self.some_folds(folds, &numbers, seed)
    }

    /// One of the folds, counted from 0.
    ///
    /// # Errors
    ///
    /// As [`folds`](Self::folds), or if there is no such fold.
    pub fn fold(self, folds: &Folds, number: usize, seed: u64) -> Result<Dataset, Error> {
        let all = folds.count;
        let none = || Error::Folds(format!("there is no fold {number}: {all} are counted from 0"));
        let found = if number < all { self.some_folds(folds, &[number], seed)?.pop() } else { None };
        found.ok_or_else(none)
    }

    fn some_folds(self, folds: &Folds, numbers: &[usize], seed: u64) -> Result<Vec<Dataset>, Error> {
        let Chosen { column, task, most_classes, notes } = self.choose()?;
        let splits = folds_up_to(self.table, column, task, folds, seed, most_classes)?;
        let all = self.counted(self.table.rows_with(column)?, true)?;
        let (without, column) = match &folds.group_by {
            Some(group) => {
                let group = self.table.column_index(group)?;
                (Some(self.table.without(group)), column - usize::from(group < column))
            }
            None => (None, column),
        };
        let table = without.as_ref().unwrap_or(self.table);
        let dataset = |&number: &usize| {
            let Split { train, valid } = splits[number].clone();
            let (train, valid) = (&self.counted(train, true)?, &self.counted(valid, false)?);
            let (mut encoder, learnt) = Encoder::learn(table, train, column, task, most_classes)?;
            if task == Task::Classification {
                encoder.learn_target(table, &all, column, task, most_classes)?;
            }
            let train = weighted(encoder.encode(table, train)?, self.weights.as_deref(), train)?;
            let valid = weighted(encoder.encode(table, valid)?, self.weights.as_deref(), valid)?;
            let notes = notes.iter().cloned().chain(learnt).collect();
            Ok(Dataset { name: table.name.clone(), train, valid, encoder: Some(encoder), notes })
        };
        numbers.iter().map(dataset).collect()
    }

    /// Trains on all rows and validates on those of another table.
    ///
    /// # Errors
    ///
    /// As [`Encoder::fit`] and [`Encoder::encode`], or if there is no such column or no value in it.
    pub fn validate_on(self, valid: &Table) -> Result<Dataset, Error> {
        let Chosen { column, task, most_classes, mut notes } = self.choose()?;
        let rows = self.counted(self.table.rows_with(column)?, true)?;
        let (encoder, learnt) = Encoder::learn(self.table, &rows, column, task, most_classes)?;
        notes.extend(learnt);
        notes.extend(encoder.check(valid)?);
        let train = weighted(encoder.encode(self.table, &rows)?, self.weights.as_deref(), &rows)?;
        let valid_rows = match encoder.target_column(valid)? {
            Some(column) => {
                notes.extend(without_target(valid, column)?);
                valid.rows_with(column)?
            }
            None => (0..valid.rows as u32).collect(),
        };
        let weights = self.valid_weights.as_deref();
        let valid_rows = counted(valid, valid_rows, weights, false)?;
        let valid = weighted(encoder.encode(valid, &valid_rows)?, weights, &valid_rows)?;
        Ok(Dataset { name: self.table.name.clone(), train, valid, encoder: Some(encoder), notes })
    }

    /// Those of some rows that count.
    fn counted(&self, rows: Vec<u32>, training: bool) -> Result<Vec<u32>, Error> {
        counted(self.table, rows, self.weights.as_deref(), training)
    }

    fn choose(&self) -> Result<Chosen, Error> {
        let table = self.table;
        let mut notes = table.notes.clone();
        let column = match (&self.name, table.target) {
            (Some(name), _) => table.column_index(name)?,
            (None, Some(target)) => target,
            (None, None) => {
                if table.pixels() > 0 {
                    return Err(Error::NoLabels { table: table.file.clone() });
                }
                let last = table.columns.len().saturating_sub(1);
                let name = &table.column(last)?.name;
                notes.push(format!("The target is the last column, `{name}`, as none is named."));
                last
            }
        };
        notes.extend(without_target(table, column)?);
        let name = table.column(column)?.name();
        let task = match self.task {
            Some(task) => task,
            None => {
                let task = Task::of(table, column)?;
                let numbers = table.column(column)?.numbers(Notation::default()).is_ok();
                let classes = table.column(column)?.categories().texts.len();
                if task == Task::Classification && numbers && classes > 2 && table.target.is_none() {
                    notes.push(format!(
                        "The target `{name}` has {classes} different integers, which are taken for classes; with the \
                         task `regression`, a number is predicted."
                    ));
                }
                task
            }
        };
        let most_classes = if self.task.is_some() { usize::MAX } else { MOST_CLASSES };
        Ok(Chosen { column, task, most_classes, notes })
    }

    /// Classes that have no row to validate on.
    fn lonely_classes(
        &self,
        encoder: &Encoder,
        train: &Examples,
        valid: &Examples,
        rows: &[u32],
    ) -> Option<String> {
        let (Targets::Classes { labels, classes }, Targets::Classes { labels: held_out, .. }) =
            (&train.y, &valid.y)
        else {
            return None;
        };
        let mut counts = vec![0_usize; *classes];
        let mut first = vec![0_u32; *classes];
        for (&label, &row) in labels.iter().zip(rows) {
            if counts[label as usize] == 0 {
                first[label as usize] = row;
            }
            counts[label as usize] += 1;
        }
        for &label in held_out {
            counts[label as usize] = 0;
        }
        let lonely: Vec<String> = (0..*classes)
            .filter(|&class| counts[class] > 0)
            .map(|class| {
                let place = self.table.place(first[class] as usize, "").row;
                let name = encoder.classes().get(class).map(String::as_str).unwrap_or_default();
                format!("`{name}` ({}, {place})", count(counts[class], "row", "rows"))
            })
            .collect();
        let shown = lonely.len().min(5);
        let more =
            if lonely.len() > shown { format!(" and {} more", lonely.len() - shown) } else { String::new() };
        (!lonely.is_empty()).then(|| {
            format!(
                "Too few rows to validate on as well as train on of {} {}{more}.",
                if lonely.len() == 1 { "class" } else { "classes" },
                lonely[..shown].join(", ")
            )
        })
    }
}

/// Those of some rows of a table that have a weight above 0.
fn counted(
    table: &Table,
    rows: Vec<u32>,
    weights: Option<&[f32]>,
    training: bool,
) -> Result<Vec<u32>, Error> {
    let Some(weights) = weights else { return Ok(rows) };
    if weights.len() != table.rows {
        return Err(Error::Invalid(format!("{} weights do not go with {} rows", weights.len(), table.rows)));
    }
    if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        let value = (!weights[row].is_nan()).then(|| weights[row].to_string());
        return Err(Error::BadWeight { place: table.place(row, ""), value });
    }
    let rows: Vec<u32> = rows.into_iter().filter(|&row| weights[row as usize] > 0.0).collect();
    match rows.is_empty() {
        true => Err(Error::NoWeight { table: table.file.clone(), training }),
        false => Ok(rows),
    }
}

/// Examples with the weights of these rows of their table.
fn weighted(examples: Examples, weights: Option<&[f32]>, rows: &[u32]) -> Result<Examples, Error> {
    match weights {
        Some(weights) => examples.weighted(rows.iter().map(|&row| weights[row as usize]).collect()),
        None => Ok(examples),
    }
}

/// Fails if no row has a target; says how many lack it.
fn without_target(table: &Table, column: usize) -> Result<Option<String>, Error> {
    let target = table.column(column)?;
    let missing = |&row: &usize| target.is_missing(row);
    let rows = (0..table.rows).filter(missing).count();
    if rows == table.rows {
        return Err(Error::NoTarget { table: table.file.clone(), column: target.name.clone() });
    }
    Ok((0..table.rows).find(missing).map(|first| {
        format!(
            "{} of {} without a value of the target `{}` {} left out, the first on {}.",
            count(rows, "row", "rows"),
            table.file,
            target.name,
            if rows == 1 { "is" } else { "are" },
            table.place(first, "").row
        )
    }))
}
