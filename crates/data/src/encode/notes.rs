//! Notes about what was learnt.

use super::Encoding;
use crate::Table;
use crate::column::Column;
use crate::error::list;

/// Fewer rows than this may be numbered by chance.
const NUMBERED: usize = 10;

#[derive(Default)]
pub(super) struct Notes {
    keys: Vec<String>,
    pooled: Vec<String>,
    empty: Vec<String>,
    numbered: Vec<String>,
    pub indices: Vec<String>,
    rounded: Vec<String>,
}

impl Notes {
    pub fn numbers(&mut self, table: &Table, column: &Column, numbers: &[f64], rows: &[u32]) {
        let name = &column.name;
        if rows.iter().all(|&row| numbers[row as usize].is_nan()) {
            self.empty.push(name.clone());
        }
        if is_numbering(numbers) {
            self.numbered.push(name.clone());
        }
        if let Some(exact) = &column.exact {
            let (row, value) = &exact.first;
            self.rounded.push(format!(
                "Column `{name}` has whole numbers too large to be kept exactly, and ones that differ may be read as the \
                 same: {value} on {} is the first. If they are names or keys, name the column in `categorical` to \
                 keep them as they are.",
                table.place(*row, "").row
            ));
        }
    }

    pub fn categories(&mut self, column: &Column, encoding: &Option<Encoding>, rare: usize, rows: &[u32]) {
        let name = &column.name;
        match encoding {
            None if rows.iter().all(|&row| column.is_missing(row as usize)) => self.empty.push(name.clone()),
            None if rare > 1 => self.keys.push(name.clone()),
            Some(_) if rare > 1 => self.pooled.push(format!("{rare} of `{name}`")),
            _ => {}
        }
    }

    pub fn sentences(self, dropped: &[String]) -> Vec<String> {
        let mut notes = self.rounded;
        let others = [&self.keys, &self.empty, &self.indices];
        let constant: Vec<&String> =
            dropped.iter().filter(|name| !others.iter().any(|names| names.contains(name))).collect();
        let mut left_out = |names: &[&String], why: &str| {
            if !names.is_empty() {
                let (columns, are) = if names.len() == 1 { ("Column", "is") } else { ("Columns", "are") };
                notes.push(format!("{columns} {} {are} left out: {why}.", list(names, 10)));
            }
        };
        left_out(&constant, "constant in the training rows");
        left_out(&self.empty.iter().collect::<Vec<_>>(), "empty in the training rows");
        left_out(&self.keys.iter().collect::<Vec<_>>(), "text that differs in almost every row");
        left_out(
            &self.indices.iter().collect::<Vec<_>>(),
            "it numbers the rows (name it in `numeric` to learn from it)",
        );
        for name in &self.numbered {
            notes.push(format!(
                "Column `{name}` numbers the rows: it is another whole number in each, with none left out between. It \
                 is learnt from all the same; if it says nothing of the target, name it in `drop` to leave it out."
            ));
        }
        if !self.pooled.is_empty() {
            let shown = self.pooled.len().min(10);
            let more = if self.pooled.len() > shown { ", …" } else { "" };
            notes.push(format!(
                "Rare categories share one feature a column: {}{more}.",
                self.pooled[..shown].join(", ")
            ));
        }
        notes
    }
}

/// Whether these are consecutive whole numbers, each once, in any order.
fn is_numbering(numbers: &[f64]) -> bool {
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let whole = |number: &f64| number.fract() == 0.0 && number - least < numbers.len() as f64;
    if numbers.len() < NUMBERED || !numbers.iter().all(whole) {
        return false;
    }
    let mut seen = vec![false; numbers.len()];
    numbers.iter().all(|number| !std::mem::replace(&mut seen[(number - least) as usize], true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_numbered() {
        let numbers = |from: i32| (from..from + 12).map(f64::from).collect::<Vec<_>>();
        assert!(is_numbering(&numbers(1)) && is_numbering(&numbers(-5)));
        let mut shuffled = numbers(0);
        shuffled.reverse();
        shuffled.swap(2, 7);
        assert!(is_numbering(&shuffled));
        shuffled[3] = 5.0;
        assert!(!is_numbering(&shuffled));
        shuffled[3] = f64::NAN;
        assert!(!is_numbering(&shuffled));
        assert!(!is_numbering(&[0.0, 1.0]));
        assert!(!is_numbering(&[f64::NAN; 12]) && !is_numbering(&[f64::INFINITY; 12]));
    }
}
