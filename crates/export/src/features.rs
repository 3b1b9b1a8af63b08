//! Columns to features, as operations of ONNX.

use crate::Error;
use crate::builder::{Builder, Value, int, ints, strings};
use crate::columns::Column;
use crate::ports::{Inputs, element};
use crate::proto::Element;
use downhill_data::{Cycle, Encoder, Encoding, Input};
use std::collections::HashMap;
use std::f64::consts::TAU;

const DAY: f64 = 86_400.0;

/// All features, `rows × features`, from the inputs of the graph.
///
/// # Errors
///
/// If numbers of 32 bits do not hold what was learnt.
pub(crate) fn features<'a>(
    b: &mut Builder,
    encoder: &'a Encoder,
    given: &HashMap<&'a str, Column<'a>>,
    inputs: Inputs,
) -> Result<Value, Error> {
    let mut features = Vec::new();
    // All are there.
    let with_column = |input: &'a Input| Some((input, given.get(&*input.column)?));
    let mut columns = encoder.inputs().iter().filter_map(with_column).peekable();
    while let Some((input, column)) = columns.next() {
        let x = &column.value;
        let wide = element(&input.encoding, inputs).0 == Element::Double;
        match &input.encoding {
            &Encoding::Number { mean, std, fill, indicator, notation: _ } => {
                let (mut x, mut scales) = (vec![x.clone()], vec![Scale { mean, std, fill }]);
                // Numbers beside each other that are one feature each are scaled at once.
                while let (false, Some((scale, next))) = (indicator, columns.peek().and_then(alone)) {
                    x.push(next);
                    scales.push(scale);
                    columns.next();
                }
                let x = b.beside(x);
                let missing = b.node("IsNaN", &[&x]);
                features.push(standardised(b, &x, &missing, &scales, wide, &input.column)?);
                if indicator {
                    features.push(b.cast(&missing, Element::Float));
                }
            }
            Encoding::Date { order: _, mean, std, fill, indicator, cycles } => {
                let scale = Scale { mean: *mean, std: *std, fill: *fill };
                let missing = b.node("IsNaN", &[x]);
                features.push(standardised(b, x, &missing, &[scale], wide, &input.column)?);
                if *indicator {
                    features.push(b.cast(&missing, Element::Float));
                }
                let fill = b.doubles(&[1], &[*fill]);
                let seconds = b.node("Where", &[&missing, &fill, x]);
                features.extend(cycles.iter().map(|cycle| sin_cos(b, &seconds, *cycle)));
            }
            Encoding::Indicator => {
                let missing = b.node("IsNaN", &[x]);
                features.push(b.cast(&missing, Element::Float));
            }
            Encoding::Categories { categories, missing, other, rare: _ } => {
                let slots = Slots::new(categories, *missing, *other);
                let slot = match inputs {
                    Inputs::Table => slots.of_texts(b, encoder, x),
                    Inputs::Numeric => slots.of_numbers(b, x, &column.categories),
                };
                let all: Vec<i64> = (0..slots.width).collect();
                let all = b.ints(&[all.len()], &all);
                let hit = b.node("Equal", &[&slot, &all]);
                features.push(b.cast(&hit, Element::Float));
            }
            &Encoding::Pixels { count: _, mean, std } => {
                let missing = b.node("IsNaN", &[x]);
                let scale = Scale { mean, std, fill: mean };
                features.push(standardised(b, x, &missing, &[scale], wide, &input.column)?);
            }
        }
    }
    Ok(b.beside(features))
}

/// A number that is one feature, if this input is one.
fn alone((input, column): &(&Input, &Column<'_>)) -> Option<(Scale, Value)> {
    match input.encoding {
        Encoding::Number { mean, std, fill, indicator: false, notation: _ } => {
            Some((Scale { mean, std, fill }, column.value.clone()))
        }
        _ => None,
    }
}

/// How a number is standardised.
#[derive(Clone, Copy)]
struct Scale {
    mean: f64,
    std: f64,
    fill: f64,
}

/// (x − mean) / std as 32-bit numbers, with the fill's in place of missing ones.
fn standardised(
    b: &mut Builder,
    x: &Value,
    missing: &Value,
    scales: &[Scale],
    wide: bool,
    column: &str,
) -> Result<Value, Error> {
    let each = |of: fn(&Scale) -> f64| scales.iter().map(of).collect::<Vec<f64>>();
    let (means, stds) = (each(|scale| scale.mean), each(|scale| scale.std));
    let n = scales.len();
    let scaled = if wide {
        let (mean, std) = (b.doubles(&[n], &means), b.doubles(&[n], &stds));
        let centred = b.node("Sub", &[x, &mean]);
        let scaled = b.node("Div", &[&centred, &std]);
        b.cast(&scaled, Element::Float)
    } else {
        let narrow = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<f32>>();
        let (near, std) = (narrow(&means), narrow(&stds));
        if near.iter().any(|mean| !mean.is_finite()) || std.iter().any(|std| !std.is_normal()) {
            return Err(Error::NotIn32Bits { column: column.to_owned() });
        }
        // A mean far from 0 is subtracted in two steps, so that its last digits count.
        let rest: Vec<f64> = means.iter().zip(&near).map(|(&mean, &near)| mean - f64::from(near)).collect();
        let (near, rest, std) = (b.floats(&[n], &near), b.floats(&[n], &narrow(&rest)), b.floats(&[n], &std));
        let nearly = b.node("Sub", &[x, &near]);
        let centred = b.node("Sub", &[&nearly, &rest]);
        b.node("Div", &[&centred, &std])
    };
    let fill = each(|scale| (scale.fill - scale.mean) / scale.std);
    let fill: Vec<f32> = fill.into_iter().map(|fill| fill as f32).collect();
    let fill = b.floats(&[n], &fill);
    Ok(b.node("Where", &[missing, &fill, &scaled]))
}

/// The sine and the cosine of where in a cycle a moment is, `rows × 2`; the moments are `rows × 1`.
fn sin_cos(b: &mut Builder, seconds: &Value, cycle: Cycle) -> Value {
    let length = b.doubles(&[1], &[DAY]);
    let days = b.node("Div", &[seconds, &length]);
    let day = b.node("Floor", &[&days]);
    match cycle {
        Cycle::Month => {
            let month = month(b, &day);
            table(b, &month, 12)
        }
        Cycle::Weekday => {
            let day = b.cast(&day, Element::Int64);
            // 1 January 1970 was a Thursday, the fourth day from Monday.
            let from_monday = with(b, "Add", &day, 3);
            let weekday = with(b, "Mod", &from_monday, 7);
            table(b, &weekday, 7)
        }
        Cycle::Hour => {
            let share = b.node("Sub", &[&days, &day]);
            let turn = b.doubles(&[1], &[TAU]);
            let angle = b.node("Mul", &[&share, &turn]);
            let angle = b.cast(&angle, Element::Float);
            let (sin, cos) = (b.node("Sin", &[&angle]), b.node("Cos", &[&angle]));
            b.beside(vec![sin, cos])
        }
    }
}

/// The sine and the cosine of `number`/`of` of a turn; the numbers are `rows × 1`.
fn table(b: &mut Builder, number: &Value, of: usize) -> Value {
    let angles = (0..of).map(|number| TAU * number as f64 / of as f64);
    let values: Vec<f32> = angles.flat_map(|angle| [angle.sin() as f32, angle.cos() as f32]).collect();
    let values = b.floats(&[of, 2], &values);
    let first = b.ints(&[1], &[1]);
    let number = b.node("Squeeze", &[number, &first]);
    b.node("Gather", &[&values, &number])
}

/// The month, from 0, of days counted from 1 January 1970: whole years that begin in March are counted, of
/// which 400 are 146 097 days, so that the leap day is the last.
fn month(b: &mut Builder, day: &Value) -> Value {
    let day = b.cast(day, Element::Int64);
    let from_march = with(b, "Add", &day, 719_468);
    // `Mod` has the sign of the divisor; what is divided is then not negative.
    let of_era = with(b, "Mod", &from_march, 146_097);
    let (fours, centuries, eras) =
        (with(b, "Div", &of_era, 1460), with(b, "Div", &of_era, 36_524), with(b, "Div", &of_era, 146_096));
    let days = b.node("Sub", &[&of_era, &fours]);
    let days = b.node("Add", &[&days, &centuries]);
    let days = b.node("Sub", &[&days, &eras]);
    let year = with(b, "Div", &days, 365);
    let (whole, leap, none) =
        (with(b, "Mul", &year, 365), with(b, "Div", &year, 4), with(b, "Div", &year, 100));
    let before = b.node("Add", &[&whole, &leap]);
    let before = b.node("Sub", &[&before, &none]);
    let of_year = b.node("Sub", &[&of_era, &before]);
    let fives = with(b, "Mul", &of_year, 5);
    let fives = with(b, "Add", &fives, 2);
    let from_march = with(b, "Div", &fives, 153);
    let from_january = with(b, "Add", &from_march, 2);
    with(b, "Mod", &from_january, 12)
}

/// What an operation makes of whole numbers and one more.
fn with(b: &mut Builder, op: &str, x: &Value, number: i64) -> Value {
    let number = b.ints(&[1], &[number]);
    b.node(op, &[x, &number])
}

/// The slots of a column of categories. −1 is none of them: such a value is 0 in each.
struct Slots<'a> {
    categories: &'a [String],
    missing: i64,
    other: i64,
    width: i64,
}

impl<'a> Slots<'a> {
    fn new(categories: &'a [String], missing: bool, other: bool) -> Self {
        let known = categories.len() as i64;
        let others = if other { known + i64::from(missing) } else { -1 };
        Self {
            categories,
            missing: if missing { known } else { others },
            other: others,
            width: known + i64::from(missing) + i64::from(other),
        }
    }

    /// The slot of each text.
    fn of_texts(&self, b: &mut Builder, encoder: &Encoder, x: &Value) -> Value {
        let (mut texts, mut slots) = (Vec::new(), Vec::new());
        let missing = encoder.missing_texts();
        for (text, slot) in Encoder::spellings(self.categories) {
            // What stands for a missing value is never a category.
            if !missing.contains(&text) {
                texts.push(text);
                slots.push(slot as i64);
            }
        }
        slots.resize(texts.len() + missing.len(), self.missing);
        texts.extend(missing);
        let attributes = vec![
            strings("keys_strings", &texts),
            ints("values_int64s", slots),
            int("default_int64", self.other),
        ];
        b.ml_node("LabelEncoder", &[x], attributes)
    }

    /// The slot of each number of a category among those that are known to some network.
    fn of_numbers(&self, b: &mut Builder, x: &Value, known: &[&String]) -> Value {
        let mut number = |number: i64| b.ints(&[1], &[number]);
        let (zero, end, none) = (number(0), number(known.len() as i64), number(-1));
        let (missing, other) = (number(self.missing), number(self.other));
        let is_missing = b.node("Equal", &[x, &none]);
        // A column may have no frequent category, so that it only tells missing values from others.
        if known.is_empty() {
            return b.node("Where", &[&is_missing, &missing, &other]);
        }
        let own = |text: &&String| self.categories.iter().position(|own| own == *text);
        let slots: Vec<i64> =
            known.iter().map(|text| own(text).map_or(self.other, |slot| slot as i64)).collect();
        let slots = b.ints(&[slots.len()], &slots);
        let from_zero = b.node("GreaterOrEqual", &[x, &zero]);
        let below_end = b.node("Less", &[x, &end]);
        let is_known = b.node("And", &[&from_zero, &below_end]);
        let place = b.node("Where", &[&is_known, x, &zero]);
        let slot = b.node("Gather", &[&slots, &place]);
        let present = b.node("Where", &[&is_known, &slot, &other]);
        b.node("Where", &[&is_missing, &missing, &present])
    }
}
