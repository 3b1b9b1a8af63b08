//! What can go wrong with data, said so that it can be put right.

use crate::spelling::spelling;
use std::fmt::{self, Display, Formatter};
use std::io;

/// Where in the data something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, or the name of a table that does not come from one.
    pub table: String,
    /// The line of the file or the number of the image.
    pub row: Row,
    /// The name of the column, or empty where the whole row is meant.
    pub column: String,
}

/// One row of a table, in the words of where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// The line of a text file, counted from 1.
    Line(u64),
    /// The number of an image, counted from 0.
    Image(u64),
    /// The number of a row that was never in a file, counted from 0.
    Number(u64),
}

impl Display for Row {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Image(image) => write!(f, "image {image}"),
            Self::Number(row) => write!(f, "row {row}"),
        }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.table, self.row)?;
        if !self.column.is_empty() {
            write!(f, ", column `{}`", self.column)?;
        }
        Ok(())
    }
}

/// Something in a file that is larger than it can be expected to be, as in one that is damaged or meant to do
/// harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The file.
    pub file: String,
    /// What is.
    pub what: Excess,
    /// The most that is read unless it is asked for.
    pub limit: u64,
}

/// What may be larger than can be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// A row, which begins on this line.
    Line {
        /// The line, counted from 1.
        line: u64,
    },
    /// The number of columns.
    Columns(usize),
    /// The number of pixels of an image.
    Pixels(usize),
    /// What compressed data unpacks to.
    Unpacked,
    /// What comes in on standard input, which is kept in memory.
    Piped,
}

impl Display for TooLarge {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { file, what, limit } = self;
        let megabytes = limit >> 20;
        match what {
            Excess::Line { line } => write!(
                f,
                "{file}, line {line}: a row of more than {megabytes} MB, or a quotation mark that is never closed"
            ),
            Excess::Columns(columns) => write!(f, "{file} has {columns} columns, more than {limit}"),
            Excess::Pixels(pixels) => write!(f, "{file} has images of {pixels} pixels, more than {limit}"),
            Excess::Piped => write!(f, "{file} has more than {megabytes} MB, which are kept in memory"),
            Excess::Unpacked => {
                write!(f, "{file} unpacks to more than {megabytes} MB, many times its size")
            }
        }
    }
}

impl std::error::Error for TooLarge {}

impl From<TooLarge> for Error {
    fn from(large: TooLarge) -> Self {
        Self::TooLarge(large)
    }
}

/// What is wrong with a file in the IDX format, or with what stands in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdxProblem {
    /// The file is none: it does not begin with two zero bytes.
    NotIdx,
    /// The file is one where a table of text is meant.
    NotATable,
    /// Labels, which have one dimension, stand where images are meant.
    LabelsForImages,
    /// Something of several dimensions stands where labels are meant.
    ImagesForLabels {
        /// The number of its dimensions.
        dimensions: usize,
    },
    /// There is no image in it, or there are images without pixels.
    NoImages,
    /// There are more or fewer labels than images.
    Counts {
        /// The number of labels.
        labels: usize,
        /// The number of images.
        images: usize,
        /// The file of the images.
        file: String,
    },
    /// The values are not single bytes.
    Kind(u8),
    /// There are more or fewer bytes than the sizes at its start come to.
    Length {
        /// The number of bytes of the file.
        found: usize,
        /// What the sizes come to, `u64::MAX` if that is more than can be counted.
        announced: u64,
    },
}

impl Display for IdxProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotIdx => f.write_str("this is not an IDX file, which begins with two zero bytes"),
            Self::NotATable => f.write_str("this is an IDX file, not a table of text"),
            Self::LabelsForImages => {
                f.write_str("these are labels, an IDX file of one dimension, where images are meant")
            }
            Self::ImagesForLabels { dimensions } => {
                write!(f, "labels are an IDX file of one dimension, and this one has {dimensions}")
            }
            Self::NoImages => f.write_str("there is no image in it"),
            Self::Counts { labels, images, file } => write!(
                f,
                "{} for {} in {file}. Give the two files that belong together",
                count(*labels, "label", "labels"),
                count(*images, "image", "images")
            ),
            Self::Kind(kind) => {
                write!(f, "its values are of type {kind:#04x}, and only bytes (0x08) are read")
            }
            Self::Length { found, announced } if (*found as u64) < *announced => {
                write!(
                    f,
                    "it is cut short: {found} bytes where its header announces {announced}. Fetch it again"
                )
            }
            Self::Length { found, announced } => {
                write!(f, "it has {found} bytes where its header announces {announced}. Fetch it again")
            }
        }
    }
}

/// Why data cannot be read, understood or used.
///
/// Each message says what is wrong, where, and what to do. It names no flag: a program that has some adds the
/// one that helps against the variant, and a caller of the library knows its own options.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no such file.
    NotFound {
        /// The path asked for.
        path: String,
        /// A file beside it, or a bundled table, with nearly that name.
        nearest: Option<String>,
    },
    /// A folder stands where a file is meant.
    Directory {
        /// The path asked for.
        path: String,
    },
    /// The operating system, or the gzip decoder, could not read a file.
    Io {
        /// The file.
        path: String,
        /// The cause.
        error: io::Error,
    },
    /// A file with nothing in it but blank lines.
    Empty {
        /// The file.
        table: String,
    },
    /// A header line and nothing below it.
    NoRows {
        /// The file.
        table: String,
    },
    /// Bytes that are not UTF-8, where no encoding was named.
    NotUtf8 {
        /// The file.
        table: String,
        /// The line of the first such byte, counted from 1.
        line: u64,
        /// Encodings that it may be in, and what the line reads as in each.
        readings: Vec<(String, String)>,
    },
    /// Bytes that are not text in the encoding that was named.
    NotInEncoding {
        /// The file.
        table: String,
        /// The line of the first such byte, counted from 1.
        line: u64,
        /// The encoding.
        encoding: String,
    },
    /// No encoding has this name.
    UnknownEncoding {
        /// The name.
        name: String,
    },
    /// A pipe or a device stands where a file is meant.
    NotAFile {
        /// The path asked for.
        path: String,
    },
    /// More than a file can be expected to hold.
    TooLarge(TooLarge),
    /// Bytes that are not text at all.
    Binary {
        /// The file.
        table: String,
        /// What they look like: `UTF-16 text`.
        looks: Option<&'static str>,
    },
    /// A line with more or fewer values than the first.
    Ragged {
        /// The file.
        table: String,
        /// The line, counted from 1.
        line: u64,
        /// The number of values of the first line.
        expected: usize,
        /// The number of values of this line.
        found: usize,
    },
    /// A quotation mark that is never closed.
    UnclosedQuote {
        /// The file.
        table: String,
        /// The line it stands on, counted from 1.
        line: u64,
    },
    /// A delimiter that cannot separate values.
    Delimiter(String),
    /// No bundled table has this name.
    UnknownDataset {
        /// The name asked for.
        name: String,
        /// The bundled name most like it.
        nearest: Option<String>,
    },
    /// No column has this name or number.
    UnknownColumn {
        /// The table.
        table: String,
        /// What was asked for.
        name: String,
        /// The column most like it.
        nearest: Option<String>,
        /// All columns.
        columns: Vec<String>,
    },
    /// One column is asked to be two things.
    Conflict {
        /// The name of the column.
        column: String,
        /// The first of the [`ReadOptions`](crate::ReadOptions), `numeric`, `categorical` or `drop`.
        one: &'static str,
        /// The second of them.
        other: &'static str,
    },
    /// Text where a number is needed.
    NotNumeric {
        /// Where it stands.
        place: Place,
        /// The text.
        value: String,
    },
    /// Something else where the weight of a row is needed, a number from 0 on.
    BadWeight {
        /// Where it stands.
        place: Place,
        /// The text; none where it is missing.
        value: Option<String>,
    },
    /// No row to train on, or none to validate on, has a weight above 0.
    NoWeight {
        /// The table.
        table: String,
        /// Whether it is the rows to train on.
        training: bool,
    },
    /// Something else where a date or a time is needed.
    NotADate {
        /// Where it stands.
        place: Place,
        /// The value.
        value: String,
    },
    /// A number that is infinite, too large for 64 bits, or, standardised, too large for 32.
    Infinite {
        /// Where it stands.
        place: Place,
        /// The number as written.
        value: String,
    },
    /// No row has a value of the target.
    NoTarget {
        /// The table.
        table: String,
        /// The name of the target.
        column: String,
    },
    /// A row to be encoded has no value of the target.
    MissingTarget(Place),
    /// All rows are of one class.
    OneClass {
        /// The table.
        table: String,
        /// The name of the target.
        column: String,
        /// The only class.
        class: String,
        /// The number of rows.
        rows: usize,
    },
    /// The target of a regression has one value only.
    ConstantTarget {
        /// The table.
        table: String,
        /// The name of the target.
        column: String,
        /// The only value.
        value: f64,
    },
    /// More classes than can be learnt.
    TooManyClasses {
        /// The table.
        table: String,
        /// The name of the target.
        column: String,
        /// The number of classes.
        classes: usize,
        /// The number of rows with a class.
        rows: usize,
        /// Whether the classes are numbers, so that regression would do.
        numeric: bool,
        /// How many are taken for what is meant, where that is the only reason: they are learnt if they are
        /// asked for.
        most: Option<usize>,
        /// Where most look like numbers that are not read as such, in what they are written:
        /// `a decimal comma`.
        spelling: Option<String>,
    },
    /// A label that was not among the classes learnt.
    UnknownLabel {
        /// Where it stands.
        place: Place,
        /// The label.
        label: String,
        /// The known classes.
        classes: Vec<String>,
    },
    /// The table has no images with a label, so nothing to learn.
    NoLabels {
        /// The file of the images.
        table: String,
    },
    /// No column is left to learn from.
    NoFeatures {
        /// The table.
        table: String,
        /// The name of the target.
        target: String,
        /// Columns left out as constant or different in every row.
        dropped: Vec<String>,
        /// Those whose text looks like numbers that are not read as such.
        spelt: Vec<String>,
    },
    /// A table lacks columns that were learnt from.
    MissingColumns {
        /// The table.
        table: String,
        /// The columns it lacks.
        missing: Vec<String>,
        /// The columns it has.
        columns: Vec<String>,
    },
    /// A table without header has another number of columns than the one learnt from.
    ColumnCount {
        /// The table.
        table: String,
        /// The number of columns of the table learnt from, its target included.
        expected: usize,
        /// The number found.
        found: usize,
    },
    /// Images of another size than those learnt from.
    ImageSize {
        /// The table.
        table: String,
        /// Pixels an image of those learnt from.
        expected: usize,
        /// Pixels an image here.
        found: usize,
    },
    /// A damaged IDX file, or one of another kind than was asked for.
    Idx {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: IdxProblem,
    },
    /// Too few rows to train on some and validate on others.
    TooFewRows {
        /// The table.
        table: String,
        /// The number of rows with a target.
        rows: usize,
    },
    /// So few rows are left to train on, of those there are, that nothing can be learnt from them.
    TooFewLeft {
        /// The table.
        table: String,
        /// The number of rows to train on.
        rows: usize,
        /// The number of rows with a target.
        of: usize,
    },
    /// A share of the rows that is not between 0 and 1.
    Share(f64),
    /// Folds that the rows cannot be divided into, and why.
    Folds(String),
    /// Arguments that do not fit together.
    Invalid(String),
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { path, nearest } => {
                write!(f, "there is no file {path}")?;
                match nearest {
                    Some(nearest) => write!(f, "; did you mean {nearest}?"),
                    None => write!(f, ". Give the path of a file, or the name of a bundled table"),
                }
            }
            Self::Directory { path } => write!(f, "{path} is a folder. Give the path of a file in it"),
            Self::Io { path, error } => {
                let error = error.to_string();
                // Without the number that the system has for it.
                let reason = error.split(" (os error").next().unwrap_or(&error);
                write!(f, "cannot read {path}: {reason}")
            }
            Self::Empty { table } => write!(f, "{table} is empty. A table has one line for each row"),
            Self::NoRows { table } => write!(f, "{table} has a header line and no rows below it"),
            Self::NotUtf8 { table, line, readings } => {
                write!(f, "{table}, line {line}: not UTF-8 text. Name its encoding, or convert it to UTF-8")?;
                for (i, (encoding, reading)) in readings.iter().enumerate() {
                    write!(
                        f,
                        "{} {encoding} the line has {reading:?}",
                        if i == 0 { ": in" } else { ", in" }
                    )?;
                }
                Ok(())
            }
            Self::NotInEncoding { table, line, encoding } => {
                write!(f, "{table}, line {line}: not text in {encoding}. Name another encoding")
            }
            Self::UnknownEncoding { name } => write!(
                f,
                "there is no encoding `{name}`. There are utf-8, utf-16le, utf-16be, windows-1252, euc-kr, shift_jis, \
                 gb18030, big5 and the others that web browsers know"
            ),
            Self::NotAFile { path } => write!(f, "{path} is a pipe or a device, not a file"),
            Self::TooLarge(large) => write!(f, "{large}"),
            Self::Binary { table, looks } => {
                write!(f, "{table} is not a table of text")?;
                match looks {
                    Some(looks) if looks.starts_with("UTF-16") => {
                        write!(f, " in UTF-8: it looks like {looks}. Name its encoding, or save it in UTF-8")
                    }
                    Some(looks) => write!(f, ": it looks like {looks}. Save it as CSV in UTF-8 first"),
                    None => write!(f, ", which is CSV or TSV in UTF-8"),
                }
            }
            Self::Ragged { table, line, expected, found } => write!(
                f,
                "{table}, line {line}: {} where the first line has {expected}. Correct that line, or name the \
                 delimiter if every line is split wrongly",
                count(*found, "value", "values")
            ),
            Self::UnclosedQuote { table, line } => write!(
                f,
                "{table}, line {line}: a quotation mark is opened here and never closed. Close it, or write it twice \
                 inside a quoted value"
            ),
            Self::Delimiter(delimiter) => write!(
                f,
                "{delimiter:?} cannot be a delimiter. Use one ASCII character that is neither a quotation mark, a \
                 letter, a digit nor the end of a line; `tab` and `space` spell those"
            ),
            Self::UnknownDataset { name, nearest } => {
                write!(f, "there is no bundled table `{name}`")?;
                suggest(f, nearest)?;
                let names: Vec<&str> = crate::bundled::catalogue().iter().map(|entry| entry.name).collect();
                write!(f, "{}There are {}", if nearest.is_some() { " " } else { ". " }, list(&names, 20))
            }
            Self::UnknownColumn { table, name, nearest, columns } => {
                write!(f, "{table} has no column `{name}`")?;
                suggest(f, nearest)?;
                write!(f, "{}", if nearest.is_some() { " " } else { ". " })?;
                columns_of(f, columns)
            }
            Self::Conflict { column, one, other } => {
                write!(f, "column `{column}` is named by both `{one}` and `{other}`. Name it in one of them")
            }
            Self::BadWeight { place, value: Some(value) } => {
                write!(f, "{place}: {value:?} is not a weight: give a number from 0 on")
            }
            Self::BadWeight { place, value: None } => {
                write!(
                    f,
                    "{place}: the weight is missing: give a number from 0 on, 0 for a row that is not to count"
                )
            }
            Self::NoWeight { table, training } => {
                let what = if *training { "to train" } else { "to validate" };
                write!(f, "none of the rows of {table} {what} on has a weight above 0")
            }
            Self::NotNumeric { place, value } => match spelling([value.as_str()]) {
                Some((spelling, _)) => write!(
                    f,
                    "{place}: {value:?} is not a number as it is written here, with {spelling}. Replace such values by \
                     plain numbers such as 10.3, or leave them empty or `?` if they are missing"
                ),
                None => write!(
                    f,
                    "{place}: {value:?} is not a number. Correct it, or leave it empty or `?` if it is missing"
                ),
            },
            Self::NotADate { place, value } => write!(
                f,
                "{place}: {value:?} is not a date or time as the model was trained on. Correct it, or leave it empty if \
                 it is missing"
            ),
            Self::Infinite { place, value } => write!(
                f,
                "{place}: {value} is not a number that can be learnt from. Correct it, or leave it empty or `?` if \
                 it is missing"
            ),
            Self::NoTarget { table, column } => write!(
                f,
                "{table}: the target, column `{column}`, has no value in any row. Choose another; if every line ends \
                 with a delimiter, the last column is empty"
            ),
            Self::MissingTarget(place) => {
                write!(f, "{place}: the target has no value here. Leave this row out")
            }
            Self::OneClass { table, column, class, rows } => write!(
                f,
                "{table}: the target, column `{column}`, has the one class `{class}` in {}: there is nothing to \
                 tell apart. Choose another",
                if *rows == 1 {
                    "the only row to learn from".to_owned()
                } else {
                    format!("all {rows} rows to learn from")
                }
            ),
            Self::ConstantTarget { table, column, value } => write!(
                f,
                "{table}: the target, column `{column}`, is {value} in every row to learn from: there is nothing to \
                 learn. Choose another"
            ),
            Self::TooManyClasses { table, column, classes, rows, numeric, spelling, most } => {
                write!(
                    f,
                    "{table}: the target, column `{column}`, would have {classes} classes in {rows} rows. "
                )?;
                if let Some(spelling) = spelling {
                    write!(
                        f,
                        "Most of them look like numbers written with {spelling}: replace them by plain numbers such as \
                         10.3"
                    )
                } else if *numeric {
                    write!(f, "They are numbers, which regression predicts")
                } else {
                    write!(f, "It looks like a name or a key, not a class: choose another")?;
                    match most {
                        Some(most) => {
                            write!(f, ". More than {most} are learnt only if classification is asked for")
                        }
                        None => Ok(()),
                    }
                }
            }
            Self::UnknownLabel { place, label, classes } => write!(
                f,
                "{place}: the label `{label}` is none of the classes learnt: {}. Correct it, or leave it empty",
                list(classes, 20)
            ),
            Self::NoLabels { table } => {
                write!(f, "{table}: the images have no labels, so there is no target")
            }
            Self::NoFeatures { table, target, dropped, spelt } => {
                write!(f, "{table}: no column is left to predict `{target}` from")?;
                if !dropped.is_empty() {
                    write!(f, ", as {} constant or different in every row", be(dropped))?;
                }
                if !spelt.is_empty() {
                    write!(
                        f,
                        ". Most of the text in {} looks like numbers written with a decimal comma, a thousands \
                         separator or a unit: replace it by plain numbers such as 10.3",
                        list(spelt, 10)
                    )?;
                }
                write!(f, ". Check the target, the columns left out and the delimiter")
            }
            Self::MissingColumns { table, missing, columns } => {
                write!(
                    f,
                    "{table} lacks {} {} that the model was trained on. ",
                    if missing.len() == 1 { "the column" } else { "the columns" },
                    list(missing, 10)
                )?;
                columns_of(f, columns)
            }
            Self::ColumnCount { table, expected, found } => write!(
                f,
                "{table} has {}, and the model was trained on a table of {expected}, its target included. Without a \
                 header line on both sides columns go by position, so give all {expected}, or all but the target",
                count(*found, "column", "columns")
            ),
            Self::ImageSize { table, expected, found } => write!(
                f,
                "{table} has images of {found} pixels, and the model was trained on images of {expected}. Resize them"
            ),
            Self::Idx { path, problem } => write!(f, "{path}: {problem}"),
            Self::TooFewRows { table, rows } => write!(
                f,
                "{table} has {}: too few to train on some and validate on others. Give more, or other data to \
                 validate on",
                count(*rows, "row with a target", "rows with a target")
            ),
            Self::TooFewLeft { table, rows, of } => write!(
                f,
                "{table}: only {rows} of {} {} left to train on, too few to learn the target from. Hold out fewer",
                count(*of, "row with a target", "rows with a target"),
                if *rows == 1 { "is" } else { "are" }
            ),
            Self::Share(share) => write!(
                f,
                "{share} is not a share of the rows to validate on. Give a number between 0 and 1, such as 0.2"
            ),
            Self::Folds(problem) | Self::Invalid(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}

fn suggest(f: &mut Formatter<'_>, nearest: &Option<String>) -> fmt::Result {
    nearest.as_ref().map_or(Ok(()), |nearest| write!(f, "; did you mean `{nearest}`?"))
}

fn columns_of(f: &mut Formatter<'_>, columns: &[String]) -> fmt::Result {
    match columns {
        [] => write!(f, "It has no columns"),
        [only] => write!(f, "Its only column is `{only}`"),
        [first, .., last] if columns.len() > 30 => {
            write!(f, "It has {} columns, from `{first}` to `{last}`", columns.len())
        }
        _ => write!(f, "Its columns are {}", list(columns, 30)),
    }
}

/// `` `a` is`` or `` `a`, `b` are``.
pub(crate) fn be(names: &[impl AsRef<str>]) -> String {
    format!("{} {}", list(names, 10), if names.len() == 1 { "is" } else { "are" })
}

/// `1 row`, `2 rows`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The names in back quotes, a long list cut to `most`.
pub(crate) fn list(names: &[impl AsRef<str>], most: usize) -> String {
    let shown = if names.len() > most { most } else { names.len() };
    let mut text = String::new();
    for (i, name) in names[..shown].iter().enumerate() {
        if i > 0 {
            text.push_str(", ");
        }
        text.push('`');
        text.push_str(name.as_ref());
        text.push('`');
    }
    if names.len() > shown {
        text.push_str(&format!(" and {} more", names.len() - shown));
    }
    text
}
