//! Why a network predicts what it does: which columns count, how they count, and where it is wrong.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use downhill_core::invalid;
use downhill_data::{Column, Encoding, Kind, Table, Targets, permutation};
use downhill_run::{Dependence, DependencePoint, Explanation, Importance, WorstRow};

use super::{Assessment, Average, Member, Predictions, Predictor, Truth};
use crate::Error;

/// Rows that columns are permuted over, at most, evenly over all.
const MOST_ROWS: usize = 4000;
/// Rows that a partial dependence is the mean over, at most, evenly over all.
const MOST_AVERAGED: usize = 500;
/// Values of a column of numbers at which its dependence is measured, at most.
const MOST_VALUES: usize = 25;
/// Categories, the most frequent ones.
const MOST_CATEGORIES: usize = 12;

/// How much is to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExplainOptions {
    /// How often each column is permuted, at least 1; 5 unless given.
    pub repeats: usize,
    /// Of how many columns, the most important ones, the dependence is measured; 4 unless given.
    pub columns: usize,
    /// How many of the rows that are predicted worst are named; 10 unless given.
    pub worst: usize,
    /// The seed of the permutations; 1 unless given.
    pub seed: u64,
}

impl Default for ExplainOptions {
    fn default() -> Self {
        Self { repeats: 5, columns: 4, worst: 10, seed: 1 }
    }
}

impl Predictor {
    /// Finds out why the network predicts what it does of the rows of a table that have the target. It takes
    /// as long as predicting them a few times for each column.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate), and if nothing is to be permuted.
    pub fn explain(&self, table: &Table, options: ExplainOptions) -> Result<Explanation, Error> {
        let at_least_1 = |repeats: f64| repeats >= 1.0;
        invalid::ensure("explain", "repeats", options.repeats as f64, at_least_1, "at least 1")?;
        let assessment = self.assess(table)?;
        let encoded = Encoded::new(self, table, &assessment.rows)?;
        let rows = spread(assessment.rows.len(), MOST_ROWS);
        let mut importance = Vec::with_capacity(encoded.columns.len());
        let before = self.losses(&assessment, &rows, encoded.outputs(&rows, None)?)?;
        for numbered in encoded.columns.iter().enumerate() {
            let found = self.importance(&assessment, &encoded, &rows, &before, numbered, options)?;
            importance.push((found, numbered.1));
        }
        importance.sort_by(|a, b| b.0.increase.total_cmp(&a.0.increase));
        let strongest = importance.iter().filter(|(_, input)| !input.is_image).take(options.columns);
        let dependence = strongest
            .map(|(_, input)| self.dependence(&assessment, &encoded, input))
            .collect::<Result<_, _>>()?;
        let worst = self.worst(&assessment, &encoded, table, options.worst)?;
        let importance = importance.into_iter().map(|(importance, _)| importance).collect();
        let loss = before.iter().sum::<f64>() / before.len() as f64;
        let data = table.name().to_owned();
        let metrics = assessment.evaluation.metrics;
        let rows = assessment.evaluation.rows;
        Ok(Explanation { data, rows, metrics, loss, importance, dependence, worst })
    }

    /// The loss of each of some rows, whose outputs these are; classes count the same.
    fn losses(&self, assessment: &Assessment, rows: &[usize], outputs: Vec<f32>) -> Result<Vec<f64>, Error> {
        let width = self.width();
        let mut loss = self.loss().clone();
        if let Some(weights) = loss.class_weights_mut() {
            weights.clear();
        }
        let of = |(&row, output): (&usize, &[f32])| match &assessment.targets {
            Targets::Classes { labels, .. } => {
                Ok(loss.mean(output, downhill_nn::Targets::Classes(&labels[row..row + 1]))?)
            }
            Targets::Values(values) => {
                Ok(loss.mean(output, downhill_nn::Targets::Values(&values[row * width..(row + 1) * width]))?)
            }
        };
        rows.iter().zip(outputs.chunks_exact(width)).map(of).collect()
    }

    fn importance(
        &self,
        assessment: &Assessment,
        encoded: &Encoded<'_>,
        rows: &[usize],
        before: &[f64],
        (number, input): (usize, &InputColumn<'_>),
        options: ExplainOptions,
    ) -> Result<Importance, Error> {
        let mut increases = vec![0.0; rows.len()];
        let mut order = vec![0; rows.len()];
        for repeat in 0..options.repeats {
            permutation(&mut order, options.seed, (number * options.repeats + repeat) as u64);
            let permuted = |at: usize| rows[order[at] as usize];
            let outputs = encoded.outputs(rows, Some((input.at, &permuted)))?;
            let after = self.losses(assessment, rows, outputs)?;
            for ((increase, after), before) in increases.iter_mut().zip(after).zip(before) {
                *increase += (after - before) / options.repeats as f64;
            }
        }
        let n = rows.len() as f64;
        let mean = increases.iter().sum::<f64>() / n;
        let squares = increases.iter().map(|increase| (increase - mean).powi(2)).sum::<f64>();
        let variance = squares / (n - 1.0).max(1.0);
        Ok(Importance { column: input.name(), increase: mean, standard_error: (variance / n).sqrt() })
    }

    fn dependence(
        &self,
        assessment: &Assessment,
        encoded: &Encoded<'_>,
        input: &InputColumn<'_>,
    ) -> Result<Dependence, Error> {
        let rows = spread(assessment.rows.len(), MOST_AVERAGED);
        let (of, shown) = match &assessment.predictions {
            Predictions::Classes { classes, .. } if classes.len() == 2 => (vec![classes[1].clone()], 1..2),
            Predictions::Classes { classes, .. } => (classes.clone(), 0..classes.len()),
            Predictions::Values(_) => (vec![self.table_encoder()?.target_name().to_owned()], 0..1),
        };
        let mut points = Vec::new();
        // The features of a value are those of a row that has it.
        for row in encoded.examples(assessment, input) {
            let outputs = encoded.outputs(&rows, Some((input.at, &|_| row)))?;
            let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / rows.len() as f64;
            let means = match self.read(outputs) {
                Predictions::Values(values) => vec![mean(&mut values.into_iter())],
                Predictions::Classes { classes, probabilities, .. } => {
                    let of_class = |class: usize| {
                        let each = probabilities.iter().skip(class).step_by(classes.len());
                        mean(&mut each.map(|&p| f64::from(p)))
                    };
                    shown.clone().map(of_class).collect()
                }
            };
            let place = assessment.rows[row] as usize;
            let text = input.column.text(place).map(|text| text.into_owned());
            points.push(DependencePoint { number: input.column.number(place), text, means });
        }
        Ok(Dependence { column: input.name(), of, points })
    }

    fn worst(
        &self,
        assessment: &Assessment,
        encoded: &Encoded<'_>,
        table: &Table,
        most: usize,
    ) -> Result<Vec<WorstRow>, Error> {
        let all: Vec<usize> = (0..assessment.rows.len()).collect();
        let losses = self.losses(assessment, &all, encoded.outputs(&all, None)?)?;
        let mut order = all;
        order.sort_by(|&a, &b| losses[b].total_cmp(&losses[a]));
        let row = |at: usize| {
            let row = assessment.rows[at];
            let (truth, prediction, probability) = match (&assessment.truth, &assessment.predictions) {
                (Truth::Classes(truth), Predictions::Classes { labels, classes, probabilities }) => {
                    let class = truth[at] as usize;
                    let probability = f64::from(probabilities[at * classes.len() + class]);
                    (classes[class].clone(), classes[labels[at] as usize].clone(), Some(probability))
                }
                (Truth::Values(truth), Predictions::Values(values)) => {
                    (truth[at].to_string(), values[at].to_string(), None)
                }
                // The task is that of the model, in both.
                (Truth::Classes(_), _) | (Truth::Values(_), _) => (String::new(), String::new(), None),
            };
            let place = table.place(row as usize, "").row.to_string();
            WorstRow { row, place, truth, prediction, probability, loss: losses[at] }
        };
        Ok(order.into_iter().take(most).map(row).collect())
    }
}

/// So many positions at most, evenly over all.
fn spread(all: usize, most: usize) -> Vec<usize> {
    (0..all).step_by(all.div_ceil(most).max(1)).collect()
}

/// Rows of a table, encoded for the networks of a predictor, so that columns can be given other values.
struct Encoded<'a> {
    predictor: &'a Predictor,
    /// Of each networks that take the same features.
    parts: Vec<Part<'a>>,
    /// The columns that one network or another goes by, in the order of the table.
    columns: Vec<InputColumn<'a>>,
}

struct Part<'a> {
    members: &'a [Member],
    x: Vec<f32>,
    /// The number of features of a row.
    width: usize,
    /// Which features are of which column of the table; of pixels, of the first of them.
    features: BTreeMap<usize, Range<usize>>,
}

impl<'a> Encoded<'a> {
    fn new(predictor: &'a Predictor, table: &'a Table, rows: &[u32]) -> Result<Self, Error> {
        let mut parts = Vec::new();
        let mut columns = BTreeMap::new();
        for members in predictor.members.chunk_by(Member::takes_features_of) {
            let encoder = members[0].table_encoder()?;
            let (mut first, mut features) = (0, BTreeMap::new());
            for (input, places) in encoder.inputs().iter().zip(encoder.columns_of(table)?) {
                let of = first..first + input.encoding.width();
                first = of.end;
                let column = places.first().and_then(|&at| Some((at, table.columns().get(at)?)));
                if let Some((at, column)) = column {
                    features.insert(at, of);
                    let is_image = matches!(input.encoding, Encoding::Pixels { .. });
                    columns.entry(at).or_insert(InputColumn { column, at, is_image });
                }
            }
            parts.push(Part { members, x: encoder.encode(table, rows)?.x, width: first, features });
        }
        Ok(Self { predictor, parts, columns: columns.into_values().collect() })
    }

    /// The outputs for some rows, in which a column may have the values of other rows: that of the i-th of
    /// them is that of the row that `from` says.
    fn outputs(
        &self,
        rows: &[usize],
        changed: Option<(usize, &dyn Fn(usize) -> usize)>,
    ) -> Result<Vec<f32>, Error> {
        let predictor = self.predictor;
        let mut average = Average::new(&predictor.loss, predictor.width(), predictor.members.len());
        for Part { members, x, width, features } in &self.parts {
            let mut these: Vec<f32> =
                rows.iter().flat_map(|&row| &x[row * width..(row + 1) * width]).copied().collect();
            let change = changed.and_then(|(column, from)| Some((features.get(&column)?, from)));
            if let Some((features, from)) = change {
                for (at, row) in these.chunks_exact_mut(*width).enumerate() {
                    let of = &x[from(at) * width..];
                    row[features.clone()].copy_from_slice(&of[features.clone()]);
                }
            }
            for member in *members {
                average.add(member.outputs(&these)?, member.scale());
            }
        }
        Ok(average.outputs(predictor.members[0].scale()))
    }

    /// Positions among the rows whose values of a column are worth looking at: of numbers and dates, spread
    /// over their order; of categories, the most frequent ones.
    fn examples(&self, assessment: &Assessment, input: &InputColumn<'_>) -> Vec<usize> {
        let InputColumn { column, at, .. } = input;
        let rows = &assessment.rows;
        let all = 0..rows.len();
        if column.kind() == Kind::Categorical {
            let mut seen: HashMap<Option<String>, (usize, usize)> = HashMap::new();
            for at in all {
                let text = column.text(rows[at] as usize).map(|text| text.into_owned());
                seen.entry(text).or_insert((at, 0)).1 += 1;
            }
            let mut found: Vec<(usize, usize)> = seen.into_values().collect();
            found.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
            return found.into_iter().take(MOST_CATEGORIES).map(|(at, _)| at).collect();
        }
        // The first feature of a number or a date grows with it.
        let grows = self.parts.iter().find_map(|part| Some((part, part.features.get(at)?.start)));
        let Some((part, feature)) = grows else { return Vec::new() };
        let number = |at: &usize| match column.is_missing(rows[*at] as usize) {
            true => None,
            false => Some(part.x[at * part.width + feature]),
        };
        let mut numbered: Vec<(f32, usize)> = all.filter_map(|at| Some((number(&at)?, at))).collect();
        numbered.sort_by(|a, b| a.0.total_cmp(&b.0));
        numbered.dedup_by(|a, b| a.0 == b.0);
        let count = numbered.len().min(MOST_VALUES);
        let at = |i: usize| numbered[i * (numbered.len() - 1) / (count - 1).max(1)].1;
        (0..count).map(at).collect()
    }
}

/// A column of a table that a network goes by.
struct InputColumn<'a> {
    column: &'a Column,
    /// Its position in the table.
    at: usize,
    /// Whether it is the first of the pixels of images, which are looked at as one.
    is_image: bool,
}

impl InputColumn<'_> {
    fn name(&self) -> String {
        if self.is_image { "the pixels".to_owned() } else { self.column.name().to_owned() }
    }
}
