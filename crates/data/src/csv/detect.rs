//! The delimiter and the header of a table that does not say.

use super::records::{Records, Unclosed};
use super::{is_missing, number};
use std::collections::{HashMap, HashSet};

/// Lines looked at to detect the delimiter.
const DELIMITER_SAMPLE: usize = 100;
/// Lines looked at to detect a header.
const HEADER_SAMPLE: usize = 1000;

/// The delimiter that cuts most of the first lines into the same number of values, more than one.
///
/// Where several do equally well the order decides: `1,5;2,0` is two numbers with decimal commas, `a, b` no text
/// with spaces.
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

/// Whether the first line names the columns.
pub(super) fn detect_header(text: &str, delimiter: u8) -> bool {
    let mut records = Records::new(text, delimiter);
    let mut names = Vec::new();
    if !matches!(records.read(&mut names), Ok(Some(_))) {
        return false;
    }
    // Tables written without names often have their columns counted instead: 0, 1, 2, … behind perhaps an empty name.
    let counted = |i: usize, name: &str| {
        name.parse::<usize>().is_ok_and(|n| n == i || n.checked_add(1) == Some(i) || n == i + 1)
    };
    let mut counts = 0;
    let mut words = 0;
    for (i, name) in names.iter().enumerate() {
        let name = name.trim();
        if counted(i, name) {
            counts += 1;
        } else if number(name).is_some() || (is_missing(name) && !name.is_empty()) {
            return false;
        } else if !name.is_empty() {
            words += 1;
        }
    }
    let increasing = names.windows(2).all(|pair| {
        let parse = |name: &str| name.trim().parse::<usize>();
        !matches!((parse(&pair[0]), parse(&pair[1])), (Ok(a), Ok(b)) if b != a + 1)
    });
    if counts > 0 {
        // One or two numbers that happen to be their column's are more likely values.
        return counts >= 4 && increasing;
    }

    let mut numbers = vec![0_usize; names.len()];
    let mut texts = vec![0_usize; names.len()];
    let mut repeated = false;
    let mut fields = Vec::new();
    for _ in 0..HEADER_SAMPLE {
        if !matches!(records.read(&mut fields), Ok(Some(_))) {
            break;
        }
        for (i, field) in fields.iter().enumerate().take(names.len()) {
            if number(field).is_some_and(|number| !number.is_nan()) {
                numbers[i] += 1;
            } else if !is_missing(field) {
                texts[i] += 1;
                repeated |= *field == names[i];
            }
        }
    }
    let word_over_numbers =
        names.iter().enumerate().any(|(i, name)| !name.trim().is_empty() && numbers[i] > texts[i]);
    let distinct = names.iter().collect::<HashSet<_>>().len() == names.len();
    words > 0 && (word_over_numbers || (distinct && !repeated))
}
