//! One column of a table.

use crate::csv;
use crate::dates::{self, DateOrder};
use crate::notation::Notation;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// The code of a missing value among the codes of categories.
pub(crate) const MISSING: u32 = u32::MAX;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Numeric,
    /// Text, of which each distinct value is a category.
    Categorical,
    /// Text that names dates or times.
    Date,
    /// One pixel of many images, from 0 to 255.
    Pixel,
}

/// One column of a [`Table`](crate::Table): a name and a value, or a missing one, for each row.
#[derive(Clone, Debug)]
pub struct Column {
    pub(crate) name: String,
    /// Its position in the file, which counts columns that were left out.
    pub(crate) number: usize,
    pub(crate) values: Values,
    /// How its values were written.
    pub(crate) written: Written,
    /// Its whole numbers as they were written, where 64 bits do not keep some of them.
    pub(crate) exact: Option<Exact>,
    /// Whether it only numbers the rows, so that nothing is learnt from it.
    pub(crate) numbers_rows: bool,
}

/// How the values of a column are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Written {
    /// As plain numbers, or as text without more in it.
    #[default]
    Plain,
    /// As numbers with decimal commas and the like.
    Notation(Notation),
    /// As dates, with the day or the month first where their form leaves that open.
    Dates(DateOrder),
}

/// The values of a column of whole numbers as text: `codes[row]` is a position in `texts`, or [`MISSING`].
#[derive(Clone, Debug)]
pub(crate) struct Exact {
    pub codes: Vec<u32>,
    pub texts: Vec<String>,
    /// The first row whose number 64 bits do not keep, and that number.
    pub first: (usize, String),
}

#[derive(Clone, Debug)]
pub(crate) enum Values {
    /// NaN where missing, never infinite.
    Numbers(Vec<f64>),
    /// `codes[row]` is a position in `texts`, or [`MISSING`].
    Text { codes: Vec<u32>, texts: Vec<String> },
    /// Row `i` is `bytes[i * stride + offset]`: all pixel columns share the bytes of the file.
    Pixels { bytes: Arc<[u8]>, stride: usize, offset: usize },
}

impl Column {
    pub(crate) fn new(name: String, number: usize, values: Values) -> Self {
        Self { name, number, values, written: Written::Plain, exact: None, numbers_rows: false }
    }

    /// How its numbers are written.
    pub(crate) fn notation(&self) -> Notation {
        match self.written {
            Written::Notation(notation) => notation,
            _ => Notation::default(),
        }
    }

    /// Its name: from the header, or `c` and its number.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    pub fn kind(&self) -> Kind {
        match self.values {
            Values::Numbers(_) => Kind::Numeric,
            Values::Text { .. } if matches!(self.written, Written::Dates(_)) => Kind::Date,
            Values::Text { .. } => Kind::Categorical,
            Values::Pixels { .. } => Kind::Pixel,
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Numbers(numbers) => numbers.len(),
            Values::Text { codes, .. } => codes.len(),
            Values::Pixels { bytes, stride, .. } => bytes.len().checked_div(*stride).unwrap_or(0),
        }
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number in a row; none where it is missing, where the column holds text, and beyond the last row.
    pub fn number(&self, row: usize) -> Option<f64> {
        match &self.values {
            Values::Numbers(numbers) => numbers.get(row).copied().filter(|number| !number.is_nan()),
            Values::Text { .. } => None,
            Values::Pixels { bytes, stride, offset } => {
                bytes.get(row * stride + offset).map(|&b| f64::from(b))
            }
        }
    }

    /// The value in a row as text: a category, or a number in its shortest form; none where it is missing.
    pub fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        if let Some(Exact { codes, texts, .. }) = &self.exact {
            let text = codes.get(row).and_then(|&code| texts.get(code as usize));
            return text.map(|text| Cow::Borrowed(&**text));
        }
        match &self.values {
            Values::Text { codes, texts } => {
                codes.get(row).and_then(|&code| texts.get(code as usize)).map(|text| Cow::Borrowed(&**text))
            }
            _ => self.number(row).map(|number| Cow::Owned(shortest(number))),
        }
    }

    /// Whether the value in a row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match &self.values {
            Values::Numbers(numbers) => numbers.get(row).is_none_or(|number| number.is_nan()),
            Values::Text { codes, .. } => codes.get(row).is_none_or(|&code| code == MISSING),
            Values::Pixels { .. } => row >= self.len(),
        }
    }

    /// All values as numbers, NaN where missing; or the first row that holds other text. Text is read in a
    /// notation, or as plain numbers.
    pub(crate) fn numbers(&self, notation: Notation) -> Result<Cow<'_, [f64]>, usize> {
        match &self.values {
            Values::Numbers(numbers) => Ok(Cow::Borrowed(numbers)),
            Values::Pixels { .. } => {
                Ok(Cow::Owned((0..self.len()).map(|row| self.number(row).unwrap_or(f64::NAN)).collect()))
            }
            Values::Text { codes, texts } => {
                let plain = |text: &str| text.trim().parse().ok().filter(|v: &f64| v.is_finite());
                by_text(codes, texts, |text| notation.parse(text).or_else(|| plain(text)))
            }
        }
    }

    /// All values as seconds, NaN where missing; or the first row that holds something else than a date or
    /// time.
    pub(crate) fn seconds(&self, order: DateOrder) -> Result<Cow<'_, [f64]>, usize> {
        match &self.values {
            Values::Text { codes, texts } => {
                by_text(codes, texts, |text| dates::parse(text, order).map(|moment| moment.seconds))
            }
            _ => match (0..self.len()).find(|&row| !self.is_missing(row)) {
                Some(row) => Err(row),
                None => Ok(Cow::Owned(vec![f64::NAN; self.len()])),
            },
        }
    }

    /// All values as categories.
    pub(crate) fn categories(&self) -> Categories<'_> {
        if let Some(Exact { codes, texts, .. }) = &self.exact {
            return Categories { texts: Cow::Borrowed(texts), codes: Cow::Borrowed(codes) };
        }
        if let Values::Text { codes, texts } = &self.values {
            return Categories { texts: Cow::Borrowed(texts), codes: Cow::Borrowed(codes) };
        }
        let mut known: HashMap<u64, u32> = HashMap::new();
        let mut texts = Vec::new();
        let mut code = |row| {
            let Some(number) = self.number(row) else { return MISSING };
            // Adding zero makes −0 the same category as 0.
            *known.entry((number + 0.0).to_bits()).or_insert_with(|| {
                texts.push(shortest(number));
                texts.len() as u32 - 1
            })
        };
        let codes = (0..self.len()).map(&mut code).collect();
        Categories { texts: Cow::Owned(texts), codes: Cow::Owned(codes) }
    }
}

/// The number of each row's text, NaN where it is missing; or the first row whose text has none.
fn by_text<'a>(
    codes: &[u32],
    texts: &[String],
    number: impl Fn(&str) -> Option<f64>,
) -> Result<Cow<'a, [f64]>, usize> {
    let read: Vec<Option<f64>> = texts
        .iter()
        .map(|text| number(text).or_else(|| csv::is_missing_number(text).then_some(f64::NAN)))
        .collect();
    let of_row = |(row, &code): (usize, &u32)| match read.get(code as usize) {
        None => Ok(f64::NAN),
        Some(&number) => number.ok_or(row),
    };
    codes.iter().enumerate().map(of_row).collect::<Result<_, _>>().map(Cow::Owned)
}

/// A column as distinct texts and the position, or [`MISSING`], of each row's.
pub(crate) struct Categories<'a> {
    pub texts: Cow<'a, [String]>,
    pub codes: Cow<'a, [u32]>,
}

/// A number in the shortest form that reads back the same; whole ones without a point.
pub(crate) fn shortest(number: f64) -> String {
    format!("{}", number + 0.0)
}
