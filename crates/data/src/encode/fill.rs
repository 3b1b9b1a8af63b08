//! Rows of features, written.

use super::find::{Finder, pixel_name};
use super::{Encoder, Encoding, numbers_of, scaled, seconds_of};
use crate::column::{MISSING, Values};
use crate::dates::Cycle;
use crate::notation::Notation;
use crate::vocabulary::Vocabulary;
use crate::{Column, Error, Kind, Table};
use std::borrow::Cow;

/// Rows encoded at a time, so that the rows being written stay in the cache.
const BLOCK: usize = 64;

impl Encoder {
    /// The features of some rows that are known to exist.
    pub(super) fn fill(&self, table: &Table, rows: &[u32]) -> Result<Vec<f32>, Error> {
        let finder = Finder::new(self, table)?;
        let mut fillers = Vec::with_capacity(self.inputs.len());
        let mut offset = 0;
        for (input, columns) in self.inputs.iter().zip(finder.inputs(self)?) {
            fillers.push((offset, Filler::new(table, &input.encoding, &columns)?));
            offset += input.encoding.width();
        }
        let features = offset;
        if features == 0 {
            return Err(Error::Invalid("the encoder has no features: the model is damaged".to_owned()));
        }
        let mut x = vec![0.0; rows.len() * features];
        for (rows, x) in rows.chunks(BLOCK).zip(x.chunks_mut(BLOCK * features)) {
            for (offset, filler) in &fillers {
                filler.fill(table, rows, features, &mut x[*offset..])?;
            }
        }
        Ok(x)
    }
}

/// One input of an encoder, bound to the columns of a table.
enum Filler<'a> {
    Number {
        column: &'a str,
        numbers: Cow<'a, [f64]>,
        mean: f64,
        std: f64,
        fill: f64,
        indicator: bool,
        cycles: &'a [Cycle],
    },
    Indicator {
        column: &'a Column,
    },
    /// For each category of the table the slot to set, and the slot of missing.
    Slots {
        codes: Cow<'a, [u32]>,
        slots: Vec<Option<usize>>,
        missing: Option<usize>,
    },
    Pixels {
        columns: Vec<&'a Column>,
        table: Box<[f32; 256]>,
    },
    /// Pixels of a table of text.
    Numbers {
        columns: Vec<Cow<'a, [f64]>>,
        mean: f64,
        std: f64,
    },
}

impl<'a> Filler<'a> {
    fn new(table: &'a Table, encoding: &'a Encoding, columns: &[usize]) -> Result<Self, Error> {
        let columns: Vec<&Column> = columns.iter().filter_map(|&column| table.columns.get(column)).collect();
        let column = *columns.first().ok_or_else(|| Error::Invalid("an encoding of no column".to_owned()))?;
        Ok(match encoding {
            &Encoding::Number { mean, std, fill, indicator, notation } => {
                let numbers = numbers_of(table, column, notation)?;
                Self::Number { column: &column.name, numbers, mean, std, fill, indicator, cycles: &[] }
            }
            Encoding::Date { order, mean, std, fill, indicator, cycles } => {
                let numbers = seconds_of(table, column, *order)?;
                let (mean, std, fill, indicator) = (*mean, *std, *fill, *indicator);
                Self::Number { column: &column.name, numbers, mean, std, fill, indicator, cycles }
            }
            Encoding::Indicator => Self::Indicator { column },
            Encoding::Categories { categories, missing, other, .. } => {
                let vocabulary = Vocabulary::new(categories);
                let here = column.categories();
                let other = other.then_some(categories.len() + usize::from(*missing));
                let slot = |text: &String| vocabulary.find(text).map(|slot| slot as usize).or(other);
                let slots = here.texts.iter().map(slot).collect();
                Self::Slots {
                    codes: here.codes,
                    slots,
                    missing: missing.then_some(categories.len()).or(other),
                }
            }
            &Encoding::Pixels { mean, std, .. } => {
                if columns.iter().all(|column| column.kind() == Kind::Pixel) {
                    let mut scaled_bytes = Box::new([0.0; 256]);
                    for (byte, scaled_byte) in scaled_bytes.iter_mut().enumerate() {
                        *scaled_byte = scaled(byte as f64, mean, std, || table.place(0, &column.name))?;
                    }
                    return Ok(Self::Pixels { columns, table: scaled_bytes });
                }
                let numbers: Result<_, Error> =
                    columns.iter().map(|column| numbers_of(table, column, Notation::default())).collect();
                Self::Numbers { columns: numbers?, mean, std }
            }
        })
    }

    /// Writes its features of some rows; `x` begins with the first of them in the first row.
    fn fill(&self, table: &Table, rows: &[u32], features: usize, x: &mut [f32]) -> Result<(), Error> {
        let rows = rows.iter().map(|&row| row as usize).zip(x.chunks_mut(features));
        match self {
            Self::Number { column, numbers, mean, std, fill, indicator, cycles } => {
                for (row, x) in rows {
                    let missing = numbers[row].is_nan();
                    let number = if missing { *fill } else { numbers[row] };
                    x[0] = scaled(number, *mean, *std, || table.place(row, column))?;
                    if *indicator {
                        x[1] = f32::from(missing);
                    }
                    for (i, cycle) in cycles.iter().enumerate() {
                        let (sin, cos) = cycle.sin_cos(number);
                        let at = 1 + usize::from(*indicator) + 2 * i;
                        (x[at], x[at + 1]) = (sin as f32, cos as f32);
                    }
                }
            }
            Self::Indicator { column } => {
                for (row, x) in rows {
                    x[0] = f32::from(column.is_missing(row));
                }
            }
            Self::Slots { codes, slots, missing } => {
                for (row, x) in rows {
                    let slot = if codes[row] == MISSING { *missing } else { slots[codes[row] as usize] };
                    if let Some(slot) = slot {
                        x[slot] = 1.0;
                    }
                }
            }
            Self::Pixels { columns, table } => {
                for (row, x) in rows {
                    for (x, column) in x.iter_mut().zip(columns) {
                        if let Values::Pixels { bytes, stride, offset } = &column.values {
                            *x = table[usize::from(bytes[row * stride + offset])];
                        }
                    }
                }
            }
            Self::Numbers { columns, mean, std } => {
                for (row, x) in rows {
                    for (i, (x, numbers)) in x.iter_mut().zip(columns).enumerate() {
                        let number = if numbers[row].is_nan() { *mean } else { numbers[row] };
                        *x = scaled(number, *mean, *std, || table.place(row, &pixel_name(i)))?;
                    }
                }
            }
        }
        Ok(())
    }
}
