//! The delimiter and the header of a table that does not say.

use super::missing::Missing;
use super::number::parse as number;
use super::records::{Field, Records, Unclosed};
use std::collections::{HashMap, HashSet};

/// Lines looked at to detect the delimiter.
const DELIMITER_SAMPLE: usize = 100;
/// Lines looked at to detect a header.
pub(super) const HEADER_SAMPLE: usize = 1000;

/// The delimiter that cuts most of the first lines into the same number of values, more than one.
///
/// Where several do equally well the order decides: `1,5;2,0` is two numbers with decimal commas, `a, b` no
/// text with spaces.
pub(super) fn detect_delimiter(text: &str) -> u8 {
    let mut best = (0.0, b',');
    for delimiter in [b'\t', b';', b'|', b',', b' '] {
        let mut records = Records::new(text, delimiter);
        let mut fields = Vec::new();
        let mut widths: HashMap<usize, usize> = HashMap::new();
        let mut lines = 0;
        while lines < DELIMITER_SAMPLE {
            match records.read(&mut fields) {
                Ok(Some(_)) => *widths.entry(fields.len()).or_default() += 1,
                Ok(None) => break,
                // A quote that this delimiter leaves open speaks against it.
                Err(Unclosed(_)) => widths.clear(),
            }
            lines += 1;
            if widths.is_empty() {
                break;
            }
        }
        let agreeing =
            widths.iter().filter(|&(&width, _)| width > 1).map(|(_, &lines)| lines).max().unwrap_or(0);
        let share = agreeing as f64 / lines.max(1) as f64;
        if share > best.0 {
            best = (share, delimiter);
        }
    }
    best.1
}

/// What the first line seems to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum FirstLine {
    /// The names of the columns.
    Header,
    /// A row like any other.
    Row,
    /// Taken for a row, though it may well be a header: its names could be values.
    Doubtful,
}

/// Whether the first line names the columns.
pub(super) fn detect_header(text: &str, delimiter: u8, missing: &Missing) -> FirstLine {
    let mut records = Records::new(text, delimiter);
    let mut names = Vec::new();
    if !matches!(records.read(&mut names), Ok(Some(_))) {
        return FirstLine::Row;
    }
    let columns = below(&names, &mut records, missing);
    let texts: Vec<&str> = names.iter().map(|name| &*name.text).collect();
    if is_header(&texts, &columns, missing) {
        FirstLine::Header
    } else if is_doubtful(&texts, &columns, missing) {
        FirstLine::Doubtful
    } else {
        FirstLine::Row
    }
}

/// The values below the first line of one column.
#[derive(Clone)]
struct Below {
    numbers: usize,
    texts: usize,
    /// Whether the text of the first line occurs again.
    repeated: bool,
    least: f64,
    most: f64,
}

fn below<'a>(names: &[Field<'a>], records: &mut Records<'a>, missing: &Missing) -> Vec<Below> {
    let none = Below { numbers: 0, texts: 0, repeated: false, least: f64::INFINITY, most: f64::NEG_INFINITY };
    let mut columns = vec![none; names.len()];
    let mut fields = Vec::new();
    for _ in 0..HEADER_SAMPLE {
        if !matches!(records.read(&mut fields), Ok(Some(_))) {
            break;
        }
        for ((field, name), column) in fields.iter().zip(names).zip(&mut columns) {
            if let Some(number) = number(&field.text) {
                column.numbers += 1;
                column.least = column.least.min(number);
                column.most = column.most.max(number);
            } else if !missing.among_numbers(&field.text) {
                column.texts += 1;
                column.repeated |= field.text == name.text;
            }
        }
    }
    columns
}

fn is_header(names: &[&str], columns: &[Below], missing: &Missing) -> bool {
    // Tables written without names often have their columns counted instead: 0, 1, 2, … behind perhaps an
    // empty name.
    let counted = |i: usize, name: &str| {
        name.parse::<usize>().is_ok_and(|n| n == i || n.checked_add(1) == Some(i) || n == i + 1)
    };
    let mut counts = 0;
    let mut words = 0;
    for (i, name) in names.iter().enumerate() {
        let name = name.trim();
        if counted(i, name) {
            counts += 1;
        } else if number(name).is_some() || (missing.among_numbers(name) && !name.is_empty()) {
            return false;
        } else if !name.is_empty() {
            words += 1;
        }
    }
    let increasing = names.windows(2).all(|pair| {
        let parse = |name: &str| name.trim().parse::<usize>();
        !matches!((parse(pair[0]), parse(pair[1])), (Ok(a), Ok(b)) if b != a + 1)
    });
    if counts > 0 {
        // One or two numbers that happen to be their column's are more likely values.
        return counts >= 4 && increasing;
    }
    let word_over_numbers = names
        .iter()
        .zip(columns)
        .any(|(name, column)| !name.trim().is_empty() && column.numbers > column.texts);
    let distinct = names.iter().collect::<HashSet<_>>().len() == names.len();
    let repeated = columns.iter().any(|column| column.repeated);
    words > 0 && (word_over_numbers || (distinct && !repeated))
}

/// Whether a first line that was taken for a row is unlike the rows below it: a word that never comes again
/// stands over numbers, or none of its words comes again and all its numbers are beyond those below them,
/// either far beyond or in equal steps, as years are.
fn is_doubtful(names: &[&str], columns: &[Below], missing: &Missing) -> bool {
    let is_word = |name: &str| number(name).is_none() && !missing.among_numbers(name);
    let mut words = names.iter().zip(columns).filter(|(name, _)| is_word(name));
    if words.clone().any(|(_, column)| !column.repeated && column.numbers > column.texts) {
        return true;
    }
    let numbers: Vec<(f64, &Below)> = names
        .iter()
        .zip(columns)
        .filter_map(|(name, column)| Some((number(name).filter(|number| number.is_finite())?, column)))
        .collect();
    let gap = |number: f64, column: &Below| (column.least - number).max(number - column.most);
    let far = numbers.iter().all(|&(number, column)| gap(number, column) > column.most - column.least);
    let steps: Vec<f64> = numbers.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let equal_steps =
        steps.first().is_some_and(|first| *first > 0.0 && steps.iter().all(|step| step == first));
    !numbers.is_empty()
        // Two rows below say too little of what a column holds.
        && numbers.iter().all(|&(number, column)| column.numbers > 2 && gap(number, column) > 0.0)
        && words.all(|(_, column)| !column.repeated)
        && (far || (equal_steps && numbers.iter().all(|(number, _)| number.fract() == 0.0)))
}

/// Whether the line below the header belongs to it, as one of units does: a word in each column, that never
/// comes again, and nothing but numbers below those words in some.
pub(super) fn is_second_header(fields: &[Field<'_>], records: &Records<'_>, missing: &Missing) -> bool {
    let columns = below(fields, &mut records.clone(), missing);
    let word = |field: &Field<'_>| number(&field.text).is_none() && !missing.among_numbers(&field.text);
    let mut over_numbers = false;
    let fits = fields.iter().zip(&columns).all(|(field, column)| {
        over_numbers |= column.numbers > 2 && column.texts == 0 && word(field);
        word(field) && !column.repeated
    });
    fits && over_numbers
}
