//! Columns that only number the rows, as pandas and R write one in front of a table.

use serde::{Deserialize, Serialize};

/// What becomes of a column that only numbers the rows: its values are 0, 1, 2, … or 1, 2, 3, … in the order
/// of the file, and it has no name, one that pandas or R gives it, or one such as `id`.
///
/// Where a file is sorted, such a column tells the target of the rows that were shuffled for validation, and
/// nothing of new rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowNumbers {
    /// It is left out, unless it is named among the columns of numbers or is the only feature.
    #[default]
    LeaveOut,
    /// It is learnt from as any other.
    Keep,
}

/// Fewer rows than this may be numbered by chance.
const FEWEST: usize = 10;

/// What people call such a column, in small letters and without what is no letter or digit.
const NAMES: [&str; 22] = [
    "unnamed0",
    "id",
    "ids",
    "index",
    "idx",
    "row",
    "rowid",
    "rowno",
    "rownum",
    "rownumber",
    "rownames",
    "no",
    "nr",
    "num",
    "number",
    "obs",
    "sno",
    "srno",
    "serial",
    "serialno",
    "번호",
    "순번",
];

/// Whether a column numbers the rows by its values and its name.
pub(super) fn numbers_rows(name: &str, number: usize, values: &[f64]) -> bool {
    let has_no_name = number == 0 && name == "c0";
    let plain: String = name.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect();
    let is_called_so = has_no_name || NAMES.contains(&plain.as_str());
    let from = values.first().copied().filter(|&from| from == 0.0 || from == 1.0);
    is_called_so
        && values.len() >= FEWEST
        && from.is_some_and(|from| values.iter().enumerate().all(|(row, &value)| value == from + row as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_numbers_rows() {
        let from = |from: i32| (from..from + 12).map(f64::from).collect::<Vec<_>>();
        for name in ["Unnamed: 0", "ID", "row_id", "row.names", "S.No.", "번호"] {
            assert!(numbers_rows(name, 3, &from(1)) && numbers_rows(name, 0, &from(0)), "{name}");
        }
        assert!(numbers_rows("c0", 0, &from(1)) && !numbers_rows("c1", 1, &from(1)));
        for name in ["year", "time", "t", "day", "idle"] {
            assert!(!numbers_rows(name, 0, &from(1)), "{name}");
        }
        assert!(!numbers_rows("id", 0, &from(2)) && !numbers_rows("id", 0, &from(-1)));
        let mut other = from(1);
        other.swap(3, 4);
        assert!(!numbers_rows("id", 0, &other));
        other[3] = f64::NAN;
        assert!(
            !numbers_rows("id", 0, &other)
                && !numbers_rows("id", 0, &[])
                && !numbers_rows("id", 0, &[0.0, 1.0])
        );
    }
}
