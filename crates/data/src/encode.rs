//! Columns to numbers, as learnt from the training rows.

mod consistent;
mod fill;
mod find;
mod learn;
mod notes;
mod spellings;

use crate::column::{Column, Written, shortest};
use crate::dates::Cycle;
use crate::error::{count, list};
use crate::known::{Holds, KnownColumn};
use crate::notation::Notation;
use crate::vocabulary::Vocabulary;
use crate::{DateOrder, Error, Examples, Known, Table, Targets, Task};
use find::{Finder, pixel_name};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashSet;

pub(crate) use learn::{MOST_CLASSES, check_classes};

/// How the columns of a table become the inputs and the target of a network, as learnt from the training
/// rows.
///
/// - A number becomes (number − mean) / standard deviation, where the deviation is that of the population
///   (divided by n). A missing one is filled with the median first; where any was missing in the training
///   rows, a second feature tells 1 for missing, 0 for present.
/// - A category becomes a 1 in a slot of its own, with 0 in the column's other slots. Categories that are
///   rare in the training rows share one slot, and so do those never seen; where none was rare, no slot would
///   have been trained, and one never seen is 0 in every slot. Rare is: in fewer than 5 training rows (fewer
///   than 1 in 50 in tables of less than 250, but one row alone is always rare), or not among the 256 most
///   frequent. Missing is a category.
/// - A date or time becomes a number as above, the moment it is; and for each of month, weekday and hour that
///   differs in the training rows, the sine and the cosine of where in the year, the week and the day it is.
/// - Pixels of images share one mean and one standard deviation, and constant ones are kept: standardising
///   each by itself would blow up those at the border that are almost always black.
/// - Columns that are constant in the training rows, and columns of text in which no category is frequent
///   (names, keys), are left out.
/// - A regression target is standardised as a number. Class labels are numbered in order: numbers by value,
///   text by its characters.
///
/// It is saved with the model with how numbers and dates were written, and finds the columns again by name
/// where both tables have a header, and otherwise by position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Encoder {
    /// Whether the columns had names of their own.
    named: bool,
    /// The number of columns of the file.
    width: usize,
    inputs: Vec<Input>,
    target: Output,
    dropped: Vec<String>,
    left_out: Vec<String>,
    /// The values that stand for missing ones, where they were named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    missing: Option<Vec<String>>,
}

/// One column, or a run of pixels, and what it becomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Input {
    /// The column's name; of pixels, that of the first.
    pub column: String,
    /// Its position in the file, counted from 0.
    pub number: usize,
    /// What becomes of it.
    pub encoding: Encoding,
}

/// How a column becomes features, with what was learnt for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Encoding {
    /// A number: (number − mean) / std.
    Number {
        /// The mean over the training rows.
        mean: f64,
        /// The standard deviation over the training rows, above 0.
        std: f64,
        /// What stands for a missing one.
        fill: f64,
        /// Whether a second feature is 1 where it is missing and 0 elsewhere.
        indicator: bool,
        /// How its numbers were written in training, where they were not plain.
        #[serde(default, skip_serializing_if = "Notation::is_plain")]
        notation: Notation,
    },
    /// A date or time: when it is, then, for each cycle, the sine and the cosine of where in it it is.
    Date {
        /// Whether the day or the month comes first, where the form leaves that open.
        order: DateOrder,
        /// The mean over the training rows, in seconds since 1970, or since midnight for times of day.
        mean: f64,
        /// The standard deviation over the training rows, in seconds, above 0.
        std: f64,
        /// What stands for a missing one, in seconds.
        fill: f64,
        /// Whether the next feature is 1 where it is missing and 0 elsewhere.
        indicator: bool,
        /// What repeats in time: two features each.
        cycles: Vec<Cycle>,
    },
    /// A column whose numbers are all the same, but some missing: only that is a feature.
    Indicator,
    /// A category: the slots are the categories, then missing, then other.
    Categories {
        /// Those that have a slot of their own.
        categories: Vec<String>,
        /// Whether missing values have a slot of their own; otherwise they share that of the others.
        missing: bool,
        /// Whether there is a slot for the others; otherwise they are 0 in every slot.
        other: bool,
        /// The share of the values in the training rows that were rare, and so share the slot of the others:
        /// what to expect elsewhere. Models saved before it was kept expect nothing.
        #[serde(default = "all_of_them")]
        rare: f64,
    },
    /// Pixels of an image, from 0 to 255: `count` columns from this one on, all (pixel − mean) / std.
    Pixels {
        /// The number of columns.
        count: usize,
        /// The mean over all pixels of the training rows, which also stands for a missing one.
        mean: f64,
        /// Their standard deviation, above 0.
        std: f64,
    },
}

/// The target and what it becomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Output {
    column: String,
    number: usize,
    encoding: OutputEncoding,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum OutputEncoding {
    Classes {
        classes: Vec<String>,
    },
    Number {
        mean: f64,
        std: f64,
        /// How its numbers were written in training, where they were not plain.
        #[serde(default, skip_serializing_if = "Notation::is_plain")]
        notation: Notation,
    },
}

/// By how much the share of unknown values must exceed that of training's rare ones for a note.
const UNSEEN: f64 = 0.1;

fn all_of_them() -> f64 {
    1.0
}

impl Encoding {
    fn holds(&self) -> Holds {
        match self {
            Self::Number { notation, .. } => Holds::numbers(*notation),
            Self::Date { order, .. } => Holds::Written(Written::Dates(*order)),
            Self::Categories { .. } => Holds::Text,
            Self::Indicator | Self::Pixels { .. } => Holds::Anything,
        }
    }

    /// The number of features that it becomes.
    pub fn width(&self) -> usize {
        match self {
            Self::Number { indicator, .. } => 1 + usize::from(*indicator),
            Self::Date { indicator, cycles, .. } => 1 + usize::from(*indicator) + 2 * cycles.len(),
            Self::Indicator => 1,
            Self::Categories { categories, missing, other, .. } => {
                categories.len() + usize::from(*missing) + usize::from(*other)
            }
            Self::Pixels { count, .. } => *count,
        }
    }
}

impl Encoder {
    /// Learns from some rows of a table; `target` is the position of the target among its columns.
    ///
    /// # Errors
    ///
    /// If there is no row, a row's target is missing, the target is the same in all of these rows, has more
    /// than one class for two rows, or holds text though the task is regression; and if no column is left
    /// to learn from.
    pub fn fit(table: &Table, rows: &[u32], target: usize, task: Task) -> Result<Self, Error> {
        Self::learn(table, rows, target, task, usize::MAX).map(|(encoder, _)| encoder)
    }

    /// The features and targets of some rows.
    ///
    /// # Errors
    ///
    /// If the table lacks a column that was learnt from, or has text in one of numbers; if a row has no
    /// target, or one that is none of the classes learnt.
    pub fn encode(&self, table: &Table, rows: &[u32]) -> Result<Examples, Error> {
        check_rows(table, rows)?;
        let x = self.fill(table, rows)?;
        let y = self.encode_target(table, rows)?;
        Ok(Examples { features: self.features(), x, y, weights: None })
    }

    /// The features of all rows, `rows × features`, one row behind the other. The table needs no target.
    ///
    /// # Errors
    ///
    /// If the table lacks a column that was learnt from, or has text in one of numbers.
    pub fn encode_features(&self, table: &Table) -> Result<Vec<f32>, Error> {
        let rows: Vec<u32> = (0..table.rows as u32).collect();
        self.fill(table, &rows)
    }

    /// What is worth telling about using this encoder on a table, in sentences: columns it does not know,
    /// categories it has never seen, missing values where there were none.
    ///
    /// # Errors
    ///
    /// If the table lacks a column that was learnt from.
    pub fn check(&self, table: &Table) -> Result<Vec<String>, Error> {
        let mut notes = Vec::new();
        let finder = Finder::new(self, table)?;
        if finder.by_name {
            let known = |name: &String| {
                *name == self.target.column || self.dropped.contains(name) || self.left_out.contains(name)
            };
            let used: HashSet<usize> = finder.inputs(self)?.into_iter().flatten().collect();
            let extra: Vec<&str> = (table.columns.iter().enumerate())
                .filter(|(i, column)| !used.contains(i) && !known(&column.name))
                .map(|(_, column)| column.name.as_str())
                .collect();
            if !extra.is_empty() {
                notes.push(format!(
                    "{} {} ignored: the model was trained without {}.",
                    list(&extra, 10),
                    if extra.len() == 1 { "is" } else { "are" },
                    if extra.len() == 1 { "it" } else { "them" },
                ));
            }
        } else if self.named != table.named {
            notes.push(format!(
                "Only one of {} and the table trained on has a header line, so columns are matched by position.",
                table.file
            ));
        }
        for (input, columns) in self.inputs.iter().zip(finder.inputs(self)?) {
            let Some(column) = columns.first().and_then(|&column| table.columns.get(column)) else {
                continue;
            };
            let missing = || (0..table.rows).filter(|&row| column.is_missing(row)).count();
            match &input.encoding {
                Encoding::Number { indicator: false, fill, .. } if missing() > 0 => notes.push(format!(
                    "Column `{}` has {} and had none in training: filled with the median there, {fill}.",
                    input.column,
                    count(missing(), "missing value", "missing values")
                )),
                Encoding::Date { indicator: false, .. } if missing() > 0 => notes.push(format!(
                    "Column `{}` has {} and had none in training: filled with the middle of its dates there.",
                    input.column,
                    count(missing(), "missing value", "missing values")
                )),
                Encoding::Categories { categories, other, rare, .. } => {
                    let vocabulary = Vocabulary::new(categories);
                    let here = column.categories();
                    let known: Vec<bool> =
                        here.texts.iter().map(|text| vocabulary.find(text).is_some()).collect();
                    let unseen: Vec<&String> = here
                        .texts
                        .iter()
                        .zip(&known)
                        .filter(|&(_, known)| !known)
                        .map(|(text, _)| text)
                        .collect();
                    // With a shared slot, the rare ones of training are among these and cannot be told apart,
                    // but they were no more than so many.
                    if *other {
                        let present = here.codes.iter().filter_map(|&code| known.get(code as usize));
                        let (all, others) =
                            (present.clone().count(), present.filter(|known| !**known).count());
                        let share = others as f64 / all.max(1) as f64;
                        if share > rare + UNSEEN {
                            notes.push(format!(
                                "Column `{}`: {:.0} % of its values are none of the frequent categories of training, \
                                 where {:.0} % were not, so at least some were never seen: {}.",
                                input.column,
                                100.0 * share,
                                100.0 * rare,
                                list(&unseen, 5)
                            ));
                        }
                    } else if !unseen.is_empty() {
                        notes.push(format!(
                            "Column `{}` has {} never seen in training: {}.",
                            input.column,
                            count(unseen.len(), "category", "categories"),
                            list(&unseen, 5)
                        ));
                    }
                }
                _ => {}
            }
        }
        Ok(notes)
    }

    /// The position of the target among the columns of a table; none if the table lacks it.
    ///
    /// # Errors
    ///
    /// If neither table has a header and this one has another number of columns.
    pub fn target_column(&self, table: &Table) -> Result<Option<usize>, Error> {
        Ok(Finder::new(self, table)?.target(self))
    }

    /// The positions among the columns of a table of the columns of each of the [`inputs`](Self::inputs).
    ///
    /// # Errors
    ///
    /// If the table lacks a column that was learnt from.
    pub fn columns_of(&self, table: &Table) -> Result<Vec<Vec<usize>>, Error> {
        Finder::new(self, table)?.inputs(self)
    }

    /// The columns that are used and what becomes of them, in the order of their features.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The number of features of a row.
    pub fn features(&self) -> usize {
        self.inputs.iter().fold(0, |sum, input| sum.saturating_add(input.encoding.width()))
    }

    /// What is known of the columns of another table for this encoder: what
    /// [`ReadOptions::known`](crate::ReadOptions) takes, to read it.
    pub fn known(&self) -> Known {
        let mut columns = Vec::new();
        for Input { column, number, encoding } in &self.inputs {
            let known =
                |name: String, number: usize, holds: Holds| KnownColumn { name, number, needed: true, holds };
            match encoding {
                Encoding::Pixels { count, .. } => columns.extend((0..*count).map(|i| {
                    let number = number.saturating_add(i);
                    known(pixel_name(number), number, Holds::Anything)
                })),
                _ => columns.push(known(column.clone(), *number, encoding.holds())),
            }
        }
        let Output { column, number, encoding } = &self.target;
        let is_number = |class: &String| class.trim().parse::<f64>().is_ok();
        let holds = match encoding {
            OutputEncoding::Number { notation, .. } => Holds::numbers(*notation),
            OutputEncoding::Classes { classes } if classes.iter().all(is_number) => Holds::Anything,
            OutputEncoding::Classes { .. } => Holds::Text,
        };
        columns.push(KnownColumn { name: column.clone(), number: *number, needed: false, holds });
        let (named, width, missing) = (self.named, self.width, self.missing.clone());
        Known { named, width, target: Some(*number), columns, missing }
    }

    /// The names of the features: `age`, `age:missing`, `sex=F`, `sex:missing`, `sex:other`, `p0`.
    pub fn feature_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for Input { column, number, encoding } in &self.inputs {
            match encoding {
                Encoding::Number { indicator, .. } => {
                    names.push(column.clone());
                    names.extend(indicator.then(|| format!("{column}:missing")));
                }
                Encoding::Date { indicator, cycles, .. } => {
                    names.push(column.clone());
                    names.extend(indicator.then(|| format!("{column}:missing")));
                    for cycle in cycles {
                        let name = cycle.name();
                        names.extend([format!("{column}:{name}-sin"), format!("{column}:{name}-cos")]);
                    }
                }
                Encoding::Indicator => names.push(format!("{column}:missing")),
                Encoding::Categories { categories, missing, other, .. } => {
                    names.extend(categories.iter().map(|category| format!("{column}={category}")));
                    names.extend(missing.then(|| format!("{column}:missing")));
                    names.extend(other.then(|| format!("{column}:other")));
                }
                Encoding::Pixels { count, .. } => {
                    names.extend((0..*count).map(|i| pixel_name(number.saturating_add(i))));
                }
            }
        }
        names
    }

    /// What is predicted: a class or a number.
    pub fn task(&self) -> Task {
        match self.target.encoding {
            OutputEncoding::Classes { .. } => Task::Classification,
            OutputEncoding::Number { .. } => Task::Regression,
        }
    }

    /// The labels of the classes, in the order of their numbers; none for regression.
    pub fn classes(&self) -> &[String] {
        match &self.target.encoding {
            OutputEncoding::Classes { classes } => classes,
            OutputEncoding::Number { .. } => &[],
        }
    }

    /// Whether there are pixels of images among the inputs.
    pub fn has_pixels(&self) -> bool {
        self.inputs.iter().any(|input| matches!(input.encoding, Encoding::Pixels { .. }))
    }

    /// Columns left out as constant in the training rows, or as text that is different in almost every one.
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// The mean and the standard deviation that bring a predicted number back to its own units, y · std +
    /// mean; (0, 1) for classes.
    pub fn target_scale(&self) -> (f64, f64) {
        match self.target.encoding {
            OutputEncoding::Classes { .. } => (0.0, 1.0),
            OutputEncoding::Number { mean, std, .. } => (mean, std),
        }
    }

    /// The name of the column that is predicted.
    pub fn target_name(&self) -> &str {
        &self.target.column
    }

    fn encode_target(&self, table: &Table, rows: &[u32]) -> Result<Targets, Error> {
        let name = &self.target.column;
        let column = Finder::new(self, table)?.target(self).and_then(|target| table.columns.get(target));
        let column = column.ok_or_else(|| Error::MissingColumns {
            table: table.file.clone(),
            missing: vec![name.clone()],
            columns: table.column_names(),
        })?;
        let missing = |row: u32| Error::MissingTarget(table.place(row as usize, &column.name));
        match &self.target.encoding {
            OutputEncoding::Classes { classes } => {
                let vocabulary = Vocabulary::new(classes);
                let categories = column.categories();
                let known: Vec<Option<u32>> =
                    categories.texts.iter().map(|text| vocabulary.find_label(text)).collect();
                let label = |&row: &u32| match known.get(categories.codes[row as usize] as usize) {
                    None => Err(missing(row)),
                    Some(&label) => label.ok_or_else(|| Error::UnknownLabel {
                        place: table.place(row as usize, &column.name),
                        label: column.text(row as usize).unwrap_or_default().into_owned(),
                        classes: classes.clone(),
                    }),
                };
                let labels = rows.iter().map(label).collect::<Result<_, _>>()?;
                Ok(Targets::Classes { labels, classes: classes.len() })
            }
            OutputEncoding::Number { mean, std, notation } => {
                let numbers = numbers_of(table, column, *notation)?;
                let value = |&row: &u32| {
                    let number = numbers[row as usize];
                    if number.is_nan() {
                        return Err(missing(row));
                    }
                    scaled(number, *mean, *std, || table.place(row as usize, &column.name))
                };
                rows.iter().map(value).collect::<Result<_, _>>().map(Targets::Values)
            }
        }
    }
}

/// Fails if the rows are none, or not of the table.
fn check_rows(table: &Table, rows: &[u32]) -> Result<(), Error> {
    if rows.is_empty() {
        return Err(Error::TooFewRows { table: table.file.clone(), rows: 0 });
    }
    match rows.iter().find(|&&row| row as usize >= table.rows) {
        Some(row) => Err(Error::Invalid(format!("{} has {} rows and none at {row}", table.file, table.rows))),
        None => Ok(()),
    }
}

fn numbers_of<'a>(table: &Table, column: &'a Column, notation: Notation) -> Result<Cow<'a, [f64]>, Error> {
    column.numbers(notation).map_err(|row| Error::NotNumeric {
        place: table.place(row, &column.name),
        value: column.text(row).unwrap_or_default().into_owned(),
    })
}

fn seconds_of<'a>(table: &Table, column: &'a Column, order: DateOrder) -> Result<Cow<'a, [f64]>, Error> {
    column.seconds(order).map_err(|row| Error::NotADate {
        place: table.place(row, &column.name),
        value: column.text(row).unwrap_or_default().into_owned(),
    })
}

/// A standardised number, which must be finite in 32 bits.
fn scaled(number: f64, mean: f64, std: f64, place: impl Fn() -> crate::Place) -> Result<f32, Error> {
    let scaled = ((number - mean) / std) as f32;
    if scaled.is_finite() {
        Ok(scaled)
    } else {
        Err(Error::Infinite { place: place(), value: shortest(number) })
    }
}
