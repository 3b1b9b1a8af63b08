//! What is chosen for a table, by its rows, its columns and its task: all of the rule.
//!
//! Chosen on half of the tables of `bench/tables`; the README there has what each part gives, on both halves.

use downhill_data::{Dataset, Task};
use downhill_nn::{Auto, LayerSpec, Mlp, Numbers, Plain, QuantileBins};

/// From so many training rows on, numbers are cut into bins; with fewer, a network learns the rows by heart.
const ENOUGH_ROWS: usize = 1000;
/// With more inputs of more than two values than this, the first layer would take most of the time.
const MOST_INPUTS: usize = 40;
/// From so many training rows on, a network is an ensemble.
const ENSEMBLE_ROWS: usize = 500;
/// Of so many members: what more of them give is little, and they take as many times as long.
const ENSEMBLE: usize = 8;

/// The number of members that share a network's weights where that is left open, and a sentence on it if they are
/// several: 8, without dropout, if there are at least 500 training rows, at most 40 inputs of more than two values
/// and a hidden layer to share; otherwise, and for images, 1. Members hold each other back from learning the rows
/// by heart, and dropout besides is too much.
pub(crate) fn choose_ensemble(mlp: &mut Mlp, data: &Dataset) -> Option<String> {
    if mlp.ensemble.is_some() {
        return None;
    }
    mlp.ensemble = Some(1);
    if has_images(data) || data.train.rows() < ENSEMBLE_ROWS || mlp.hidden.is_empty() {
        return None;
    }
    if numeric_inputs(data) > MOST_INPUTS {
        return None;
    }
    (mlp.ensemble, mlp.dropout) = (Some(ENSEMBLE), 0.0);
    Some(format!(
        "{ENSEMBLE} networks that share their weights are trained as one, without dropout, and their predictions averaged: \
         there are {} training rows, at least {ENSEMBLE_ROWS}",
        data.train.rows()
    ))
}

/// How many inputs have more than two values, and not nearly all rows the same: those that bins are made for.
fn numeric_inputs(data: &Dataset) -> usize {
    match Numbers::PiecewiseLinear(QuantileBins::default()).layer(&data.train.x, data.features()) {
        Some(LayerSpec::PiecewiseLinear(layer)) => {
            layer.edges.iter().filter(|edges| !edges.is_empty()).count()
        }
        _ => 0,
    }
}

fn has_images(data: &Dataset) -> bool {
    data.encoder.as_ref().is_some_and(|encoder| encoder.has_pixels())
}

/// How the numbers of a table are taken where that is left open, and a sentence on it if they are changed:
/// by a [piecewise-linear](downhill_nn::PiecewiseLinear) encoding if the task is classification, there are at
/// least 1000 training rows, and from 1 to 40 of the inputs have more than two values; otherwise as they are,
/// and images always so.
pub(crate) fn choose_numbers(numbers: Numbers, data: &Dataset) -> (Numbers, Option<String>) {
    let plain = (Numbers::Plain(Plain {}), None);
    match numbers {
        Numbers::Auto(Auto {}) => {}
        given => return (given, None),
    }
    if has_images(data) || data.task() != Task::Classification || data.train.rows() < ENOUGH_ROWS {
        return plain;
    }
    let bins = QuantileBins::default();
    let chosen = Numbers::PiecewiseLinear(bins);
    let inputs = numeric_inputs(data);
    if !(1..=MOST_INPUTS).contains(&inputs) {
        return plain;
    }
    let note = format!(
        "each of {inputs} {} has at most {} bins beside it ({chosen}): there are classes to tell apart and {} training \
         rows, at least {ENOUGH_ROWS}",
        if inputs == 1 { "number" } else { "numbers" },
        bins.bins,
        data.train.rows(),
    );
    (chosen, Some(note))
}

#[cfg(test)]
mod tests {
    use super::*;
    use downhill_data::{Examples, Table, Targets};

    /// So many training rows with so many numbers and a slot of a category.
    fn data(rows: usize, numbers: usize, task: Task) -> Dataset {
        let width = numbers + 1;
        let value =
            |i: usize| if i % width < numbers { (i * 37 % 101) as f32 } else { (i / width % 2) as f32 };
        let examples = || {
            let y = match task {
                Task::Classification => {
                    Targets::Classes { labels: (0..rows as u32).map(|row| row % 2).collect(), classes: 2 }
                }
                Task::Regression => Targets::Values((0..rows).map(|row| row as f32).collect()),
            };
            Examples::new((0..rows * width).map(value).collect(), width, y).unwrap()
        };
        Dataset::from_examples(examples(), examples()).unwrap()
    }

    fn chosen(data: &Dataset) -> String {
        choose_numbers(Numbers::Auto(Auto {}), data).0.to_string()
    }

    #[test]
    fn the_rule_is_by_rows_columns_and_task() {
        use Task::{Classification, Regression};
        assert_eq!(chosen(&data(1000, 3, Classification)), "piecewise-linear(bins=16, scale=0.1)");
        assert_eq!(chosen(&data(999, 3, Classification)), "plain");
        assert_eq!(chosen(&data(1000, 3, Regression)), "plain");
        assert_eq!(chosen(&data(1000, 0, Classification)), "plain");
        assert_eq!(chosen(&data(1000, 40, Classification)), "piecewise-linear(bins=16, scale=0.1)");
        assert_eq!(chosen(&data(1000, 41, Classification)), "plain");
    }

    /// The members and the dropout of the default network, or of one with these hidden layers.
    fn ensemble(data: &Dataset, hidden: &[usize]) -> (Option<usize>, f64) {
        let mut mlp = Mlp { hidden: hidden.into(), dropout: 0.2, ensemble: None, ..Mlp::default() };
        let note = choose_ensemble(&mut mlp, data);
        assert_eq!(note.is_some(), mlp.ensemble != Some(1), "{note:?}");
        (mlp.ensemble, mlp.dropout)
    }

    #[test]
    fn members_share_weights_where_there_are_rows_enough() {
        use Task::{Classification, Regression};
        assert_eq!(ensemble(&data(500, 3, Classification), &[9]), (Some(8), 0.0));
        assert_eq!(ensemble(&data(500, 3, Regression), &[9]), (Some(8), 0.0));
        assert_eq!(ensemble(&data(499, 3, Regression), &[9]), (Some(1), 0.2));
        assert_eq!(ensemble(&data(500, 3, Regression), &[]), (Some(1), 0.2));
        assert_eq!(ensemble(&data(500, 40, Regression), &[9]), (Some(8), 0.0));
        assert_eq!(ensemble(&data(500, 41, Regression), &[9]), (Some(1), 0.2));
        let digits = Table::bundled("digits").unwrap().default_target().split(0.2, 0).unwrap();
        assert_eq!(ensemble(&digits, &[9]), (Some(1), 0.2));
        let mut given = Mlp { ensemble: Some(3), dropout: 0.1, ..Mlp::default() };
        assert_eq!(choose_ensemble(&mut given, &data(500, 3, Regression)), None);
        assert_eq!((given.ensemble, given.dropout), (Some(3), 0.1));
    }

    #[test]
    fn what_is_given_is_taken() {
        let data = data(1000, 3, Task::Classification);
        for given in ["plain", "piecewise-linear(bins=5, scale=1)"] {
            let given: Numbers = given.parse().unwrap();
            assert_eq!(choose_numbers(given, &data), (given, None));
        }
        let note = choose_numbers(Numbers::Auto(Auto {}), &data).1.unwrap();
        assert!(note.contains("each of 3 numbers") && note.contains("1000 training rows"), "{note}");
    }

    #[test]
    fn images_are_taken_as_they_are() {
        let digits = Table::bundled("digits").unwrap().default_target().split(0.2, 0).unwrap();
        assert!(digits.train.rows() > ENOUGH_ROWS);
        assert_eq!(chosen(&digits), "plain");
    }
}
