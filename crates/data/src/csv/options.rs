//! How to read a table of text.

use crate::{DateOrder, Decimal, Error, Known, RowNumbers};
use serde::{Deserialize, Serialize};

/// How to read a CSV or TSV file, where detection is not to decide.
///
/// Columns are named by name or by number, as in [`Table::column_index`](crate::Table::column_index).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReadOptions {
    /// The byte between values. Detected unless given: tab, `;`, `|`, `,` or space. Runs of spaces count as
    /// one.
    #[serde(with = "spelt_delimiter")]
    pub delimiter: Option<u8>,
    /// Whether the first line names the columns. Detected unless given: it does if none of its values is a
    /// number and either a column is of numbers below it, or none of its values occurs again in its column.
    pub header: Option<bool>,
    /// What is known of the columns beforehand, as from a model's training: a first line that holds the names
    /// of all that are needed, in any order, names the columns, whatever detection makes of it. Not saved.
    #[serde(skip)]
    pub known: Option<Known>,
    /// The encoding of the text by a name such as `euc-kr`, where no mark at its start tells it. UTF-8 unless
    /// given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Lines to skip at the start. Unless given, lines that begin with `#` and Excel's `sep=;` are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip: Option<usize>,
    /// The mark in front of decimals. Found in each column unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// The values that stand for missing ones, besides empty ones. Unless given, `?` and `NaN` do, and among
    /// numbers and dates those on the list of pandas and the errors of spreadsheets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<String>>,
    /// The order of day and month in dates such as 03/04/2024. Found in each column that tells it unless
    /// given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateOrder>,
    /// What becomes of a column that only numbers the rows: left out unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_numbers: Option<RowNumbers>,
    /// Read it however large it is: compressed data that unpacks to many times its size, rows of more than 64
    /// MB, more than a million columns, more than 4 GiB of standard input, which are errors otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub any_size: bool,
    /// Columns of categories, even if all their values are numbers.
    pub categorical: Vec<String>,
    /// Columns of numbers: any other text in them is an error.
    pub numeric: Vec<String>,
    /// Columns to leave out.
    pub drop: Vec<String>,
}

impl ReadOptions {
    /// The delimiter that a word on the command line spells: one ASCII character, `tab` or `\t`, or `space`.
    ///
    /// ```
    /// use downhill_data::ReadOptions;
    ///
    /// assert_eq!(ReadOptions::parse_delimiter(";").unwrap(), b';');
    /// assert_eq!(ReadOptions::parse_delimiter("tab").unwrap(), b'\t');
    /// ```
    ///
    /// # Errors
    ///
    /// If it spells none, or one that cannot separate values.
    pub fn parse_delimiter(word: &str) -> Result<u8, Error> {
        match (word, word.as_bytes()) {
            ("tab" | "\\t", _) => Ok(b'\t'),
            ("space", _) => Ok(b' '),
            (_, &[delimiter]) => valid_delimiter(delimiter),
            _ => Err(Error::Delimiter(word.to_owned())),
        }
    }
}

/// The delimiter as one character of text, as a person writes it in a file of settings.
mod spelt_delimiter {
    use super::ReadOptions;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(delimiter: &Option<u8>, serializer: S) -> Result<S::Ok, S::Error> {
        delimiter.map(char::from).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
        let word = Option::<String>::deserialize(deserializer)?;
        word.map(|word| ReadOptions::parse_delimiter(&word).map_err(D::Error::custom)).transpose()
    }
}

pub(super) fn valid_delimiter(delimiter: u8) -> Result<u8, Error> {
    let bad = !delimiter.is_ascii()
        || delimiter.is_ascii_alphanumeric()
        || matches!(delimiter, b'"' | b'\'' | b'\n' | b'\r' | 0);
    if bad { Err(Error::Delimiter(char::from(delimiter).to_string())) } else { Ok(delimiter) }
}
