//! What is learnt from the training rows.

use super::notes::Notes;
use super::{Encoder, Encoding, Input, Output, OutputEncoding, check_rows, numbers_of, seconds_of};
use crate::column::{Categories, Column, Values, Written};
use crate::dates::Cycle;
use crate::notation::Notation;
use crate::spelling::spelling;
use crate::vocabulary::compare;
use crate::{DateOrder, Error, Kind, Table, Task};

/// More classes than this are taken for a mistake, unless they are asked for.
pub(crate) const MOST_CLASSES: usize = 1000;
/// A column keeps this many categories of its own, its most frequent ones.
const MOST_CATEGORIES: usize = 256;

impl Encoder {
    /// As [`fit`](Self::fit), with notes.
    pub(crate) fn learn(
        table: &Table,
        rows: &[u32],
        target: usize,
        task: Task,
        most_classes: usize,
    ) -> Result<(Self, Vec<String>), Error> {
        check_rows(table, rows)?;
        let column = table.column(target)?;
        let output = learn_target(table, rows, target, task, most_classes)?;
        let mut encoder = Self {
            named: table.named,
            width: table.width,
            inputs: Vec::new(),
            target: Output { column: column.name.clone(), number: column.number, encoding: output },
            dropped: Vec::new(),
            left_out: table.left_out.clone(),
            missing: table.missing.clone(),
        };
        let mut notes = Notes::default();
        let mut at = 0;
        while let Some(column) = table.columns.get(at) {
            let mut columns = 1;
            let encoding = match &column.values {
                _ if at == target => {
                    at += 1;
                    continue;
                }
                // The only feature is learnt from all the same.
                Values::Numbers(_) if column.numbers_rows && table.columns.len() > 2 => {
                    notes.indices.push(column.name.clone());
                    None
                }
                Values::Numbers(numbers) => {
                    notes.numbers(table, column, numbers, rows);
                    learn_numbers(numbers, rows, column.notation())
                }
                Values::Text { .. } => match column.written {
                    Written::Dates(order) => learn_dates(&seconds_of(table, column, order)?, rows, order),
                    _ => {
                        let (encoding, rare) = learn_categories(&column.categories(), rows);
                        notes.categories(column, &encoding, rare, rows);
                        encoding
                    }
                },
                Values::Pixels { .. } => {
                    let end = if target > at { target } else { table.columns.len() };
                    let run = table.columns[at..end].iter().take_while(|column| column.kind() == Kind::Pixel);
                    columns = run.count();
                    learn_pixels(&table.columns[at..at + columns], rows)
                }
            };
            match encoding {
                Some(encoding) => {
                    encoder.inputs.push(Input {
                        column: column.name.clone(),
                        number: column.number,
                        encoding,
                    });
                }
                None => {
                    encoder.dropped.extend(table.columns[at..at + columns].iter().map(|c| c.name.clone()))
                }
            }
            at += columns;
        }
        if encoder.inputs.is_empty() {
            let spelt = |column: &&Column| match &column.values {
                Values::Text { texts, .. } => spelling(texts.iter().map(String::as_str)).is_some(),
                _ => false,
            };
            let others = table.columns.iter().filter(|column| column.name != encoder.target.column);
            return Err(Error::NoFeatures {
                table: table.file.clone(),
                spelt: others.filter(spelt).map(|column| column.name.clone()).collect(),
                target: encoder.target.column,
                dropped: encoder.dropped,
            });
        }
        let notes = notes.sentences(&encoder.dropped);
        Ok((encoder, notes))
    }
}

impl Encoder {
    /// Learns the target anew, from other rows.
    pub(crate) fn learn_target(
        &mut self,
        table: &Table,
        rows: &[u32],
        target: usize,
        task: Task,
        most_classes: usize,
    ) -> Result<(), Error> {
        self.target.encoding = learn_target(table, rows, target, task, most_classes)?;
        Ok(())
    }
}

/// Fails if the target has more classes in these rows than can be learnt.
pub(crate) fn check_classes(
    table: &Table,
    target: usize,
    rows: &[u32],
    categories: &Categories<'_>,
    most_classes: usize,
) -> Result<(), Error> {
    let classes = counts(categories, rows).0.iter().filter(|&&count| count > 0).count();
    let too_many = |rows: usize| classes > most_classes || (classes > 2 && classes * 2 > rows);
    if too_many(rows.len()) {
        let column = table.column(target)?;
        let all = table.rows_with(target)?.len();
        if !too_many(all) {
            return Err(Error::TooFewLeft { table: table.file.clone(), rows: rows.len(), of: all });
        }
        let numeric = matches!(column.values, Values::Numbers(_)) && column.exact.is_none();
        let numbers = categories.texts.iter().filter(|text| text.trim().parse::<f64>().is_ok()).count();
        if !numeric && numbers * 2 > categories.texts.len() {
            // Numbers but for some text: that text is what is wrong.
            numbers_of(table, column, Notation::default())?;
        }
        let spelling =
            spelling(categories.texts.iter().map(String::as_str)).map(|(spelling, _)| spelling.to_string());
        let (table, column) = (table.file.clone(), column.name.clone());
        let rows = rows.len();
        let most = Some(most_classes).filter(|_| classes * 2 <= rows);
        return Err(Error::TooManyClasses { table, column, classes, rows, numeric, spelling, most });
    }
    Ok(())
}

/// How many of the rows are of each category, and how many are missing.
fn counts(categories: &Categories<'_>, rows: &[u32]) -> (Vec<usize>, usize) {
    let mut counts = vec![0; categories.texts.len()];
    let mut missing = 0;
    for &row in rows {
        match counts.get_mut(categories.codes[row as usize] as usize) {
            Some(count) => *count += 1,
            None => missing += 1,
        }
    }
    (counts, missing)
}

fn learn_target(
    table: &Table,
    rows: &[u32],
    target: usize,
    task: Task,
    most_classes: usize,
) -> Result<OutputEncoding, Error> {
    let column = table.column(target)?;
    let name = || column.name.clone();
    if let Some(&row) = rows.iter().find(|&&row| column.is_missing(row as usize)) {
        return Err(Error::MissingTarget(table.place(row as usize, &column.name)));
    }
    if task == Task::Regression {
        let notation = column.notation();
        let numbers = numbers_of(table, column, notation)?;
        let values: Vec<f64> = rows.iter().map(|&row| numbers[row as usize]).collect();
        return match moments(&values) {
            Some((mean, std)) => Ok(OutputEncoding::Number { mean, std, notation }),
            None => {
                let value = values.first().copied().unwrap_or_default();
                let all: Vec<f64> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
                if moments(&all).is_some() {
                    return Err(Error::TooFewLeft {
                        table: table.file.clone(),
                        rows: rows.len(),
                        of: all.len(),
                    });
                }
                Err(Error::ConstantTarget { table: table.file.clone(), column: name(), value })
            }
        };
    }
    let categories = column.categories();
    check_classes(table, target, rows, &categories, most_classes)?;
    let (counts, _) = counts(&categories, rows);
    let mut classes: Vec<String> = categories
        .texts
        .iter()
        .zip(counts)
        .filter(|&(_, count)| count > 0)
        .map(|(text, _)| text.clone())
        .collect();
    classes.sort_by(|a, b| compare(a, b));
    if classes.len() < 2 {
        let class = classes.pop().unwrap_or_default();
        return Err(Error::OneClass { table: table.file.clone(), column: name(), class, rows: rows.len() });
    }
    Ok(OutputEncoding::Classes { classes })
}

/// None if the numbers are all the same, and none or all are missing.
fn learn_numbers(numbers: &[f64], rows: &[u32], notation: Notation) -> Option<Encoding> {
    let Numeric { moments, fill, missing } = learn_numeric(numbers, rows)?;
    let indicator = missing > 0;
    match moments {
        Some((mean, std)) => Some(Encoding::Number { mean, std, fill, indicator, notation }),
        None => indicator.then_some(Encoding::Indicator),
    }
}

/// None if the dates are all the same, and none or all are missing.
fn learn_dates(seconds: &[f64], rows: &[u32], order: DateOrder) -> Option<Encoding> {
    let Numeric { moments, fill, missing } = learn_numeric(seconds, rows)?;
    let indicator = missing > 0;
    let Some((mean, std)) = moments else { return indicator.then_some(Encoding::Indicator) };
    let present = || rows.iter().map(|&row| seconds[row as usize]).filter(|second| !second.is_nan());
    let differs = |cycle: &Cycle| {
        let mut phases = present().map(|second| cycle.phase(second));
        let first = phases.next();
        phases.any(|phase| Some(phase) != first)
    };
    let cycles = Cycle::ALL.into_iter().filter(differs).collect();
    Some(Encoding::Date { order, mean, std, fill, indicator, cycles })
}

/// What is learnt of numbers of which some may be missing.
struct Numeric {
    /// None if they are all the same.
    moments: Option<(f64, f64)>,
    /// What missing ones are filled with.
    fill: f64,
    missing: usize,
}

/// None if all are missing.
fn learn_numeric(numbers: &[f64], rows: &[u32]) -> Option<Numeric> {
    let mut present: Vec<f64> =
        rows.iter().map(|&row| numbers[row as usize]).filter(|n| !n.is_nan()).collect();
    if present.is_empty() {
        return None;
    }
    let missing = rows.len() - present.len();
    let fill = median(&mut present);
    present.resize(rows.len(), fill);
    Some(Numeric { moments: moments(&present), fill, missing })
}

/// None if there is but one slot; and the number of rare categories.
fn learn_categories(categories: &Categories<'_>, rows: &[u32]) -> (Option<Encoding>, usize) {
    let (counts, missing) = counts(categories, rows);
    let frequent = (rows.len() / 50).clamp(2, 5);
    let mut kept: Vec<usize> = (0..counts.len()).filter(|&code| counts[code] >= frequent).collect();
    kept.sort_by(|&a, &b| {
        counts[b].cmp(&counts[a]).then_with(|| categories.texts[a].cmp(&categories.texts[b]))
    });
    kept.truncate(MOST_CATEGORIES);
    let rare = counts.iter().filter(|&&count| count > 0).count() - kept.len();
    let present = rows.len() - missing;
    let rare_rows = present - kept.iter().map(|&code| counts[code]).sum::<usize>();
    let mut kept: Vec<String> = kept.into_iter().map(|code| categories.texts[code].clone()).collect();
    kept.sort_by(|a, b| compare(a, b));
    let own_missing = missing >= frequent;
    let encoding = Encoding::Categories {
        categories: kept,
        missing: own_missing,
        other: rare > 0 || (missing > 0 && !own_missing),
        rare: rare_rows as f64 / present.max(1) as f64,
    };
    ((encoding.width() > 1).then_some(encoding), rare)
}

/// None if all pixels of these rows are the same.
fn learn_pixels(columns: &[Column], rows: &[u32]) -> Option<Encoding> {
    // Sums of bytes and of their squares are exact in integers.
    let (mut n, mut sum, mut squares) = (0_u128, 0_u128, 0_u128);
    for &row in rows {
        let (mut row_sum, mut row_squares) = (0_u64, 0_u64);
        for column in columns {
            if let Values::Pixels { bytes, stride, offset } = &column.values {
                let byte = u64::from(bytes[row as usize * stride + offset]);
                row_sum += byte;
                row_squares += byte * byte;
            }
        }
        n += columns.len() as u128;
        sum += u128::from(row_sum);
        squares += u128::from(row_squares);
    }
    let spread = (n * squares).saturating_sub(sum * sum);
    let std = (spread as f64).sqrt() / n as f64;
    (spread > 0).then(|| Encoding::Pixels { count: columns.len(), mean: sum as f64 / n as f64, std })
}

/// The mean and the standard deviation of the population; none if all values are the same.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let first = *values.first()?;
    if values.iter().all(|&value| value == first) {
        return None;
    }
    // Scaled so that neither sums nor squares overflow or vanish, whatever the units; a power of two rounds
    // nothing.
    let largest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let scale = 2.0_f64.powi(largest.log2().floor() as i32);
    let n = values.len() as f64;
    let mean = values.iter().map(|value| value / scale).sum::<f64>() / n;
    let variance = values.iter().map(|value| (value / scale - mean).powi(2)).sum::<f64>() / n;
    Some((mean * scale, variance.sqrt() * scale)).filter(|&(_, std)| std > 0.0)
}

/// The middle value, or the mean of the two in the middle; 0 of none.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    match below.iter().copied().max_by(f64::total_cmp) {
        Some(lower) if even => lower / 2.0 + upper / 2.0,
        _ => upper,
    }
}
